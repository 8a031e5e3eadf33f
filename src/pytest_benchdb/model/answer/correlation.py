"""Correlations of metrics and parameters."""

from dataclasses import dataclass

from pytest_benchdb.model.verdict import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Coefficient:
    """A coefficient of correlation.

    Attributes:
        value: from -1 to 1.
        interval: confidence interval by Fisher's transform.
        p_value: two-sided, for the hypothesis of no correlation.
    """

    value: float
    interval: Interval
    p_value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Correlation:
    """Both coefficients of one set of pairs.

    Attributes:
        pairs: number of pairs with both values.
        pearson: of the values: how closely they follow a straight line.
        spearman: of the ranks: how closely one rises with the other, linearly or not.
    """

    pairs: int
    pearson: Coefficient
    spearman: Coefficient


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrelationRow:
    """Two quantities of one group of observations.

    Attributes:
        group: a test function over its parameters, or a benchmark over its sessions; None for all observations.
        q_value: the p-value of Spearman's coefficient, corrected for the number of rows.
    """

    group: str | None
    first: str
    second: str
    correlation: Correlation
    q_value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Correlations:
    """Correlations, the strongest first.

    Attributes:
        sources: the files and folders that were read, as the user wrote them.
        over: ``benchmarks`` if an observation is a benchmark; ``sessions`` if it is a benchmark in a session.
        observations: number of observations.
        sessions: number of sessions that they are from.
        insufficient: pairs left out, with too few observations or a quantity that does not vary.
    """

    sources: tuple[str, ...]
    over: str
    rows: tuple[CorrelationRow, ...]
    observations: int
    sessions: int
    insufficient: int
    selection: str | None = None
