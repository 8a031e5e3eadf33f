"""Our statistics agree with pytest-benchmark's own class."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_benchdb.exporters.pytest_benchmark import statistics_of

stats = pytest.importorskip("pytest_benchmark.stats")

ROUNDS_NS = st.lists(st.integers(0, 10**10), min_size=1, max_size=50)


def theirs(samples: list[float]) -> dict[str, object]:
    own = stats.Stats()
    own.data = samples
    return dict(own.as_dict())


@given(ROUNDS_NS, st.integers(1, 1000))
def test_statistics_of_any_rounds_equal_those_of_pytest_benchmark(rounds_ns: list[int], iterations: int) -> None:
    samples = [ns / 1e9 / iterations for ns in rounds_ns]

    ours, expected = statistics_of(samples), theirs(samples)

    assert list(ours) == list(expected)
    for name in ("min", "max", "rounds", "median", "iqr", "q1", "q3", "iqr_outliers", "ld15iqr"):
        assert ours[name] == expected[name], name
    for name in ("mean", "stddev", "ops", "total"):
        assert ours[name] == pytest.approx(expected[name], rel=1e-9, abs=1e-15), name


@given(ROUNDS_NS)
def test_statistics_of_any_rounds_have_the_highest_datum_within_the_fence(rounds_ns: list[int]) -> None:
    # Not compared: pytest-benchmark before 5.3.1 returned the datum above the fence.
    samples = [float(ns) for ns in rounds_ns]

    ours = statistics_of(samples)

    fence = float(str(ours["q3"])) + 1.5 * float(str(ours["iqr"]))
    assert ours["hd15iqr"] == max(sample for sample in samples if sample <= fence)


def test_statistics_of_skewed_rounds_count_outliers_as_pytest_benchmark_does() -> None:
    samples = [1.0 + (i * 7919 % 101) / 1000 for i in range(1000)] + [5.0, 9.0, 0.85]

    assert statistics_of(samples)["outliers"] == theirs(samples)["outliers"] == "2;3"


def test_statistics_of_equal_rounds_have_no_spread() -> None:
    ours = statistics_of([0.1] * 7)

    assert (ours["mean"], ours["stddev"], ours["iqr"], ours["outliers"]) == (0.1, 0, 0, "0;0")


def test_statistics_of_one_round_are_that_round() -> None:
    assert statistics_of([2.5]) == {
        "min": 2.5,
        "max": 2.5,
        "mean": 2.5,
        "stddev": 0,
        "rounds": 1,
        "median": 2.5,
        "iqr": 0.0,
        "q1": 2.5,
        "q3": 2.5,
        "iqr_outliers": 0,
        "stddev_outliers": 0,
        "outliers": "0;0",
        "ld15iqr": 2.5,
        "hd15iqr": 2.5,
        "ops": 0.4,
        "total": 2.5,
    }
