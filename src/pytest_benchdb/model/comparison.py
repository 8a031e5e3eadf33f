"""The result of comparing two sides, and of a gate: what commands print and CI reads."""

import math
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

    @property
    def is_gated(self) -> bool:
        """Whether a regression of it fails a gate."""
        return self.policy is not None and self.policy.gated

    @property
    def harm(self) -> float:
        """How much worse the candidate is, as the logarithm of the ratio; 0.0 without a change or a direction.

        The logarithm, because a factor of two is as much in either direction.
        """
        change = self.judgement.change
        if change is None or self.better == "none":
            return 0.0
        size = math.log(max(1 + change, 1e-300))
        return size if self.better == "lower" else -size


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
        exit_status: of `model.exit_status`: fine, gate failed, no baseline, unstable or interrupted.
        failures: the rows that failed it.
        shift: what the whole suite shares; None if it stood still.
        sentence: the outcome in one line.
    """

    comparison: Comparison
    exit_status: int
    failures: tuple[ComparisonRow, ...]
    shift: Shift | None
    sentence: str
