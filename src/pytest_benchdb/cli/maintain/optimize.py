"""`benchdb optimize`: make a store small and quick to read."""

import click

from pytest_benchdb.cli.frame.candidates import complete_paths
from pytest_benchdb.cli.frame.command import Call, reading_command
from pytest_benchdb.cli.frame.output import command_feedback
from pytest_benchdb.cli.maintain.outcome import FORMATS, before_and_after, report
from pytest_benchdb.model.wording import counted
from pytest_benchdb.operations.upkeep.keep import optimize

SCHEMA = "benchdb.optimize/1"

_HELP = """Make a database small and quick to read.

The session files of a folder are packed into one, sorted by benchmark; a single file is written anew, sorted and
without gaps. Every row is verified to be in the new file before an old one goes. PATH is a folder of sessions or a
.duckdb file; the default is that of --db. Recording goes on meanwhile. The exit status is 5 if a file had to stay as
it was.

Example: benchdb optimize results
"""


@reading_command(
    "optimize",
    _HELP,
    click.argument("path", required=False, shell_complete=complete_paths),
    formats=FORMATS,
)
def command(call: Call) -> int:
    """Pack."""
    path = call.named_path
    with command_feedback(call.output, "Packing") as feedback:
        packed = optimize(path, feedback=feedback)
    facts = {
        "files_before": packed.files_before,
        "files_after": packed.files_after,
        "bytes_before": packed.bytes_before,
        "bytes_after": packed.bytes_after,
    }
    files = f"{counted(packed.files_before, 'file')} became {packed.files_after}"
    message = f"{files}: {before_and_after(packed.bytes_before, packed.bytes_after)}"
    return report(call.output, SCHEMA, facts, message, packed.problems)
