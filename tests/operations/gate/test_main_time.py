"""The main time of a run, from its measurements."""

from typing import Any

import pytest

from pytest_benchdb.model.run import Measurement, Timing
from pytest_benchdb.operations.gate.main_time import main_time


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([("wall_time", {"round_ns": [4_000, 2_000]})], (1e-6, "the fastest of 2 rounds")),
        ([("step_time", {"samples": [3.0, 1.0, 2.0]})], (2.0, "the median of 3 rounds")),
        ([("cpu_time", {"value": 7.0}), ("wall_time", {"reason": "lost"})], (7.0, "cpu_time")),
        ([("wall_time", {"round_ns": [5], "valid": False, "reason": "the clock went back"})], None),
        ([("wall_time", {"round_ns": [5], "phase": "load"})], None),
    ],
)
def test_main_time_is_the_figure_that_the_gate_compares(rows: Any, expected: Any) -> None:
    measured = tuple(Measurement.of(metric, **values) for metric, values in rows)

    assert main_time(Timing(measurements=measured, iterations=2)) == expected
    assert main_time(Timing(measurements=measured, iterations=2, invalid="it failed")) is None
