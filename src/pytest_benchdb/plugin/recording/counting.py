"""Counts the instructions of benchmarks in the process that runs them: in a pass after timing, or instead of timing.

PYTEST_DONT_REWRITE
"""

import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_benchdb.errors import MeasurementError
from pytest_benchdb.model.environment import CountingMethod
from pytest_benchdb.model.identity import uuid7
from pytest_benchdb.model.profile import NATIVE_NAME, profile_json
from pytest_benchdb.model.run import Attachment, Measurement, Timing
from pytest_benchdb.plugin.options import COUNTING_VARIABLE

if TYPE_CHECKING:
    from pytest_benchdb.measure.counting.count_pass import Counter, Counting
    from pytest_benchdb.model.profile import Profile

NOT_TIMED = "not timed: this session counts instructions instead"
COMMAND = "benchdb count -- pytest ARGS"
_OF_TIME = frozenset({"s", "1/s", "B/s", "W", "J", "K", "Hz"})
"""Units of what is wrong under valgrind, where everything takes many times as long."""
_OF_PROCESS = frozenset({"peak_rss", "rss_start", "rss_growth", "rss", "uss", "tree_peak", "tree_memory"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What `benchdb count` orders of this process.

    Attributes:
        method: ``callgrind`` or ``hardware``.
        out: path of callgrind's dumps, with ``%p`` for the process; None for the hardware's counters.
        functions: whether to attach what each function of the process executed in one call.
    """

    method: str
    out: str | None = None
    functions: bool = False

    @property
    def prefix(self) -> Path | None:
        """The path of this process's dumps, without their numbers."""
        return None if self.out is None else Path(self.out.replace("%p", str(os.getpid())))


def read_order(environ: Mapping[str, str]) -> Order | None:
    """Return the order of `benchdb count`; None without one."""
    text = environ.get(COUNTING_VARIABLE)
    if text is None:
        return None
    try:
        return Order(**json.loads(text))
    except (ValueError, TypeError):
        return Order(method=text)


class InstructionCounter:
    """Counts the calls of benchmarked functions.

    Attributes:
        instead_of_time: whether functions are counted instead of timed.
        method: how it counts: ``callgrind 3.19.0``; None if it cannot.
        reason: why it cannot count; None if it can.
        cpu_features: hash of what the processor can do, as the program sees it; None if it cannot count.
    """

    def __init__(self, order: Order | None) -> None:
        """Find a way to count."""
        self.instead_of_time = order is not None
        self.method: str | None = None
        self.reason: str | None = None
        self.cpu_features: str | None = None
        self._counter: Counter | None = None
        self._is_slow = False
        self._functions = order is not None and order.functions
        self._folder = None if order is None or order.prefix is None else order.prefix.parent
        self._native: Profile | None = None
        try:
            self._counter = self._find(order)
            from pytest_benchdb.measure.counting.cpu_features import cpu_features

            self.method, self.cpu_features = self._counter.method, cpu_features()
        except MeasurementError as error:
            self._counter, self.reason = None, str(error)

    def rows(
        self,
        run: Callable[[int], object],
        *,
        before: Callable[[], object] | None = None,
        after: Callable[[], object] | None = None,
    ) -> tuple[Measurement, ...]:
        """Return the rows of a function; what it raises is the reason why it has no count.

        Args:
            run: makes a number of calls.
            before: runs before each repetition, uncounted.
            after: runs after it.
        """
        from pytest_benchdb.measure.counting.count_pass import Counting, count_calls

        if self._counter is None:
            return (_uncounted(self.reason or "nothing counts"),)
        details: dict[str, object] = {"cpu_features": self.cpu_features}
        counting = Counting(run=run, before=before, after=after)
        try:
            rows = count_calls(counting, self._counter, details=details)
            self._native = self._profile(counting) if self._functions else None
        except Exception as error:  # noqa: BLE001 - the benchmarked function's, or that of its setup
            what = str(error) if isinstance(error, MeasurementError) else f"{type(error).__name__}: {error}"
            return (_uncounted(f"counting ended with {what}"),)
        return rows

    def taken_files(self) -> tuple[Attachment, ...]:
        """Return a file with what each native function executed in what was counted last; the next call has none."""
        native, self._native = self._native, None
        if native is None or self._folder is None:
            return ()
        path = self._folder / f"{uuid7()}-{NATIVE_NAME}"
        path.write_text(profile_json(native), encoding="utf-8", errors="backslashreplace")
        return (Attachment(path=str(path), name=NATIVE_NAME),)

    def _profile(self, counting: "Counting") -> "Profile | None":
        from pytest_benchdb.measure.counting.callgrind import Callgrind
        from pytest_benchdb.measure.counting.count_pass import no_collector
        from pytest_benchdb.measure.counting.dump import read_dump
        from pytest_benchdb.measure.profiling.native import native_profile

        if not isinstance(self._counter, Callgrind):
            return None
        counter = self._counter
        with no_collector(), counter.instrumented():
            paths = [counting.block(1, lambda run, _calls: counter.dump_functions(run)) for _ in range(3)]
        # The first call also has what Python does once, such as making types ready.
        _, first, second = (counter.dumped(path, read=read_dump) for path in paths)
        return native_profile(first, second)

    @property
    def under_valgrind(self) -> CountingMethod | None:
        """How it counts under valgrind; None if it does not."""
        if not self._is_slow or self.method is None or self.cpu_features is None:
            return None
        return CountingMethod(method=self.method, cpu_features=self.cpu_features)

    def applied(self, timing: Timing, counts: Sequence[Measurement]) -> Timing:
        """Return the timing of a run with its counts; what valgrind slowed down becomes a reason."""
        rows = tuple(map(self._without_time, timing.measurements)) if self._is_slow else timing.measurements
        return replace(timing, measurements=(*rows, *counts))

    def _without_time(self, row: Measurement) -> Measurement:
        if row.provenance == "simulated" or (row.unit not in _OF_TIME and row.metric not in _OF_PROCESS):
            return row
        missing = {"round_ns": None, "samples": None, "summary": None, "value": None}
        return replace(row, **missing, reason=row.reason or NOT_TIMED)  # type: ignore[arg-type]

    def _find(self, order: Order | None) -> "Counter":
        from pytest_benchdb.measure.counting.callgrind import find_callgrind

        callgrind = find_callgrind(None if order is None else order.prefix)
        if callgrind is not None:
            self._is_slow = self.instead_of_time = True
            return callgrind
        if order is not None and order.method == "callgrind":
            raise MeasurementError(
                "this process does not run under valgrind, as xdist's workers and isolated tests do not; count without"
            )
        from pytest_benchdb.backends.meters import perf_events
        from pytest_benchdb.measure.counting.hardware import Hardware

        try:
            return Hardware(perf_events)
        except MeasurementError as error:
            raise MeasurementError(f"{error}; {_advice()}") from error


def not_timed() -> Measurement:
    """Return the row of a function that was counted instead of timed."""
    return Measurement.of("wall_time", reason=NOT_TIMED)


def counter_of(passes: Sequence[str]) -> InstructionCounter | None:
    """Return what counts in this process; None if the passes do not ask for it."""
    if "instructions" not in passes:
        return None
    return _counter(os.environ.get(COUNTING_VARIABLE), os.getpid())


def counting_method(passes: Sequence[str]) -> CountingMethod | None:
    """Return how the session counts under valgrind; None if it times, whatever passes come after."""
    counter = counter_of(passes)
    return None if counter is None else counter.under_valgrind


@cache
def _counter(text: str | None, _pid: int) -> InstructionCounter:
    return InstructionCounter(None if text is None else read_order({COUNTING_VARIABLE: text}))


def _uncounted(reason: str) -> Measurement:
    return Measurement.of("instructions", pass_name="counters", reason=reason)


def _advice() -> str:
    if shutil.which("valgrind") is None:
        return f"install valgrind (apt install valgrind) and run: {COMMAND}"
    return f"valgrind counts without them: {COMMAND}"


def run_of(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Callable[[int], object]:
    """Return what makes a number of calls of a function."""

    def run(calls: int) -> None:
        for _ in range(calls):
            function(*args, **kwargs)

    return run


def pedantic_rows(
    counter: InstructionCounter,
    target: Callable[..., Any],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    setup: Callable[[], Any] | None,
    teardown: Callable[..., Any] | None,
) -> tuple[Measurement, ...]:
    """Count a function with a setup before each call, which may return its arguments, and a teardown after it."""
    current: tuple[Sequence[Any], Mapping[str, Any]] = (tuple(args), dict(kwargs))

    def renew() -> None:
        nonlocal current
        returned = None if setup is None else setup()
        if returned is not None:
            current = (tuple(returned[0]), dict(returned[1]))

    def run(calls: int) -> None:
        positional, named = current
        for _ in range(calls):
            target(*positional, **named)

    return counter.rows(
        run,
        before=None if setup is None else renew,
        after=None if teardown is None else lambda: teardown(*current[0], **current[1]),
    )
