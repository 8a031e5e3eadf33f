"""AMD's management library, through ``amdsmi`` of ROCm.

Importing it prints to stdout where ROCm is missing, and raises OSError, KeyError or AttributeError where the two
do not fit together. Its order of devices is not HIP's, so devices are known by their unique id. Its energy
counter is wrong on some cards (ROCm/amdsmi issue 38) and absent in guests of a hypervisor: before it is trusted,
half a second of it is held against the power that the card tells.

One AMD GPU as amdsmi shows it: which readings it supports, and how they become SI units.
"""

import contextlib
import io
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

from pytest_benchdb.model.metric import Provenance
from pytest_benchdb.model.reading import Domain, Probe, Reading, Scope

CELSIUS_K = 273.15
# IntEnum members of amdsmi by value: HOTSPOT, CURRENT, GFX, VRAM.
_HOTSPOT, _CURRENT, _GFX, _VRAM = 1, 0, 0, 0
_LEAST_RATIO, _MOST_RATIO = 0.1, 10.0
"""Between these, counted energy over told power is no obvious nonsense (zeus uses the same)."""
_LAST = 1 << 30
_Call = Callable[[Any, Any], float]


class AmdsmiDevice:
    """One GPU; of an MI250, one of its two dies.

    Attributes:
        uuid: HIP's unique id where amdsmi tells it, else amdsmi's.
        name: what the vendor calls it.
        order: its place in HIP's order: its ``hip_id``, else its node in the kernel's driver.
        domains: the sensors that answered.
        absent: why others did not, by the name that the domain would have.
    """

    def __init__(self, smi: Any, handle: Any, monotonic_ns: Callable[[], int]) -> None:
        """Find out which device this is."""
        self._smi = smi
        self._handle = handle
        self._monotonic_ns = monotonic_ns
        self.absent: dict[str, str] = {}
        self.domains: list[Domain] = []
        self._calls: dict[str, _Call] = {}
        enumeration = self._asked("amdsmi_get_gpu_enumeration_info")
        kernel = self._asked("amdsmi_get_gpu_kfd_info")
        self.order = _first_int(enumeration.get("hip_id"), kernel.get("node_id"))
        uuid = enumeration.get("hip_uuid")
        self.uuid = uuid if isinstance(uuid, str) and uuid not in {"", "N/A"} else self._own_uuid()
        self.name = str(self._asked("amdsmi_get_gpu_asic_info").get("market_name", "AMD GPU"))

    @property
    def counts_energy(self) -> bool:
        """Whether it has an energy counter that is still trusted."""
        return "energy" in self._calls

    def settle(self, hip_index: int) -> None:
        """Ask every sensor once, knowing the device's place among all.

        The even die of an MI250 counts for both, the odd one for none.
        """
        is_half = "MI250" in self.name
        scope: Scope = "module" if is_half else "device"
        for sensor, (metric, unit, call) in _SENSORS.items():
            if is_half and hip_index % 2 and metric in {"energy", "power"}:
                self.absent[self._named(sensor)] = "the other die of this module reports for both"
                continue
            value, reason = self._called(call)
            if value is None or (value <= 0 and metric in {"energy", "power"}):
                self.absent[self._named(sensor)] = reason or "it reads 0"
                continue
            self._calls[sensor] = call
            self.domains.append(
                Domain(
                    name=self._named(sensor),
                    metric=metric,
                    unit=unit,
                    kind="counter" if metric == "energy" else "gauge",
                    scope=scope if metric in {"energy", "power"} else "device",
                    device_uuid=self.uuid,
                )
            )

    def energy(self) -> tuple[float | None, float | None, int]:
        """Return counted energy (J), told power (W), and when."""
        energy_j, _ = self._called(_energy_j)
        now_ns = self._monotonic_ns()
        powers = [value for call in (_average_w, _current_w) if (value := self._called(call)[0]) is not None]
        return energy_j, (powers[0] if powers else None), now_ns

    def check(self, begin: tuple[float | None, float | None, int], end: tuple[float | None, float | None, int]) -> None:
        """Drop the energy counter if it does not fit the power between two readings of both."""
        reason = self._why_wrong(begin, end)
        if reason is None:
            return
        self.absent[self._named("energy")] = reason
        del self._calls["energy"]
        self.domains = [domain for domain in self.domains if domain.metric != "energy"]

    def read(self, *, counters: bool) -> dict[str, Reading]:
        """Read the energy counter, or everything else."""
        told = {}
        for sensor, call in self._calls.items():
            if (sensor == "energy") is not counters:
                continue
            name = self._named(sensor)
            value, reason = self._called(call)
            now_ns = self._monotonic_ns()
            told[name] = Reading(value, now_ns, None if reason is None else f"{name}: {reason}")
        return told

    def _why_wrong(
        self, begin: tuple[float | None, float | None, int], end: tuple[float | None, float | None, int]
    ) -> str | None:
        (begin_j, begin_w, begin_ns), (end_j, end_w, end_ns) = begin, end
        if begin_j is None or end_j is None:
            return "the energy counter fell silent while it was checked"
        watts = [power for power in (begin_w, end_w) if power]
        if not watts:
            return "the energy counter cannot be checked: the device tells no power"
        expected_j = sum(watts) / len(watts) * (end_ns - begin_ns) / 1e9
        ratio = (end_j - begin_j) / expected_j if expected_j > 0 else 0.0
        if _LEAST_RATIO < ratio < _MOST_RATIO:
            return None
        counted = f"{end_j - begin_j:.3g} J where its power makes {expected_j:.3g} J"
        return f"the energy counter is wrong on this card (ROCm/amdsmi issue 38): it shows {counted}"

    def _named(self, sensor: str) -> str:
        return f"{self.uuid}/{sensor}"

    def _asked(self, function: str) -> dict[str, Any]:
        """Return what a function tells of this device; nothing where it is missing or fails."""
        try:
            told = getattr(self._smi, function)(self._handle)
        except (AttributeError, self._smi.AmdSmiException):
            return {}
        return told if isinstance(told, dict) else {}

    def _own_uuid(self) -> str:
        return str(self._smi.amdsmi_get_gpu_device_uuid(self._handle))

    def _called(self, call: _Call) -> tuple[float | None, str | None]:
        try:
            return call(self._smi, self._handle), None
        except self._smi.AmdSmiException as error:
            return None, " ".join(str(error).split())
        except (AttributeError, KeyError, ValueError) as error:
            return None, f"amdsmi does not tell it: {error}"


def _number(value: Any) -> float:
    """Return a number as it is.

    Raises:
        ValueError: amdsmi says ``N/A``.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"it says {value!r}")  # noqa: TRY004 - what amdsmi gives is data, not a programming error
    return float(value)


def _first_int(*values: Any) -> int:
    return next((value for value in values if isinstance(value, int) and not isinstance(value, bool)), _LAST)


def _energy_j(smi: Any, handle: Any) -> float:
    told = smi.amdsmi_get_energy_count(handle)
    count = told["energy_accumulator"] if "energy_accumulator" in told else told["power"]  # named so before ROCm 6.2.1
    return _number(count) * _number(told["counter_resolution"]) * 1e-6


def _average_w(smi: Any, handle: Any) -> float:
    return _number(smi.amdsmi_get_power_info(handle)["average_socket_power"])


def _current_w(smi: Any, handle: Any) -> float:
    return _number(smi.amdsmi_get_power_info(handle)["current_socket_power"])


def _temperature_k(smi: Any, handle: Any) -> float:
    sensor, metric = smi.AmdSmiTemperatureType(_HOTSPOT), smi.AmdSmiTemperatureMetric(_CURRENT)
    return _number(smi.amdsmi_get_temp_metric(handle, sensor, metric)) + CELSIUS_K


def _clock_hz(smi: Any, handle: Any) -> float:
    return _number(smi.amdsmi_get_clock_info(handle, smi.AmdSmiClkType(_GFX))["clk"]) * 1e6


def _utilization(smi: Any, handle: Any) -> float:
    return _number(smi.amdsmi_get_gpu_activity(handle)["gfx_activity"]) / 100


def _used_bytes(smi: Any, handle: Any) -> float:
    return _number(smi.amdsmi_get_gpu_memory_usage(handle, smi.AmdSmiMemoryType(_VRAM)))


_SENSORS: dict[str, tuple[str, str, _Call]] = {
    "energy": ("energy", "J", _energy_j),
    "power_average": ("power", "W", _average_w),
    "power_instant": ("power", "W", _current_w),
    "temperature": ("temperature", "K", _temperature_k),
    "clock_gfx": ("clock_frequency", "Hz", _clock_hz),
    "utilization": ("utilization", "1", _utilization),
    "memory_used": ("device_used", "B", _used_bytes),
}


CHECK_S = 0.5
"""For how long the energy counter is watched before it is trusted."""


class AmdsmiMeter:
    """Every AMD GPU that the driver shows, in HIP's order.

    Attributes:
        absent: why a device lacks a sensor, by the name that the domain would have.
    """

    name = "amdsmi"
    provenance: Provenance = "measured"
    covers = "device"

    def __init__(
        self,
        module: ModuleType | None = None,
        *,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Make a meter; the library is loaded when it is first asked.

        Args:
            module: stands for ``amdsmi``; None imports it.
            monotonic_ns: clock of the readings.
            sleep: waits while the counter is checked.
        """
        self.absent: dict[str, str] = {}
        self._smi: Any = module
        self._monotonic_ns = monotonic_ns
        self._sleep = sleep
        self._devices: list[AmdsmiDevice] | None = None
        self._owner_pid: int | None = None
        self._lock = threading.RLock()

    def probe(self) -> Probe:
        """Tell whether a GPU answers to anything."""
        with self._lock:
            try:
                devices = self._found()
            except ImportError:
                return Probe(available=False, reason="amdsmi is not there; it comes with ROCm, or: pip install amdsmi")
            except (OSError, KeyError, AttributeError) as error:
                reason = f"amdsmi cannot be imported, as with another release of ROCm: {type(error).__name__}: {error}"
                return Probe(available=False, reason=reason)
            except Exception as error:  # noqa: BLE001 - AmdSmiException, a class of what may not be imported
                return Probe(available=False, reason=f"amdsmi cannot be used: {' '.join(str(error).split())}")
            if not any(device.domains for device in devices):
                return Probe(available=False, reason="amdsmi shows no device that tells anything")
            return Probe(available=True, versions={"amdsmi": str(getattr(self._smi, "__version__", "unknown"))})

    def domains(self) -> Sequence[Domain]:
        """Return the sensors that answered; the first time it watches the energy counters for half a second.

        Raises:
            Exception: amdsmi cannot be used.
        """
        with self._lock:
            return [domain for device in self._found() for domain in device.domains]

    def read(self) -> Mapping[str, Reading]:
        """Read every sensor, the energy counters of all devices first.

        Raises:
            Exception: amdsmi cannot be used.
        """
        with self._lock:
            told: dict[str, Reading] = {}
            for metrics in (True, False):
                for device in self._found():
                    told |= device.read(counters=metrics)
            return told

    def close(self) -> None:
        """Give the library back."""
        with self._lock:
            if self._owner_pid == os.getpid():
                with contextlib.suppress(self._smi.AmdSmiException):
                    self._smi.amdsmi_shut_down()
            self._owner_pid = None
            self._devices = None

    def _found(self) -> list[AmdsmiDevice]:
        self._start()
        if self._devices is None:
            handles = self._smi.amdsmi_get_processor_handles()
            devices = [AmdsmiDevice(self._smi, handle, self._monotonic_ns) for handle in handles]
            devices.sort(key=lambda device: device.order)
            for index, device in enumerate(devices):
                device.settle(index)
            self._check(devices)
            self._devices = devices
            for device in devices:
                self.absent |= device.absent
        return self._devices

    def _start(self) -> None:
        """Import and initialise the library once per process, with what it prints swallowed."""
        if self._owner_pid == os.getpid():
            return
        if self._smi is None:
            with contextlib.redirect_stdout(io.StringIO()):
                import amdsmi

            self._smi = amdsmi
        self._smi.amdsmi_init()
        self._owner_pid = os.getpid()
        self._devices = None

    def _check(self, devices: Sequence[AmdsmiDevice]) -> None:
        """Drop energy counters that do not fit the power they are shown beside."""
        counting = [device for device in devices if device.counts_energy]
        if not counting:
            return
        before = [device.energy() for device in counting]
        self._sleep(CHECK_S)
        for device, begin in zip(counting, before, strict=True):
            device.check(begin, device.energy())
