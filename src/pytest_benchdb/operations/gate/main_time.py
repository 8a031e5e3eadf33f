"""The main time of a run that has just ended, by the statistic that the gate compares."""

import statistics

from pytest_benchdb.analysis.rules.policy import statistic_of
from pytest_benchdb.model.metric import MAIN_TIMES
from pytest_benchdb.model.run import Measurement, Timing


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
