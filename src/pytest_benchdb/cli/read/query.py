"""`benchdb query`: run one SELECT over the results."""

import sys

import click

from pytest_benchdb.cli.frame.command import Call, reading_command
from pytest_benchdb.cli.frame.output import write_table
from pytest_benchdb.errors import ConfigError
from pytest_benchdb.operations.read.query import TIMEOUT_S, run_query
from pytest_benchdb.operations.select.spec.syntax import names_database

_HELP = """Answer one SELECT statement over the results, read-only.

PATH is a file or folder of sessions. SQL is the statement; - reads it from standard input. It has no access to files
or the network, and limits on time, memory and rows. `benchdb schema` prints the tables, the views and what their
columns mean.

Example: benchdb query "SELECT fullname, outcome FROM report LIMIT 5"
"""


@reading_command(
    "query",
    _HELP,
    click.argument("words", metavar="[PATH]... SQL", nargs=-1, required=True),
    click.option("--limit", metavar="N", type=click.IntRange(min=1), help="Show the first N rows only."),
    click.option(
        "--timeout",
        metavar="SECONDS",
        type=click.FloatRange(min=0, min_open=True),
        default=TIMEOUT_S,
        help="Stop the statement after this long.",
    ),
)
def command(call: Call) -> None:
    """Run the statement and show the answer.

    Raises:
        ConfigError: there is a database instead of a statement.
    """
    params = call.params
    *named, sql = params["words"]
    if names_database(sql):
        raise ConfigError(f"{sql} is a database, not a statement; write: benchdb query {sql} 'SELECT ...'")
    sql = sys.stdin.read() if sql == "-" else sql
    paths = call.selection([f"file:{path}" for path in named]).paths
    with call.reading() as feedback:
        table = run_query(paths, sql, limit=params["limit"], timeout_s=params["timeout"], feedback=feedback)
    write_table(table, call.output)
    if table.more:
        call.output.say(f"only the first {params['limit']} rows are shown; --limit N shows more")
