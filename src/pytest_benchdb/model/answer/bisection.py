"""The answer of `benchdb bisect`: which commit changed a benchmark, and how sure that is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pytest_benchdb.model.answer.notebook import Notebook
from pytest_benchdb.model.metric import Better
from pytest_benchdb.model.series import SeriesKey
from pytest_benchdb.model.verdict import Judgement
from pytest_benchdb.model.wording import counted, percent_text

SHORT = 7
"""Digits of a commit in texts."""

BisectOutcome = Literal["found", "range", "unchanged", "undecided"]
"""One commit; some commits that nothing distinguishes, or not within the steps; no change between the ends; or that is
not clear."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """A commit that may be the culprit.

    Attributes:
        authored_at: ISO 8601 with the author's own offset.
        probability: that it is the culprit, from 0 to 1.
        sessions: number of sessions of it that were used.
        problem: why it could not be measured; None if it was, or was not tried.
    """

    sha: str
    subject: str
    author: str
    authored_at: str
    is_merge: bool
    probability: float
    sessions: int
    problem: str | None

    @property
    def text(self) -> str:
        """The commit with its subject, author and date."""
        return f"{self.sha[:SHORT]} {self.subject} ({self.author}, {self.authored_at[:10]})"


@dataclass(frozen=True, slots=True, kw_only=True)
class BisectStep:
    """One step.

    Attributes:
        number: 0 for the ends; steps of an earlier call of the same search count.
        sha: the commit that was measured; None for the ends alone.
        change: its level relative to that of the good end: 0.1 is 10 % more; None if it could not be measured.
        changed: probability that it has the level after the change; None if it could not be measured.
        left: number of commits that the culprit is among, with the confidence that was asked for.
        problem: why it could not be measured; None if it was.
    """

    number: int
    sha: str | None
    subject: str | None
    change: float | None
    changed: float | None
    left: int
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Bisection(Notebook):
    """What a search found.

    Attributes:
        key: the benchmark and the metric that were followed; None if the ends share none.
        good: full hash of the commit before the change.
        bad: full hash of the commit after it.
        commits: number of commits between, `bad` included.
        suspects: the culprit, or the commits that it is among; oldest first.
        confidence: probability that the culprit is among the suspects.
        asked: the confidence that was asked for.
        ends: judgement of `bad` by `good`.
        change: judgement of all sessions after the change by all before it; None if no commit was found.
        runs: number of pytest runs of this call.
        sessions: number of sessions that the answer rests on, those of earlier calls included.
        reused: those of them that were in the history before.
        seconds: duration of this call.
        notes: one line each on how the answer came about.
        explain: the command that shows why the culprit changed the benchmark; None without a single culprit.
    """

    outcome: BisectOutcome
    key: SeriesKey | None
    unit: str
    better: Better
    good: str
    bad: str
    commits: int
    suspects: tuple[Suspect, ...]
    confidence: float
    asked: float
    ends: Judgement
    change: Judgement | None
    steps: tuple[BisectStep, ...]
    runs: int
    sessions: int
    reused: int
    seconds: float
    notes: tuple[str, ...]
    explain: str | None

    def summary(self) -> str:
        """Return the answer in one line."""
        if self.outcome == "found":
            return f"{self.suspects[0].text}: {self.confidence * 100:.1f} %"
        if self.outcome == "range":
            return f"one of {counted(len(self.suspects), 'commit')}: {self.confidence * 100:.1f} %"
        return f"{self.outcome} between {self.good[:SHORT]} and {self.bad[:SHORT]}: {percent_text(self.ends.change)}"

    def table(self) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
        """Return a row for each suspect."""
        heads = ("commit", "subject", "author", "date", "probability", "sessions", "problem")
        rows = [
            (one.sha, one.subject, one.author, one.authored_at, one.probability, one.sessions, one.problem or "")
            for one in self.suspects
        ]
        return heads, rows
