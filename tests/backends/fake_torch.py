"""A torch with fake devices: only what our backends call, failing where torch fails.

The traps of the real one are kept: `memory_stats` is empty while nothing was allocated, an event of another device type
does not record, asking for properties starts the runtime, and a forked child cannot use what its parent started.
"""

import contextlib
import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace
from typing import Any

MIB = 1 << 20


class OutOfMemoryError(RuntimeError):
    """Like `torch.OutOfMemoryError`."""


@dataclass
class Gpu:
    """A fake device.

    Attributes:
        missing: properties that this torch does not know yet.
        error: what every operation raises.
        silent_allocator: it hands out memory and keeps no figures.
        has_events: whether events can be timed.
        pending_ms: work on the default stream that is not done.
        side_ms: the same, on all other streams.
        retries: how often the allocator emptied its cache.
    """

    name: str = "NVIDIA H200"
    uuid: object = "8c1f7a52-0c1e-4a8f-9d0b-2f6f3a1b5c7d"
    memory_bytes: int = 139 << 30
    cache_bytes: int = 60 * MIB
    missing: tuple[str, ...] = ()
    error: Exception | None = None
    adds_wrongly: bool = False
    silent_allocator: bool = False
    has_events: bool = True
    clock_hz: float = 1.98e9
    now_ms: float = 0.0
    pending_ms: float = 0.0
    side_ms: float = 0.0
    retries: int = 0
    allocated: int = 0
    peak: int = 0
    reserved: int = 0
    reserved_peak: int = 0
    resets: int = 0
    calls: list[str] = field(default_factory=list)

    def run_until(self, at_ms: float) -> None:
        """Let time pass until a moment, unless it is over."""
        passed = max(0.0, at_ms - self.now_ms)
        self.now_ms += passed
        self.pending_ms = max(0.0, self.pending_ms - passed)
        self.side_ms = max(0.0, self.side_ms - passed)

    def take(self, size: int) -> None:
        if self.allocated + size > self.memory_bytes:
            raise OutOfMemoryError(f"CUDA out of memory. Tried to allocate {size} bytes")
        self.allocated += size
        self.peak = max(self.peak, self.allocated)
        self.reserved = max(self.reserved, -(-self.allocated // (2 * MIB)) * 2 * MIB)
        self.reserved_peak = max(self.reserved_peak, self.reserved)


class Tensor:
    """Memory of a device, freed when deleted."""

    def __init__(self, gpu: Gpu, values: int, size: int) -> None:
        self._gpu, self._values, self._value, self._size = gpu, values, 1.0, 0
        if gpu.error is not None:
            raise gpu.error
        gpu.take(max(512, size))
        self._size = max(512, size)

    def __del__(self) -> None:
        self._gpu.allocated -= self._size

    def __add__(self, other: "Tensor") -> "Tensor":
        total = Tensor(self._gpu, self._values, self._size)
        total._value = self._value + other._value + self._gpu.adds_wrongly
        self._gpu.pending_ms += 0.002
        return total

    def sum(self) -> "Tensor":
        self._value *= self._values
        return self

    def item(self) -> float:
        return self._value

    def zero_(self) -> None:
        self._gpu.calls.append(f"zero {self._size}")


class Event:
    """Like `torch.Event`: can be created for any device, but only records if the device has events."""

    def __init__(self, gpu: Gpu, *, enable_timing: bool) -> None:
        assert enable_timing
        self._gpu = gpu
        self._at_ms: float | None = None

    def record(self) -> None:
        if not self._gpu.has_events:
            raise RuntimeError("this backend doesn't support events.")
        self._at_ms = self._gpu.now_ms + self._gpu.pending_ms

    def elapsed_time(self, other: "Event") -> float:
        if self._at_ms is None or other._at_ms is None:
            raise RuntimeError("Both events must be recorded before calculating elapsed time.")
        if other._at_ms > self._gpu.now_ms:
            raise RuntimeError("device not ready")
        return other._at_ms - self._at_ms

    def synchronize(self) -> None:
        assert self._at_ms is not None
        self._gpu.run_until(self._at_ms)


class SideStream:
    """A stream besides the default one; `wait_stream` and the work on it take no time here."""

    def __init__(self, *, device: int) -> None:
        self.device = device
        self.waited_for: list[object] = []

    def wait_stream(self, other: object) -> None:
        self.waited_for.append(other)

    def synchronize(self) -> None:
        pass


class CudaGraph:
    """`torch.cuda.CUDAGraph`: counts its replays."""

    def __init__(self) -> None:
        self.replays = 0

    def replay(self) -> None:
        self.replays += 1


class Nvtx:
    """`torch.cuda.nvtx`; `installed` is False in a build without it."""

    def __init__(self, *, installed: bool = True) -> None:
        self.installed = installed
        self.open: dict[int, str] = {}
        self.closed: list[str] = []

    def range_start(self, name: str) -> int:
        if not self.installed:
            raise RuntimeError("NVTX functions not installed. Are you sure you have a CUDA build?")
        number = len(self.open) + len(self.closed) + 1
        self.open[number] = name
        return number

    def range_end(self, number: int) -> None:
        self.closed.append(self.open.pop(number))


class DeviceModule(ModuleType):
    """`torch.cuda` or `torch.xpu`."""

    def __init__(self, kind: str, gpus: list[Gpu], *, properties: Any, driver_warning: str | None) -> None:
        super().__init__(f"torch.{kind}")
        self._gpus = gpus
        self._properties = properties
        self._driver_warning = driver_warning
        self._started_in: int | None = None
        self.checked_with: list[str | None] = []
        self.current = 0
        self.streams: list[SideStream] = []
        self.capturing: CudaGraph | None = None
        self.nvtx = Nvtx()
        self.CUDAGraph = CudaGraph
        if kind == "cuda":
            self._sleep = self._spin

    def _spin(self, cycles: int) -> None:
        gpu = self._gpus[self.current]
        gpu.pending_ms += cycles / gpu.clock_hz * 1e3
        gpu.calls.append("spin")

    @contextlib.contextmanager
    def device(self, index: int) -> Iterator[None]:
        before, self.current = self.current, index
        try:
            yield
        finally:
            self.current = before

    def Stream(self, *, device: int) -> SideStream:  # noqa: N802 - torch's name
        return SideStream(device=device)

    @contextlib.contextmanager
    def stream(self, stream: SideStream) -> Iterator[None]:
        self.streams.append(stream)
        try:
            yield
        finally:
            self.streams = self.streams[: self.streams.index(stream)]

    def current_stream(self, index: int) -> SideStream:
        return self.streams[-1] if self.streams else SideStream(device=index)

    @contextlib.contextmanager
    def graph(self, graph: CudaGraph, *, stream: SideStream) -> Iterator[None]:
        self.streams.append(stream)
        self.capturing = graph
        try:
            yield
        except RuntimeError:
            # The end of an invalid capture raises its own error, and leaves the stream current.
            raise RuntimeError("CUDA error: operation failed due to a previous error during capture")  # noqa: B904
        finally:
            self.capturing = None
        self.streams.pop()

    def is_available(self) -> bool:
        self.checked_with.append(os.environ.get("PYTORCH_NVML_BASED_CUDA_CHECK"))
        if self._driver_warning is not None:
            warnings.warn(self._driver_warning, UserWarning, stacklevel=1)
        return bool(self._gpus)

    def _is_in_bad_fork(self) -> bool:
        return self._started_in is not None and self._started_in != os.getpid()

    def device_count(self) -> int:
        return len(self._gpus)

    def get_device_properties(self, index: int) -> Any:
        self._start()
        return self._properties(self._gpus[index])

    def synchronize(self, index: int) -> None:
        self._start()
        gpu = self._gpus[index]
        gpu.run_until(gpu.now_ms + max(gpu.pending_ms, gpu.side_ms))
        gpu.calls.append("synchronize")

    def memory_stats(self, index: int) -> dict[str, int]:
        gpu = self._gpus[index]
        if self._started_in is None or (gpu.reserved == 0 and not gpu.silent_allocator):
            return {}
        result = {
            "allocated_bytes.all.current": gpu.allocated,
            "allocated_bytes.all.peak": gpu.peak,
            "reserved_bytes.all.current": gpu.reserved,
            "reserved_bytes.all.peak": gpu.reserved_peak,
            "num_alloc_retries": gpu.retries,
        }
        return dict.fromkeys(result, 0) if gpu.silent_allocator else result

    def reset_peak_memory_stats(self, index: int) -> None:
        gpu = self._gpus[index]
        gpu.peak, gpu.reserved_peak = gpu.allocated, gpu.reserved
        gpu.resets += 1

    def _start(self) -> None:
        if self._is_in_bad_fork():
            raise RuntimeError("Cannot re-initialize CUDA in forked subprocess.")
        self._started_in = os.getpid()


class FakeTorch(ModuleType):
    """Replaces `import torch`; `kind` names the module that has the devices."""

    OutOfMemoryError = OutOfMemoryError
    uint8 = "uint8"

    def __init__(
        self,
        *gpus: Gpu,
        kind: str = "cuda",
        version: str = "2.13.0+cu130",
        cuda: str | None = None,
        hip: str | None = None,
        xpu: str | None = None,
        driver_warning: str | None = None,
    ) -> None:
        super().__init__("torch")
        self.__version__ = version
        self.version = SimpleNamespace(__version__=version, cuda=cuda, hip=hip, xpu=xpu)
        self.gpus = list(gpus)
        self.kind = kind
        properties = _xpu_properties if kind == "xpu" else _cuda_properties
        self.module = DeviceModule(kind, self.gpus, properties=properties, driver_warning=driver_warning)

    def get_device_module(self, kind: str) -> ModuleType:
        if kind != self.kind:
            raise RuntimeError(f"Device '{kind}' does not have a corresponding module registered as 'torch.{kind}'.")
        return self.module

    def device(self, kind: str, index: int) -> SimpleNamespace:
        return SimpleNamespace(type=kind, index=index)

    def ones(self, count: int, *, device: SimpleNamespace) -> Tensor:
        self.module._start()
        return Tensor(self.gpus[device.index], count, count * 4)

    def empty(self, count: int, *, dtype: str, device: SimpleNamespace) -> Tensor:
        assert dtype == "uint8"
        return Tensor(self.gpus[device.index], count, count)

    def Event(self, *, device: SimpleNamespace, enable_timing: bool) -> Event:  # noqa: N802 - torch's name
        return Event(self.gpus[device.index], enable_timing=enable_timing)


def _cuda_properties(gpu: Gpu) -> SimpleNamespace:
    result: dict[str, object] = {
        "name": gpu.name,
        "uuid": gpu.uuid,
        "total_memory": gpu.memory_bytes,
        "L2_cache_size": gpu.cache_bytes,
        "major": 9,
        "minor": 0,
        "gcnArchName": "gfx942:sramecc+:xnack-",
        "multi_processor_count": 132,
        "pci_domain_id": 0,
        "pci_bus_id": 0x3B,
        "pci_device_id": 0,
    }
    return SimpleNamespace(**{name: value for name, value in result.items() if name not in gpu.missing})


def _xpu_properties(gpu: Gpu) -> SimpleNamespace:
    result: dict[str, object] = {
        "name": gpu.name,
        "uuid": gpu.uuid,
        "total_memory": gpu.memory_bytes,
        "last_level_cache_size": gpu.cache_bytes,
        "driver_version": "1.6.33578",
        "platform_name": "Intel(R) oneAPI Unified Runtime over Level-Zero",
        "is_integrated_gpu": False,
        "gpu_eu_count": 512,
    }
    return SimpleNamespace(**{name: value for name, value in result.items() if name not in gpu.missing})


def cuda(*gpus: Gpu, driver_warning: str | None = None) -> FakeTorch:
    return FakeTorch(*gpus, cuda="13.0", driver_warning=driver_warning)


def rocm(*gpus: Gpu) -> FakeTorch:
    return FakeTorch(*gpus, version="2.13.0+rocm7.1", hip="7.1.25424")


def xpu(*gpus: Gpu) -> FakeTorch:
    return FakeTorch(*gpus, kind="xpu", version="2.13.0+xpu", xpu="20250302")


class MpsModule(ModuleType):
    """`torch.mps`: no arguments, no properties, its own events."""

    def __init__(self, gpu: Gpu) -> None:
        super().__init__("torch.mps")
        self._gpu = gpu
        self.event = SimpleNamespace(Event=lambda *, enable_timing: Event(gpu, enable_timing=enable_timing))

    def _is_in_bad_fork(self) -> bool:
        return False

    def device_count(self) -> int:
        return 1

    def synchronize(self) -> None:
        self._gpu.now_ms += self._gpu.pending_ms
        self._gpu.pending_ms = 0.0

    def recommended_max_memory(self) -> int:
        return 22_906_503_168


class Accelerator(ModuleType):
    """`torch.accelerator` of a torch whose MPS allocator has statistics; before 2.15 it raises."""

    def __init__(self, gpu: Gpu, *, keeps_figures: bool) -> None:
        super().__init__("torch.accelerator")
        self._keeps_figures = keeps_figures
        self._module = DeviceModule("mps", [gpu], properties=None, driver_warning=None)
        self._module._start()

    def memory_stats(self, index: int) -> dict[str, int]:
        if not self._keeps_figures:
            raise RuntimeError("Allocator for mps is not a DeviceAllocator.")
        return self._module.memory_stats(index)

    def reset_peak_memory_stats(self, index: int) -> None:
        assert self._keeps_figures
        self._module.reset_peak_memory_stats(index)


class FakeMpsTorch(FakeTorch):
    """Replaces `import torch` on a Mac."""

    def __init__(
        self, gpu: Gpu, *, available: bool = True, built: bool = True, names: bool = True, keeps_figures: bool = False
    ) -> None:
        super().__init__(gpu, kind="mps", version="2.13.0")
        self.mps = MpsModule(gpu)
        self.accelerator = Accelerator(gpu, keeps_figures=keeps_figures)
        result: dict[str, object] = {"is_available": lambda: available, "is_built": lambda: built}
        if names:
            result |= {"get_name": lambda: "Apple M3 Max", "get_core_count": lambda: 40}
        self.backends = SimpleNamespace(mps=SimpleNamespace(**result))

    def get_device_module(self, kind: str) -> ModuleType:
        assert kind == "mps"
        return self.mps
