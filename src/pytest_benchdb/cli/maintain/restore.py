"""`benchdb restore`: restore a store from its backups."""

from pathlib import Path

import click

from pytest_benchdb.cli.frame.candidates import complete_paths
from pytest_benchdb.cli.frame.command import Call, reading_command
from pytest_benchdb.cli.frame.output import command_feedback
from pytest_benchdb.cli.maintain.outcome import FORMATS, report
from pytest_benchdb.model.wording import counted
from pytest_benchdb.operations.upkeep.keep import restore_store

SCHEMA = "benchdb.restore/1"

_HELP = """Restore the newest backup in the folder BACKUPS, or the newest at a time, to the database of --db.

Nothing may be there: a backup never replaces results. Restore to another place and take over its sessions with
`benchdb merge`, or move what is there away first. Every file is compared with its checksum before the first is put in
its place.

Example: benchdb restore /mnt/backups/benchmarks --db restored --at 2026-11-01
"""


@reading_command(
    "restore",
    _HELP,
    click.argument("folder", metavar="BACKUPS", shell_complete=complete_paths),
    click.option("--at", metavar="WHEN", help="As it was at this local time, or at the end of this day."),
    formats=FORMATS,
)
def command(call: Call) -> int:
    """Restore."""
    with command_feedback(call.output, "Restoring") as feedback:
        backup = restore_store(Path(call.params["folder"]), str(call.database), at=call.params["at"], feedback=feedback)
    facts = {"path": str(call.database), "backup": str(backup.path), "files": len(backup.files)}
    message = f"restored {counted(len(backup.files), 'file')} of {backup.path} to {call.database}"
    return report(call.output, SCHEMA, facts, message, ())
