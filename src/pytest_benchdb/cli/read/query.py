"""`benchdb query`: one SELECT over the results."""

import sys
from pathlib import Path
from typing import Any

import click

from pytest_benchdb.cli.frame import options
from pytest_benchdb.cli.frame.configuration import find_db
from pytest_benchdb.cli.frame.output import make_output, write_table
from pytest_benchdb.cli.frame.progress import feedback_of
from pytest_benchdb.operations.read.query import TIMEOUT_S, run_query
from pytest_benchdb.operations.select.sessions import split_specs

_HELP = """Answer one SELECT statement over the results, read-only.

SQL is the statement; - reads it from standard input. It has no access to files or the network, and limits on time,
memory and rows. `benchdb schema` tells the tables, the views and what their columns mean.

Example: benchdb query "SELECT fullname, outcome FROM report LIMIT 5"
"""


@click.command(
    "query", context_settings=options.CONTEXT, help=_HELP, short_help="Answer one SELECT statement, read-only."
)
@click.argument("sql")
@options.database_option
@options.format_option()
@options.output_option
@click.option("--limit", metavar="N", type=click.IntRange(min=1), help="Show the first N rows only.")
@click.option(
    "--timeout",
    metavar="SECONDS",
    type=click.FloatRange(min=0, min_open=True),
    default=TIMEOUT_S,
    help="Stop the statement after this long.",
)
@options.display_options
def command(**given: Any) -> None:
    """Run the statement and show the answer."""
    output = make_output(given)
    sql = sys.stdin.read() if given["sql"] == "-" else given["sql"]
    source = split_specs([], find_db(given["db"], Path.cwd()))
    with feedback_of(output, "Reading new sessions") as feedback:
        table = run_query(source.paths, sql, limit=given["limit"], timeout_s=given["timeout"], feedback=feedback)
    write_table(table, output)
    if table.more:
        output.say(f"only the first {given['limit']} rows are shown; --limit N shows more")
