"""Estimates of unmeasured configurations."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Accuracy:
    """The error of estimates, measured on held-out cases.

    Attributes:
        held_out: number of cases that were estimated from the others.
        typical: median error, as a share.
        bound: a share `level` of the cases was off by less than this factor.
        level: share of the cases that `bound` covers, 0.9 unless there are too few.
        by_guessing: `typical` if every estimate were just the median of the other cases.
    """

    held_out: int
    typical: float
    bound: float
    level: float
    by_guessing: float

    @property
    def is_useful(self) -> bool:
        """Whether estimates are closer than guesses."""
        return self.typical < self.by_guessing


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateRow:
    """One configuration that was not measured.

    Attributes:
        labels: model, device and other labels that differ.
        sizes: batch size and other sizes that differ.
        estimate: in the metric's SI unit; None if there is none, see `refusal`.
        low: lower end of the range that covers `accuracy.level` of the cases.
        high: upper end.
        accuracy: the error of such estimates; None with a refusal.
        refusal: why there is no estimate; None if there is one.
        measured: the measured figure, if there is one after all.
    """

    labels: Mapping[str, str]
    sizes: Mapping[str, float]
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    accuracy: Accuracy | None = None
    refusal: str | None = None
    measured: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimates:
    """Estimates of one metric; never stored.

    Attributes:
        sources: the files and folders that were read, as the user wrote them.
        cases: number of measured configurations that the estimates are based on.
        sessions: number of sessions that measured them.
        refusal: why there are no estimates at all; None if there are some.
    """

    sources: tuple[str, ...]
    metric: str
    unit: str
    cases: int
    sessions: int
    rows: tuple[EstimateRow, ...]
    refusal: str | None = None
    selection: str | None = None
