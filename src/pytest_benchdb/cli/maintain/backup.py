"""`benchdb backup`: back a store up, with only what is new."""

from pathlib import Path

import click

from pytest_benchdb.cli.frame.candidates import complete_paths
from pytest_benchdb.cli.frame.command import Call, reading_command
from pytest_benchdb.cli.frame.output import command_feedback
from pytest_benchdb.cli.maintain.outcome import FORMATS, report, size
from pytest_benchdb.model.wording import counted
from pytest_benchdb.operations.upkeep.keep import back_up_store

SCHEMA = "benchdb.backup/1"

_HELP = """Back a database up into the folder DEST, with its attachments.

Each backup is whole, but costs only what is new: a file is kept once, by the hash of its bytes. Every copy is read
back before the backup counts. Put DEST on another disk. A session that still runs is not in the backup, and the exit
status is then 5.

Example: benchdb backup /mnt/backups/benchmarks --retain 30d
"""


@reading_command(
    "backup",
    _HELP,
    click.argument("folder", metavar="DEST", shell_complete=complete_paths),
    click.option("--full", is_flag=True, help="Copy every file anew, not only those that no earlier backup has."),
    click.option("--retain", metavar="SPAN", help="Remove backups that are older: 30d, 8w. The newest always stays."),
    formats=FORMATS,
)
def command(call: Call) -> int:
    """Back up."""
    with command_feedback(call.output, "Backing up") as feedback:
        made = back_up_store(
            call.database,
            Path(call.params["folder"]),
            full=call.params["full"],
            retain=call.params["retain"],
            feedback=feedback,
        )
    facts = {
        "path": str(made.backup.path),
        "files": len(made.backup.files),
        "copied": made.copied,
        "copied_bytes": made.copied_bytes,
        "expired": [str(path) for path in made.expired],
    }
    new = f"{counted(made.copied, 'file')} new, {size(made.copied_bytes)}"
    expired = f"; {counted(len(made.expired), 'earlier backup')} removed" if made.expired else ""
    message = f"backed up {counted(len(made.backup.files), 'file')} ({new}) as {made.backup.path}{expired}"
    return report(call.output, SCHEMA, facts, message, made.problems)
