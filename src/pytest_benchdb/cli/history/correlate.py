"""`benchdb correlate`: which metrics and parameters go together."""

from pathlib import Path
from typing import Any

import click

from pytest_benchdb.cli.frame import options
from pytest_benchdb.cli.frame.configuration import find_db
from pytest_benchdb.cli.frame.output import make_output, write_table
from pytest_benchdb.cli.frame.progress import feedback_of
from pytest_benchdb.operations.history.correlate import CorrelationWish, find_correlations
from pytest_benchdb.operations.select.selection import Selection
from pytest_benchdb.operations.select.series import SeriesChoice, parse_metrics
from pytest_benchdb.operations.select.sessions import split_specs
from pytest_benchdb.present.history.correlation import correlation_lines, correlation_table

_HELP = """Show which metrics and parameters go together, the closest first.

SPEC is a file or folder of sessions, or a session in the database; those on the machine of the newest one are looked
at. An observation is one benchmark: the median of its sessions; each test function is correlated over its parameters.
With --over sessions an observation is one session of a benchmark, beside the load and the contention of that session.

Spearman's coefficient tells how closely one quantity rises with the other, Pearson's how closely they follow a straight
line; both with a 95 % interval, the number of observations n, and the p-value q, corrected for the number of pairs.
With fewer than 4 observations nothing is told. What goes together need not cause each other.

Example: benchdb correlate results --of batch_size --metric throughput,peak_rss
"""


@click.command(
    "correlate", context_settings=options.CONTEXT, help=_HELP, short_help="Show which metrics and parameters agree."
)
@click.argument("specs", metavar="[SPEC]...", nargs=-1)
@options.database_option
@options.run_options
@click.option(
    "--metric", metavar="NAMES", multiple=True, help="Metrics to look at. Default: all that have a direction."
)
@click.option(
    "--of", metavar="NAMES", multiple=True, help="Only pairs with one of these metrics or parameters: --of batch_size."
)
@click.option(
    "--over", type=click.Choice(["benchmarks", "sessions"]), default="benchmarks", help="What one observation is."
)
@click.option("--together", is_flag=True, help="Take all benchmarks as one group.")
@options.session_options
@options.format_option()
@options.output_option
@options.display_options
def command(**given: Any) -> None:
    """Read, correlate and show."""
    output = make_output(given)
    source = split_specs(given["specs"], find_db(given["db"], Path.cwd()))
    wish = CorrelationWish(
        selection=Selection(since=given["since"], until=given["until"], last=given["last"]),
        choice=SeriesChoice(metrics=parse_metrics(given["metric"]), keyword=given["keyword"], where=given["where"]),
        over=given["over"],
        together=given["together"],
        names=tuple(name.strip() for text in given["of"] for name in text.split(",")),
    )
    with feedback_of(output, "Reading new sessions") as feedback:
        found = find_correlations(source, wish, feedback=feedback)
    if output.format == "table":
        output.lines(correlation_lines(found, output.width, ascii_only=output.ascii_only, all_rows=output.verbose))
    else:
        write_table(correlation_table(found), output)
