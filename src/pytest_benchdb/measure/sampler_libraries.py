"""Sensors that libraries tell: NVML's, and psutil's where there is no ``/proc``; for the process that samples.

The modules are arguments: the process that samples imports them, and only if it was asked to.
"""

import os
from collections.abc import Iterator, Sequence
from typing import Any

from pytest_benchdb.measure.sampler_sensor import Sensor

_ZERO_CELSIUS_K = 273.15


def nvml_sensors(nvml: Any, uuids: Sequence[str]) -> Iterator[Sensor]:
    """Find power, temperature, clock, load and memory of NVIDIA devices.

    A device may support some readings only (Jetson: none), which the first reading of each tells.

    Args:
        nvml: the module `pynvml`.
        uuids: unique ids of the devices, as NVML or torch write them.
    """
    nvml.nvmlInit()
    for uuid in uuids:
        named = uuid if uuid.startswith(("GPU-", "MIG-")) else f"GPU-{uuid}"
        yield from _nvml_device(nvml, nvml.nvmlDeviceGetHandleByUUID(named), uuid)


def _nvml_device(nvml: Any, handle: Any, uuid: str) -> Iterator[Sensor]:
    readings = (
        ("power", "W", 1e-3, lambda: _nvml_power_mw(nvml, handle)),
        (
            "temperature",
            "K",
            1.0,
            lambda: nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU) + _ZERO_CELSIUS_K,
        ),
        ("clock_frequency", "Hz", 1e6, lambda: nvml.nvmlDeviceGetClockInfo(handle, nvml.NVML_CLOCK_SM)),
        ("utilization", "1", 1e-2, lambda: nvml.nvmlDeviceGetUtilizationRates(handle).gpu),
        ("device_used", "B", 1.0, lambda: nvml.nvmlDeviceGetMemoryInfo(handle).used),
    )
    for metric, unit, scale, read in readings:
        yield Sensor(metric, unit, f"{uuid}/{metric}", read, scale=scale, scope="device", device=uuid)


def _nvml_power_mw(nvml: Any, handle: Any) -> float:
    # nvmlDeviceGetPowerUsage is the average of 1 s since Ampere; the field is the power of this moment.
    field = nvml.nvmlDeviceGetFieldValues(handle, [nvml.NVML_FI_DEV_POWER_INSTANT])[0]
    if field.nvmlReturn == nvml.NVML_SUCCESS:
        return int(field.value.uiVal)
    return int(nvml.nvmlDeviceGetPowerUsage(handle))


def portable_sensors(psutil: Any, pid: int) -> Iterator[Sensor]:
    """Find what psutil tells of the process and the machine.

    Args:
        psutil: the module.
        pid: process that the benchmark runs in.
    """
    process, cpus = psutil.Process(pid), os.cpu_count() or 1

    def used_s() -> float:
        times = process.cpu_times()
        return float(times.user + times.system)

    def busy_s() -> float:
        times = psutil.cpu_times()
        # guest time is counted in user time as well
        idle = ("idle", "iowait", "steal", "guest", "guest_nice")
        return float(sum(times) - sum(getattr(times, name, 0.0) for name in idle))

    yield Sensor("rss", "B", "process", lambda: process.memory_info().rss, scope="process")
    yield Sensor("utilization", "1", "process", used_s, kind="flow", scale=1 / cpus, scope="process")
    yield Sensor("utilization", "1", "machine", busy_s, kind="flow", scale=1 / cpus, scope="system")
