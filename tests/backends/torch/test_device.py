from types import SimpleNamespace
from typing import Any

import pytest
from tests.backends import fake_torch
from tests.backends.fake_torch import MIB, FakeMpsTorch, Gpu, OutOfMemoryError

from pytest_benchdb.backends.torch.backend import TorchBackend, TorchBuild, TorchFacts
from pytest_benchdb.backends.torch.device import OpenTorchDevice
from pytest_benchdb.backends.torch.vendors import CudaBackend, MpsBackend
from pytest_benchdb.errors import MeasurementError
from pytest_benchdb.model.environment import Device


def opened_on(gpu: Gpu) -> tuple[OpenTorchDevice, Any]:
    torch = fake_torch.cuda(gpu)
    backend = CudaBackend(torch)
    return backend.open(backend.devices()[0]), torch


def opened_mps(gpu: Gpu, *, keeps_figures: bool) -> OpenTorchDevice:
    backend = MpsBackend(FakeMpsTorch(gpu, keeps_figures=keeps_figures), platform="darwin")
    return backend.open(backend.devices()[0])


def test_open_raises_the_error_of_the_first_operation() -> None:
    text = "CUDA error: no kernel image is available for execution on the device"

    with pytest.raises(RuntimeError, match=text):
        opened_on(Gpu(error=RuntimeError(text)))


def test_open_of_a_full_device_fails_as_out_of_memory() -> None:
    opened, _ = opened_on(Gpu())
    text = "CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has a total capacity of 139.81 GiB"

    with pytest.raises(OutOfMemoryError) as caught:
        opened_on(Gpu(error=OutOfMemoryError(text)))

    assert opened.is_out_of_memory(caught.value)


def test_open_of_a_device_that_adds_wrongly_refuses_it() -> None:
    with pytest.raises(MeasurementError, match="eight times 1 \\+ 1 gave 24"):
        opened_on(Gpu(adds_wrongly=True))


def test_marks_report_the_devices_time_after_a_barrier() -> None:
    gpu = Gpu()
    opened, _ = opened_on(gpu)

    begin = opened.mark()
    gpu.pending_ms += 1.25
    end = opened.mark()
    opened.synchronize()

    assert opened.elapsed_s(begin, end) == pytest.approx(0.00125)


def test_mark_waits_for_nothing() -> None:
    gpu = Gpu()
    opened, _ = opened_on(gpu)
    gpu.calls.clear()

    opened.mark()

    assert gpu.calls == []


def test_move_records_the_same_event_again() -> None:
    gpu = Gpu()
    opened, _ = opened_on(gpu)
    begin, end = opened.mark(), opened.mark()

    gpu.pending_ms += 1.0
    opened.move(begin)
    gpu.pending_ms += 0.5
    opened.move(end)
    opened.synchronize()

    assert opened.elapsed_s(begin, end) == pytest.approx(0.0005)


def test_hold_keeps_the_device_busy_without_waiting_or_memory() -> None:
    gpu = Gpu()
    opened, _ = opened_on(gpu)
    gpu.calls.clear()
    opened.reset_memory()

    begin = opened.mark()
    assert opened.hold(0.01) is True
    end = opened.mark()

    assert gpu.calls == ["spin"]
    opened.synchronize()
    assert opened.elapsed_s(begin, end) == pytest.approx(0.01, rel=0.1)
    assert opened.memory()["device_peak"] == 0


def test_hold_is_impossible_where_torch_has_no_kernel_for_it() -> None:
    backend = MpsBackend(FakeMpsTorch(Gpu(), keeps_figures=False), platform="darwin")

    assert backend.open(backend.devices()[0]).hold(0.01) is False


def test_mark_is_none_if_events_cannot_be_timed() -> None:
    opened, _ = opened_on(Gpu(has_events=False))

    assert opened.mark() is None


def test_wait_for_a_mark_does_not_wait_for_other_streams() -> None:
    gpu = Gpu()
    opened, _ = opened_on(gpu)
    gpu.pending_ms, gpu.side_ms = 2.0, 5.0
    end = opened.mark()

    opened.wait_for(end)
    assert (gpu.pending_ms, gpu.side_ms) == pytest.approx((0.0, 3.0))

    opened.synchronize()
    assert gpu.side_ms == 0.0


def test_current_makes_the_device_current_and_restores_the_one_before() -> None:
    torch = fake_torch.cuda(Gpu(), Gpu(uuid="1b2c3d4e-0c1e-4a8f-9d0b-2f6f3a1b5c7d"))
    backend = CudaBackend(torch)
    opened = backend.open(backend.devices()[1])

    with opened.current():
        assert torch.module.current == 1

    assert torch.module.current == 0


def test_current_of_mps_does_nothing() -> None:
    with opened_mps(Gpu(), keeps_figures=False).current():
        pass


def test_ranges_are_those_of_nvtx() -> None:
    opened, torch = opened_on(Gpu())

    outer, inner = opened.begin_range("decode"), opened.begin_range("decode/attention")
    opened.end_range(outer)
    opened.end_range(inner)

    assert torch.module.nvtx.closed == ["decode", "decode/attention"]
    assert torch.module.nvtx.open == {}


def test_ranges_of_a_build_without_nvtx_do_nothing() -> None:
    opened, torch = opened_on(Gpu())
    torch.module.nvtx.installed = False

    opened.end_range(opened.begin_range("load"))

    assert torch.module.nvtx.closed == []


def test_memory_reports_the_allocators_peaks() -> None:
    gpu = Gpu()
    opened, torch = opened_on(gpu)
    opened.reset_memory()

    kept = torch.empty(10 * MIB, dtype="uint8", device=opened.handle)
    del kept

    assert opened.memory() == {
        "device_peak": 10 * MIB,
        "device_reserved": 10 * MIB,
        "device_fragmentation": 0.0,
        "allocator_retries": 0.0,
    }


def test_memory_of_an_idle_device_after_a_reset_is_a_measured_zero() -> None:
    opened, _ = opened_on(Gpu())
    opened.reset_memory()

    assert opened.memory() == {
        "device_peak": 0.0,
        "device_reserved": 2 * MIB,
        "device_fragmentation": 2 * MIB,
        "allocator_retries": 0.0,
    }


def test_memory_reports_what_the_allocator_held_without_use_and_its_retries() -> None:
    gpu = Gpu(retries=3)
    opened, torch = opened_on(gpu)
    kept = torch.empty(30 * MIB, dtype="uint8", device=opened.handle)
    del kept
    opened.reset_memory()

    small = torch.empty(10 * MIB, dtype="uint8", device=opened.handle)
    opened.flush_cache()
    gpu.retries += 2

    assert opened.memory()["device_fragmentation"] == 20 * MIB
    assert opened.memory()["allocator_retries"] == 2
    del small


def test_memory_of_an_allocator_without_statistics_is_absent() -> None:
    gpu = Gpu(silent_allocator=True)
    opened, _ = opened_on(gpu)

    opened.reset_memory()

    assert dict(opened.memory()) == {}
    assert gpu.resets == 0


def test_memory_stats_while_the_allocator_is_not_initialised_are_empty() -> None:
    assert fake_torch.cuda(Gpu()).module.memory_stats(0) == {}


def test_memory_of_mps_is_absent_before_torch_has_statistics() -> None:
    opened = opened_mps(Gpu(), keeps_figures=False)
    opened.reset_memory()

    assert dict(opened.memory()) == {}
    assert {"device_peak", "device_reserved"} <= set(opened_mps(Gpu(), keeps_figures=True).memory())


@pytest.mark.parametrize(
    ("cache_bytes", "flushed"), [(50 * MIB, 256 * MIB), (200 * MIB, 400 * MIB)], ids=["H200", "larger cache"]
)
def test_flush_cache_writes_as_much_as_triton_and_twice_the_cache(cache_bytes: int, flushed: int) -> None:
    gpu = Gpu(cache_bytes=cache_bytes)
    opened, _ = opened_on(gpu)

    assert opened.flush_cache() is True
    assert opened.flush_cache() is True
    assert gpu.calls.count(f"zero {flushed}") == 2
    assert gpu.allocated == flushed


def test_flush_cache_is_not_in_the_peaks() -> None:
    gpu = Gpu(cache_bytes=60 * MIB)
    opened, torch = opened_on(gpu)
    opened.reset_memory()
    before = torch.empty(8 * MIB, dtype="uint8", device=opened.handle)
    del before

    opened.flush_cache()
    assert opened.memory()["device_peak"] == 8 * MIB

    after = torch.empty(20 * MIB, dtype="uint8", device=opened.handle)
    assert opened.memory()["device_peak"] == 20 * MIB

    opened.reset_memory()
    assert opened.memory()["device_peak"] == 20 * MIB
    del after
    opened.reset_memory()
    assert opened.memory()["device_peak"] == 0.0


def test_flush_cache_of_unknown_size_says_no() -> None:
    opened, _ = opened_on(Gpu(missing=("L2_cache_size",)))

    assert opened.flush_cache() is False


def test_flush_cache_without_room_says_no() -> None:
    gpu = Gpu(memory_bytes=MIB, cache_bytes=60 * MIB)
    opened, _ = opened_on(gpu)

    assert opened.flush_cache() is False
    assert gpu.allocated == 0


def test_close_gives_the_flush_buffer_back() -> None:
    gpu = Gpu()
    opened, _ = opened_on(gpu)
    opened.flush_cache()

    opened.close()
    opened.close()

    assert gpu.allocated == 0


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (OutOfMemoryError("anything"), True),
        (RuntimeError("CUDA error: out of memory"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), True),
        (RuntimeError("MPS backend out of memory (MPS allocated: 17.00 GB)"), True),
        (RuntimeError("level_zero backend failed with error: UR_RESULT_ERROR_OUT_OF_DEVICE_MEMORY"), True),
        (RuntimeError("CUDA error: device-side assert triggered"), False),
        (AssertionError("expected 'out of memory' in the log"), False),
        (MemoryError(), False),
    ],
    ids=["class", "cuda", "cublas", "mps", "level zero", "another", "assertion", "host"],
)
def test_out_of_memory_is_reported_by_class_or_text(error: Exception, answer: bool) -> None:
    opened, _ = opened_on(Gpu())

    assert opened.is_out_of_memory(error) is answer


def test_out_of_memory_is_found_behind_the_error_of_a_library() -> None:
    opened, _ = opened_on(Gpu())
    error = ValueError("the model cannot be loaded")
    error.__cause__ = OutOfMemoryError("CUDA out of memory.")

    assert opened.is_out_of_memory(error)


class HostBackend(TorchBackend):
    """The processor through torch's own modules: real tensors and a real `torch.Event`, without a GPU."""

    name = "host"
    kind = "cpu"

    def why_unsupported(self, _build: TorchBuild) -> str | None:
        return None

    def describe(self, _torch: Any, _index: int) -> Device:
        return Device(device_id="", backend=self.name, name="processor")

    def facts(self, _properties: object) -> TorchFacts:
        return TorchFacts(uuid=None, driver=None, cache_bytes=MIB, details={})

    def module(self, torch: Any) -> Any:
        real = super().module(torch)
        return SimpleNamespace(
            is_available=real.is_available,
            device_count=real.device_count,
            synchronize=lambda _index: real.synchronize(),
            get_device_properties=lambda _index: None,
            _is_in_bad_fork=lambda: False,
        )


def test_real_torch_without_events_or_allocator_statistics_reports_neither() -> None:
    pytest.importorskip("torch")
    backend = HostBackend()

    opened = backend.open(backend.devices()[0])
    opened.synchronize()

    assert str(opened.handle) == "cpu:0"
    assert (opened.mark(), dict(opened.memory())) == (None, {})
    assert opened.flush_cache() is True


def test_real_torch_out_of_memory_class_is_known() -> None:
    torch = pytest.importorskip("torch")
    backend = HostBackend()
    opened = backend.open(backend.devices()[0])

    assert opened.is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory."))
    assert not opened.is_out_of_memory(RuntimeError("CUDA error: an illegal memory access was encountered"))
