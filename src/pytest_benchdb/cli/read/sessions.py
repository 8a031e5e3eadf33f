"""`benchdb sessions`: list the stored sessions."""

import datetime as dt

import click

from pytest_benchdb.cli.frame import options
from pytest_benchdb.cli.frame.command import Call, reading_command
from pytest_benchdb.cli.frame.output import say_left_out, write_table
from pytest_benchdb.operations.read.report import list_sessions
from pytest_benchdb.present.report.session import layout_sessions, sessions_table

_HELP = """List the sessions, newest first: when, outcome, how many runs, label, branch and commit.

PATH is a file or folder of sessions; without one the database is read. A commit with + had uncommitted changes.

Example: benchdb sessions --last 10
"""


@reading_command(
    "sessions",
    _HELP,
    click.argument("paths", metavar="[PATH]...", nargs=-1),
    options.session_options,
)
def command(call: Call) -> None:
    """Read and list."""
    output = call.output
    selection = call.selection([f"file:{path}" for path in call.params["paths"]])
    with call.reading() as feedback:
        sessions = list_sessions(selection, feedback=feedback)
    if output.format == "table":
        now = dt.datetime.now(dt.timezone.utc)
        table = layout_sessions(sessions, output.width, now=now, ascii_only=output.ascii_only)
        output.lines(table.lines)
        say_left_out(table.left_out, output)
    else:
        write_table(sessions_table(sessions), output)
