"""`benchdb sessions`: which sessions there are."""

from pathlib import Path
from typing import Any

import click

from pytest_benchdb.cli.frame import options
from pytest_benchdb.cli.frame.configuration import find_db
from pytest_benchdb.cli.frame.output import make_output, write_table
from pytest_benchdb.cli.frame.progress import feedback_of
from pytest_benchdb.operations.read.report import list_sessions
from pytest_benchdb.operations.select.selection import Selection
from pytest_benchdb.operations.select.sessions import split_specs
from pytest_benchdb.present.report.session import layout_sessions, sessions_table

_HELP = """List the sessions, newest first: when, outcome, how many runs, label, branch and commit.

PATH is a file or folder of sessions; without one the database is read. A commit with + had uncommitted changes.

Example: benchdb sessions --last 10
"""


@click.command("sessions", context_settings=options.CONTEXT, help=_HELP, short_help="List the sessions.")
@click.argument("paths", metavar="[PATH]...", nargs=-1)
@options.database_option
@options.session_options
@options.format_option()
@options.output_option
@options.display_options
def command(**given: Any) -> None:
    """Read and list."""
    output = make_output(given)
    source = split_specs([f"file:{path}" for path in given["paths"]], find_db(given["db"], Path.cwd()))
    selection = Selection(since=given["since"], until=given["until"], last=given["last"])
    with feedback_of(output, "Reading new sessions") as feedback:
        sessions = list_sessions(source, selection, feedback=feedback)
    if output.format == "table":
        output.lines(layout_sessions(sessions, output.width, ascii_only=output.ascii_only).lines)
    else:
        write_table(sessions_table(sessions), output)
