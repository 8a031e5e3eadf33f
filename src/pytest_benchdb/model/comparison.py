"""The result of comparing two sides, and of a gate: what commands print and CI reads."""

from collections.abc import Mapping
from dataclasses import dataclass

from pytest_benchdb.model.metric import Better
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.model.series import SeriesKey
from pytest_benchdb.model.verdict import Judgement, Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """The baseline or the candidate.

    Attributes:
        name: what people call it: ``main``, ``label:before``, ``backend=cuda``.
        sessions: oldest first.
    """

    name: str
    sessions: tuple[SessionRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A fact of the environment that differs between the sides; None where one side lacks it."""

    name: str
    baseline: str | None
    candidate: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonRow:
    """One benchmark and metric on both sides.

    Attributes:
        policy: when a change counts; None where nothing was to be decided.
        command: what to type to run the candidate's benchmark again; None for imported ones.
        confirmations: judgements of the re-runs, in their order.
        q_value: p-value corrected for the number of benchmarks; None if it was not tested.
        labels: labels of the candidate, else of the baseline.
    """

    key: SeriesKey
    unit: str
    better: Better
    group: str | None
    judgement: Judgement
    policy: Policy | None = None
    command: str | None = None
    confirmations: tuple[Judgement, ...] = ()
    q_value: float | None = None
    labels: Mapping[str, str]
    params: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupMean:
    """Geometric mean of candidate / baseline over the rows of a group that can be compared.

    Attributes:
        group: None for all rows of the metric together.
        ratio: 1.05 is 5 % more.
    """

    group: str | None
    metric: str
    ratio: float
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two sides and what became of each benchmark.

    Attributes:
        warnings: one line each: what readers must know before they believe the rows.
    """

    baseline: Side
    candidate: Side
    rows: tuple[ComparisonRow, ...]
    differences: tuple[Difference, ...] = ()
    means: tuple[GroupMean, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """A change that most of the suite shares: of the machine or the interpreter, not of a benchmark.

    Attributes:
        change: median change over the benchmarks, as a share.
        agreeing: share of the benchmarks that changed in the same direction.
    """

    change: float
    agreeing: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What a gate decided.

    Attributes:
        exit_status: 0 passed, 1 regressed, 3 nothing to compare, 4 unstable (only under ``strict``), 130 interrupted.
        failures: the rows that failed it.
        shift: what the whole suite shares; None if it stood still.
        sentence: the outcome in one line.
    """

    comparison: Comparison
    exit_status: int
    failures: tuple[ComparisonRow, ...]
    shift: Shift | None
    sentence: str
