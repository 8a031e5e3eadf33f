"""Verdicts on one benchmark and metric: their order and severity, and the judgement of a series."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, get_args

Verdict = Literal[
    "exceeded", "regressed", "error", "missing", "inconclusive", "incomparable", "new", "improved", "unchanged"
]
"""`regressed` and `improved` follow the metric's direction; `exceeded` is beyond a budget, whatever the baseline;
`error` means that a side did not pass."""

VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
"""All verdicts, the worst first: the order of rows, counts and reasons."""

CHANGED: frozenset[Verdict] = frozenset({"regressed", "improved"})
DECIDED: frozenset[Verdict] = CHANGED | {"unchanged"}
COMPARED: frozenset[Verdict] = DECIDED | {"inconclusive"}
"""Verdicts from two values; the others have no value on one side or cannot be compared."""

Level = Literal["error", "warning", "note", "fine"]
"""`error` fails, `warning` needs review, `note` was not judged or was let through, `fine` is everything else."""

LEVELS: Mapping[Verdict, Level] = MappingProxyType(
    {
        "exceeded": "error",
        "regressed": "error",
        "error": "error",
        "missing": "warning",
        "inconclusive": "note",
        "incomparable": "note",
        "new": "fine",
        "improved": "fine",
        "unchanged": "fine",
    }
)
"""The level of a verdict without a state; its state can lower the level."""

FAILING: frozenset[Verdict] = frozenset(verdict for verdict, level in LEVELS.items() if level == "error")

VERDICT_STYLES: Mapping[Verdict, Literal["bad", "warn", "", "good", "dim"]] = MappingProxyType(
    {
        "exceeded": "bad",
        "regressed": "bad",
        "error": "bad",
        "missing": "warn",
        "inconclusive": "warn",
        "incomparable": "warn",
        "new": "",
        "improved": "good",
        "unchanged": "dim",
    }
)
"""The terminal style of a verdict."""

State = Literal["learning", "suspect", "unstable", "drifting", "accepted", "not gated"]
"""What limits a verdict: too few sessions; not confirmed; the machine was disturbed; the level moves by itself; the
change was accepted; the metric is not gated."""

Statistic = Literal["min", "median", "mean", "value"]
"""How a session is summarised: smallest round, median or mean of the rounds, or a single reading."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """An absolute limit of a metric's value, upper or lower by the metric's direction.

    Attributes:
        most: the worst value that is allowed, in the metric's unit.
        text: as the user wrote it: ``time<500ms``.
    """

    most: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """When a change of one metric counts.

    Attributes:
        better: direction of the metric; ``none`` never regresses.
        relative: smallest change that counts, as a share: 0.05 is 5 %.
        absolute: smallest change that counts, in the metric's unit.
        exact: judge by the change alone, without a test, because the metric repeats exactly.
        least_spread: spread between sessions that figures have which are all equal, as a share: a coarse clock hides
            it. 0 if such figures are exact.
        tick: smallest step of the clock, in the metric's unit.
        statistic: how a session is summarised.
        confidence: one-sided confidence of the test.
        least_sessions: number of sessions of history below which nothing fails.
        window: number of newest sessions of history that are used.
        gated: whether a regression fails the gate.
        budget: what the value itself must not exceed, whatever the baseline; None without a budget.
    """

    better: Literal["lower", "higher", "none"]
    relative: float
    absolute: float = 0.0
    exact: bool = False
    least_spread: float = 0.0
    tick: float = 0.0
    statistic: Statistic = "min"
    confidence: float = 0.99
    least_sessions: int = 5
    window: int = 20
    gated: bool = True
    budget: Budget | None = None

    def limit(self, baseline: float) -> float:
        """Return the smallest change of a baseline that counts, in the metric's unit: the larger of both limits."""
        return max(self.absolute, self.relative * abs(baseline))

    def exceeded(self, baseline: float, candidate: float) -> bool:
        """Return whether a change counts; from a baseline of 0, it has to exceed the absolute limit only."""
        return abs(candidate - baseline) > self.limit(baseline)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A confidence interval of a change.

    Attributes:
        low: lower end, as a share: -0.02 is 2 % less.
        high: upper end, as a share.
        level: confidence, 0.95 for instance.
        within_session: whether it is from the rounds of one session only; sessions differ by more.
    """

    low: float
    high: float
    level: float
    within_session: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The verdict on one series, from two sides or from a session and its history.

    Attributes:
        change: candidate / baseline - 1; None without both values, or if the baseline is 0.
        test: name of the test: ``welch``, ``ranks``, ``history``, ``range``, ``rounds``, ``summary``, ``exact``; None
            without a test.
        statistic: value of the test's statistic.
        p_value: one-sided, in the direction of a regression.
        baseline: value of the baseline, in the metric's unit.
        candidate: value of the candidate, in the metric's unit.
        baseline_sessions: number of sessions behind the baseline's value.
        candidate_sessions: number of sessions behind the candidate's value.
        sessions_needed: number of further sessions that a sure verdict needs; None if it is sure.
        reason: one line for people; None if the verdict needs no explanation.
    """

    verdict: Verdict
    state: State | None = None
    change: float | None = None
    interval: Interval | None = None
    test: str | None = None
    statistic: float | None = None
    p_value: float | None = None
    baseline: float | None = None
    candidate: float | None = None
    baseline_sessions: int = 0
    candidate_sessions: int = 0
    sessions_needed: int | None = None
    reason: str | None = None

    @property
    def text(self) -> str:
        """The verdict with its state: ``regressed (suspect)``."""
        return self.verdict if self.state is None else f"{self.verdict} ({self.state})"
