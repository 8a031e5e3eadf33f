"""A session that the plugin recorded, and pytest-benchmark's own JSON of the same run, imported: the same figures."""

from pathlib import Path
from typing import Any

import pytest

from pytest_benchdb.operations.exchange.importing import ImportRequest, import_files
from pytest_benchdb.operations.exchange.open import open_source
from pytest_benchdb.store.read.reader import Reader

SUITE = """
import pytest


@pytest.mark.parametrize("n", [10, 100])
def test_sum(benchmark, n):
    benchmark.extra_info["note"] = "x"
    benchmark(sum, list(range(n)))


class TestGroup:
    @pytest.mark.benchmark(group="sorting")
    def test_sorted(self, benchmark):
        benchmark.pedantic(sorted, args=([3, 1, 2],), rounds=7, iterations=4)
"""
SAME = ("fullname", "file", "class_name", "function", "name", "group_name", "params", "param_id", "benchmark_id")
SAME_RUN = ("outcome", "iterations", "rounds", "warmup_rounds", "timer", "device_id", "backend")


def rounds_of(reader: Reader) -> dict[str, tuple[dict[str, Any], list[float]]]:
    """Return each run with its rounds on the wall clock, by its benchmark's name."""
    rounds = {row["run_id"]: row["samples"] for row in reader.samples(metric="wall_time")}
    return {run["fullname"]: (run, rounds[run["run_id"]]) for run in reader.runs()}


def options_of(reader: Reader) -> dict[str, str]:
    """Return the options that every benchmark was timed with."""
    (session,) = reader.sessions()
    names = ("disable_gc", "min_rounds", "max_time", "min_time", "warmup", "timer")
    options = {row["name"]: row["value"] for row in reader.timing_options([session.session_id], names)}
    assert set(options) == set(names)
    return options


@pytest.mark.long
@pytest.mark.parametrize("how", ["plugin's own JSON", "pytest-benchmark's JSON"], ids=["ours", "theirs"])
def test_import_of_a_recorded_session_gives_its_figures(how: str, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_suite=SUITE)
    theirs = how.startswith("pytest-benchmark")
    written = "--benchmark-json=out.json" if theirs else "--benchdb-json=out.json"
    done = pytester.runpytest_subprocess("--benchdb=db", written, "--benchmark-max-time=0.02", "-p", "no:randomly")
    done.assert_outcomes(passed=3)

    with open_source((Path(pytester.path, "db"),)) as reader:
        recorded = rounds_of(reader)
        options = options_of(reader)
    with open_source((Path(pytester.path, "out.json"),)) as reader:
        imported = rounds_of(reader)
        if theirs:
            assert options_of(reader) == options
        (session,) = reader.sessions()

    assert set(recorded) == set(imported)
    assert session.kind == "import"
    for name, (run, rounds) in recorded.items():
        other, other_rounds = imported[name]
        scale = run["iterations"] * 1e9
        assert len(other_rounds) == len(rounds)
        assert max(abs(one - two) * scale for one, two in zip(rounds, other_rounds, strict=True)) <= 1
        assert {key: other[key] for key in SAME_RUN if key in run and (theirs or key != "warmup_rounds")} == {
            key: run[key] for key in SAME_RUN if key in run and (theirs or key != "warmup_rounds")
        }
        assert {key: other[key] for key in SAME if key in run} == {key: run[key] for key in SAME if key in run}
        assert (run["provenance"], other["provenance"]) == ("measured", "imported")
    into_itself = ImportRequest(
        format="auto", paths=(Path(pytester.path, "out.json"),), target=str(Path(pytester.path, "db"))
    )
    (outcome,) = import_files(into_itself).files
    assert (outcome.sessions, outcome.known, outcome.reason) == (0, 1, None)
