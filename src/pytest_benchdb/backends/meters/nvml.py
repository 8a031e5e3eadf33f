"""NVIDIA's management library, through ``pynvml`` of the package nvidia-ml-py (BSD).

Figures and traps: `docs/explanation/energy.md`. What the library says is taken reading by reading: a Jetson
initialises, reports one device, and then supports nothing. Devices are known by their UUID, never by their index.

Sources: NVML API reference, `nvmlFieldValueEnums` (energy in mJ, power in mW, throttle times in ns);
zeus pull request 172 (on a GH200 the energy counter is of the whole module).

One GPU as NVML shows it: which readings it supports, and how they become SI units.
"""

import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Literal, TypeVar

from pytest_benchdb.model.metric import Provenance
from pytest_benchdb.model.reading import Domain, Probe, Reading, Scope

CELSIUS_K = 273.15

# Field ids, scopes and return codes of nvml.h, as numbers: older releases of pynvml lack some of the names.
_ENERGY, _POWER_AVERAGE, _POWER_INSTANT = 83, 185, 186
_SCOPE_GPU, _SCOPE_MODULE, _SCOPE_MEMORY = 0, 1, 2
_SUCCESS, _UNINITIALIZED = 0, 1
_MIG_ENABLED = 1
_ARCH_HOPPER = 9
_SENSOR_GPU, _CLOCK_SM = 0, 1
_VALUE_MEMBERS = {0: "dVal", 1: "uiVal", 2: "ulVal", 3: "ullVal", 4: "sllVal", 5: "siVal", 6: "usVal"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Field:
    """A field value: how it is asked for and what it becomes."""

    sensor: str
    metric: str
    unit: str
    kind: Literal["counter", "gauge"]
    field_id: int
    factor: float
    scopes: tuple[int, ...] = (_SCOPE_GPU,)


_FIELDS = (
    _Field(
        sensor="energy",
        metric="energy",
        unit="J",
        kind="counter",
        field_id=_ENERGY,
        factor=1e-3,
        scopes=(_SCOPE_GPU, _SCOPE_MODULE),
    ),
    _Field(
        sensor="power_instant",
        metric="power",
        unit="W",
        kind="gauge",
        field_id=_POWER_INSTANT,
        factor=1e-3,
        scopes=(_SCOPE_GPU, _SCOPE_MODULE),
    ),
    _Field(
        sensor="power_average",
        metric="power",
        unit="W",
        kind="gauge",
        field_id=_POWER_AVERAGE,
        factor=1e-3,
        scopes=(_SCOPE_GPU, _SCOPE_MODULE),
    ),
    _Field(
        sensor="power_memory",
        metric="power",
        unit="W",
        kind="gauge",
        field_id=_POWER_AVERAGE,
        factor=1e-3,
        scopes=(_SCOPE_MEMORY,),
    ),
    *(
        _Field(sensor=name, metric="throttle_time", unit="s", kind="counter", field_id=field_id, factor=1e-9)
        for name, field_id in (
            ("throttle_power_cap", 74),
            ("throttle_thermal_software", 269),
            ("throttle_thermal_hardware", 270),
            ("throttle_power_brake", 271),
        )
    ),
)

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
"""What NVML knows of the whole GPU only; under MIG it is nobody's figure."""
_SLICED = "MIG is enabled, and NVML tells it for the whole GPU only"


def failure(nvml: Any, action: Callable[[], object]) -> str | None:
    """Do something and return NVML's text if it failed; a library that is not initialised is the caller's matter.

    Raises:
        Exception: ``NVMLError_Uninitialized``.
    """
    try:
        action()
    except nvml.NVMLError as error:
        if error.value == _UNINITIALIZED:
            raise
        return str(error)
    except (AttributeError, nvml.NVMLLibraryMismatchError) as error:
        return f"pynvml and the driver do not fit together: {error}"
    return None


class NvmlDevice:
    """One GPU.

    Attributes:
        uuid: ``GPU-...``, as NVML writes it.
        name: what the vendor calls it.
        domains: the sensors that answered.
        absent: why others did not, by the name that the domain would have.
    """

    def __init__(self, nvml: Any, uuid: str, monotonic_ns: Callable[[], int]) -> None:
        """Find out what a GPU supports."""
        self.uuid = uuid
        self.absent: dict[str, str] = {}
        self.domains: list[Domain] = []
        self._nvml = nvml
        self._monotonic_ns = monotonic_ns
        self._handle: Any = None
        self._fields: list[tuple[_Field, int]] = []
        self._calls: list[_Gauge] = []
        self.take_handle()
        self.name = _text(nvml.nvmlDeviceGetName(self._handle))
        self._is_sliced = self._mig_enabled()
        self._find_fields()
        self._find_calls()

    @classmethod
    def find(cls, nvml: Any, index: int, monotonic_ns: Callable[[], int]) -> tuple["NvmlDevice | None", str]:
        """Return the GPU at a place in NVML's order, or why it cannot be used."""
        found: list[NvmlDevice] = []

        def find() -> None:
            uuid = _text(nvml.nvmlDeviceGetUUID(nvml.nvmlDeviceGetHandleByIndex(index)))
            found.append(cls(nvml, uuid, monotonic_ns))

        reason = failure(nvml, find)
        return (None, reason) if reason is not None else (found[0], "")

    def take_handle(self) -> None:
        """Take the handle of this UUID, whatever the device's index is now.

        Raises:
            Exception: there is no such device any more.
        """
        self._handle = self._nvml.nvmlDeviceGetHandleByUUID(self.uuid)

    def read_fields(self) -> dict[str, Reading]:
        """Read energy, power and throttle times in one call."""
        if not self._fields:
            return {}
        asked = [(field.field_id, scope) for field, scope in self._fields]
        values, now_ns, lost = self._field_values(asked)
        told = {}
        for place, (field, _) in enumerate(self._fields):
            name = f"{self.uuid}/{field.sensor}"
            number, reason = (None, lost) if values is None else self._number(values[place])
            if number is None:
                told[name] = Reading(None, now_ns, f"{name}: {reason}")
            else:
                told[name] = Reading(number * field.factor, now_ns)
        return told

    def read_gauges(self) -> dict[str, Reading]:
        """Read temperature, clock, utilization and memory, each in its own call."""
        told = {}
        for sensor, _, _, call in self._calls:
            name = f"{self.uuid}/{sensor}"
            value, reason = self._called(call)
            now_ns = self._monotonic_ns()
            told[name] = Reading(value, now_ns, None if reason is None else f"{name}: {reason}")
        return told

    def other_processes(self) -> int | None:
        """Return how many processes besides this one have a compute context; None if not told."""
        found: list[Any] = []
        reason = failure(
            self._nvml, lambda: found.extend(self._nvml.nvmlDeviceGetComputeRunningProcesses(self._handle))
        )
        return None if reason is not None else sum(process.pid != os.getpid() for process in found)

    def _find_fields(self) -> None:
        """Ask each field once."""
        for field in _FIELDS:
            scope, reason = (None, _SLICED) if self._is_sliced else self._scope_of(field)
            if scope is None:
                self.absent[f"{self.uuid}/{field.sensor}"] = reason
            else:
                self._fields.append((field, scope))
                self.domains.append(self._domain(field.sensor, field.metric, field.unit, field.kind, scope))

    def _scope_of(self, field: _Field) -> tuple[int | None, str]:
        """Return the first scope in which a field answers; GH200-class parts refuse that of the GPU."""
        reason = ""
        for scope in field.scopes:
            values, _, lost = self._field_values([(field.field_id, scope)])
            number, why = (None, lost) if values is None else self._number(values[0])
            if number is not None and (number > 0 or field.metric == "throttle_time"):
                return scope, ""
            reason = reason or why or "it reads 0"
        return None, reason

    def _find_calls(self) -> None:
        """Ask each function once; energy and power have one of their own, for drivers without the fields."""
        metrics = {domain.metric for domain in self.domains}
        wanted = [*(call for call in (_COUNTER_CALL, _POWER_CALL) if call[1] not in metrics), *_GAUGES]
        for call in wanted:
            sensor, metric, unit, function = call
            name = f"{self.uuid}/{sensor}"
            if self._is_sliced and metric in _NOT_OF_A_SLICE:
                self.absent.setdefault(name, _SLICED)
                continue
            value, reason = self._called(function)
            if value is None or (value <= 0 and metric in {"energy", "power"}):
                self.absent[name] = reason or "it reads 0"
                continue
            self.absent.pop(name, None)
            self._calls.append(call)
            kind: Literal["counter", "gauge"] = "counter" if metric == "energy" else "gauge"
            self.domains.append(self._domain(sensor, metric, unit, kind, _SCOPE_GPU))

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
        """Tell whether this is the GPU of a Grace Hopper, whose energy counter is of the whole module."""
        facts: dict[str, int] = {}

        def ask() -> None:
            facts["linked"] = int(self._nvml.nvmlDeviceGetC2cModeInfoV(self._handle).isC2cEnabled)
            facts["architecture"] = int(self._nvml.nvmlDeviceGetArchitecture(self._handle))

        return failure(self._nvml, ask) is None and facts["linked"] == 1 and facts["architecture"] == _ARCH_HOPPER

    def _mig_enabled(self) -> bool:
        modes: list[int] = []
        reason = failure(self._nvml, lambda: modes.extend(self._nvml.nvmlDeviceGetMigMode(self._handle)))
        return reason is None and modes[0] == _MIG_ENABLED

    def _field_values(self, asked: list[tuple[int, int]]) -> tuple[Any, int, str | None]:
        """Return the values, when they were read (the middle of the call), and why there are none."""
        told: list[Any] = []
        begun_ns = self._monotonic_ns()
        reason = failure(self._nvml, lambda: told.append(self._nvml.nvmlDeviceGetFieldValues(self._handle, asked)))
        now_ns = (begun_ns + self._monotonic_ns()) // 2
        return (told[0] if told else None), now_ns, reason

    def _number(self, value: Any) -> tuple[float | None, str | None]:
        if value.nvmlReturn != _SUCCESS:
            return None, str(self._nvml.NVMLError(value.nvmlReturn))
        member = _VALUE_MEMBERS.get(value.valueType)
        if member is None:
            return None, f"NVML gives a value of the unknown type {value.valueType}"
        return float(getattr(value.value, member)), None

    def _called(self, call: Callable[[Any, Any], float]) -> tuple[float | None, str | None]:
        told: list[float] = []
        reason = failure(self._nvml, lambda: told.append(float(call(self._nvml, self._handle))))
        return (told[0] if told else None), reason


def _text(name: Any) -> str:
    # pynvml before 11.5 gave bytes.
    return name.decode() if isinstance(name, bytes) else str(name)


T = TypeVar("T")

_NO_PACKAGE = "pynvml is not there; run: pip install 'pytest-benchdb[nvidia]'"


class NvmlMeter:
    """Every NVIDIA GPU that the driver shows.

    Attributes:
        absent: why a device lacks a sensor, by the name that the domain would have.
    """

    name = "nvml"
    provenance: Provenance = "measured"
    covers = "device"

    def __init__(
        self, module: ModuleType | None = None, *, monotonic_ns: Callable[[], int] = time.monotonic_ns
    ) -> None:
        """Make a meter; the library is loaded when it is first asked.

        Args:
            module: stands for ``pynvml``; None imports it.
            monotonic_ns: clock of the readings.
        """
        self.absent: dict[str, str] = {}
        self._nvml: Any = module
        self._monotonic_ns = monotonic_ns
        self._devices: list[NvmlDevice] | None = None
        self._owner_pid: int | None = None
        self._lock = threading.RLock()

    def probe(self) -> Probe:
        """Tell whether a GPU answers to anything, without a context on it."""
        with self._lock:
            try:
                devices = self._found()
                versions = {
                    "driver": str(self._nvml.nvmlSystemGetDriverVersion()),
                    "nvml": str(self._nvml.nvmlSystemGetNVMLVersion()),
                }
            except ImportError:
                return Probe(available=False, reason=_NO_PACKAGE)
            except Exception as error:  # noqa: BLE001 - NVMLError, or ctypes of a library that is no NVML
                return Probe(available=False, reason=f"NVML cannot be used: {error}")
            if not devices:
                reason = "; ".join(self.absent.values())
                return Probe(
                    available=False, reason=f"NVML shows no device: {reason or 'it counts 0'}", versions=versions
                )
            if not any(device.domains for device in devices):
                names = ", ".join(device.name for device in devices)
                reason = f"NVML supports no reading of {names}; a Jetson's sensors are not in NVML"
                return Probe(available=False, reason=reason, versions=versions)
            return Probe(available=True, versions=versions)

    def domains(self) -> Sequence[Domain]:
        """Return the sensors that answered when they were first asked.

        Raises:
            ImportError: pynvml is not there.
            Exception: NVML cannot be used.
        """
        with self._lock:
            return [domain for device in self._found() for domain in device.domains]

    def read(self) -> Mapping[str, Reading]:
        """Read every sensor; counters and power of a device in one call, then its gauges.

        Raises:
            ImportError: pynvml is not there.
            Exception: NVML cannot be used.
        """
        with self._lock:
            told: dict[str, Reading] = {}
            devices = self._found()
            for device in devices:
                told |= self._with_library(device.read_fields)
            for device in devices:
                told |= self._with_library(device.read_gauges)
            return told

    def other_processes(self, device_uuid: str) -> int | None:
        """Return how many processes besides this one compute on a device; None if the driver does not tell.

        In a container the driver's process ids are not ours, and this process counts as another one.

        Raises:
            ImportError: pynvml is not there.
            Exception: NVML cannot be used.
        """
        with self._lock:
            for device in self._found():
                if device.uuid.lower().removeprefix("gpu-") == device_uuid.lower().removeprefix("gpu-"):
                    return self._with_library(device.other_processes)
        return None

    def close(self) -> None:
        """Give the library back; it counts its users, so that others keep it."""
        with self._lock:
            if self._owner_pid == os.getpid():
                failure(self._nvml, self._nvml.nvmlShutdown)
            self._owner_pid = None
            self._devices = None

    def _found(self) -> list[NvmlDevice]:
        self._start()
        if self._devices is None:
            self._devices = self._with_library(self._find)
        return self._devices

    def _find(self) -> list[NvmlDevice]:
        devices = []
        for index in range(self._nvml.nvmlDeviceGetCount()):
            device, reason = NvmlDevice.find(self._nvml, index, self._monotonic_ns)
            if device is None:
                self.absent[f"nvml:{index}/energy"] = reason
            else:
                devices.append(device)
                self.absent |= device.absent
        return devices

    def _start(self) -> None:
        """Initialise the library once per process: after a fork, the child does it anew."""
        if self._owner_pid == os.getpid():
            return
        if self._nvml is None:
            import pynvml

            self._nvml = pynvml
        self._nvml.nvmlInit()
        self._owner_pid = os.getpid()
        self._take_handles()

    def _with_library(self, action: Callable[[], T]) -> T:
        """Do something, once more if somebody else has shut the library down meanwhile."""
        try:
            return action()
        except self._nvml.NVMLError as error:
            if error.value != _UNINITIALIZED:
                raise
        self._nvml.nvmlInit()
        self._take_handles()
        return action()

    def _take_handles(self) -> None:
        for device in self._devices or ():
            failure(self._nvml, device.take_handle)  # a device that is gone says so when it is read
