"""What a prediction shows, before a format is chosen."""

from collections.abc import Mapping
from dataclasses import dataclass

from pytest_benchdb.analysis.estimate import Accuracy


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateRow:
    """One configuration that was not measured.

    Attributes:
        labels: model, device and whatever else differs.
        sizes: batch size and the like.
        estimate: in the metric's SI unit; None where `refusal` says why there is none.
        low: the figure is expected above this in `accuracy.level` of the cases, together with `high`.
        high: below this.
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
        cases: measured configurations that the estimates stand on.
        sessions: how many sessions measured them.
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
