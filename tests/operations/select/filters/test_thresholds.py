"""Thresholds: words, filters, limits and units, and what is wrong with those that cannot be read."""

from collections.abc import Callable

import pytest

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.metric import MAIN_MEMORY, MAIN_TIMES
from pytest_benchdb.model.series import SessionValue
from pytest_benchdb.operations.select.filters.threshold import parse_threshold, parse_thresholds


@pytest.mark.parametrize(
    ("text", "relative", "absolute", "unit"),
    [
        ("time:5%", 0.05, None, None),
        ("time:5.5%", 0.055, None, None),
        ("throughput:5.5%", 0.055, None, None),
        ("time: 12.25 %", 0.1225, None, None),
        ("time:.5%", 0.005, None, None),
        ("time:1e1%", 0.1, None, None),
        ("time:0%", 0.0, None, None),
        ("time:100%", 1.0, None, None),
        ("wall_time:200us", None, 2e-4, "s"),
        ("wall_time:200\N{MICRO SIGN}s", None, 2e-4, "s"),
        ("wall:1.5ms", None, 1.5e-3, "s"),
        ("peak_rss:64MiB", None, 64 * 2.0**20, "B"),
        ("memory:64mib", None, 64 * 2.0**20, "B"),
        ("memory:64MB", None, 64e6, "B"),
        ("memory:1KB", None, 1e3, "B"),
        ("energy:0.5J", None, 0.5, "J"),
        ("power:500mW", None, 0.5, "W"),
        ("throughput:10k/s", None, 1e4, "1/s"),
        ("bytes_per_second:1MiB/s", None, 2.0**20, "B/s"),
        ("failed_requests:0", None, 0.0, "1"),
    ],
)
def test_threshold_of_a_limit_is_a_share_or_a_quantity_in_si_units(
    text: str, relative: float | None, absolute: float | None, unit: str | None
) -> None:
    threshold = parse_threshold(text)

    assert threshold.relative == relative
    assert threshold.absolute == (None if absolute is None else pytest.approx(absolute, rel=1e-12))
    assert threshold.unit == unit


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "not of the form"),
        ("time", "not of the form"),
        ("time:", "not of the form"),
        ("time=5%", "not of the form"),
        ("time[backend=cuda:5%", "not of the form"),
        ("time:five", "does not begin with a number"),
        ("time:%", "does not begin with a number"),
        ("time:nan%", "does not begin with a number"),
        ("time:1e999%", "is not a limit"),
        ("time:-5%", "is not a limit"),
        ("time:5,5%", "no unit ',5%'"),
        ("time:5", "has no unit"),
        ("time:5MiB", "measured in 's'"),
        ("memory:200us", "measured in 'B'"),
        ("throughput:5MB/s", "measured in '1/s'"),
        ("time:5parsecs", "no unit 'parsecs'"),
        ("temperature:5%", "no better direction"),
        ("time[metric=memory]:5%", "stands before the bracket"),
        ("time[colour=red]:5%", "no field 'colour'"),
        ("time[backend]:5%", "not of the form key=value"),
    ],
)
def test_invalid_threshold_is_explained_with_an_example(text: str, what: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse_threshold(text)

    assert what in str(refused.value)
    assert repr(text) in str(refused.value)
    assert "'time:5%'" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_threshold_of_memory_means_what_the_benchmark_itself_needed() -> None:
    assert parse_threshold("memory:1MiB").metrics == MAIN_MEMORY
    assert "peak_rss" not in MAIN_MEMORY


def test_threshold_of_rates_with_a_unit_means_those_in_it() -> None:
    assert parse_threshold("rate:1MB/s").metrics == ("bytes_per_second",)
    assert {"throughput", "bytes_per_second"} <= set(parse_threshold("rate:5%").metrics)


def test_threshold_of_a_custom_metric_takes_its_name() -> None:
    assert parse_threshold("loss:1%").metrics == ("loss",)


@pytest.mark.parametrize(
    ("text", "metric", "main_time", "expected"),
    [
        ("time:5%", "wall_time", "wall_time", True),
        ("time:5%", "cpu_time", "wall_time", False),
        ("time:5%", "step_time", "step_time", True),
        ("time:5%", "peak_rss", "wall_time", False),
        ("cpu:5%", "cpu_time", "wall_time", True),
        ("memory:5%", "rss_growth", "rss_growth", True),
        ("memory:5%", "rss_growth", "python_peak", False),
        ("memory:5%", "peak_rss", "python_peak", False),
        ("TIME:5%", "wall_time", "wall_time", True),
        ("time[backend=cuda]:5%", "wall_time", "wall_time", True),
        ("time[backend=cpu]:5%", "wall_time", "wall_time", False),
        ("time[name=test_x[a] backend=cuda]:5%", "wall_time", "wall_time", True),
    ],
)
def test_threshold_matches_its_metrics_and_its_filter(
    value: Callable[..., SessionValue], text: str, metric: str, main_time: str, expected: bool
) -> None:
    candidate = value(fullname="tests/test_a.py::test_x[a]", backend="cuda", metric=metric)

    assert parse_threshold(text).matches(candidate, {main_time}) is expected


def test_threshold_in_another_unit_than_a_custom_metric_is_refused(value: Callable[..., SessionValue]) -> None:
    threshold = parse_threshold("loss:5ms")

    with pytest.raises(ConfigError, match="loss is measured in '1', not in 's'"):
        threshold.matches(value(metric="loss", unit="1"), set())


def test_thresholds_keep_their_order() -> None:
    texts = ["time:5%", "memory:1%"]

    assert [threshold.text for threshold in parse_thresholds(texts)] == texts
    assert MAIN_TIMES[0] == "wall_time"
