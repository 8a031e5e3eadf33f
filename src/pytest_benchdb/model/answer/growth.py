"""How a metric grows with a parameter."""

from dataclasses import dataclass

from pytest_benchdb.model.verdict import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Exponent:
    """The slope of a straight line through the points on logarithmic axes: 1 for O(n), 2 for O(n²)."""

    value: float
    interval: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One order of growth, fitted as ``constant + cost * growth(n)``.

    Attributes:
        order: ``1``, ``log n``, ``n``, ``n log n``, ``n²`` or ``n³``.
        cost: what one unit of `order` costs, in the metric's unit; None for a constant.
        constant: the part that does not grow, in the metric's unit; never negative.
        rms: root mean square of the residuals' logarithms: 0.02 is about 2 %.
    """

    order: str
    cost: float | None
    cost_interval: Interval | None
    constant: float
    rms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """How values grow with a size.

    Attributes:
        points: number of different sizes.
        low: the smallest size.
        high: the largest.
        exponent: None if a value is zero or negative, or there are fewer than three sizes.
        curve: the order of growth that describes the points best; None if there are too few sizes to choose.
        also: other orders that the points do not rule out.
    """

    points: int
    low: float
    high: float
    exponent: Exponent | None
    curve: Curve | None
    also: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GrowthRow:
    """The growth of one metric of one benchmark function.

    Attributes:
        benchmark: full name of the function, with its other parameters: ``test_sort.py::test_sort[order=random]``.
        device: None for benchmarks without a backend.
    """

    benchmark: str
    device: str | None
    metric: str
    unit: str
    growth: Growth


@dataclass(frozen=True, slots=True, kw_only=True)
class Growths:
    """How benchmarks grow with a parameter.

    Attributes:
        sources: the files and folders that were read, as the user wrote them.
        over: the parameter.
        sessions: number of sessions that the points are from.
        insufficient: metrics of benchmarks left out, with fewer than three sizes.
    """

    sources: tuple[str, ...]
    over: str
    rows: tuple[GrowthRow, ...]
    sessions: int
    insufficient: int
    selection: str | None = None
