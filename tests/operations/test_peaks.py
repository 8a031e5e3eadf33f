"""Peaks of devices, from their work to the report that compares benchmarks with them."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from tests.measure.ticking_device import TickingDevice

import pytest_benchdb
from pytest_benchdb.backends.cpu import CpuBackend
from pytest_benchdb.backends.sim import SimBackend
from pytest_benchdb.errors import ConfigError, StoreMissingError
from pytest_benchdb.interfaces import OpenDevice, PeakWork
from pytest_benchdb.model.answer.peaks import MeasuredPeaks
from pytest_benchdb.model.environment import Device
from pytest_benchdb.model.report import ReportRow
from pytest_benchdb.operations.peaks import measure_peaks
from pytest_benchdb.operations.read.report import build_report, list_sessions
from pytest_benchdb.operations.select.selection import Selection
from pytest_benchdb.registry import Registry, plugin_manager

MEMORY, COMPUTE = "peak_bytes_per_second", "peak_flops_per_second"


class Worker(TickingDevice):
    """A device that copies 1e8 bytes in 10 ms, and calculates 1e9 times in 1 ms."""

    def __init__(self, device: Device) -> None:
        super().__init__()
        self.device = device

    def peak_work(self) -> Iterator[PeakWork]:
        yield PeakWork(metric=MEMORY, amount=1e8, call=lambda: self.launch(20), method="slow copy")
        yield PeakWork(metric=MEMORY, amount=1e8, call=lambda: self.launch(10), method="copy")
        yield PeakWork(metric=COMPUTE, precision="fp32", amount=1e9, call=lambda: self.launch(1), method="product")
        yield PeakWork(metric=COMPUTE, precision="fp16", reason="no fp16 here")
        yield PeakWork(metric=COMPUTE, precision="fp64", amount=1e9, call=self.fail)

    def fail(self) -> None:
        raise RuntimeError("out of memory\nand more")

    def close(self) -> None:
        self.closed = True


class WorkingCpu(CpuBackend):
    """The processor of this machine, with work of a known speed."""

    def open(self, device: Device) -> OpenDevice:  # type: ignore[override]
        return Worker(device)


def measured(folder: Path, *devices: str) -> MeasuredPeaks:
    manager, _ = plugin_manager()
    registry = Registry(manager, [WorkingCpu(), SimBackend()])
    argv = ["benchdb", "peaks"]
    return measure_peaks(Path("results"), devices, folder=folder, environ={}, argv=argv, registry=registry)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder whose ``results`` has a session of benchmarks and one of peaks."""
    folder = tmp_path_factory.mktemp("peaks")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        with pytest_benchdb.session("results", summary=False) as session:
            for name, precision, work in (
                ("both", "float32", {"flops": 1e6, "bytes": 1e2}),
                ("memory", None, {"bytes": 1e6}),
                ("compute", "fp32", {"flops": 1e6}),
                ("unlabelled", None, {"flops": 1e6}),
                ("other", "fp16", {"flops": 1e6, "bytes": 1e6}),
                ("unknown", "fp32", {}),
            ):
                bench = session.bench(name, precision=precision) if precision else session.bench(name)
                bench.options(max_time_s=0.002, warmup_time_s=0, min_rounds=3)(sum, range(100), **work)
    measured(folder, "cpu")
    return folder


def test_peaks_are_the_best_of_each_metric_and_precision(tmp_path: Path) -> None:
    answer = measured(tmp_path)

    assert answer.problem is None
    assert [(row.metric, row.precision, row.value, row.method, row.reason) for row in answer.rows] == [
        (MEMORY, None, pytest.approx(1e10), "copy", None),
        (COMPUTE, "fp32", pytest.approx(1e12), "product", None),
        (COMPUTE, "fp16", None, None, "no fp16 here"),
        (COMPUTE, "fp64", None, None, "the work ended with RuntimeError: out of memory"),
    ]
    with duckdb.connect(str(answer.path), read_only=True) as connection:
        runs = connection.execute(
            "SELECT fullname, r.outcome, kind FROM run r JOIN benchmark USING (benchmark_id)"
            " JOIN session USING (session_id) ORDER BY fullname"
        ).fetchall()
    assert runs == [
        ("peaks::compute[cpu-fp16]", "unsupported", "peaks"),
        ("peaks::compute[cpu-fp32]", "passed", "peaks"),
        ("peaks::compute[cpu-fp64]", "unsupported", "peaks"),
        ("peaks::memory[cpu]", "passed", "peaks"),
    ]


def test_peaks_of_a_backend_without_work_have_the_reason(tmp_path: Path) -> None:
    answer = measured(tmp_path, "sim")

    assert {(row.value, row.reason) for row in answer.rows} == {
        (None, "the backend sim has no work that reaches a peak")
    }


def test_peaks_of_an_unknown_device_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="backend 'abacus' is unknown"):
        measured(tmp_path, "abacus")

    assert list(tmp_path.iterdir()) == []


def test_report_shows_the_share_of_the_peak_that_limits(folder: Path) -> None:
    report = build_report(Selection(paths=(folder / "results",)))

    rows: dict[str, ReportRow] = {row.name: row for row in report.sessions[0].rows}
    for row in rows.values():
        assert row.median_s
    times = {name: row.median_s or 0.0 for name, row in rows.items()}
    assert {name: (row.roof_share, row.roof_limit) for name, row in rows.items()} == {
        "both": (pytest.approx(1e6 / times["both"] / 1e12), "compute"),
        "memory": (pytest.approx(1e6 / times["memory"] / 1e10), "memory"),
        "compute": (pytest.approx(1e6 / times["compute"] / 1e12), "compute"),
        "unlabelled": (None, None),
        "other": (None, None),
        "unknown": (None, None),
    }


def test_sessions_of_peaks_are_listed_and_never_the_latest(folder: Path, tmp_path: Path) -> None:
    kinds = [session.kind for session in list_sessions(Selection(paths=(folder / "results",)))]

    assert kinds == ["peaks", "api"]
    measured(tmp_path)
    with pytest.raises(StoreMissingError):
        build_report(Selection(paths=(tmp_path / "results",)))
