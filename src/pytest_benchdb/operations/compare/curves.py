"""Turn the comparisons of an axis into curves: each metric over the axis, and throughput against latency."""

import math
from collections.abc import Iterable, Mapping, Sequence

from pytest_benchdb.analysis.pareto import pareto_front
from pytest_benchdb.model.comparison import AxisChart, AxisLine, AxisPoint, Choice, Comparison, ComparisonRow, TradeOff
from pytest_benchdb.model.metric import MAIN_TIMES

LATENCIES = (*MAIN_TIMES, "ttft", "tpot")
"""The latency of a trade-off is the first of these that its benchmark has."""

THROUGHPUTS = ("tokens_per_second", "throughput", "requests_per_second", "bytes_per_second")
"""The throughput of a trade-off is the first of these that its benchmark has."""

_Group = tuple[str, str, str, str]
"""Title, metric, unit, direction."""
_Points = dict[str, dict[str, AxisPoint]]
"""Points by line and value."""
_UNUSABLE = frozenset({"incomparable", "error"})
_LEAST_CHOICES = 2


def axis_charts(comparisons: Sequence[Comparison]) -> tuple[AxisChart, ...]:
    """Return the charts of an axis, from its comparisons with one value: a chart for each function and metric.

    Figures are those of the comparisons, so that a page and its JSON agree. What has no figure has the reason.
    """
    if not comparisons:
        return ()
    axis, _, reference = comparisons[0].baseline.name.partition("=")
    values = [reference, *(_value_of(comparison) for comparison in comparisons)]
    numeric = all(_number(value) is not None for value in values)
    order = sorted(values, key=float) if numeric else values
    several = _places(comparisons)
    groups: dict[_Group, _Points] = {}
    for comparison in comparisons:
        for row in comparison.rows:
            title, name = _names(row, several)
            points = groups.setdefault((title, row.key.metric, row.unit, row.better), {}).setdefault(name, {})
            points[_value_of(comparison)] = _candidate_point(row, _value_of(comparison))
            if reference not in points or points[reference].figure is None:
                points[reference] = _reference_point(row, reference)
    return tuple(
        AxisChart(
            title=title,
            metric=metric,
            unit=unit,
            better="lower" if better == "lower" else "higher" if better == "higher" else "none",
            axis=axis,
            values=tuple(order),
            numeric=numeric,
            reference=reference,
            lines=tuple(
                AxisLine(name=name, points=tuple(points.get(value) or _nothing(value) for value in order))
                for name, points in lines.items()
            ),
        )
        for (title, metric, unit, better), lines in groups.items()
    )


def trade_offs(charts: Iterable[AxisChart]) -> tuple[TradeOff, ...]:
    """Return throughput against latency for each function that has both, with the choices that are on the front."""
    by_title: dict[str, dict[str, AxisChart]] = {}
    for chart in charts:
        by_title.setdefault(chart.title, {})[chart.metric] = chart
    found = []
    for title, metrics in by_title.items():
        latency = next((metrics[name] for name in LATENCIES if name in metrics), None)
        throughput = next((metrics[name] for name in THROUGHPUTS if name in metrics), None)
        if latency is not None and throughput is not None:
            trade_off = _trade_off(title, latency, throughput)
            found += [trade_off] if len(trade_off.choices) >= _LEAST_CHOICES else []
    return tuple(found)


def _trade_off(title: str, latency: AxisChart, throughput: AxisChart) -> TradeOff:
    latencies, throughputs = _figures(latency), _figures(throughput)
    either = {*latencies, *throughputs}
    both = [choice for choice in latencies if choice in throughputs]
    points = [(latencies[choice], throughputs[choice]) for choice in both]
    front = frozenset(pareto_front(points, ["lower", "higher"]))
    return TradeOff(
        title=title,
        axis=latency.axis,
        latency=latency.metric,
        throughput=throughput.metric,
        unit=throughput.unit,
        choices=tuple(
            Choice(line=line, value=value, latency=x, throughput=y, on_front=place in front)
            for place, ((line, value), (x, y)) in enumerate(zip(both, points, strict=True))
        ),
        left_out=len(either) - len(both),
    )


def _figures(chart: AxisChart) -> Mapping[tuple[str, str], float]:
    return {
        (line.name, point.value): point.figure
        for line in chart.lines
        for point in line.points
        if point.figure is not None and math.isfinite(point.figure)
    }


def _value_of(comparison: Comparison) -> str:
    return comparison.candidate.name.partition("=")[2]


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _places(comparisons: Sequence[Comparison]) -> bool:
    """Return whether lines differ by their device; on the axes backend and device, they do not."""
    if comparisons[0].baseline.name.partition("=")[0] in {"backend", "device"}:
        return False
    return len({(row.key.backend, row.key.device) for comparison in comparisons for row in comparison.rows}) > 1


def _names(row: ComparisonRow, several: bool) -> tuple[str, str]:
    """Return the function of a row, and what tells the row from the others of that function."""
    title, _, params = row.key.fullname.partition("[")
    parts = [
        params.removesuffix("]"),
        row.key.phase or "",
        (row.key.device or row.key.backend or "") if several else "",
    ]
    return title, " · ".join(part for part in parts if part)


def _candidate_point(row: ComparisonRow, value: str) -> AxisPoint:
    judgement = row.judgement
    usable = judgement.verdict not in _UNUSABLE and judgement.candidate is not None
    low = high = None
    if usable and judgement.interval is not None and judgement.baseline is not None:
        ends = [judgement.baseline * (1 + end) for end in (judgement.interval.low, judgement.interval.high)]
        low, high = min(ends), max(ends)
    return AxisPoint(
        value=value,
        figure=judgement.candidate if usable else None,
        low=low,
        high=high,
        reason=judgement.reason or (None if usable else judgement.verdict),
    )


def _reference_point(row: ComparisonRow, value: str) -> AxisPoint:
    judgement = row.judgement
    usable = judgement.verdict not in _UNUSABLE and judgement.baseline is not None
    reason = judgement.reason or judgement.verdict
    return AxisPoint(value=value, figure=judgement.baseline if usable else None, reason=None if usable else reason)


def _nothing(value: str) -> AxisPoint:
    return AxisPoint(value=value, figure=None, reason="not measured")
