"""Reads what pytest-codspeed measured, through its `benchmark` fixture or its marker.

PYTEST_DONT_REWRITE
"""

from typing import Any

from pytest_benchdb.model.run import Measurement, Summary, Timing
from pytest_benchdb.plugin.recording.attempt import Attempt, one_round


def results(codspeed: Any) -> list[Any]:
    """Return the live list of pytest-codspeed's results; empty if its plugin object keeps none or is None."""
    instrument = getattr(codspeed, "instrument", None)
    return getattr(instrument, "benchmarks", None) or []


def marker_timing(attempt: Attempt, codspeed: Any) -> Timing | None:
    """Return pytest-codspeed's timing of a whole test; None if it measured nothing."""
    measured = results(codspeed)[attempt.codspeed_seen :]
    return _timing(measured[-1]) if measured else None


def fixture_timing(attempt: Attempt, codspeed: Any) -> Timing:
    """Return the timing of the attempt's fixture."""
    timing = marker_timing(attempt, codspeed)
    if timing is not None:
        cut = attempt.block.cut
        return timing if cut is None else Timing(measurements=timing.measurements, invalid=cut)
    if attempt.block.usage is None:
        return Timing.missing("the benchmark fixture was not used")
    if getattr(codspeed, "is_codspeed_enabled", False):
        return Timing.missing(f"pytest-codspeed measured no time in its mode {codspeed.mode.value}")
    if attempt.arguments is not None:  # the block holds the setup and the teardown too
        return Timing.missing("pytest-codspeed is off, and calls a pedantic benchmark once, untimed")
    return one_round(attempt.block.usage, "perf_counter_ns around the one call", invalid=attempt.block.cut)


def _timing(measured: Any) -> Timing:
    """Read a summary; pytest-codspeed discards the rounds, and reports how many it planned, not how many it ran."""
    stats = measured.stats
    summary = Summary(
        min=stats.min_ns / 1e9,
        max=stats.max_ns / 1e9,
        mean=stats.mean_ns / 1e9,
        median=stats.median_ns / 1e9,
        stddev=stats.stdev_ns / 1e9,
        q1=stats.q1_ns / 1e9,
        q3=stats.q3_ns / 1e9,
    )
    return Timing(
        measurements=(Measurement.of("wall_time", summary=summary, method="pytest-codspeed walltime"),),
        iterations=int(stats.iter_per_round),
        timer="time.perf_counter_ns",
    )
