"""A pynvml with fake GPUs: only what `NvmlMeter` calls, with NVML's numbers and error classes."""

import ctypes
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

UNINITIALIZED, INVALID_ARGUMENT, NOT_SUPPORTED, NO_PERMISSION, NOT_FOUND = 1, 2, 3, 4, 6
DRIVER_NOT_LOADED, LIBRARY_NOT_FOUND, FUNCTION_NOT_FOUND, GPU_IS_LOST = 9, 12, 13, 15
TEXTS = {
    UNINITIALIZED: "Uninitialized",
    INVALID_ARGUMENT: "Invalid Argument",
    NOT_SUPPORTED: "Not Supported",
    NO_PERMISSION: "Insufficient Permissions",
    NOT_FOUND: "Not Found",
    DRIVER_NOT_LOADED: "Driver Not Loaded",
    LIBRARY_NOT_FOUND: "NVML Shared Library Not Found",
    FUNCTION_NOT_FOUND: "Function Not Found",
    GPU_IS_LOST: "GPU is lost",
}
ENERGY, POWER_AVERAGE, POWER_INSTANT = 83, 185, 186
GPU, MODULE, MEMORY = 0, 1, 2
UNSIGNED_INT, UNSIGNED_LONG_LONG = 1, 3


class NVMLError(Exception):
    """Like pynvml's: creating one returns the subclass for its code."""

    classes: ClassVar[dict[int, type["NVMLError"]]] = {}
    value: int

    def __new__(cls, value: int) -> "NVMLError":  # noqa: PYI034 - it returns a subclass
        made = super().__new__(NVMLError.classes.get(value, cls) if cls is NVMLError else cls)
        made.value = value
        return made

    def __str__(self) -> str:
        return TEXTS[self.value]


for _code, _text in TEXTS.items():
    NVMLError.classes[_code] = type("NVMLError_" + _text.title().replace(" ", ""), (NVMLError,), {})


class NVMLLibraryMismatchError(Exception):
    """Like pynvml's, not an NVMLError."""


class Value(ctypes.Union):
    """`nvmlValue_t`."""

    _fields_ = [
        ("dVal", ctypes.c_double),
        ("uiVal", ctypes.c_uint),
        ("ulVal", ctypes.c_ulong),
        ("ullVal", ctypes.c_ulonglong),
        ("sllVal", ctypes.c_longlong),
        ("siVal", ctypes.c_int),
        ("usVal", ctypes.c_ushort),
    ]


class FieldValue(ctypes.Structure):
    """`nvmlFieldValue_t`."""

    _fields_ = [
        ("fieldId", ctypes.c_uint32),
        ("scopeId", ctypes.c_uint32),
        ("timestamp", ctypes.c_int64),
        ("latencyUsec", ctypes.c_int64),
        ("valueType", ctypes.c_uint),
        ("nvmlReturn", ctypes.c_uint),
        ("value", Value),
    ]


def _empty_module(name: str) -> Any:
    return ModuleType(name)


@dataclass
class Gpu:
    """A fake GPU: its values, and the error codes of its refusals.

    Attributes:
        instances: UUIDs of its MIG instances; None for a number that is not in use.
    """

    uuid: str
    name: str = "NVIDIA H100 80GB HBM3"
    fields: dict[tuple[int, int], int] = field(
        default_factory=lambda: {
            (ENERGY, GPU): 5_000_123,
            (POWER_INSTANT, GPU): 312_400,
            (POWER_AVERAGE, GPU): 298_100,
            (POWER_AVERAGE, MEMORY): 61_000,
            (74, GPU): 0,
            (269, GPU): 2_500_000_000,
            (270, GPU): 0,
            (271, GPU): 0,
        }
    )
    energy_mj: int = 5_000_123
    power_mw: int = 298_100
    temperature_c: int = 41
    clock_mhz: int = 1980
    utilization: int = 87
    used_bytes: int = 1 << 30
    clock_reasons: int = 0
    mig: bool | None = None
    instances: tuple[str | None, ...] = ()
    c2c: bool | None = None
    architecture: int = 9
    pids: tuple[int, ...] = ()
    refused: dict[str, int] = field(default_factory=dict)
    lost: bool = False


class FakeNvml:
    """The driver of a machine; `module` replaces `import pynvml`."""

    def __init__(self, *gpus: Gpu, init_error: int | None = None) -> None:
        self.gpus = list(gpus)
        self.users = 0
        self.inits = 0
        self.calls: list[str] = []
        self._init_error = init_error
        self.module = _empty_module("pynvml")
        self.module.NVMLError = NVMLError
        self.module.NVMLLibraryMismatchError = NVMLLibraryMismatchError
        self.module.nvmlInit = self._init
        self.module.nvmlShutdown = self._shutdown
        self.module.nvmlDeviceGetCount = self._count
        for name in ("nvmlSystemGetDriverVersion", "nvmlSystemGetNVMLVersion"):
            setattr(self.module, name, lambda: "570.86.10")
        self.module.nvmlDeviceGetHandleByIndex = self._by_index
        self.module.nvmlDeviceGetHandleByUUID = self._by_uuid
        self._offer("nvmlDeviceGetMaxMigDeviceCount", lambda gpu: self._or_refuse(gpu.mig, len(gpu.instances)))
        self._offer("nvmlDeviceGetMigDeviceHandleByIndex", self._instance)
        self._offer("nvmlDeviceGetCurrentClocksEventReasons", lambda gpu: gpu.clock_reasons)
        self._offer("nvmlDeviceGetUUID", lambda gpu: gpu.uuid)
        self._offer("nvmlDeviceGetName", lambda gpu: gpu.name)
        self._offer("nvmlDeviceGetMigMode", lambda gpu: self._or_refuse(gpu.mig, [int(bool(gpu.mig)), 0]))
        self._offer(
            "nvmlDeviceGetC2cModeInfoV",
            lambda gpu: self._or_refuse(gpu.c2c, SimpleNamespace(isC2cEnabled=int(bool(gpu.c2c)))),
        )
        self._offer("nvmlDeviceGetArchitecture", lambda gpu: gpu.architecture)
        self._offer("nvmlDeviceGetFieldValues", self._field_values)
        self._offer("nvmlDeviceGetTotalEnergyConsumption", lambda gpu: gpu.energy_mj)
        self._offer("nvmlDeviceGetPowerUsage", lambda gpu: gpu.power_mw)
        self._offer("nvmlDeviceGetTemperature", self._temperature)
        self._offer("nvmlDeviceGetClockInfo", self._clock)
        self._offer("nvmlDeviceGetUtilizationRates", lambda gpu: SimpleNamespace(gpu=gpu.utilization, memory=3))
        self._offer(
            "nvmlDeviceGetMemoryInfo", lambda gpu: SimpleNamespace(total=80 << 30, free=79 << 30, used=gpu.used_bytes)
        )
        self._offer("nvmlDeviceGetComputeRunningProcesses", lambda gpu: [SimpleNamespace(pid=pid) for pid in gpu.pids])

    def _init(self) -> None:
        if self._init_error is not None:
            raise NVMLError(self._init_error)
        self.users += 1
        self.inits += 1

    def _shutdown(self) -> None:
        self._check()
        self.users -= 1

    def _count(self) -> int:
        self._check()
        return len(self.gpus)

    def _check(self) -> None:
        if self.users < 1:
            raise NVMLError(UNINITIALIZED)

    def _by_index(self, index: int) -> Gpu:
        self._check()
        return self.gpus[index]

    def _by_uuid(self, uuid: str) -> Gpu:
        self._check()
        for gpu in self.gpus:
            if gpu.uuid == uuid:
                return gpu
        raise NVMLError(NOT_FOUND)

    def _offer(self, name: str, answer: Callable[..., Any]) -> None:
        def function(handle: Gpu, *args: Any) -> Any:
            self._check()
            self.calls.append(name)
            if handle.lost:
                raise NVMLError(GPU_IS_LOST)
            if name in handle.refused:
                raise NVMLError(handle.refused[name])
            return answer(handle, *args)

        setattr(self.module, name, function)

    @staticmethod
    def _instance(gpu: Gpu, index: int) -> Gpu:
        uuid = gpu.instances[index]
        if uuid is None:
            raise NVMLError(NOT_FOUND)
        return Gpu(uuid)

    @staticmethod
    def _or_refuse(known: bool | None, answer: Any) -> Any:
        if known is None:
            raise NVMLError(NOT_SUPPORTED)
        return answer

    @staticmethod
    def _field_values(gpu: Gpu, asked: list[tuple[int, int]]) -> Any:
        values = (FieldValue * len(asked))()
        for place, (field_id, scope) in enumerate(asked):
            value = values[place]
            value.fieldId, value.scopeId = field_id, scope
            if (field_id, scope) not in gpu.fields:
                value.nvmlReturn = NOT_SUPPORTED
            elif field_id in {POWER_AVERAGE, POWER_INSTANT}:
                value.valueType, value.value.uiVal = UNSIGNED_INT, gpu.fields[field_id, scope]
            else:
                value.valueType, value.value.ullVal = UNSIGNED_LONG_LONG, gpu.fields[field_id, scope]
        return values

    @staticmethod
    def _temperature(gpu: Gpu, sensor: int) -> int:
        assert sensor == 0
        return gpu.temperature_c

    @staticmethod
    def _clock(gpu: Gpu, kind: int) -> int:
        assert kind == 1
        return gpu.clock_mhz


def everything_refused(uuid: str = "GPU-tegra") -> Gpu:
    """Return a Jetson's GPU: it has a name and an id, but no readings."""
    calls = (
        "nvmlDeviceGetFieldValues",
        "nvmlDeviceGetTotalEnergyConsumption",
        "nvmlDeviceGetPowerUsage",
        "nvmlDeviceGetTemperature",
        "nvmlDeviceGetClockInfo",
        "nvmlDeviceGetUtilizationRates",
        "nvmlDeviceGetMemoryInfo",
        "nvmlDeviceGetCurrentClocksEventReasons",
    )
    return Gpu(uuid=uuid, name="Orin (nvgpu)", fields={}, refused=dict.fromkeys(calls, NOT_SUPPORTED))
