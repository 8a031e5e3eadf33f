"""`benchdb fit`: how benchmarks grow with a parameter."""

import click

from pytest_benchdb.cli.frame import options
from pytest_benchdb.cli.frame.command import Call, reading_command
from pytest_benchdb.cli.frame.output import write_answer
from pytest_benchdb.operations.history.growth import find_growth
from pytest_benchdb.present.history.growth import growth_lines, growth_table

_HELP = """Show how benchmarks grow with a parameter: O(n), O(n log n), O(n²).

The benchmarks of one test function that differ only in the parameter are the points of a curve. Without SPEC they come
from the newest session; with several sessions, of --last N or by name, each point is their median.

The order is the one whose curve, with a constant part, describes the points best; orders in brackets are not ruled out.
The exponent is the slope on logarithmic axes: 1 for O(n), 2 for O(n²). The cost is that of one n, n², ..., with a 95 %
interval; "off by" is how far the points are from the curve.

Example: benchdb fit --over n -k test_sort
"""


@reading_command(
    "fit",
    _HELP,
    options.specs_argument,
    click.option("--over", metavar="NAME", required=True, help="The parameter or label that is the size."),
    options.run_options,
    options.metric_option("Metrics to look at. Default: the time of each benchmark."),
    options.session_options,
)
def command(call: Call) -> None:
    """Read, fit and show."""
    selection = call.selection(call.params["specs"])
    with call.reading() as feedback:
        growths = find_growth(selection, call.params["over"], feedback=feedback)
    write_answer(growths, growth_lines, growth_table, call.output)
