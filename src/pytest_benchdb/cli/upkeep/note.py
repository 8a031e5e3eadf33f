"""`benchdb note`: write a note about a session or a run."""

import click

from pytest_benchdb.cli.frame.candidates import complete_specs
from pytest_benchdb.cli.frame.command import Call, reading_command
from pytest_benchdb.cli.upkeep.annotation import FORMATS, say_written
from pytest_benchdb.operations.upkeep.annotate import write_note

SCHEMA = "benchdb.note/1"

_HELP = """Write a note about a session or a run; benchdb show shows it.

SPEC is a session: latest, latest~2, a label, a branch, a commit, or the beginning of an id; run:ID is a run.

Example: benchdb note latest 'the machine was being backed up'
"""


@reading_command(
    "note",
    _HELP,
    click.argument("name", metavar="SPEC", shell_complete=complete_specs),
    click.argument("text", metavar="TEXT"),
    formats=FORMATS,
)
def command(call: Call) -> None:
    """Find and write."""
    with call.reading() as feedback:
        written = write_note(call.database, call.params["name"], call.params["text"], feedback=feedback)
    say_written(call.output, SCHEMA, written, "wrote a note about")
