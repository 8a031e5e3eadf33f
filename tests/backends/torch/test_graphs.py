import pytest
from tests.backends import fake_torch
from tests.backends.fake_torch import CudaGraph, FakeMpsTorch, Gpu

from pytest_benchdb.backends.torch.device import GRAPH_WARMUP_CALLS, capture_graph
from pytest_benchdb.backends.torch.vendors import CudaBackend, MpsBackend
from pytest_benchdb.errors import BackendUnavailableError, MeasurementError


def test_capture_warms_up_on_the_capturing_stream_of_the_device() -> None:
    module = fake_torch.cuda(Gpu(), Gpu()).module
    seen: list[tuple[int, int, bool]] = []

    def step() -> str:
        seen.append((module.current, module.current_stream(0).device, module.capturing is not None))
        return "output"

    replay = capture_graph(module, 1, step)

    assert seen == [(1, 1, False)] * GRAPH_WARMUP_CALLS + [(1, 1, True)]
    assert (module.current, module.streams) == (0, [])
    assert replay() == "output"
    assert len(seen) == GRAPH_WARMUP_CALLS + 1


def test_replay_launches_the_graph_once(monkeypatch: pytest.MonkeyPatch) -> None:
    module = fake_torch.cuda(Gpu()).module
    graph = CudaGraph()
    monkeypatch.setattr(module, "CUDAGraph", lambda: graph)
    replay = capture_graph(module, 0, lambda: None)

    for _ in range(3):
        replay()

    assert graph.replays == 3


def test_capture_of_a_function_that_waits_reports_the_first_error_and_restores_the_stream() -> None:
    module = fake_torch.cuda(Gpu()).module

    def step() -> None:
        if module.capturing is not None:
            raise RuntimeError("CUDA error: operation not permitted when stream is capturing\nCompile with ...")

    with pytest.raises(MeasurementError, match=r"RuntimeError: CUDA error: operation not permitted .*; it must not"):
        capture_graph(module, 0, step)

    assert module.streams == []


def test_capture_of_an_error_in_the_warm_up_is_that_error() -> None:
    def step() -> None:
        raise ValueError("wrong shape")

    with pytest.raises(ValueError, match="wrong shape"):
        capture_graph(fake_torch.cuda(Gpu()).module, 0, step)


def test_capture_without_graphs_is_unavailable() -> None:
    torch = fake_torch.cuda(Gpu())
    del torch.module.CUDAGraph
    backend = CudaBackend(torch)
    mps = MpsBackend(FakeMpsTorch(Gpu()), platform="darwin")

    with pytest.raises(BackendUnavailableError, match=r"torch.cuda has no graphs in this version"):
        backend.open(backend.devices()[0]).capture(lambda: None)
    with pytest.raises(BackendUnavailableError, match="torch has no graphs for mps"):
        mps.open(mps.devices()[0]).capture(lambda: None)
