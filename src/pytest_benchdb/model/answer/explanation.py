"""Why a benchmark executes more than before, or holds more memory: functions and lines of both sides that differ."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pytest_benchdb.model.allocations import Line
from pytest_benchdb.model.profile import Function, Profile

State = Literal["new", "gone", "both"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallChange:
    """A function that another one calls more or less often than before.

    Attributes:
        callee: the function that is called.
        base: calls for each call of the caller at the base.
        head: the same at the head.
        caused: what the difference costs in one call of the benchmark, with all that the callee calls.
    """

    callee: Function
    base: float
    head: float
    caused: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LineChange:
    """A line of a function that was reached a different number of times; 0 on a side that lacks it."""

    line: int
    text: str
    base: int
    head: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionChange:
    """A function on both sides.

    Attributes:
        function: as it is at the head, or at the base if it is gone.
        base_calls: calls at the base, on all paths; 0 if it was not called.
        base_cost: what it executed itself at the base.
        caused: how much of the benchmark's growth its own change explains: what it executes itself for each of its
            calls, and what it calls more often. That a function is called more often is caused by its caller.
        calls: the functions that it calls more or less often, largest effect first.
        lines: its lines with different counts, largest growth first.
        varies: whether its cost differed between two calls of one side.
    """

    function: Function
    state: State
    base_calls: int
    head_calls: int
    base_cost: int
    head_cost: int
    caused: float
    calls: Sequence[CallChange] = ()
    lines: Sequence[LineChange] = ()
    varies: bool = False

    @property
    def growth(self) -> int:
        """By how much its own cost grew."""
        return self.head_cost - self.base_cost


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileChange:
    """The difference of two profiles.

    Attributes:
        unit: of the costs.
        base_total: cost of a whole call of the benchmark at the base.
        functions: those that differ, largest `caused` first.
        culprit: the function that caused most of the growth; None if the benchmark does not execute more.
        variation: by how much the totals of two calls of one side differ, the larger of both sides.
    """

    unit: str
    base_total: int
    head_total: int
    functions: Sequence[FunctionChange]
    culprit: FunctionChange | None
    variation: int = 0

    @property
    def growth(self) -> int:
        """By how much the benchmark's cost grew."""
        return self.head_total - self.base_total

    def share(self, change: FunctionChange) -> float | None:
        """Return which share of the growth a function caused; None if the benchmark did not grow."""
        return change.caused / self.growth if self.growth > 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocationChange:
    """What a line held when memory was at its peak; 0 on a side on which it held nothing.

    Attributes:
        line: as it is at the head, or at the base if it is gone.
        base_blocks: number of allocations at the base; 0 if they are not known.
        callers: the lines that call it where it grew most, from the nearest outwards.
        keeper: the nearest of them for which nothing was held at the base; None if there is none, or if nothing was
            held for the line itself.
        within: the line of an installed package or of Python's library that allocated for it; None for itself.
    """

    line: Line
    base_bytes: int
    head_bytes: int
    base_blocks: int
    head_blocks: int
    callers: Sequence[Line] = ()
    keeper: Line | None = None
    within: Line | None = None

    @property
    def growth(self) -> int:
        """By how many bytes it grew."""
        return self.head_bytes - self.base_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryChange:
    """The difference of what one call holds at its peak.

    Attributes:
        metric: ``python_peak`` or ``native_peak``.
        base_peak: bytes at the peak of the base.
        lines: those that differ, largest growth first; they add up to the growth of the peak.
        culprit: the line that grew most; None if the peak did not grow.
        variation: by how many bytes the peaks of two calls of one side differ, the larger of both sides.
    """

    metric: str
    base_peak: int
    head_peak: int
    lines: Sequence[AllocationChange]
    culprit: AllocationChange | None
    variation: int = 0

    @property
    def growth(self) -> int:
        """By how many bytes the peak grew."""
        return self.head_peak - self.base_peak

    def share(self, change: AllocationChange) -> float | None:
        """Return which share of the growth a line has; None if the peak did not grow."""
        return change.growth / self.growth if self.growth > 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why one benchmark became slower, or needs more memory.

    Attributes:
        fullname: of the benchmark.
        metric: what is explained: ``instructions``, ``python_peak`` or ``native_peak``.
        python: what differs in Python code; None without profiles of both sides.
        native: what differs in machine instructions; None if they were not counted.
        memory: what differs in what lines hold at the peak of memory; None unless that was asked for.
        reason: why there is no explanation; None if there is one.
        notes: what limits it, one line each.
        profiles: of the base and of the head; empty without them.
    """

    fullname: str
    metric: str = "instructions"
    python: ProfileChange | None = None
    native: ProfileChange | None = None
    memory: MemoryChange | None = None
    reason: str | None = None
    notes: Sequence[str] = ()
    profiles: tuple[Profile, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanations:
    """The explanations of a comparison, in the order of its benchmarks.

    Attributes:
        base: name of the base.
        head: name of the head.
        notes: one line each about how both sides were run.
    """

    base: str
    head: str
    benchmarks: Sequence[Explanation]
    notes: Sequence[str] = ()
