"""The answer of `benchdb count`: the instructions of each benchmark of one session."""

from dataclasses import dataclass

from pytest_benchdb.model.report import SessionRow


@dataclass(frozen=True, slots=True, kw_only=True)
class CountRow:
    """One metric of one benchmark.

    Attributes:
        phase: named part of the run; None for the whole.
        value: events of one call; None if nothing was counted.
        spread: largest less smallest repetition, as a share of their median.
        cpu_share: share of the time in which the benchmark computes; a count sees nothing else.
        valid: whether the count judges the benchmark.
        reason: why it does not, or why there is none.
        method: what counted.
    """

    fullname: str
    phase: str | None
    metric: str
    outcome: str
    value: float | None
    spread: float | None
    cpu_share: float | None
    valid: bool
    reason: str | None
    method: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """The counts of one session.

    Attributes:
        exit_status: pytest's.
        output: the last lines that pytest printed.
    """

    session: SessionRow
    rows: tuple[CountRow, ...]
    exit_status: int
    output: tuple[str, ...] = ()
