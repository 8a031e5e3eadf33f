"""Reads what pytest-codspeed measured, through its `benchmark` fixture or its marker.

PYTEST_DONT_REWRITE
"""

from dataclasses import replace
from typing import Any

from pytest_benchdb.model.run import Measurement, Summary, Timing
from pytest_benchdb.plugin.recording.attempt import Attempt, one_round

DISABLED = "pytest-codspeed was disabled"
"""Why the one cold call of a run may not be compared: there was no ``--codspeed``."""


def results(codspeed: Any) -> list[Any]:
    """Return the live list of pytest-codspeed's results; empty if its plugin object keeps none or is None."""
    instrument = getattr(codspeed, "instrument", None)
    return getattr(instrument, "benchmarks", None) or []


def switch_off(item: Any, codspeed: Any) -> None:
    """Let a test with pytest-codspeed's marker run once, untimed."""
    if getattr(codspeed, "is_codspeed_enabled", False):
        vars(item).pop("runtest", None)  # its own is that of the class


def marker_timing(attempt: Attempt, codspeed: Any, whole_test: Timing) -> Timing:
    """Return the timing of a test that has pytest-codspeed's marker; `whole_test` is our own."""
    timing = _measured(attempt, codspeed)
    if timing is not None or not codspeed or attempt.asked_by != "codspeed":
        return timing or whole_test
    if codspeed.is_codspeed_enabled:
        return Timing.missing(_no_time(codspeed))
    return replace(whole_test, invalid=whole_test.invalid or DISABLED)


def fixture_timing(attempt: Attempt, codspeed: Any) -> Timing:
    """Return the timing of the attempt's fixture."""
    timing = _measured(attempt, codspeed)
    if timing is not None:
        cut = attempt.block.cut
        return timing if cut is None else Timing(measurements=timing.measurements, invalid=cut)
    if attempt.block.usage is None:
        return Timing.missing("the benchmark fixture was not used")
    if getattr(codspeed, "is_codspeed_enabled", False):
        return Timing.missing(_no_time(codspeed))
    if attempt.arguments is not None:  # the block holds the setup and the teardown too
        return Timing.missing(DISABLED)
    return one_round(attempt.block.usage, "perf_counter_ns around the one call", invalid=attempt.block.cut or DISABLED)


def _no_time(codspeed: Any) -> str:
    return f"pytest-codspeed measured no time in its mode {codspeed.mode.value}"


def _measured(attempt: Attempt, codspeed: Any) -> Timing | None:
    measured = results(codspeed)[attempt.codspeed_seen :]
    return _timing(measured[-1]) if measured else None


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
