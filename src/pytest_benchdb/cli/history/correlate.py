"""`benchdb correlate`: which metrics and parameters go together."""

import click

from pytest_benchdb.cli.frame import options
from pytest_benchdb.cli.frame.command import Call, reading_command
from pytest_benchdb.cli.frame.output import write_answer
from pytest_benchdb.operations.history.correlate import CorrelateRequest, find_correlations
from pytest_benchdb.present.history.correlation import correlation_lines, correlation_table

_HELP = """Show which metrics and parameters go together, the closest first.

SPEC is a file or folder of sessions, or a session in the database; those on the machine of the newest one are read. An
observation is one benchmark: the median of its sessions; each test function is correlated over its parameters. With
--over sessions an observation is one session of a benchmark, beside the load and the contention of that session.

Spearman's coefficient is for how closely one quantity rises with the other, Pearson's for how closely they follow a
straight line; both with a 95 % interval, the number of observations n, and the p-value q, corrected for the number of
pairs. Pairs with fewer than 4 observations are left out. Correlation is not causation.

Example: benchdb correlate results --of batch_size --metric throughput,peak_rss
"""


@reading_command(
    "correlate",
    _HELP,
    options.specs_argument,
    options.run_options,
    options.metric_option("Metrics to look at. Default: all that have a direction."),
    click.option(
        "--of",
        metavar="NAMES",
        multiple=True,
        help="Only pairs with one of these metrics or parameters: --of batch_size.",
    ),
    click.option(
        "--over", type=click.Choice(["benchmarks", "sessions"]), default="benchmarks", help="What one observation is."
    ),
    click.option("--together", is_flag=True, help="Take all benchmarks as one group."),
    options.session_options,
)
def command(call: Call) -> None:
    """Read, correlate and show."""
    request = CorrelateRequest(
        over=call.params["over"],
        together=call.params["together"],
        names=tuple(name.strip() for text in call.params["of"] for name in text.split(",")),
    )
    selection = call.selection(call.params["specs"])
    with call.reading() as feedback:
        correlations = find_correlations(selection, request, feedback=feedback)
    write_answer(correlations, correlation_lines, correlation_table, call.output)
