"""Sweeps: the combinations of their parameters, and the runs of their points in a real pytest run."""

import json
from typing import Any

import duckdb  # noqa: F401 - DuckDB cannot be loaded twice in one process, and pytester unloads what a test loads
import pytest
from tests.plugin.recorded import Record

from pytest_benchdb.backends.cpu import CpuBackend
from pytest_benchdb.errors import MeasurementError
from pytest_benchdb.plugin.bench.bench import Bench

SUITE = """
    import pytest

    @pytest.fixture
    def quick(bench):
        return bench.options(max_time_s=0.005, warmup_time_s=0, min_rounds=3)

    @pytest.mark.benchdb(model="resnet50")
    def test_labels(quick):
        for point in quick.sweep(batch_size=[1, 8], precision=["fp32", "fp16"]):
            with point:
                quick(sum, range(point.batch_size * 100))
                quick.record("loss", point.batch_size, unit="1")

    @pytest.mark.parametrize("size", [10])
    def test_one_fails(quick, size):
        for point in quick.sweep(n=[1, 2, 3]):
            with point:
                if point.n == 3:
                    pytest.skip("too large")
                quick(sum, range(size))
                assert point.n != 2, "two"

    def test_several_fail(quick):
        quick.record("outside", 1, unit="1")
        for point in quick.sweep(n=[1, 2, 3]):
            with point:
                quick(sum, range(10))
                assert point.n == 1, "not one"

    @pytest.mark.xfail(reason="known")
    def test_expected(quick):
        for point in quick.sweep(n=[1, 2]):
            with point:
                quick(sum, range(10))
                assert point.n == 1

    def test_breaks(quick):
        for point in quick.sweep(n=[1, 2]):
            with point:
                raise ValueError("early")
            break
"""


@pytest.fixture
def bench() -> Bench:
    backend = CpuBackend()
    return Bench(backend.open(backend.devices()[0]), None, test="test_it")


@pytest.mark.long
@pytest.mark.parametrize("arguments", [(), ("-n1",)], ids=["here", "in-a-worker"])
def test_points_are_runs_of_their_own(record: Record, arguments: tuple[str, ...]) -> None:
    recorded = record(SUITE, *arguments)

    recorded.result.assert_outcomes(passed=2, failed=2, errors=1, xfailed=1)
    outcomes = recorded.outcomes()
    assert outcomes == {
        "test_labels[1-fp32]": "passed",
        "test_labels[1-fp16]": "passed",
        "test_labels[8-fp32]": "passed",
        "test_labels[8-fp16]": "passed",
        "test_one_fails[10-1]": "passed",
        "test_one_fails[10-2]": "failed",
        "test_one_fails[10-3]": "skipped",
        "test_several_fail[1]": "passed",
        "test_several_fail[2]": "failed",
        "test_several_fail[3]": "failed",
        "test_several_fail": "failed",  # it recorded a value outside its points
        "test_expected[1]": "passed",
        "test_expected[2]": "xfailed",
        "test_breaks[1]": "failed",
    }
    assert recorded.one(
        "SELECT params, m.value, r.reason FROM run r JOIN benchmark USING (benchmark_id)"
        " JOIN measurement m USING (run_id) WHERE name = 'test_labels[8-fp16]' AND metric = 'loss'"
    ) == (json.dumps({"batch_size": 8, "precision": "fp16"}, separators=(",", ":")), 8.0, None)
    assert recorded.sql(
        "SELECT name, model, batch_size, precision FROM report WHERE name LIKE 'test_labels%8%' ORDER BY name"
    ) == [("test_labels[8-fp16]", "resnet50", 8, "fp16"), ("test_labels[8-fp32]", "resnet50", 8, "fp32")]
    assert dict(recorded.sql("SELECT name, outcome FROM report WHERE median_s IS NOT NULL")) == {
        name: outcome for name, outcome in outcomes.items() if outcome == "passed"
    }
    assert "2 of 3 points failed: 2, 3" in recorded.text
    assert "ValueError: early" in recorded.text


def test_rerun_of_a_point_selects_its_test(
    record: Record, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makepyfile(test_suite=SUITE)
    wanted = {
        "root": str(pytester.path),
        "names": ["test_suite.py::test_one_fails[10-1]"],
        "db": str(pytester.path / "again"),
    }
    monkeypatch.setenv("BENCHDB_RERUN", json.dumps(wanted))

    recorded = record(None, path="results")

    recorded.result.assert_outcomes(failed=1)


def test_sweep_combines_its_values_and_needs_no_recording(bench: Bench) -> None:
    seen = []
    for point in bench.sweep(a=[1, 2], b=(letter for letter in "xy")):
        with point:
            seen.append((point.id, bench(dict, point.params)))

    assert [name for name, _ in seen] == ["1-x", "1-y", "2-x", "2-y"]
    assert seen[-1][1] == {"a": 2, "b": "y"}


def test_sweep_reports_the_mistakes_of_a_point_and_goes_on(bench: Bench) -> None:
    seen = []

    def measure() -> None:
        for point in bench.sweep(a=[1, 2]):
            with point:
                seen.append(point.a)
                if point.a == 1:
                    bench.phase("never").__enter__()

    with pytest.raises(MeasurementError, match="phase 'never' was never closed"):
        measure()
    assert seen == [1, 2]
    assert bench.mistakes() == []


def test_sweep_stops_when_the_run_ends(bench: Bench) -> None:
    seen = []

    def measure() -> None:
        for point in bench.sweep(a=[1, 2]):
            with point:
                seen.append(point.a)
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure()
    assert seen == [1]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "has no parameters"),
        ({"a": []}, "has no values"),
        ({"a": "text"}, "not a list of values"),
        ({"a": 3}, r"write a=\[3\]"),
        ({"a": [1, "1"]}, "two points of the sweep are named '1'"),
        ({"params": [1]}, "use another name"),
    ],
)
def test_sweep_that_makes_no_sense_is_refused(bench: Bench, values: dict[str, Any], message: str) -> None:
    with pytest.raises(MeasurementError, match=f"test_it: .*{message}"):
        bench.sweep(**values)


def test_sweep_inside_a_point_is_refused(bench: Bench) -> None:
    (point,) = bench.sweep(a=[1])

    with point, pytest.raises(MeasurementError, match="give both parameters to one sweep"):
        bench.sweep(b=[2])
    with pytest.raises(MeasurementError, match="entered before"), point:
        pass


def test_point_names_the_parameters_that_it_has(bench: Bench) -> None:
    (point,) = bench.sweep(a=[1])

    with pytest.raises(AttributeError, match="no parameter 'b'; it has a"):
        _ = point.b


def test_point_that_needs_what_its_device_lacks_is_skipped(bench: Bench) -> None:
    seen = []
    for point in bench.sweep(a=[1, 2]):
        with point:
            bench.graph(sum, [point.a])
            seen.append(point.a)

    assert seen == []
    assert bench.mistakes() == []
