"""Reads what pytest-benchmark's `benchmark` fixture measured.

PYTEST_DONT_REWRITE
"""

from collections.abc import Iterable
from typing import Any

from pytest_benchdb.measure.timing.tracers import monitored_by
from pytest_benchdb.model.run import CHUNK_ROUNDS, Measurement, Timing
from pytest_benchdb.plugin.recording.attempt import Attempt
from pytest_benchdb.plugin.recording.fixture import PYTEST_BENCHMARK, kind_of

DISABLED = "pytest-benchmark was disabled"
"""Why a run has no times: by an option, or because pytest-benchmark does not measure under xdist."""

_METRICS = {
    "time.perf_counter": "wall_time",
    "time.monotonic": "wall_time",
    "time.time": "wall_time",
    "time.process_time": "cpu_time",
    "time.thread_time": "cpu_time",
}


def timing(attempt: Attempt) -> Timing:
    """Return the timing of the attempt's fixture."""
    fixture, stats = attempt.fixture, attempt.fixture.stats
    if stats is None:
        return Timing.missing(_why_not_timed(attempt))
    timer = _timer_name(stats.options.get("timer"))
    samples = stats.stats.data
    rounds, iterations = len(samples), int(stats.iterations)
    warmup_rounds = _warmup_rounds(attempt, stats.options)
    metric = _METRICS.get(timer.removesuffix("_ns"))
    details = {**stats.options, "timer": timer.rpartition(".")[2]}  # as in pytest-benchmark's JSON
    if (tool := monitored_by()) is not None:  # pytest-benchmark takes off the older kinds of tracers only
        details["traced_by"] = tool
    if metric is None:
        row = Measurement.of("timer_value", samples=samples, method=timer, details=details)
    else:
        scale = iterations if timer.endswith("_ns") else 1e9 * iterations
        why = f"{timer} went back" if min(samples) < 0 else None  # the system's time may be set
        row = Measurement.of(
            metric,
            round_ns=whole_ns(samples, scale),
            method=timer,
            valid=why is None,
            reason=why,
            details=details,
        )
    return Timing(
        measurements=(row,),
        iterations=iterations,
        rounds=rounds,
        warmup_rounds=warmup_rounds,
        calls=_calls(attempt, rounds, iterations, warmup_rounds),
        timer=timer,
        invalid="the benchmarked function raised" if fixture.has_error else attempt.block.cut,
    )


def enable_under_xdist(fixture: Any, config: Any) -> None:
    """Let a fixture measure in a test that runs alone; pytest-benchmark switches it off in every xdist worker."""
    is_unwanted = config.getoption("benchmark_disable", False) and not config.getoption("benchmark_enable", False)
    if kind_of(fixture) == PYTEST_BENCHMARK and not is_unwanted:
        fixture.disabled = False
        session: Any = getattr(config, "_benchmarksession", None)
        if hasattr(session, "xdist_benchmark_found"):
            session.xdist_benchmark_found = False  # or it says at the end that this fixture was switched off


def info_holder(fixture: Any) -> Any:
    """Return the object with the test's `group` and `extra_info`: its statistics, as they were when it was timed."""
    return fixture if getattr(fixture, "stats", None) is None else fixture.stats


def whole_ns(samples: Iterable[float], scale: float) -> list[int]:
    """Return the time of each round in whole nanoseconds.

    The rounds of a small benchmark have few distinct values, so looking them up is more than twice as fast as
    converting each (69 against 169 ns for a round of one clock tick).

    Args:
        samples: one value per round.
        scale: nanoseconds of a round per unit of its value.
    """
    return list(map(_WholeNs(scale).__getitem__, samples))


class _WholeNs(dict[float, int]):
    def __init__(self, scale: float) -> None:
        super().__init__()
        self._scale = scale

    def __missing__(self, value: float) -> int:
        if len(self) > 8 * CHUNK_ROUNDS:
            self.clear()
        ns = self[value] = round(value * self._scale)
        return ns


def _why_not_timed(attempt: Attempt) -> str:
    if attempt.fixture.disabled:
        return DISABLED
    if attempt.block.whole or attempt.fixture.has_error:
        return "the benchmarked function raised before it was timed"
    if attempt.block.entered:  # by pytest-timeout or Ctrl-C, while it was calibrated
        return "the benchmark was cut short before it was timed"
    return "the benchmark fixture was not used"


def _timer_name(timer: Any) -> str:
    timer = getattr(timer, "target", timer)
    name = getattr(timer, "__qualname__", None) or type(timer).__qualname__
    module = getattr(timer, "__module__", None)
    return f"{module}.{name}" if module else name


def _warmup_rounds(attempt: Attempt, options: dict[str, Any]) -> int | None:
    if attempt.arguments is not None:
        return int(attempt.arguments.get("warmup_rounds", 0))
    return None if options.get("warmup") else 0  # pytest-benchmark does not report how many it ran


def _calls(attempt: Attempt, rounds: int, iterations: int, warmup_rounds: int | None) -> int | None:
    """Count the calls in the timed block; None if they are unknown or it contains anything else.

    pytest-benchmark makes one more call for the return value, unless a pedantic round of one iteration provides it. A
    profile, a setup or a teardown within the block would be counted as the function.
    """
    arguments = attempt.arguments or {}
    if warmup_rounds is None or attempt.fixture.cprofile or arguments.get("setup") or arguments.get("teardown"):
        return None
    extra = 0 if attempt.arguments is not None and iterations == 1 else 1
    return (warmup_rounds + rounds) * iterations + extra
