"""What the `benchmark` fixtures measured -> measurements.

PYTEST_DONT_REWRITE
"""

from dataclasses import dataclass
from typing import Any

from pytest_benchdb.model.metric import METRICS, Provenance
from pytest_benchdb.model.reading import Series
from pytest_benchdb.model.run import Attachment, Measurement, Request, Summary
from pytest_benchdb.plugin.recording.attempt import Attempt
from pytest_benchdb.plugin.recording.fixture import CODSPEED, PYTEST_BENCHMARK, kind_of

BENCHMARK_DISABLED = "pytest-benchmark was disabled"
"""Why a run has no times: by an option, or because pytest-benchmark does not measure under xdist."""

_WALL_TIMERS = frozenset({"time.perf_counter", "time.monotonic", "time.time"})
_CPU_TIMERS = frozenset({"time.process_time", "time.thread_time"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a test measured, and how.

    Attributes:
        invalid: why the figures may not be compared; None if they may.
        calls: calls in the timed block; None if they are not known, or did not fill it.
    """

    measurements: tuple[Measurement, ...]
    iterations: int | None = None
    rounds: int | None = None
    warmup_rounds: int | None = None
    calls: int | None = None
    timer: str | None = None
    group: str | None = None
    extra_info: dict[Any, Any] | None = None
    invalid: str | None = None
    sync_mode: str | None = None
    cache_mode: str | None = None
    provenance: Provenance = "measured"
    result_count: int | None = None
    series: tuple[Series, ...] = ()
    requests: tuple[Request, ...] = ()
    attachments: tuple[Attachment, ...] = ()


def not_measured(reason: str, *, group: str | None = None, extra_info: dict[Any, Any] | None = None) -> Result:
    """Return the result of a test that was not timed."""
    missing = _measurement("wall_time", reason=reason)
    return Result(measurements=(missing,), group=group, extra_info=extra_info, invalid=reason)


def of_fixture(attempt: Attempt, codspeed: Any) -> Result:
    """Return what the attempt's `benchmark` fixture measured.

    Args:
        attempt: an attempt whose test got a fixture.
        codspeed: pytest-codspeed's plugin object, or None.
    """
    fixture = attempt.fixture
    if kind_of(fixture) == PYTEST_BENCHMARK:
        return _of_pytest_benchmark(attempt, fixture)
    if kind_of(fixture) == CODSPEED:
        return _of_codspeed_fixture(attempt, fixture, codspeed)
    return not_measured(f"the benchmark fixture is a {type(fixture).__module__}.{type(fixture).__qualname__}")


def of_codspeed_marker(attempt: Attempt, codspeed: Any) -> Result | None:
    """Return what pytest-codspeed measured around a whole test; None if it measured nothing."""
    measured = codspeed_results(codspeed)[attempt.codspeed_seen :]
    return _of_codspeed(measured[-1], None) if measured else None


def of_whole_test(attempt: Attempt) -> Result | None:
    """Return the test's own time as one round of one iteration; None if it was not timed."""
    block = attempt.own_block
    if block is None or block.usage is None:
        return None
    wall = _measurement("wall_time", samples=[block.usage.wall_s], method="perf_counter_ns around the test")
    return Result(
        measurements=(wall,),
        iterations=1,
        rounds=1,
        warmup_rounds=0,
        calls=1,
        timer="time.perf_counter_ns",
        invalid=None if block.whole else "the test did not run to its end",
    )


def codspeed_results(codspeed: Any) -> list[Any]:
    """Return the live list of pytest-codspeed's results; empty where it keeps none."""
    instrument = getattr(codspeed, "instrument", None)
    return getattr(instrument, "benchmarks", None) or []


def _of_pytest_benchmark(attempt: Attempt, fixture: Any) -> Result:
    stats = fixture.stats
    if stats is None:
        if fixture.disabled:
            why = BENCHMARK_DISABLED
        elif attempt.block.whole or fixture.has_error:
            why = "the benchmarked function raised before it was timed"
        else:
            why = "the benchmark fixture was not used"
        return not_measured(why, group=fixture.group, extra_info=fixture.extra_info)
    options = stats.options
    timer = _timer_name(options.get("timer"))
    samples = stats.stats.data
    rounds, iterations = len(samples), int(stats.iterations)
    warmup = _warmup_rounds(attempt, options)
    return Result(
        measurements=(_of_rounds(samples, timer),),
        iterations=iterations,
        rounds=rounds,
        warmup_rounds=warmup,
        calls=_calls(attempt, fixture, rounds, iterations, warmup),
        timer=timer,
        group=stats.group,
        extra_info=stats.extra_info,
        invalid=_why_partial(attempt, fixture),
    )


def _why_partial(attempt: Attempt, fixture: Any) -> str | None:
    if fixture.has_error:
        return "the benchmarked function raised"
    return None if attempt.block.whole else "the rounds were cut short"


def _of_rounds(samples: list[float], timer: str) -> Measurement:
    base = timer.removesuffix("_ns")
    seconds = [value / 1e9 for value in samples] if base != timer else samples
    if base in _WALL_TIMERS:
        return _measurement("wall_time", samples=seconds, method=timer)
    if base in _CPU_TIMERS:
        return _measurement("cpu_time", samples=seconds, method=timer)
    return _measurement("timer_value", samples=samples, method=timer)


def _timer_name(timer: Any) -> str:
    timer = getattr(timer, "target", timer)
    name = getattr(timer, "__qualname__", None) or type(timer).__qualname__
    module = getattr(timer, "__module__", None)
    return f"{module}.{name}" if module else name


def _warmup_rounds(attempt: Attempt, options: dict[str, Any]) -> int | None:
    if attempt.arguments is not None:
        return int(attempt.arguments.get("warmup_rounds", 0))
    return None if options.get("warmup") else 0  # how many it takes is pytest-benchmark's own affair


def _calls(attempt: Attempt, fixture: Any, rounds: int, iterations: int, warmup: int | None) -> int | None:
    """Count the calls in the timed block, where they are all that it holds.

    pytest-benchmark makes one more call for the return value, unless a pedantic round of one
    iteration has it. A profile, a setup or a teardown within the block would be taken for the function.
    """
    arguments = attempt.arguments or {}
    if warmup is None or fixture.cprofile or arguments.get("setup") or arguments.get("teardown"):
        return None
    extra = 0 if attempt.arguments is not None and iterations == 1 else 1
    return (warmup + rounds) * iterations + extra


def _of_codspeed_fixture(attempt: Attempt, fixture: Any, codspeed: Any) -> Result:
    measured = codspeed_results(codspeed)[attempt.codspeed_seen :]
    if measured:
        result = _of_codspeed(measured[-1], fixture.extra_info)
        return result if attempt.block.whole else _cut(result)
    usage = attempt.block.usage
    if usage is None:
        return not_measured("the benchmark fixture was not used", extra_info=fixture.extra_info)
    if getattr(codspeed, "is_codspeed_enabled", False):
        return not_measured(
            f"pytest-codspeed measured no time in its mode {codspeed.mode.value}", extra_info=fixture.extra_info
        )
    if attempt.arguments is not None:  # the block holds the setup and the teardown too
        return not_measured(
            "pytest-codspeed is off, and calls a pedantic benchmark once, untimed", extra_info=fixture.extra_info
        )
    wall = _measurement("wall_time", samples=[usage.wall_s], method="perf_counter_ns around the one call")
    return Result(
        measurements=(wall,),
        iterations=1,
        rounds=1,
        warmup_rounds=0,
        calls=1,
        timer="time.perf_counter_ns",
        extra_info=fixture.extra_info,
        invalid=None if attempt.block.whole else "the rounds were cut short",
    )


def _cut(result: Result) -> Result:
    return Result(measurements=result.measurements, extra_info=result.extra_info, invalid="the rounds were cut short")


def _of_codspeed(measured: Any, extra_info: dict[Any, Any] | None) -> Result:
    """Read pytest-codspeed's summary; it throws the rounds away, and tells how many it planned, not ran."""
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
    wall = _measurement("wall_time", summary=summary, method="pytest-codspeed walltime")
    return Result(
        measurements=(wall,),
        iterations=int(stats.iter_per_round),
        timer="time.perf_counter_ns",
        extra_info=extra_info,
    )


def _measurement(
    metric: str,
    *,
    samples: list[float] | None = None,
    summary: Summary | None = None,
    method: str | None = None,
    reason: str | None = None,
) -> Measurement:
    known = METRICS[metric]
    return Measurement(
        metric=metric,
        unit=known.unit,
        better=known.better,
        samples=samples,
        summary=summary,
        method=method,
        reason=reason,
    )
