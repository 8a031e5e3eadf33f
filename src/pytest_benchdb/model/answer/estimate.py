"""Estimates of what was not measured."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Accuracy:
    """How far estimates were off cases that were held out.

    Attributes:
        held_out: how many cases were estimated from others.
        typical: half of them were off by less than this share.
        bound: `level` of them were off by less than this factor.
        level: share of the cases that `bound` covers, 0.9 unless there are too few.
        by_guessing: what `typical` is for one figure for all: the median of the rest.
    """

    held_out: int
    typical: float
    bound: float
    level: float
    by_guessing: float

    @property
    def is_useful(self) -> bool:
        """Whether estimates are nearer than guesses."""
        return self.typical < self.by_guessing


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateRow:
    """One configuration that was not measured.

    Attributes:
        labels: model, device and other labels that differ.
        sizes: batch size and other sizes that differ.
        estimate: in the metric's SI unit; None where `refusal` says why there is none.
        low: lower end of the range that covers `accuracy.level` of the cases.
        high: upper end.
        accuracy: how far such estimates are off; None beside a refusal.
        measured: the figure if it was measured after all.
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
        cases: measured configurations that the estimates are made from.
        sessions: how many sessions measured them.
        refusal: why there are no estimates at all; None if there are any.
    """

    sources: tuple[str, ...]
    metric: str
    unit: str
    cases: int
    sessions: int
    rows: tuple[EstimateRow, ...]
    refusal: str | None = None
    selection: str | None = None
