"""`benchdb plot`: figures for papers and slides, one command for each kind."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from pytest_benchdb.cli.frame import options
from pytest_benchdb.cli.frame.candidates import complete_specs
from pytest_benchdb.cli.frame.command import Call, reading_command
from pytest_benchdb.cli.frame.database import group_db_option
from pytest_benchdb.operations.compare.run import CompareRequest, compare_named, parse_limits
from pytest_benchdb.operations.history.trend import TrendRequest, build_trends
from pytest_benchdb.operations.matrix.build import MatrixRequest, build_matrix
from pytest_benchdb.operations.read.courses import read_courses
from pytest_benchdb.operations.read.rounds import read_rounds
from pytest_benchdb.operations.select.series import parse_metrics
from pytest_benchdb.operations.select.spec.syntax import sides_of
from pytest_benchdb.present.plot.comparison import comparison_drawing
from pytest_benchdb.present.plot.dimension import dimension_drawing
from pytest_benchdb.present.plot.distribution import SHAPES, distribution_drawing
from pytest_benchdb.present.plot.drawing import FORMATS, Drawing, figure_bytes
from pytest_benchdb.present.plot.matrix import matrix_drawing
from pytest_benchdb.present.plot.over_time import courses_drawing
from pytest_benchdb.present.plot.style import (
    LEAST_DPI,
    LEAST_FONT,
    MOST_DPI,
    MOST_FONT,
    SCALES,
    PlotStyle,
    parse_size,
    require_matplotlib,
)
from pytest_benchdb.present.plot.trend import trend_drawing

_HELP = """Draw a figure that is ready for a paper, as PNG, SVG or PDF.

Figures show the same numbers as the tables: with intervals, in one unit for each axis, and readable in grey, because
markers, dashes and hatches differ as well. Fonts are embedded, and a file has no date, so that the same results give
the same file. Needs the extra: pip install 'pytest-benchdb[plot]'.

Example: benchdb plot trend -k parse -o trend.pdf --size 8.5x6cm --font-size 8
"""

_TREND_HELP = """Draw benchmarks over the sessions: each session's figure, levels with their noise, and changes.

The figures are those of `benchdb trend`: one panel for each metric. A change of level has its size beside it, with a
question mark while it is provisional; sessions without a figure have a cross.

Example: benchdb plot trend results -k parse -o trend.svg
"""

_DISTRIBUTION_HELP = """Draw the rounds of runs: boxes with every round, cumulated shares, or histograms.

The runs are those of `benchdb report`, and so are the smallest and largest value, quartiles and median of a box. Name
two sessions to see them side by side. A run that did not pass is named with its outcome.

Example: benchdb plot distribution latest~1 latest -k sort --shape ecdf -o rounds.pdf
"""

_COMPARE_HELP = """Draw the changes between two sides as intervals on one axis, the most harmful first.

BASE and HEAD are those of `benchdb compare`, and so are changes, intervals and verdicts. What is too small to count is
grey if the limit is the same for all. From a factor of two on the axis shows factors.

Example: benchdb plot compare label:before label:after -o changes.pdf
"""

_AXIS_HELP = """Draw a metric over a dimension: over sizes, batch sizes, backends, models, implementations.

The figures are those of `benchdb compare --axis DIM`: one line for each benchmark; the intervals are of the change from
the first value, which has none itself.

Example: benchdb plot axis param:n -k sort -o sizes.pdf
"""

_POWER_HELP = """Draw what sensors said while runs were measured: power, or with --metric others.

Recorded by pytest --benchdb-passes time,series. Each point is the mean of a two-hundredth of the run's time, and a
dotted line the mean of all readings.

Example: benchdb plot power results --metric power,temperature -o power.pdf
"""

_MATRIX_HELP = """Draw the compatibility matrix: each combination's state, by sign, word and hatch, and its best figure.

The cells are those of `benchdb matrix`; what was never run is untested. Ages are left out, as they change every day.

Example: benchdb plot matrix --rows model --cols device -o works.pdf
"""

_style_options = options.combine(
    click.option("--size", metavar="WxH", help="Size: 16x9cm, 3.5x2.4in, or a width alone. Default: 16cm wide."),
    click.option(
        "--dpi", metavar="N", type=click.IntRange(LEAST_DPI, MOST_DPI), default=300, help="Dots per inch of PNG [300]."
    ),
    click.option(
        "--font-size",
        metavar="PT",
        type=click.FloatRange(LEAST_FONT, MOST_FONT),
        default=9.0,
        help="Size of the text in points [9].",
    ),
    click.option("--font", metavar="NAME", help="serif, sans-serif, monospace, or an installed font."),
    click.option("--grey", is_flag=True, help="Greys only."),
    click.option("--scale", type=click.Choice(SCALES), default="auto", help="Scale of the axis of the figures."),
    click.option("--title", metavar="TEXT", help="Text above the figure; '' for none. Default: what is drawn."),
)

_metrics_option = options.metric_option("Metrics to draw, each in a panel of its own.")


@click.group("plot", context_settings=options.CONTEXT, help=_HELP)
def command() -> None:
    """Draw figures."""


command.params.append(group_db_option())


def _kind(name: str, text: str, short_help: str, *parameters: Callable[[Any], Any]) -> Callable[[Any], click.Command]:
    """Return a decorator for the command of one kind of figure."""

    def decorate(function: Callable[[Call], Drawing]) -> click.Command:
        def draw(call: Call) -> None:
            require_matplotlib()
            style = read_style(call)
            drawing = function(call)
            call.output.binary(figure_bytes(drawing, style, call.output.format))
            for note in drawing.notes:
                call.output.say(note)

        made = reading_command(
            name,
            text,
            *parameters,
            _style_options,
            short_help=short_help,
            formats=FORMATS,
            display=options.progress_options,
        )(draw)
        command.add_command(made)
        return made

    return decorate


def read_style(call: Call) -> PlotStyle:
    """Return the style that the options describe.

    Raises:
        ConfigError: the size is not valid.
    """
    params = call.params
    width, height = PlotStyle().width_in, None
    if params["size"] is not None:
        width, height = parse_size(params["size"])
    names = ("dpi", "font_size", "font", "grey", "scale", "title")
    return PlotStyle(width_in=width, height_in=height, **{name: params[name] for name in names})


@_kind(
    "trend",
    _TREND_HELP,
    "Benchmarks over the sessions.",
    options.specs_argument,
    options.run_options,
    _metrics_option,
    options.session_options,
    click.option("--branch", metavar="NAME", help="Only sessions of this branch."),
    options.normalize_option,
)
def _trend(call: Call) -> Drawing:
    request = TrendRequest(
        branch=call.params["branch"], normalize_by=call.params["normalize_by"], root=Path.cwd(), environ=os.environ
    )
    selection = call.selection(call.params["specs"])
    with call.reading() as feedback:
        return trend_drawing(build_trends(selection, request, feedback=feedback))


@_kind(
    "distribution",
    _DISTRIBUTION_HELP,
    "The rounds of runs.",
    options.specs_argument,
    options.run_options,
    options.session_options,
    click.option("--shape", type=click.Choice(SHAPES), default="box", help="What is drawn of the rounds."),
)
def _distribution(call: Call) -> Drawing:
    selection = call.selection(call.params["specs"])
    with call.reading() as feedback:
        return distribution_drawing(read_rounds(selection, feedback=feedback), call.params["shape"])


_limits_option = click.option(
    "--threshold", "thresholds", metavar="LIMIT", multiple=True, help="Smallest change that counts: 5%, 'memory:1MiB'."
)
_cross_option = click.option("--allow-cross", is_flag=True, help="Compare other machines and changed benchmarks too.")


def _request(call: Call) -> CompareRequest:
    params = call.params
    share, thresholds = parse_limits(params.get("thresholds") or ())
    return CompareRequest(
        metrics=parse_metrics(params["metric"]),
        keyword=params["keyword"],
        where=params["where"],
        share=share,
        thresholds=thresholds,
        allow_cross=params["allow_cross"],
        normalize_by=params["normalize_by"],
    )


@_kind(
    "compare",
    _COMPARE_HELP,
    "The changes between two sides.",
    click.argument("specs", metavar="[BASE [HEAD]]", nargs=-1, shell_complete=complete_specs),
    options.run_options,
    _metrics_option,
    _limits_option,
    _cross_option,
    options.normalize_option,
)
def _compare(call: Call) -> Drawing:
    with call.reading() as feedback:
        sides = sides_of(call.params["specs"])
        (comparison,) = compare_named(sides, call.database, _request(call), feedback=feedback)
    return comparison_drawing(comparison)


@_kind(
    "axis",
    _AXIS_HELP,
    "A metric over a dimension.",
    click.argument("dimension", metavar="DIM"),
    options.specs_argument,
    options.run_options,
    _metrics_option,
    click.option("--baseline-value", metavar="VALUE", help="The value that intervals compare with."),
    _cross_option,
    options.normalize_option,
)
def _axis(call: Call) -> Drawing:
    params = call.params
    with call.reading() as feedback:
        comparisons = compare_named(
            params["specs"],
            call.database,
            _request(call),
            axis=params["dimension"],
            baseline_value=params["baseline_value"],
            feedback=feedback,
        )
    return dimension_drawing(comparisons)


@_kind(
    "matrix",
    _MATRIX_HELP,
    "What works where.",
    options.specs_argument,
    click.option("--rows", metavar="DIMENSION", help="What the rows are, as for `benchdb matrix`."),
    click.option("--cols", metavar="DIMENSION", help="What the columns are [backend]."),
    options.run_options,
    options.metric_option("The metric in the cells. Default: the main time of each benchmark."),
    options.session_options,
)
def _matrix(call: Call) -> Drawing:
    request = MatrixRequest(rows=call.params["rows"], columns=call.params["cols"])
    selection = call.selection(call.params["specs"])
    with call.reading() as feedback:
        return matrix_drawing(build_matrix(selection, request, feedback=feedback))


@_kind(
    "power",
    _POWER_HELP,
    "Power and other sensors over time.",
    options.specs_argument,
    options.run_options,
    _metrics_option,
    options.session_options,
)
def _power(call: Call) -> Drawing:
    selection = call.selection(call.params["specs"])
    with call.reading() as feedback:
        return courses_drawing(read_courses(selection, parse_metrics(call.params["metric"]), feedback=feedback))
