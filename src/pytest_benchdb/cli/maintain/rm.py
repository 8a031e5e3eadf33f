"""`benchdb rm`: remove sessions."""

import click

from pytest_benchdb.cli.frame.candidates import complete_specs
from pytest_benchdb.cli.frame.command import Call, reading_command
from pytest_benchdb.cli.frame.output import command_feedback
from pytest_benchdb.cli.maintain.outcome import FORMATS, before_and_after, report
from pytest_benchdb.cli.maintain.removed import list_sessions
from pytest_benchdb.model.wording import counted
from pytest_benchdb.operations.upkeep.retention import find_to_remove, remove_sessions

SCHEMA = "benchdb.rm/1"

_HELP = """Remove sessions, with their runs, rounds, notes and attachments.

SPEC names every session of a commit, a label or a branch, or one by its id. A session that a baseline names is
refused. To keep the results but leave them out of trends and the gate, use: benchdb exclude.

Example: benchdb rm label:experiment --dry-run
"""


@reading_command(
    "rm",
    _HELP,
    click.argument("specs", metavar="SPEC...", nargs=-1, required=True, shell_complete=complete_specs),
    click.option("--dry-run", is_flag=True, help="Only list what would go."),
    formats=FORMATS,
)
def command(call: Call) -> int:
    """Find, list and remove."""
    with command_feedback(call.output, "Removing") as feedback:
        sessions = find_to_remove(call.database, call.params["specs"], feedback=feedback)
        dry_run = call.params["dry_run"]
        removed = None if dry_run else remove_sessions(call.database, sessions, feedback=feedback)
    list_sessions(call.output, sessions)
    facts: dict[str, object] = {"dry_run": dry_run, "sessions": [session.session_id for session in sessions]}
    what = counted(len(sessions), "session")
    if removed is None:
        return report(call.output, SCHEMA, facts, f"would remove {what}", ())
    facts |= {"bytes_before": removed.bytes_before, "bytes_after": removed.bytes_after}
    sizes = before_and_after(removed.bytes_before, removed.bytes_after)
    return report(call.output, SCHEMA, facts, f"removed {what}: {sizes}", removed.problems)
