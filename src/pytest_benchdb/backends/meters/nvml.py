"""NVIDIA's management library, through ``pynvml`` of the package nvidia-ml-py (BSD).

Measurements and pitfalls: `docs/explanation/energy.md`. Each reading is tried separately, because a Jetson initialises
and reports one device, but supports no reading. Devices are identified by their UUID, never by their index.

Sources: NVML API reference, `nvmlFieldValueEnums` (energy in mJ, power in mW, throttle times in ns);
zeus pull request 172 (on a GH200 the energy counter covers the whole module).
"""

import os
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, TypeVar

from pytest_benchdb.backends.meters.library import CELSIUS_K, LibraryMeter, reading_of
from pytest_benchdb.model.reading import Domain, Reading, Scope

T = TypeVar("T")

# Field ids, scopes and return codes of nvml.h, as numbers: older releases of pynvml lack some of the names.
_ENERGY, _POWER_AVERAGE, _POWER_INSTANT = 83, 185, 186
_SCOPE_GPU, _SCOPE_MODULE, _SCOPE_MEMORY = 0, 1, 2
_SUCCESS, _UNINITIALIZED = 0, 1
_MIG_ENABLED = 1
_ARCH_HOPPER = 9
_SENSOR_GPU, _CLOCK_SM = 0, 1
_VALUE_MEMBERS = {0: "dVal", 1: "uiVal", 2: "ulVal", 3: "ullVal", 4: "sllVal", 5: "siVal", 6: "usVal"}
_Gauge = tuple[str, str, str, Callable[[Any, Any], float]]
_GAUGES: tuple[_Gauge, ...] = (
    ("temperature", "temperature", "K", lambda n, h: n.nvmlDeviceGetTemperature(h, _SENSOR_GPU) + CELSIUS_K),
    ("clock_sm", "clock_frequency", "Hz", lambda n, h: n.nvmlDeviceGetClockInfo(h, _CLOCK_SM) * 1e6),
    ("utilization", "utilization", "1", lambda n, h: n.nvmlDeviceGetUtilizationRates(h).gpu / 100),
    ("memory_used", "device_used", "B", lambda n, h: float(n.nvmlDeviceGetMemoryInfo(h).used)),
)
_COUNTER_CALL: _Gauge = ("energy", "energy", "J", lambda n, h: n.nvmlDeviceGetTotalEnergyConsumption(h) * 1e-3)
_POWER_CALL: _Gauge = ("power", "power", "W", lambda n, h: n.nvmlDeviceGetPowerUsage(h) * 1e-3)
_NOT_OF_A_SLICE = frozenset({"energy", "power", "throttle_time", "utilization"})
"""Metrics that NVML only has for the whole GPU; under MIG they do not belong to any instance."""
_SLICED = "MIG is enabled, and NVML reports it for the whole GPU only"
_REASONS = {
    "slowed_power_cap": 0x4,
    "slowed_hardware": 0x8,
    "slowed_thermal_software": 0x20,
    "slowed_thermal_hardware": 0x40,
    "slowed_power_brake": 0x80,
}
"""Bits of the reasons for a lower clock (`nvmlClocksEventReasons`), without idleness and what users set themselves."""


@dataclass(frozen=True, slots=True)
class _Field:
    """A field value and its conversion to SI units; `scopes` are tried in order."""

    sensor: str
    metric: str
    unit: str
    kind: Literal["counter", "gauge"]
    field_id: int
    factor: float
    scopes: tuple[int, ...] = (_SCOPE_GPU,)


_FIELDS = (
    _Field("energy", "energy", "J", "counter", _ENERGY, 1e-3, (_SCOPE_GPU, _SCOPE_MODULE)),
    _Field("power_instant", "power", "W", "gauge", _POWER_INSTANT, 1e-3, (_SCOPE_GPU, _SCOPE_MODULE)),
    _Field("power_average", "power", "W", "gauge", _POWER_AVERAGE, 1e-3, (_SCOPE_GPU, _SCOPE_MODULE)),
    _Field("power_memory", "power", "W", "gauge", _POWER_AVERAGE, 1e-3, (_SCOPE_MEMORY,)),
    _Field("throttle_power_cap", "throttle_time", "s", "counter", 74, 1e-9),
    _Field("throttle_thermal_software", "throttle_time", "s", "counter", 269, 1e-9),
    _Field("throttle_thermal_hardware", "throttle_time", "s", "counter", 270, 1e-9),
    _Field("throttle_power_brake", "throttle_time", "s", "counter", 271, 1e-9),
)


def attempt(nvml: Any, action: Callable[[], T]) -> tuple[T | None, str | None]:
    """Call a function; return (result, None), or (None, reason) if NVML failed.

    Raises:
        Exception: ``NVMLError_Uninitialized``, which the caller handles.
    """
    try:
        return action(), None
    except nvml.NVMLError as error:
        if error.value == _UNINITIALIZED:
            raise
        return None, str(error)
    except (AttributeError, nvml.NVMLLibraryMismatchError) as error:
        return None, f"pynvml and the driver do not fit together: {error}"


class NvmlDevice:
    """One GPU.

    Attributes:
        uuid: as NVML writes it, ``GPU-...``.
        name: product name.
        domains: the sensors that can be read.
        absent: why other sensors cannot, by domain name.
    """

    def __init__(self, nvml: Any, uuid: str, monotonic_ns: Callable[[], int]) -> None:
        """Find the readings that a GPU supports."""
        self.uuid = uuid
        self.absent: dict[str, str] = {}
        self.domains: list[Domain] = []
        self._nvml = nvml
        self._monotonic_ns = monotonic_ns
        self._handle: Any = None
        self._fields: list[tuple[_Field, int]] = []
        self._calls: list[_Gauge] = []
        self._reasons: list[str] = []
        self.take_handle()
        self.name = _text(nvml.nvmlDeviceGetName(self._handle))
        self._is_sliced = self._mig_enabled()
        self._find_fields()
        self._find_calls()
        self._find_reasons()
        if self._is_sliced:
            for instance in self._instances():
                self.absent |= {f"{instance}/{sensor}": f"{_SLICED}, {self.uuid}" for sensor in ("energy", "clock_sm")}

    def take_handle(self) -> None:
        """Get the handle of this UUID again; the device's index may have changed.

        Raises:
            Exception: the device is gone.
        """
        self._handle = self._nvml.nvmlDeviceGetHandleByUUID(self.uuid)

    def read_fields(self, wanted: Collection[str] | None) -> dict[str, Reading]:
        """Read energy, power and throttle times in one call, as far as they are wanted; None means all."""
        fields = [(field, scope) for field, scope in self._fields if self._is_wanted(field.sensor, wanted)]
        if not fields:
            return {}
        values, now_ns, lost = self._field_values([(field.field_id, scope) for field, scope in fields])
        readings = {}
        for place, (field, _) in enumerate(fields):
            name = f"{self.uuid}/{field.sensor}"
            number, reason = (None, lost) if values is None else self._number(values[place])
            readings[name] = reading_of(name, None if number is None else number * field.factor, now_ns, reason)
        return readings

    def read_gauges(self, wanted: Collection[str] | None) -> dict[str, Reading]:
        """Read temperature, clock, utilization and memory, each in its own call, and the reasons for a lower clock."""
        readings = {}
        for sensor, _, _, call in self._calls:
            if self._is_wanted(sensor, wanted):
                name = f"{self.uuid}/{sensor}"
                value, reason = self._call(call)
                readings[name] = reading_of(name, value, self._monotonic_ns(), reason)
        sensors = [sensor for sensor in self._reasons if self._is_wanted(sensor, wanted)]
        if sensors:
            bits, reason = self._clock_reasons()
            now_ns = self._monotonic_ns()
            for sensor in sensors:
                name = f"{self.uuid}/{sensor}"
                value = None if bits is None else float(bits & _REASONS[sensor] != 0)
                readings[name] = reading_of(name, value, now_ns, reason)
        return readings

    def other_processes(self) -> int | None:
        """Return the number of other processes with a compute context; None if not reported."""
        processes, _ = attempt(self._nvml, lambda: self._nvml.nvmlDeviceGetComputeRunningProcesses(self._handle))
        return None if processes is None else sum(process.pid != os.getpid() for process in processes)

    def _find_fields(self) -> None:
        """Read each field once."""
        for field in _FIELDS:
            scope, reason = (None, _SLICED) if self._is_sliced else self._scope_of(field)
            if scope is None:
                self.absent[f"{self.uuid}/{field.sensor}"] = reason
            else:
                self._fields.append((field, scope))
                self.domains.append(self._domain(field.sensor, field.metric, field.unit, field.kind, scope))

    def _scope_of(self, field: _Field) -> tuple[int | None, str]:
        """Return the first scope in which a field has a value; GH200-class parts refuse the GPU's scope."""
        reason = ""
        for scope in field.scopes:
            values, _, lost = self._field_values([(field.field_id, scope)])
            number, why = (None, lost) if values is None else self._number(values[0])
            if number is not None and (number > 0 or field.metric == "throttle_time"):
                return scope, ""
            reason = reason or why or "it reads 0"
        return None, reason

    def _find_calls(self) -> None:
        """Call each function once; for drivers without the fields, energy and power have functions too."""
        metrics = {domain.metric for domain in self.domains}
        wanted = [*(call for call in (_COUNTER_CALL, _POWER_CALL) if call[1] not in metrics), *_GAUGES]
        for call in wanted:
            sensor, metric, unit, function = call
            name = f"{self.uuid}/{sensor}"
            if self._is_sliced and metric in _NOT_OF_A_SLICE:
                self.absent.setdefault(name, _SLICED)
                continue
            value, reason = self._call(function)
            if value is None or (value <= 0 and metric in {"energy", "power"}):
                self.absent[name] = reason or "it reads 0"
                continue
            self.absent.pop(name, None)
            self._calls.append(call)
            kind: Literal["counter", "gauge"] = "counter" if metric == "energy" else "gauge"
            self.domains.append(self._domain(sensor, metric, unit, kind, _SCOPE_GPU))

    def _find_reasons(self) -> None:
        bits, reason = self._clock_reasons()
        for sensor in _REASONS:
            if bits is None:
                self.absent[f"{self.uuid}/{sensor}"] = reason or "not reported"
            else:
                self._reasons.append(sensor)
                self.domains.append(self._domain(sensor, "throttled", "1", "gauge", _SCOPE_GPU))

    def _clock_reasons(self) -> tuple[int | None, str | None]:
        """Return why the clock is lower than it could be now, as bits; pynvml renamed the function in 2023."""
        function = getattr(self._nvml, "nvmlDeviceGetCurrentClocksEventReasons", None)
        if function is None:
            function = getattr(self._nvml, "nvmlDeviceGetCurrentClocksThrottleReasons", None)
        if function is None:
            return None, "this pynvml has no such function"
        return attempt(self._nvml, lambda: int(function(self._handle)))

    def _instances(self) -> list[str]:
        """Return the UUIDs of the MIG instances; their numbers may have gaps."""
        nvml, handle, found = self._nvml, self._handle, []
        count, _ = attempt(nvml, lambda: int(nvml.nvmlDeviceGetMaxMigDeviceCount(handle)))
        for index in range(count or 0):

            def uuid(index: int = index) -> str:
                return _text(nvml.nvmlDeviceGetUUID(nvml.nvmlDeviceGetMigDeviceHandleByIndex(handle, index)))

            instance, _ = attempt(nvml, uuid)
            if instance is not None:
                found.append(instance)
        return found

    def _is_wanted(self, sensor: str, wanted: Collection[str] | None) -> bool:
        return wanted is None or f"{self.uuid}/{sensor}" in wanted

    def _domain(self, sensor: str, metric: str, unit: str, kind: Literal["counter", "gauge"], scope: int) -> Domain:
        covers: Scope = "device"
        if scope == _SCOPE_MODULE or (metric == "energy" and self._counts_module()):
            covers = "module"
        within = f"{self.uuid}/power_average" if scope == _SCOPE_MEMORY else None
        return Domain(
            name=f"{self.uuid}/{sensor}",
            metric=metric,
            unit=unit,
            kind=kind,
            scope=covers,
            device_uuid=self.uuid,
            within=within,
        )

    def _counts_module(self) -> bool:
        """Return whether this is the GPU of a Grace Hopper, whose energy counter covers the whole module."""

        def facts() -> tuple[int, int]:
            is_linked = int(self._nvml.nvmlDeviceGetC2cModeInfoV(self._handle).isC2cEnabled)
            return is_linked, int(self._nvml.nvmlDeviceGetArchitecture(self._handle))

        return attempt(self._nvml, facts)[0] == (1, _ARCH_HOPPER)

    def _mig_enabled(self) -> bool:
        modes, _ = attempt(self._nvml, lambda: self._nvml.nvmlDeviceGetMigMode(self._handle))
        return modes is not None and modes[0] == _MIG_ENABLED

    def _field_values(self, fields: list[tuple[int, int]]) -> tuple[Any, int, str | None]:
        """Return the values, the time of the reading (the middle of the call), and the reason without values."""
        begun_ns = self._monotonic_ns()
        values, reason = attempt(self._nvml, lambda: self._nvml.nvmlDeviceGetFieldValues(self._handle, fields))
        return values, (begun_ns + self._monotonic_ns()) // 2, reason

    def _number(self, value: Any) -> tuple[float | None, str | None]:
        if value.nvmlReturn != _SUCCESS:
            return None, str(self._nvml.NVMLError(value.nvmlReturn))
        member = _VALUE_MEMBERS.get(value.valueType)
        if member is None:
            return None, f"NVML gives a value of the unknown type {value.valueType}"
        return float(getattr(value.value, member)), None

    def _call(self, call: Callable[[Any, Any], float]) -> tuple[float | None, str | None]:
        return attempt(self._nvml, lambda: float(call(self._nvml, self._handle)))


def _text(name: Any) -> str:
    # pynvml before 11.5 gave bytes.
    return name.decode() if isinstance(name, bytes) else str(name)


class NvmlMeter(LibraryMeter[NvmlDevice]):
    """All NVIDIA GPUs of the driver; counters and power of a device are read in one call, then its gauges."""

    name = "nvml"

    def other_processes(self, device_uuid: str) -> int | None:
        """Return the number of other processes that compute on a device; None if the driver does not report it.

        In a container the driver's process ids differ from ours, so this process counts as another one.

        Raises:
            Exception: pynvml is missing, or NVML cannot be used.
        """
        with self._lock:
            for device in self._open_devices():
                if device.uuid.lower().removeprefix("gpu-") == device_uuid.lower().removeprefix("gpu-"):
                    return self._with_library(device.other_processes)
        return None

    def _import(self) -> Any:
        import pynvml

        return pynvml

    def _initialise(self) -> None:
        self._library.nvmlInit()
        for device in self._devices or ():
            attempt(self._library, device.take_handle)  # if a device is gone, its readings will have that reason

    def _shut_down(self) -> None:
        attempt(self._library, self._library.nvmlShutdown)  # NVML counts its users; others can go on using it

    def _find(self) -> list[NvmlDevice]:
        return self._with_library(self._make_devices)

    def _make_devices(self) -> list[NvmlDevice]:
        devices = []
        for index in range(self._library.nvmlDeviceGetCount()):
            device, reason = attempt(self._library, partial(self._device, index))
            if device is not None:
                devices.append(device)
            elif reason is not None:
                self.absent[f"nvml:{index}/energy"] = reason
        return devices

    def _device(self, index: int) -> NvmlDevice:
        handle = self._library.nvmlDeviceGetHandleByIndex(index)
        return NvmlDevice(self._library, _text(self._library.nvmlDeviceGetUUID(handle)), self._monotonic_ns)

    def _read(self, devices: Sequence[NvmlDevice], wanted: Collection[str] | None) -> dict[str, Reading]:
        readings: dict[str, Reading] = {}
        for device in devices:
            readings |= self._with_library(partial(device.read_fields, wanted))
        for device in devices:
            readings |= self._with_library(partial(device.read_gauges, wanted))
        return readings

    def _with_library(self, action: Callable[[], T]) -> T:
        """Call a function, and again if another user has shut the library down meanwhile."""
        try:
            return action()
        except self._library.NVMLError as error:
            if error.value != _UNINITIALIZED:
                raise
        self._initialise()
        return action()

    def _versions(self) -> dict[str, str]:
        return {
            "driver": str(self._library.nvmlSystemGetDriverVersion()),
            "nvml": str(self._library.nvmlSystemGetNVMLVersion()),
        }

    def _why_unusable(self, error: Exception) -> str:
        if isinstance(error, ImportError):
            return "pynvml is not installed; run: pip install 'pytest-benchdb[nvidia]'"
        return f"NVML cannot be used: {error}"

    def _why_nothing(self, devices: Sequence[NvmlDevice]) -> str:
        if not devices:
            return f"NVML shows no device: {'; '.join(self.absent.values()) or 'it counts 0'}"
        names = ", ".join(device.name for device in devices)
        return f"NVML supports no reading of {names}; a Jetson's sensors are not in NVML"
