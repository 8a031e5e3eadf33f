"""`benchdb query`: one SELECT over the results."""

import sys
from pathlib import Path
from typing import Any

import click

from pytest_benchdb.cli import options
from pytest_benchdb.cli.configuration import find_db
from pytest_benchdb.cli.data import write_table
from pytest_benchdb.cli.output import make_output
from pytest_benchdb.cli.progress import progress_bar
from pytest_benchdb.operations.query import DEFAULT_ROWS, DEFAULT_TIMEOUT_S, Limits, run_query
from pytest_benchdb.operations.source import split_specs

_HELP = """Answer one SELECT statement over the results, read-only.

SQL is the statement; - reads it from standard input. It has no access to files or the network, and limits on time,
memory and rows. `benchdb schema` tells the tables, the views and what their columns mean.

Example: benchdb query "SELECT fullname, outcome FROM test_results LIMIT 5"
"""


@click.command("query", context_settings=options.CONTEXT, help=_HELP)
@click.argument("sql")
@options.database_option
@options.format_option(("table", "csv", "json", "md"))
@options.output_option
@click.option("--limit", metavar="N", type=click.IntRange(min=1), default=DEFAULT_ROWS, help="Rows at most.")
@click.option(
    "--timeout",
    metavar="SECONDS",
    type=click.FloatRange(min=0, min_open=True),
    default=DEFAULT_TIMEOUT_S,
    help="Time at most.",
)
@options.display_options
def command(**given: Any) -> None:
    """Run the statement and show the answer."""
    output = make_output(given)
    sql = sys.stdin.read() if given["sql"] == "-" else given["sql"]
    source = split_specs([], find_db(given["db"], Path.cwd()))
    with progress_bar("Reading new sessions", shown=output.progress) as progress:
        limits = Limits(rows=given["limit"], timeout_s=given["timeout"])
        table = run_query(source.paths, sql, limits, progress=progress)
    write_table(table, output)
    if table.more:
        output.say(f"only the first {given['limit']} rows are shown; --limit N shows more")
