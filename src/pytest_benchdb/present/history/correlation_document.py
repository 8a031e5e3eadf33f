"""What a correlation shows, before a format is chosen."""

from dataclasses import dataclass

from pytest_benchdb.analysis.statistics.correlation import Correlation


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrelationRow:
    """Two quantities of one group of observations.

    Attributes:
        group: a test function over its parameters, or a benchmark over its sessions; None for all together.
        q_value: the p-value of Spearman's coefficient, corrected for the number of rows.
    """

    group: str | None
    first: str
    second: str
    correlation: Correlation
    q_value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Correlations:
    """Correlations, the closest first.

    Attributes:
        sources: the files and folders that were read, as the user wrote them.
        over: what one observation is: ``benchmarks`` or ``sessions``.
        observations: how many there are in all.
        sessions: how many sessions they stand on.
        untold: pairs with too few observations, or of which one does not vary.
    """

    sources: tuple[str, ...]
    over: str
    rows: tuple[CorrelationRow, ...]
    observations: int
    sessions: int
    untold: int
    selection: str | None = None
