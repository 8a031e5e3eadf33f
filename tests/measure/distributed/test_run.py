"""Ranks in real processes; only those that train need torch."""

import contextlib
import functools
import importlib.util
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.measure import ranked_functions

from pytest_benchdb.errors import BackendUnavailableError, MeasurementError
from pytest_benchdb.measure.distributed.ranks import TORCHRUN_VARIABLES
from pytest_benchdb.measure.distributed.run import Method, RankPlan, locate, run_distributed, threads_per_rank
from pytest_benchdb.model.run import Measurement

ROOT = Path(__file__).parents[3]
WITHOUT_TORCH = RankPlan(world_sizes=(2,), backend=None, timeout_s=20)
needs_signals = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")


def keyed(rows: tuple[Measurement, ...]) -> dict[tuple[str | None, str, int | None], Measurement]:
    found = {(row.phase, row.metric, row.rank): row for row in rows}
    assert len(found) == len(rows)
    return found


def train_for_real(method: Method, world_sizes: tuple[int, ...]) -> None:
    """Train on real ranks, and check that they exchange gradients and report measurements."""
    pytest.importorskip("torch.distributed")
    steps = 6
    plan = RankPlan(world_sizes=world_sizes, method=method, timeout_s=120)

    result = run_distributed(ranked_functions.train, plan=plan, args=[steps])

    assert result.error() is None
    rows = keyed(result.measurements)
    largest = max(world_sizes)
    for rank in range(largest):
        own = rows[f"world_{largest}", "step_time", rank]
        assert own.samples is not None
        assert len(own.samples) == steps - 2
        parts = [
            rows[f"world_{largest}/{name}", "wall_time", rank] for name in ("data", "forward", "backward", "optimizer")
        ]
        assert all(0 < sum(part.samples or ()) < sum(own.samples) for part in parts)
        assert rows[f"world_{largest}", "loss", rank].unit == "1"
        assert (rows[f"world_{largest}", "peak_rss", rank].value or 0) > 1 << 20
    weights = {str(one["weights"]) for one in result.results[largest]}  # type: ignore[index]
    assert len(weights) == 1  # without the exchange, ranks with different data would differ


def test_training_on_gloo_ranks_reports_every_rank_and_the_scaling() -> None:
    train_for_real("spawn", (1, 2))


@pytest.mark.long
def test_training_on_ranks_of_torchrun_reports_every_rank() -> None:
    train_for_real("torchrun", (2,))


def test_rank_with_a_report_cannot_fail_at_interpreter_exit() -> None:
    result = run_distributed(ranked_functions.abort_at_exit, plan=WITHOUT_TORCH)

    assert result.error() is None
    assert result.results[2] == (0, 1)


def test_ranks_without_torch_report_measurements_and_results() -> None:
    plan = RankPlan(world_sizes=(2, 1, 2), backend=None, timeout_s=20)

    result = run_distributed(ranked_functions.count, plan=plan, kwargs={"samples": 5})

    assert result.error() is None
    assert result.results == {1: ([0, 1, 0],), 2: ([0, 2, 0], [1, 2, 1])}
    rows = keyed(result.measurements)
    efficiency = rows["world_2", "scaling_efficiency", None]
    throughput = {size: rows[f"world_{size}", "throughput", None].value or 0 for size in (1, 2)}
    assert efficiency.value == pytest.approx(throughput[2] / (2 * throughput[1]))
    assert efficiency.details is not None
    assert efficiency.details["method"] == "spawn"
    by_rank = [rows["world_2", "step_time", rank].samples or () for rank in range(2)]
    assert rows["world_2", "step_time", None].samples == list(map(max, *by_rank))


def test_ranks_measure_what_was_asked_for() -> None:
    opener = "tests.measure.ranked_functions:simulated_device"
    meters = "pytest_benchdb.registry:meters_here"
    plan = RankPlan(
        world_sizes=(2,), backend=None, passes=("memory", "energy", "series"), opener=opener, meters=meters,
        provenance="simulated", timeout_s=30,
    )  # fmt: skip

    result = run_distributed(ranked_functions.simulate, plan=plan)

    assert result.error() is None
    rows = {(row.phase, row.metric, row.rank): row for row in result.measurements if row.domain is None}
    assert [rows["world_2", "energy", rank].value for rank in (0, 1)] == [
        pytest.approx(300.0, rel=0.01),
        pytest.approx(400.0, rel=0.01),
    ]
    assert rows["world_2", "energy", None].value == pytest.approx(700.0, rel=0.01)
    assert rows["world_2", "energy_per_sample", None].value == pytest.approx(700.0 / 8, rel=0.01)
    assert rows["world_2/a", "energy", 0].value == pytest.approx(1500.0, rel=0.01)
    assert rows["world_2", "device_peak", None].value == 2000


def test_ranks_of_the_host_read_its_counters_once_and_sample_themselves() -> None:
    plan = RankPlan(world_sizes=(2,), backend=None, passes=("energy", "series"), timeout_s=30)

    result = run_distributed(ranked_functions.count, plan=plan)

    assert result.error() is None
    reasons = {row.rank: row.reason for row in result.measurements if row.metric == "energy" and row.phase == "world_2"}
    assert reasons[0] == "no meter reads the energy of this device"
    assert reasons[1] == "the host's counters are read by its first rank"
    assert reasons[None] == reasons[0]
    resident = {series.domain for series in result.series if series.metric == "rss"}
    assert resident == {"rank0/process", "rank1/process"}


@pytest.mark.long
@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (ranked_functions.raise_in_rank_1, "rank 1 of 2 failed: ValueError: boom"),
        pytest.param(
            ranked_functions.be_killed_in_rank_1,
            "rank 1 of 2 was killed by SIGKILL: last words",
            marks=needs_signals,
        ),
    ],
    ids=["raises", "is killed"],
)
def test_rank_that_dies_stops_the_others_and_fails_the_run(function: Callable[..., Any], reason: str) -> None:
    begun = time.monotonic()

    result = run_distributed(function, plan=WITHOUT_TORCH, test="test_x.py::test_a")

    assert time.monotonic() - begun < 15  # the other rank would sleep for 60 s
    assert str(result.error("test_x.py::test_a")) == f"test_x.py::test_a: world of 2: {reason}"
    assert result.results == {}
    assert {(row.samples, row.value, row.reason) for row in result.measurements} == {(None, None, reason)}


@pytest.mark.long
def test_rank_that_hangs_is_stopped_and_fails_the_run() -> None:
    plan = RankPlan(world_sizes=(2,), backend=None, timeout_s=3)

    result = run_distributed(ranked_functions.hang_in_rank_1, plan=plan)

    assert str(result.error()) == (
        "world of 2: rank 1 of 2 did not end within 3 s and was stopped: waiting for a message"
    )


def test_rank_that_leaves_a_phase_open_fails_the_run() -> None:
    result = run_distributed(
        ranked_functions.leave_a_phase_open, plan=RankPlan(world_sizes=(1,), backend=None, timeout_s=20), test="test_a"
    )

    assert "rank 0 of 1 failed: MeasurementError: test_a: phase 'load' was never closed" in str(result.error())


def test_static_method_and_opener_are_found() -> None:
    plan = RankPlan(
        world_sizes=(2,),
        backend=None,
        timeout_s=20,
        opener=f"{ranked_functions.__name__}:DoubledDevice",
        opener_argument="twin",
        provenance="simulated",
    )

    nested = run_distributed(ranked_functions.Nested.measure, plan=WITHOUT_TORCH)
    device = run_distributed(ranked_functions.tell_device, plan=plan)

    assert nested.results == {2: (0, 1)}
    assert device.results == {2: ("twin:0", "twin:1")}
    steps = keyed(device.measurements)["world_2", "step_time", 0]
    assert (steps.method, steps.provenance) == ("wall clock, barrier at both ends (doubled)", "simulated")


def test_function_of_a_file_that_is_not_on_the_path_is_found(tmp_path: Path) -> None:
    path = tmp_path / "apart.py"
    path.write_text("def measure(rank):\n    return __name__\n")
    spec = importlib.util.spec_from_file_location("folder.apart", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    result = run_distributed(module.measure, plan=RankPlan(world_sizes=(1,), backend=None, timeout_s=20))

    assert result.results == {1: ("folder.apart",)}


def test_ranks_end_when_the_process_of_the_test_is_killed(tmp_path: Path) -> None:
    written = tmp_path / "pid"
    script = (
        "from pytest_benchdb.measure.distributed.run import RankPlan, run_distributed\n"
        "from tests.measure.ranked_functions import say_who_you_are\n"
        "plan = RankPlan(world_sizes=(1,), backend=None, timeout_s=60)\n"
        f"run_distributed(say_who_you_are, plan=plan, args=[{str(written)!r}])\n"
    )
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)}  # a killed process leaves its folder
    with subprocess.Popen([sys.executable, "-c", script], env=environ) as parent:
        assert eventually(lambda: written.exists() and written.read_text().endswith("\n"))
        rank = int(written.read_text())
        assert is_running(rank)
        parent.kill()

    assert eventually(lambda: not is_running(rank))


def eventually(holds: Callable[[], bool], within_s: float = 20) -> bool:
    ticks = threading.Event()
    deadline = time.monotonic() + within_s
    while not holds() and time.monotonic() < deadline:
        ticks.wait(0.02)
    return holds()


def is_running(pid: int) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        # In a container it may stay a zombie, which counts as ended.
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    return False


def test_ranks_do_not_inherit_the_rank_of_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in TORCHRUN_VARIABLES:
        monkeypatch.setenv(name, "7")

    result = run_distributed(ranked_functions.count, plan=WITHOUT_TORCH)

    assert result.results == {2: ([0, 2, 0], [1, 2, 1])}


@pytest.mark.parametrize(
    "function",
    [lambda rank: rank, functools.partial(ranked_functions.count, steps=3), len, Path().exists],
    ids=["lambda", "partial", "built-in", "method of an object"],
)
def test_function_that_other_processes_cannot_find_is_an_error(function: Callable[..., Any]) -> None:
    with pytest.raises(MeasurementError, match="cannot be found by other processes"):
        locate(function)


def test_function_within_a_function_is_an_error() -> None:
    def within(rank: object) -> object:
        return rank

    with pytest.raises(MeasurementError, match=r"test_function_within.*within'? cannot be found"):
        run_distributed(within, plan=WITHOUT_TORCH)


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        (RankPlan(world_sizes=()), "world_sizes must be whole numbers above 0"),
        (RankPlan(world_sizes=(0,)), "world_sizes must be whole numbers above 0"),
        (RankPlan(world_sizes=(True,)), "world_sizes must be whole numbers above 0"),
        (RankPlan(world_sizes=(1.5,)), "world_sizes must be whole numbers above 0"),  # type: ignore[arg-type]
        (RankPlan(method="fork"), "method must be 'spawn' or 'torchrun', not 'fork'"),  # type: ignore[arg-type]
        (RankPlan(timeout_s=0), "timeout_s must be a number above 0"),
        (RankPlan(timeout_s=float("nan")), "timeout_s must be a number above 0"),
    ],
)
def test_plan_that_cannot_be_followed_is_an_error(plan: RankPlan, message: str) -> None:
    with pytest.raises(MeasurementError, match=f"^test_a: {message}"):
        run_distributed(ranked_functions.count, plan=plan, test="test_a")


def test_run_without_torch_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "torch" else find(name))

    with pytest.raises(BackendUnavailableError, match="need torch, which is not installed"):
        run_distributed(ranked_functions.count, plan=RankPlan())


def test_threads_per_rank_share_the_processors_unless_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_benchdb.measure.distributed.run.usable_cpus", lambda: 8)

    assert threads_per_rank(2, None) == 4
    assert threads_per_rank(16, None) == 1
    assert threads_per_rank(2, "3") is None
