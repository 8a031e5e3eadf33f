"""The budget of a test, ``@pytest.mark.benchdb(max_time=0.5)``: a time beyond it fails the test, whatever its history.

PYTEST_DONT_REWRITE
"""

import statistics

import pytest

from pytest_benchdb.analysis.rules.policy import statistic_of
from pytest_benchdb.model.metric import MAIN_TIMES
from pytest_benchdb.model.run import Measurement, Timing
from pytest_benchdb.present.writing.units import one_quantity


class TimeBudget:
    """The most time that the main time of a test may take.

    Attributes:
        most_s: seconds.
    """

    def __init__(self, item: pytest.Item, most_s: float) -> None:
        """Take the test and its budget."""
        self.most_s = most_s
        self._item = item

    def check(self, timing: Timing) -> None:
        """Fail the test if its main time is beyond the budget; warn if that was not measured."""
        found = main_time(timing)
        if found is None:
            reasons = (timing.invalid, *(row.reason for row in timing.measurements if row.metric in MAIN_TIMES))
            why = next(filter(None, reasons), "only phases were timed")
            self._item.warn(pytest.PytestWarning(f"max_time={self.most_s:g} was not checked: {why}"))
            return
        seconds, what = found
        if seconds > self.most_s:
            took, most = one_quantity(seconds, "s"), one_quantity(self.most_s, "s")
            pytest.fail(f"took {took} ({what}), more than its max_time of {most}", pytrace=False)


def main_time(timing: Timing) -> tuple[float, str] | None:
    """Return the main time of a run in seconds, by the statistic that the gate compares, and what it is.

    None if no time of the whole run was measured, or it may not be compared.
    """
    if timing.invalid is not None:
        return None
    times = {row.metric: row for row in timing.measurements if row.phase is None and row.valid and row.rank is None}
    for metric in MAIN_TIMES:
        if metric in times and (found := _time_of(times[metric], timing.iterations or 1)) is not None:
            return found
    return None


def _time_of(row: Measurement, iterations: int) -> tuple[float, str] | None:
    seconds = row.samples
    if row.round_ns is not None:
        seconds = [ns / (1e9 * iterations) for ns in row.round_ns]
    if not seconds:
        return None if row.value is None else (row.value, row.metric)
    if len(seconds) == 1:
        return seconds[0], "one round"
    if statistic_of(row.metric) == "min":
        return min(seconds), f"the fastest of {len(seconds)} rounds"
    return statistics.median(seconds), f"the median of {len(seconds)} rounds"
