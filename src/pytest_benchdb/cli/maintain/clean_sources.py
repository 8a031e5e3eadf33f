"""`benchdb clean-sources`: remove source files that were imported."""

from pathlib import Path

import click

from pytest_benchdb.cli.frame.candidates import complete_paths
from pytest_benchdb.cli.frame.command import Call, reading_command
from pytest_benchdb.cli.frame.output import command_feedback, write_table
from pytest_benchdb.cli.maintain.outcome import size
from pytest_benchdb.model.report import DataTable
from pytest_benchdb.model.wording import counted
from pytest_benchdb.operations.upkeep.clean_sources import clean_sources

SCHEMA = "benchdb.clean-sources/1"
_COLUMNS = ("file", "state", "sessions", "bytes")
_GO = ("imported", "removed")

_HELP = """List which source files were imported, and with --delete remove those.

PATH is a file or a folder of results of other tools. A file may go if its bytes are those of an import without
refused items, and every session of that import is still stored. Everything else stays: files that were changed since,
imported in part, or never imported.

Example: benchdb clean-sources .benchmarks --older-than 30
"""


@reading_command(
    "clean-sources",
    _HELP,
    click.argument("paths", metavar="PATH...", nargs=-1, required=True, shell_complete=complete_paths),
    click.option(
        "--older-than",
        metavar="DAYS",
        type=click.IntRange(min=0),
        default=30,
        help="Leave files alone that changed within this many days. Default: 30.",
    ),
    click.option("--delete", is_flag=True, help="Remove the imported files; without it they are only listed."),
)
def command(call: Call) -> None:
    """Find out, list and remove."""
    delete = call.params["delete"]
    with command_feedback(call.output, "Comparing") as feedback:
        states = clean_sources(
            call.database,
            [Path(path) for path in call.params["paths"]],
            older_than_days=call.params["older_than"],
            delete=delete,
            feedback=feedback,
        )
    rows = [(str(state.path), state.state, state.sessions, state.size_bytes) for state in states]
    write_table(DataTable(schema=SCHEMA, columns=_COLUMNS, rows=rows), call.output)
    gone = [state for state in states if state.state in _GO]
    word = "removed" if delete else "may go (remove them with --delete)"
    sizes = size(sum(state.size_bytes for state in gone))
    call.output.say(f"{len(gone)} of {counted(len(states), 'file')} {word}, {sizes}; {len(states) - len(gone)} stay")
