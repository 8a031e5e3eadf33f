"""One run with every measurement."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_benchdb.present.run_detail import histogram, run_lines
from pytest_benchdb.present.terminal import plain_text
from pytest_benchdb.present.text import width

RUN: dict[str, Any] = {
    "run_id": "019a9e5c-7b2d-7000-8000-000000000001",
    "fullname": "tests/test_a.py::test_x[a b]",
    "outcome": "passed",
    "reason": None,
    "started_at": "2026-11-21T02:03:04.000000",
    "group_name": None,
    "params": {"n": 3},
    "device": "Test CPU",
    "model": None,
    "model_version": None,
    "framework": None,
    "use_case": None,
    "implementation": None,
    "workload": None,
    "precision": None,
    "batch_size": None,
    "sequence_length": None,
    "attempt": 1,
    "worker": None,
    "rounds": 4,
    "iterations": 1,
    "warmup_rounds": 0,
    "timer": "perf_counter",
    "provenance": "measured",
    "extra_info": {},
}


def measurement(**changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {"metric": "wall_time", "unit": "s", "phase": None, "pass": "time", "method": None}
    values |= {"reason": None, "provenance": "measured", "valid": True, "n": 4, "value": 2e-6, "min": 1e-6, "max": 3e-6}
    return {**values, **changes}


def text_of(columns: int, *measurements: dict[str, Any]) -> str:
    samples: dict[tuple[str, str, str | None], list[float]] = {("wall_time", "time", None): [1e-6, 1e-6, 2e-6, 3e-6]}
    return plain_text(run_lines(RUN, measurements, samples, columns))


def test_run_lines_say_how_to_run_it_again() -> None:
    assert "run again   pytest 'tests/test_a.py::test_x[a b]' --benchdb\n" in text_of(80, measurement())


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({}, "2.000 \N{MICRO SIGN}s"),
        ({"metric": "peak_rss", "unit": "B", "value": 2.0**26, "min": None, "max": None}, "64.0 MiB"),
        ({"metric": "faults", "unit": "1", "value": 50.0, "min": None, "max": None}, "50"),
        ({"metric": "accuracy", "unit": "1", "value": 0.875, "min": None, "max": None}, "0.875"),
        ({"metric": "energy", "unit": "J", "value": 12.5, "min": None, "max": None}, "12.50 J"),
        ({"metric": "steal", "value": None, "min": None, "max": None, "valid": False, "reason": "no file"}, "-"),
    ],
    ids=["time", "memory", "count", "share", "energy", "unmeasured"],
)
def test_run_lines_show_each_measurement_in_its_unit(changes: dict[str, Any], shown: str) -> None:
    row = measurement(**changes)

    (line,) = [line for line in text_of(100, row).splitlines() if line.startswith(row["metric"])]

    assert line.removeprefix(row["metric"]).strip().startswith(shown)
    assert (row["reason"] or "") in line


def test_run_lines_without_measurements_have_no_table() -> None:
    assert "metric" not in text_of(80)


@given(st.integers(1, 140))
def test_run_lines_fit(columns: int) -> None:
    for line in text_of(columns, measurement()).splitlines():
        assert width(line) <= columns


@given(st.lists(st.floats(min_value=-1e6, max_value=1e6), min_size=1, max_size=50), st.integers(1, 60))
def test_histogram_shows_every_value_somewhere(values: list[float], bins: int) -> None:
    bars = histogram(values, bins)

    assert len(bars) == bins
    assert 1 <= sum(bar != " " for bar in bars) <= len(values)
    assert "█" in bars
