"""How a `Bench` times or counts one function, and the measurements that its rounds give.

PYTEST_DONT_REWRITE
"""

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pytest_benchdb.errors import MeasurementError
from pytest_benchdb.measure.timing import calls
from pytest_benchdb.measure.timing.block_clock import mark_method
from pytest_benchdb.measure.timing.plan import Plan
from pytest_benchdb.measure.timing.rounds import Timed
from pytest_benchdb.measure.timing.stability import instability, median_error
from pytest_benchdb.measure.timing.tracers import untraced
from pytest_benchdb.model.metric import Provenance
from pytest_benchdb.model.run import Measurement
from pytest_benchdb.plugin.recording.counting import InstructionCounter, not_timed

_RATES = {"items": "throughput", "bytes": "bytes_per_second", "flops": "flops_per_second"}
_BARRIER_S = 50e-6
"""Longest time after a mark that a barrier may take by itself."""
_AFTER_SHARE = 0.02
_PEAKS = frozenset({"device_peak", "device_reserved"})
_STILL = "the device's clock did not move: nothing ran on it, or for less than its tick"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimingSpec:
    """How one function is timed: the plan, the work of one call, and what runs around each round."""

    plan: Plan
    work: Mapping[str, float | None] = field(default_factory=dict)
    before: Callable[[], None] | None = None
    after: Callable[[], None] | None = None
    is_graph: bool = False


class Replay:
    """The replay of a captured graph, to be known by when it is timed."""

    __slots__ = ("_call",)

    def __init__(self, call: Callable[[], object]) -> None:
        """Take the function that replays the graph."""
        self._call = call

    def __call__(self) -> object:
        """Replay the graph once."""
        return self._call()


class Arguments:
    """The arguments of a round, which `setup` may replace."""

    def __init__(self, args: tuple[Any, ...], kwargs: dict[str, Any], setup: Callable[[], Any] | None) -> None:
        self.args = args
        self.kwargs = kwargs
        self._setup = setup
        self._fixed = bool(args or kwargs)

    def renew(self) -> None:
        """Run `setup` and take the arguments that it returns.

        Raises:
            MeasurementError: it returns arguments although the test passed some.
        """
        returned = None if self._setup is None else self._setup()
        if returned is None:
            return
        if self._fixed:
            raise MeasurementError("setup returns the arguments, so pedantic must not get args or kwargs as well")
        self.args, self.kwargs = tuple(returned[0]), dict(returned[1])


def call_once(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], spec: TimingSpec) -> Any:
    """Call a function once, untimed, with `before` and `after` around it."""
    if spec.before is not None:
        spec.before()
    result = calls.call_once(function, args, kwargs)
    if spec.after is not None:
        spec.after()
    return result


def count_function(
    counter: InstructionCounter,
    function: Callable[..., Any],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    spec: TimingSpec,
) -> tuple[Any, tuple[Measurement, ...]]:
    """Return the result of the first call, and the rows of those that were counted after it."""
    with calls.calls_of(function, args, kwargs) as made, untraced():
        if spec.before is not None:
            spec.before()
        result = made.keep(1, calls.UNTIMED)
        if made.adapt(result):
            result = made.keep(1, calls.UNTIMED)
        if spec.after is not None:
            spec.after()
        counts = counter.rows(lambda number: made.drop(number, calls.UNTIMED), before=spec.before, after=spec.after)
    return result, (not_timed(), *counts)


def timing_rows(
    timed: Timed, spec: TimingSpec, *, phase: str | None, provenance: Provenance, notes: Sequence[str] = ()
) -> list[Measurement]:
    """Return the measurements of one timed function: its clocks, its memory on the device and its rates.

    `notes` are remarks about the function, stored with its wall time.
    """
    about = {"phase": phase, "provenance": provenance}
    details: dict[str, object] = {
        "sync_mode": timed.sync_mode,
        "cache_mode": timed.cache_mode,
        "gc": spec.plan.gc,
        "iterations": timed.iterations,
        "warmup_rounds": timed.warmup_rounds,
        **({"graph": True} if spec.is_graph else {}),
    }
    remarks = {
        "median_error": median_error(timed.wall_ns),
        "unstable": instability(timed.wall_ns),
        "notes": [*notes, *_notes(timed, spec)] or None,
    }
    details |= {name: remark for name, remark in remarks.items() if remark is not None}

    def rounds(round_ns: Sequence[int]) -> dict[str, Any]:
        # The database divides by the run's iterations, but a phase has its own number.
        return {"round_ns": round_ns} if phase is None else {"samples": _per_iteration_s(round_ns, timed.iterations)}

    unwaited = spec.plan.barrier == "block" and timed.sync_mode is not None
    why = "the device was waited for once after all rounds: these are the times of asking" if unwaited else None
    if not any(timed.wall_ns):
        why = _STILL
    rows = [
        Measurement.of(
            "wall_time",
            **rounds(timed.wall_ns),
            **about,
            method="perf_counter_ns",
            details=details,
            valid=why is None,
            reason=why,
        ),
        Measurement.of("cpu_time", **rounds(timed.cpu_ns), **about, method="process_time_ns"),
    ]
    if timed.thread_ns is not None:
        rows.append(Measurement.of("thread_time", **rounds(timed.thread_ns), **about, method="thread_time_ns"))
    rows += _first_call_rows(timed, about) + _device_rows(timed, about)
    if unwaited:
        return rows + _rates(spec.work, statistics.median(timed.device_s) if timed.device_s else 0.0, about)
    return rows + _rates(spec.work, statistics.median(timed.wall_ns) / (1e9 * timed.iterations), about)


def _notes(timed: Timed, spec: TimingSpec) -> list[str]:
    """Return in words where the rounds are not what was asked for."""
    plan, notes = spec.plan, []
    if plan.cache_mode == "cold" and timed.cache_mode != "cold":
        notes.append("it was not timed cold: this device cannot empty its caches")
    is_calibrated = plan.iterations is None and spec.before is None and spec.after is None
    round_s = statistics.median(timed.wall_ns) / 1e9
    if is_calibrated and timed.cache_mode != "cold" and 0 < round_s < plan.round_time_s / 4:
        notes.append(
            f"its rounds lasted {round_s * 1e6:.0f} us instead of {plan.round_time_s * 1e6:.0f} us, because it became"
            " faster while it was timed; give it a longer warm-up: options(warmup_time_s=...)"
        )
    return notes


def _first_call_rows(timed: Timed, about: Mapping[str, Any]) -> list[Measurement]:
    if timed.first_call_ns is None:
        return []
    if timed.first_call_ns == 0:
        return [Measurement.of("first_call_time", **about, reason=_STILL)]
    slow = {"later_slow_calls_s": [ns / 1e9 for ns in timed.slow_calls_ns]} if timed.slow_calls_ns else None
    value = timed.first_call_ns / 1e9
    return [Measurement.of("first_call_time", **about, value=value, method="perf_counter_ns", details=slow)]


def _device_rows(timed: Timed, about: Mapping[str, Any]) -> list[Measurement]:
    """Return the time on the device's own clock, and the figures of its allocator."""
    rows = []
    if timed.device_s is not None:
        samples: dict[str, Any] = {"samples": timed.device_s}
        if about["phase"] is None and all(map(math.isfinite, timed.device_s)):  # else the samples say what is wrong
            samples = {"round_ns": [round(seconds * 1e9 * timed.iterations) for seconds in timed.device_s]}
        why = _why_incomplete(timed) if any(timed.device_s) else _STILL
        method = mark_method(waits=timed.device_waits)
        rows.append(Measurement.of("device_time", **samples, **about, method=method, valid=why is None, reason=why))
    for metric, value in timed.memory.items():
        if not value <= 0 or metric not in _PEAKS:  # NaN is neither, and is refused when it is stored
            rows.append(Measurement.of(metric, **about, value=value, method="peak of the device's allocator"))
        else:
            rows.append(Measurement.of(metric, **about, reason="nothing was allocated on the device"))
    return rows


def _why_incomplete(timed: Timed) -> str | None:
    """Return why the marks do not cover all work of a round; None if they do, or if this was not measured."""
    after_s = timed.after_mark_s
    if after_s is None or after_s <= max(_BARRIER_S, _AFTER_SHARE * statistics.median(timed.wall_ns) / 1e9):
        return None
    return (
        f"other streams of the device worked on for {after_s * 1e6:.0f} us after the last mark of a round, "
        "which is on the current stream: let that wait for them"
    )


def _per_iteration_s(round_ns: Sequence[int], iterations: int) -> list[float]:
    scale = 1e9 * iterations
    return [ns / scale for ns in round_ns]


def _rates(work: Mapping[str, float | None], median_s: float, about: Mapping[str, Any]) -> list[Measurement]:
    """Return amounts per second: the amount of one call divided by its median time."""
    rows = []
    derived = {**about, "provenance": "simulated" if about["provenance"] == "simulated" else "derived"}
    for name, amount in work.items():
        if amount is None:
            continue
        if median_s > 0:
            method = f"{name} of one call / its median time"
            value, details = amount / median_s, {name: amount}
            rows.append(Measurement.of(_RATES[name], **derived, value=value, method=method, details=details))
        else:
            rows.append(Measurement.of(_RATES[name], **about, reason="the median time is below the clock's tick"))
    return rows
