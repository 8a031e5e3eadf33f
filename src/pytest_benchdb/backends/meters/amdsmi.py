"""AMD's management library, through the package ``amdsmi`` of ROCm.

Importing it prints to stdout if ROCm is missing, and raises OSError, KeyError or AttributeError if the versions do
not match. Its order of devices is not HIP's, so devices are identified by their unique id. Its energy counter is
wrong on some cards (ROCm/amdsmi issue 38) and missing in virtual machines. So we first compare half a second of it
with the power that the card reports.
"""

import contextlib
import io
import time
from collections.abc import Callable, Collection, Sequence
from typing import Any

from pytest_benchdb.backends.meters.library import CELSIUS_K, LibraryMeter, reading_of
from pytest_benchdb.model.reading import Domain, Reading, Scope

# IntEnum members of amdsmi by value: HOTSPOT, CURRENT, GFX, VRAM.
_HOTSPOT, _CURRENT, _GFX, _VRAM = 1, 0, 0, 0
_LEAST_RATIO, _MOST_RATIO = 0.1, 10.0
"""Plausible range of counted energy divided by expected energy (zeus uses the same)."""
_LAST = 1 << 30
_Call = Callable[[Any, Any], float]
_Checked = tuple[float | None, float | None, int]
"""Counted energy (J), reported power (W), and time of the reading (ns)."""
CHECK_S = 0.5
"""How long the energy counter is checked before it is trusted."""


class AmdsmiDevice:
    """One GPU, or one of the two dies of an MI250.

    Attributes:
        uuid: HIP's unique id if amdsmi reports it, else amdsmi's.
        name: marketing name.
        order: sort key for HIP's order: its ``hip_id``, else its node in the kernel driver.
        domains: the sensors that can be read.
        absent: why other sensors cannot, by domain name.
    """

    def __init__(self, smi: Any, handle: Any, monotonic_ns: Callable[[], int]) -> None:
        """Read the identity of the device."""
        self._smi = smi
        self._handle = handle
        self._monotonic_ns = monotonic_ns
        self.absent: dict[str, str] = {}
        self.domains: list[Domain] = []
        self._calls: dict[str, _Call] = {}
        enumeration = self._info("amdsmi_get_gpu_enumeration_info")
        kernel = self._info("amdsmi_get_gpu_kfd_info")
        self.order = _first_int(enumeration.get("hip_id"), kernel.get("node_id"))
        uuid = enumeration.get("hip_uuid")
        if not isinstance(uuid, str) or uuid in {"", "N/A"}:
            uuid = str(smi.amdsmi_get_gpu_device_uuid(handle))
        self.uuid = uuid
        self.name = str(self._info("amdsmi_get_gpu_asic_info").get("market_name", "AMD GPU"))

    @property
    def counts_energy(self) -> bool:
        """Whether it has an energy counter that is still trusted."""
        return "energy" in self._calls

    def find_sensors(self, hip_index: int) -> None:
        """Read every sensor once and keep those that work.

        The even die of an MI250 counts the energy of both, the odd die none.
        """
        is_half = "MI250" in self.name
        scope: Scope = "module" if is_half else "device"
        for sensor, (metric, unit, call) in _SENSORS.items():
            name, is_energetic = f"{self.uuid}/{sensor}", metric in {"energy", "power"}
            if is_half and hip_index % 2 and is_energetic:
                self.absent[name] = "the other die of this module reports for both"
                continue
            value, reason = self._call(call)
            if value is None or (value <= 0 and is_energetic):
                self.absent[name] = reason or "it reads 0"
                continue
            self._calls[sensor] = call
            self.domains.append(
                Domain(
                    name=name,
                    metric=metric,
                    unit=unit,
                    kind="counter" if metric == "energy" else "gauge",
                    scope=scope if is_energetic else "device",
                    device_uuid=self.uuid,
                )
            )

    def energy(self) -> _Checked:
        """Return counted energy, reported power, and the time of the reading."""
        energy_j, _ = self._call(_energy_j)
        now_ns = self._monotonic_ns()
        powers = [value for call in (_average_w, _current_w) if (value := self._call(call)[0]) is not None]
        return energy_j, (powers[0] if powers else None), now_ns

    def check(self, begin: _Checked, end: _Checked) -> None:
        """Drop the energy counter if it does not match the power between two readings."""
        reason = self._why_wrong(begin, end)
        if reason is None:
            return
        self.absent[f"{self.uuid}/energy"] = reason
        del self._calls["energy"]
        self.domains = [domain for domain in self.domains if domain.metric != "energy"]

    def read(self, wanted: Collection[str] | None, *, counters: bool) -> dict[str, Reading]:
        """Read the energy counter, or everything else, as far as it is wanted; None means all."""
        readings = {}
        for sensor, call in self._calls.items():
            name = f"{self.uuid}/{sensor}"
            if (sensor == "energy") is counters and (wanted is None or name in wanted):
                value, reason = self._call(call)
                readings[name] = reading_of(name, value, self._monotonic_ns(), reason)
        return readings

    def _why_wrong(self, begin: _Checked, end: _Checked) -> str | None:
        (begin_j, begin_w, begin_ns), (end_j, end_w, end_ns) = begin, end
        if begin_j is None or end_j is None:
            return "the energy counter fell silent while it was checked"
        watts = [power for power in (begin_w, end_w) if power]
        if not watts:
            return "the energy counter cannot be checked: the device reports no power"
        expected_j = sum(watts) / len(watts) * (end_ns - begin_ns) / 1e9
        ratio = (end_j - begin_j) / expected_j if expected_j > 0 else 0.0
        if _LEAST_RATIO < ratio < _MOST_RATIO:
            return None
        counted = f"{end_j - begin_j:.3g} J where its power makes {expected_j:.3g} J"
        return f"the energy counter is wrong on this card (ROCm/amdsmi issue 38): it shows {counted}"

    def _info(self, function: str) -> dict[str, Any]:
        """Return the result of a library function for this device; empty if the function is missing or fails."""
        try:
            info = getattr(self._smi, function)(self._handle)
        except (AttributeError, self._smi.AmdSmiException):
            return {}
        return info if isinstance(info, dict) else {}

    def _call(self, call: _Call) -> tuple[float | None, str | None]:
        try:
            return call(self._smi, self._handle), None
        except self._smi.AmdSmiException as error:
            return None, " ".join(str(error).split())
        except (AttributeError, KeyError, ValueError) as error:
            return None, f"amdsmi does not report it: {error}"


def _number(value: Any) -> float:
    """Return a number as float; amdsmi may return ``N/A`` instead, which raises `ValueError`."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"it says {value!r}")  # noqa: TRY004 - amdsmi returns data, this is not a programming error
    return float(value)


def _first_int(*values: Any) -> int:
    return next((value for value in values if isinstance(value, int) and not isinstance(value, bool)), _LAST)


def _energy_j(smi: Any, handle: Any) -> float:
    info = smi.amdsmi_get_energy_count(handle)
    count = info["energy_accumulator"] if "energy_accumulator" in info else info["power"]  # its name before ROCm 6.2.1
    return _number(count) * _number(info["counter_resolution"]) * 1e-6


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


class AmdsmiMeter(LibraryMeter[AmdsmiDevice]):
    """All AMD GPUs of the driver, in HIP's order; energy counters are checked for half a second first."""

    name = "amdsmi"

    def __init__(
        self,
        module: Any = None,
        *,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(module, monotonic_ns=monotonic_ns)
        self._sleep = sleep

    def _import(self) -> Any:
        with contextlib.redirect_stdout(io.StringIO()):
            import amdsmi

        return amdsmi

    def _initialise(self) -> None:
        self._library.amdsmi_init()
        self._devices = None

    def _shut_down(self) -> None:
        with contextlib.suppress(self._library.AmdSmiException):
            self._library.amdsmi_shut_down()

    def _find(self) -> list[AmdsmiDevice]:
        handles = self._library.amdsmi_get_processor_handles()
        devices = [AmdsmiDevice(self._library, handle, self._monotonic_ns) for handle in handles]
        devices.sort(key=lambda device: device.order)
        for index, device in enumerate(devices):
            device.find_sensors(index)
        counting = [device for device in devices if device.counts_energy]
        if counting:
            before = [device.energy() for device in counting]
            self._sleep(CHECK_S)
            for device, begin in zip(counting, before, strict=True):
                device.check(begin, device.energy())
        return devices

    def _read(self, devices: Sequence[AmdsmiDevice], wanted: Collection[str] | None) -> dict[str, Reading]:
        readings: dict[str, Reading] = {}
        for counters in (True, False):
            for device in devices:
                readings |= device.read(wanted, counters=counters)
        return readings

    def _versions(self) -> dict[str, str]:
        return {"amdsmi": str(getattr(self._library, "__version__", "unknown"))}

    def _why_unusable(self, error: Exception) -> str:
        if isinstance(error, ImportError):
            return "amdsmi is not installed; it comes with ROCm, or: pip install amdsmi"
        if isinstance(error, OSError | KeyError | AttributeError):
            return f"amdsmi cannot be imported, as with another release of ROCm: {type(error).__name__}: {error}"
        return f"amdsmi cannot be used: {' '.join(str(error).split())}"

    def _why_nothing(self, devices: Sequence[AmdsmiDevice]) -> str:
        del devices
        return "amdsmi shows no device with a reading"
