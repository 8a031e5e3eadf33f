"""Charts of an axis: each metric over its values, and throughput against latency with the Pareto front."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from pytest_benchdb.model.comparison import AxisChart, AxisLine, AxisPoint, Choice, TradeOff
from pytest_benchdb.model.wording import counted
from pytest_benchdb.present.decisions.parts import LONGEST_NAME, LONGEST_UNIT, text_of
from pytest_benchdb.present.html.plot import (
    Path,
    Plot,
    Symbol,
    Text,
    at_percent,
    grid_of,
    line_path,
    text_below,
)
from pytest_benchdb.present.html.scale import ACROSS, Scale, fit_scale, tick_texts
from pytest_benchdb.present.writing.units import Unit, quantity, unit_for

HEIGHT = 230
MOST_LINES = 6
"""Lines of a chart; more are drawn in further charts, so that no two look alike."""

MOST_CHARTS = 40
_SHAPES = ("circle", "square", "diamond", "up", "down", "plus")
_LONG_FACTOR = 8.0
"""Numbers on an axis that span this factor are spread by their logarithms: 1, 2, 4, 8, ..."""
_MOST_TICKS = 8
_MARGIN = 60.0
_MOST_NAMED = 12
_DIRECTIONS = {"lower": "lower is better", "higher": "higher is better", "none": "neither direction is better"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """An entry of a legend."""

    style: str
    symbol: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A chart, its legend, its data as a table, and how it is read.

    Attributes:
        heads: titles of the columns, and whether they hold figures.
        rows: texts and values by column.
    """

    plot: Plot
    kind: str
    legend: Sequence[Key]
    heads: Sequence[tuple[str, bool]]
    rows: Sequence[Sequence[tuple[str, float | None]]]
    how: str
    note: str = ""


def axis_drawings(charts: Sequence[AxisChart]) -> list[Drawn]:
    """Return the drawings of charts; those of many lines are several."""
    drawn: list[Drawn] = []
    for chart in charts:
        parts = -(-len(chart.lines) // MOST_LINES)
        for part in range(parts):
            lines = chart.lines[part * MOST_LINES : (part + 1) * MOST_LINES]
            name = f" ({part + 1} of {parts})" if parts > 1 else ""
            found = _axis_drawing(replace(chart, lines=lines), name)
            drawn += [found] if found is not None else []
            if len(drawn) == MOST_CHARTS:
                return drawn
    return drawn


def trade_off_drawings(trade_offs: Sequence[TradeOff]) -> list[Drawn]:
    """Return the drawings of throughput against latency."""
    found = (_trade_off_drawing(trade_off) for trade_off in trade_offs[:MOST_CHARTS])
    return [drawn for drawn in found if drawn is not None]


def _axis_drawing(chart: AxisChart, part: str) -> Drawn | None:
    values = [end for line in chart.lines for point in line.points for end in (point.figure, point.low, point.high)]
    scale = fit_scale(values)
    if scale is None:
        return None
    unit = unit_for(text_of(chart.unit, LONGEST_UNIT), [point.figure for line in chart.lines for point in line.points])
    across = _Across(chart)
    paths: list[Path] = []
    symbols: list[Symbol] = []
    for number, line in enumerate(chart.lines):
        shift = across.shift(number, len(chart.lines))
        paths += _line_paths(line, number, shift, across, scale)
        symbols += _line_symbols(line, number, shift, across, (scale, unit), chart.axis)
    title = f"{chart.metric} over {chart.axis}: {chart.title}{part}"
    return Drawn(
        plot=Plot(
            title=text_of(title, LONGEST_NAME),
            desc=text_of(_axis_desc(chart, unit), 2_000),
            height=HEIGHT,
            grid=grid_of(scale, unit, HEIGHT),
            x_ticks=across.ticks(),
            x_title=text_of(chart.axis + (" (logarithmic)" if across.is_log else "")),
            paths=paths,
            symbols=symbols,
        ),
        kind="axis",
        legend=_legend([line.name for line in chart.lines]),
        heads=[
            (text_of(chart.axis), across.is_spread),
            ("line", False),
            ("figure", True),
            ("interval", False),
            ("remark", False),
        ],
        rows=list(_axis_rows(chart, unit)),
        how=_axis_how(chart, scale, across),
    )


class _Across:
    """Where the values of an axis are: by their size if they are numbers, else in their order at equal distances."""

    def __init__(self, chart: AxisChart) -> None:
        self._values = chart.values
        self.is_spread = chart.numeric and len(chart.values) > 1
        numbers = [float(value) for value in chart.values] if self.is_spread else []
        self.is_log = self.is_spread and numbers[0] > 0 and numbers[-1] / numbers[0] >= _LONG_FACTOR
        self._scale = fit_scale(numbers, log=self.is_log)

    def x(self, value: str, shift: float = 0.0) -> float:
        if self.is_spread and self._scale is not None:
            return round(_MARGIN + self._scale.share(float(value)) * (ACROSS - 2 * _MARGIN), 1)
        room = ACROSS / len(self._values)
        return round((self._values.index(value) + 0.5 + shift) * room, 1)

    def shift(self, number: int, count: int) -> float:
        """Return by how much a line is moved beside the others, where values have a room of their own."""
        return 0.0 if self.is_spread or count == 1 else (number / (count - 1) - 0.5) * 0.4

    def ticks(self) -> list[Text]:
        every = -(-len(self._values) // _MOST_TICKS)
        texts = []
        for place, value in enumerate(self._values):
            if place % every == 0:
                texts.append(text_below(at_percent(self.x(value)), 0, text_of(value, 24)))
        return texts


def _line_paths(line: AxisLine, number: int, shift: float, across: _Across, scale: Scale) -> Iterator[Path]:
    places = [
        None if point.figure is None else (across.x(point.value, shift), scale.y(point.figure, HEIGHT))
        for point in line.points
    ]
    yield Path(f"line c{number}", line_path(places))
    whiskers = "".join(
        f"M{across.x(point.value, shift):g} {scale.y(point.high, HEIGHT):g}V{scale.y(point.low, HEIGHT):g}"
        for point in line.points
        if point.figure is not None and point.low is not None and point.high is not None
    )
    if whiskers:
        yield Path(f"whisker c{number}", whiskers)


def _line_symbols(
    line: AxisLine, number: int, shift: float, across: _Across, scaled: tuple[Scale, Unit], axis: str
) -> Iterator[Symbol]:
    scale, unit = scaled
    for point in line.points:
        x = at_percent(across.x(point.value, shift))
        name = f"{line.name}, " if line.name else ""
        about = text_of(f"{name}{axis} {point.value}: ", LONGEST_NAME)
        if point.figure is None:
            yield Symbol("gap", "cross", x, HEIGHT - 6, about + text_of(point.reason or "not measured"))
        else:
            text = about + quantity(point.figure, unit)
            yield Symbol(f"c{number}", _SHAPES[number], x, scale.y(point.figure, HEIGHT), text)


def _legend(names: Sequence[str]) -> list[Key]:
    if len(names) == 1 and not names[0]:
        return []
    return [
        Key(style=f"c{number}", symbol=_SHAPES[number], text=text_of(name or "without parameters", LONGEST_NAME))
        for number, name in enumerate(names)
    ]


def _axis_rows(chart: AxisChart, unit: Unit) -> Iterator[list[tuple[str, float | None]]]:
    for line in chart.lines:
        for point in line.points:
            yield [
                (text_of(point.value, LONGEST_NAME), None),
                (text_of(line.name, LONGEST_NAME) or "-", None),
                (quantity(point.figure, unit), point.figure),
                (_interval(point, unit), None),
                (text_of(point.reason), None),
            ]


def _interval(point: AxisPoint, unit: Unit) -> str:
    if point.low is None or point.high is None:
        return "-"
    return f"{quantity(point.low, unit)} … {quantity(point.high, unit)}"


def _axis_desc(chart: AxisChart, unit: Unit) -> str:
    sentences = []
    for line in chart.lines:
        figures = [(point.value, point.figure) for point in line.points if point.figure is not None]
        if figures:
            texts = (f"{value}: {quantity(figure, unit)}" for value, figure in figures[:_MOST_NAMED])
            sentences.append(f"{line.name or chart.metric}: {', '.join(texts)}")
    return "; ".join(sentences) + f". {_DIRECTIONS[chart.better].capitalize()}."


def _axis_how(chart: AxisChart, scale: Scale, across: _Across) -> str:
    parts = [
        f"Each point is the {chart.metric} at a value of {chart.axis}; {_DIRECTIONS[chart.better]}.",
        f"A vertical line is the interval of its change from {chart.axis}={chart.reference}, which has none itself.",
        "A cross at the bottom was not measured, or could not be compared.",
    ]
    if scale.is_log or across.is_log:
        which = (
            "Both scales are"
            if scale.is_log and across.is_log
            else "The upright scale is"
            if scale.is_log
            else "The scale across is"
        )
        parts.append(f"{which} logarithmic: equal distances are equal factors.")
    if not across.is_spread:
        parts.append("The values across have no order of their own; the lines only show what belongs together.")
    return text_of(" ".join(parts), 2_000)


def _trade_off_drawing(trade_off: TradeOff) -> Drawn | None:
    fastest, slowest = (pick(choice.latency for choice in trade_off.choices) for pick in (min, max))
    across = fit_scale([fastest, slowest], log=slowest >= fastest * _LONG_FACTOR)
    upright = fit_scale([choice.throughput for choice in trade_off.choices])
    if across is None or upright is None:
        return None
    latencies = unit_for("s", [choice.latency for choice in trade_off.choices])
    throughputs = unit_for(text_of(trade_off.unit, LONGEST_UNIT), [choice.throughput for choice in trade_off.choices])
    front = sorted({(choice.latency, choice.throughput) for choice in trade_off.choices if choice.on_front})
    ticks = across.ticks(4)
    names = list(dict.fromkeys(choice.line for choice in trade_off.choices))
    return Drawn(
        plot=Plot(
            title=text_of(f"{trade_off.throughput} against {trade_off.latency}: {trade_off.title}", LONGEST_NAME),
            desc=text_of(_trade_off_desc(trade_off, latencies, throughputs), 2_000),
            height=HEIGHT,
            top=16,
            grid=grid_of(upright, throughputs, HEIGHT),
            x_ticks=[
                text_below(at_percent(across.x(tick)), 0, text)
                for tick, text in zip(ticks, tick_texts(ticks, latencies), strict=True)
            ],
            x_title=text_of(f"{trade_off.latency}{', logarithmic' if across.is_log else ''}; better is left and up"),
            paths=[Path("front", _steps(front, across, upright))],
            symbols=[_choice_symbol(choice, names, trade_off.axis, across, upright) for choice in trade_off.choices],
            texts=_front_texts(trade_off, across, upright),
        ),
        kind="trade-off",
        legend=_trade_off_legend(names),
        heads=[
            (text_of(trade_off.axis), False),
            ("line", False),
            (text_of(trade_off.latency), True),
            (text_of(trade_off.throughput), True),
            ("front", False),
        ],
        rows=[
            [
                (text_of(choice.value, LONGEST_NAME), None),
                (text_of(choice.line, LONGEST_NAME) or "-", None),
                (quantity(choice.latency, latencies), choice.latency),
                (quantity(choice.throughput, throughputs), choice.throughput),
                ("on the front" if choice.on_front else "dominated", None),
            ]
            for choice in trade_off.choices
        ],
        how=(
            "Each point is one way to run the benchmark. Those on the stepped line, the Pareto front, are the choices: "
            "nothing measured here is as fast and handles more, or handles as much and is faster. Grey points "
            "are dominated: some point of the front is at least as good in both. Intervals are not taken into account."
        ),
        note=f"{counted(trade_off.left_out, 'more combination')} without both figures" if trade_off.left_out else "",
    )


def _steps(front: Sequence[tuple[float, float]], across: Scale, upright: Scale) -> str:
    """Return the front as steps: between two of its points, what is reached is the throughput of the faster one."""
    if not front:
        return ""
    places = [(across.x(latency), upright.y(throughput, HEIGHT)) for latency, throughput in front]
    (x, y), *others = places
    return f"M{x:g} {HEIGHT}V{y:g}" + "".join(f"H{right:g}V{top:g}" for right, top in others) + f"H{ACROSS}"


def _choice_symbol(choice: Choice, names: Sequence[str], axis: str, across: Scale, upright: Scale) -> Symbol:
    number = names.index(choice.line) % len(_SHAPES)
    style = f"c{number % MOST_LINES}" if choice.on_front else "dominated"
    line = f"{choice.line}, " if choice.line else ""
    text = f"{line}{axis} {choice.value}: {'on the front' if choice.on_front else 'dominated'}"
    x, y = at_percent(across.x(choice.latency)), upright.y(choice.throughput, HEIGHT)
    return Symbol(style, _SHAPES[number], x, y, text_of(text, LONGEST_NAME))


def _front_texts(trade_off: TradeOff, across: Scale, upright: Scale) -> list[Text]:
    """Return the values of the choices on the front, beside their points, as long as they do not touch."""
    texts: list[Text] = []
    chosen = sorted((choice for choice in trade_off.choices if choice.on_front), key=lambda choice: choice.latency)
    last = -100.0
    for choice in chosen:
        x = at_percent(across.x(choice.latency))
        if x - last < 6:  # noqa: PLR2004 - percent of the width that a short text takes
            continue
        last = x
        texts.append(Text(x, upright.y(choice.throughput, HEIGHT) - 9, text_of(choice.value, 16), "middle", "choice"))
    return texts


def _trade_off_desc(trade_off: TradeOff, latencies: Unit, throughputs: Unit) -> str:
    front = sorted((choice for choice in trade_off.choices if choice.on_front), key=lambda choice: choice.latency)
    texts = [
        f"{choice.line + ', ' if choice.line else ''}{trade_off.axis} {choice.value} with "
        f"{quantity(choice.latency, latencies)} and {quantity(choice.throughput, throughputs)}"
        for choice in front[:_MOST_NAMED]
    ]
    return f"{len(front)} of {counted(len(trade_off.choices), 'choice')} are on the Pareto front: {'; '.join(texts)}."


def _trade_off_legend(names: Sequence[str]) -> list[Key]:
    keys = [
        Key(style=f"c{number % MOST_LINES}", symbol=_SHAPES[number % len(_SHAPES)], text=text_of(name, LONGEST_NAME))
        for number, name in enumerate(names[:_MOST_NAMED])
        if name
    ]
    return [*keys, Key(style="dominated", symbol="circle", text="dominated, in the shape of its line")]
