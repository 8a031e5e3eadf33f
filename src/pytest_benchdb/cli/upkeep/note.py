"""`benchdb note`: free text about a session or a run."""

from pathlib import Path
from typing import Any

import click

from pytest_benchdb.cli.frame import options
from pytest_benchdb.cli.frame.configuration import find_db
from pytest_benchdb.cli.frame.output import make_output
from pytest_benchdb.cli.frame.progress import feedback_of
from pytest_benchdb.cli.upkeep.annotation import FORMATS, say_written
from pytest_benchdb.operations.upkeep.annotate import write_note

SCHEMA = "benchdb.note/1"

_HELP = """Write a note about a session or a run; benchdb show shows it.

SPEC is a session: latest, latest~2, a label, a branch, a commit, or the beginning of an id; run:ID is a run.

Example: benchdb note latest 'the machine was being backed up'
"""


@click.command(
    "note", context_settings=options.CONTEXT, help=_HELP, short_help="Write a note about a session or a run."
)
@click.argument("name", metavar="SPEC")
@click.argument("text", metavar="TEXT")
@options.database_option
@options.format_option(FORMATS)
@options.output_option
@options.display_options
def command(**given: Any) -> None:
    """Find and write."""
    output = make_output(given, formats=FORMATS)
    with feedback_of(output, "Reading new sessions") as feedback:
        written = write_note(find_db(given["db"], Path.cwd()), given["name"], given["text"], feedback=feedback)
    say_written(output, SCHEMA, written, "wrote a note about")
