"""Results of comparisons and gates: what commands print and CI reads."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pytest_benchdb.model.answer.notebook import Notebook
from pytest_benchdb.model.metric import Better
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.model.series import SeriesKey
from pytest_benchdb.model.verdict import VERDICTS, Judgement, Policy
from pytest_benchdb.model.wording import percent_text

ConfirmWay = Literal["rerun", "duet", "instructions"]
"""How a suspect was checked: the candidate alone once more; baseline and candidate in turn; by counting what both
execute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """The baseline or the candidate.

    Attributes:
        name: how the user specified it: ``main``, ``label:before``, ``backend=cuda``.
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
        policy: when a change counts; None if no verdict was needed.
        command: the command that runs the candidate's benchmark again; None if it was imported.
        confirmations: judgements of the re-runs, or of the check against the baseline's commit, in order.
        confirmed_by: the way in which it was checked; None if it was not.
        q_value: p-value corrected for the number of benchmarks; None if it was not tested.
        labels: the candidate's labels, or the baseline's if there is no candidate.
    """

    key: SeriesKey
    unit: str
    better: Better
    group: str | None
    judgement: Judgement
    policy: Policy | None = None
    command: str | None = None
    confirmations: tuple[Judgement, ...] = ()
    confirmed_by: ConfirmWay | None = None
    q_value: float | None = None
    labels: Mapping[str, str]
    params: Mapping[str, object] | None = None

    @property
    def is_gated(self) -> bool:
        """Whether a regression of this row fails a gate."""
        return self.policy is not None and self.policy.gated

    @property
    def is_within_budget(self) -> bool | None:
        """Whether the candidate's value is within its budget; None without a budget or a value."""
        if self.policy is None or self.policy.budget is None or self.judgement.verdict in {"error", "missing"}:
            return None
        return None if self.judgement.candidate is None else self.judgement.verdict != "exceeded"

    @property
    def limit(self) -> float | None:
        """The smallest change of this baseline that counts, as a share; None without a baseline above 0 or a policy."""
        baseline = self.judgement.baseline
        return self.policy.limit(baseline) / abs(baseline) if self.policy is not None and baseline else None

    @property
    def is_quiet(self) -> bool:
        """Whether nothing suggests a change: unchanged, or inconclusive only because the noise could hide one."""
        judgement = self.judgement
        if judgement.verdict != "inconclusive" or judgement.state not in {None, "drifting"}:
            return judgement.verdict == "unchanged"
        if self.policy is None or judgement.baseline is None or judgement.candidate is None:
            return False
        return not self.policy.exceeded(judgement.baseline, judgement.candidate)

    @property
    def harm(self) -> float:
        """How much worse the candidate is, as the logarithm of the ratio; 0.0 without a change or a direction.

        Logarithms weigh a factor of two the same in both directions.
        """
        change = self.judgement.change
        if change is None or self.better == "none":
            return 0.0
        size = math.log(max(1 + change, 1e-300))
        return size if self.better == "lower" else -size


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupMean:
    """Geometric mean of candidate / baseline over the comparable rows of a group.

    Attributes:
        group: None for all rows of the metric together.
        ratio: 1.05 is 5 % more.
    """

    group: str | None
    metric: str
    ratio: float
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Comparison(Notebook):
    """Two sides, and a row for each benchmark and metric.

    Attributes:
        warnings: reasons to doubt the rows, one line each.
    """

    baseline: Side
    candidate: Side
    rows: tuple[ComparisonRow, ...]
    differences: tuple[Difference, ...] = ()
    means: tuple[GroupMean, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def conclusion(self) -> str:
        """The number of each verdict, the worst first: ``2 regressed, 1 improved, 27 unchanged``."""
        counts = Counter(row.judgement.verdict for row in self.rows)
        return ", ".join(f"{counts[word]} {word}" for word in VERDICTS if counts[word]) or "nothing was compared"

    def summary(self) -> str:
        """Return both sides and the number of each verdict."""
        return f"{self.baseline.name} -> {self.candidate.name}: {self.conclusion}"

    def table(self) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
        """Return a row for each benchmark and metric, in the metric's unit."""
        heads = ("benchmark", "metric", "unit", "baseline", "candidate", "change", "verdict", "reason")
        return heads, [
            (
                row.key.fullname,
                row.key.metric,
                row.unit,
                row.judgement.baseline,
                row.judgement.candidate,
                percent_text(row.judgement.change),
                row.judgement.verdict,
                row.judgement.reason,
            )
            for row in self.rows
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """A change shared by most of the suite: of the machine, or of what all of it uses.

    Attributes:
        change: median change over the benchmarks that moved, as a share.
        agreeing: share of the test functions that moved in this direction, by a similar amount.
    """

    change: float
    agreeing: float


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Gate(Notebook):
    """The result of a gate.

    Attributes:
        exit_status: from `model.exit_status`: fine, gate failed, no baseline, undecided or interrupted.
        failures: the rows that failed the gate.
        shift: the change shared by most of the suite; None if there is none.
        sentence: the outcome in one line.
    """

    comparison: Comparison
    exit_status: int
    failures: tuple[ComparisonRow, ...]
    shift: Shift | None
    sentence: str

    def summary(self) -> str:
        """Return the exit status of `benchdb regress`, and the outcome."""
        return f"exit status {self.exit_status}: {self.sentence}"

    def table(self) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
        """Return the rows of the comparison."""
        return self.comparison.table()


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisPoint:
    """A benchmark at one value of the axis.

    Attributes:
        value: of the axis.
        figure: in the metric's unit; None if it was not measured, see `reason`.
        low: where the interval of its change from the first value begins, in the same unit; None without one.
        high: where that interval ends.
        reason: why there is no figure, or no verdict on it.
    """

    value: str
    figure: float | None
    low: float | None = None
    high: float | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisLine:
    """One benchmark over the axis; `name` is what tells it from the other lines of its chart, possibly nothing."""

    name: str
    points: tuple[AxisPoint, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisChart:
    """A metric of one benchmark function over the axis, with a line for each combination of its other dimensions.

    Attributes:
        axis: the name of the dimension.
        values: its values, in order.
        numeric: whether all values are numbers, which then are in ascending order.
        reference: the value with which the others were compared.
    """

    title: str
    metric: str
    unit: str
    better: Better
    axis: str
    values: tuple[str, ...]
    numeric: bool
    reference: str
    lines: tuple[AxisLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One way to run a benchmark: a line and a value of the axis.

    Attributes:
        on_front: whether no other choice has less latency without less throughput, or the reverse.
    """

    line: str
    value: str
    latency: float
    throughput: float
    on_front: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeOff:
    """Throughput against latency of one benchmark function.

    Attributes:
        latency: name of the metric; its figures are in seconds.
        throughput: name of the metric, in `unit`.
        choices: those that have both figures.
        left_out: number of those that lack one.
    """

    title: str
    axis: str
    latency: str
    throughput: str
    unit: str
    choices: tuple[Choice, ...]
    left_out: int
