"""`benchdb prune`: remove what is old."""

import click

from pytest_benchdb.cli.frame.command import Call, reading_command
from pytest_benchdb.cli.frame.output import command_feedback
from pytest_benchdb.cli.maintain.outcome import FORMATS, before_and_after, report
from pytest_benchdb.cli.maintain.removed import list_sessions
from pytest_benchdb.model.wording import counted
from pytest_benchdb.operations.upkeep.retention import Rule, plan_pruning, prune

SCHEMA = "benchdb.prune/1"

_HELP = """Remove the raw rounds of old sessions, and keep their statistics; with --sessions, remove the sessions.

A session is old if every option given applies to it. Sessions that a baseline names stay. What goes is listed;
--dry-run only lists it. Afterwards, medians and trends are as before, but distributions of these sessions
cannot be drawn, and other statistics cannot be computed.

Example: benchdb prune --older-than 90d --keep-last 50 --dry-run
"""


@reading_command(
    "prune",
    _HELP,
    click.option("--older-than", metavar="WHEN", help="Sessions that started before: 90d, 2026-01-31."),
    click.option(
        "--keep-last", metavar="N", type=click.IntRange(min=1), help="All but the newest N sessions of each branch."
    ),
    click.option("--branch", metavar="GLOB", help="Sessions of these branches: 'feature/*'."),
    click.option("--label", metavar="GLOB", help="Sessions with these labels."),
    click.option("--sessions", "whole", is_flag=True, help="Remove the sessions, with everything of theirs."),
    click.option("--dry-run", is_flag=True, help="Only list what would go."),
    formats=FORMATS,
)
def command(call: Call) -> int:
    """Select, list and remove."""
    rule = Rule(**{name: call.params[name] for name in ("older_than", "keep_last", "branch", "label")})
    whole, dry_run = call.params["whole"], call.params["dry_run"]
    with command_feedback(call.output, "Pruning") as feedback:
        pruning = plan_pruning(call.database, rule, feedback=feedback)
        removed = (
            None if dry_run or not pruning.sessions else prune(call.database, pruning, whole=whole, feedback=feedback)
        )
    list_sessions(call.output, pruning.sessions)
    what = (
        counted(len(pruning.sessions), "session") if whole else f"rounds of {counted(len(pruning.sessions), 'session')}"
    )
    stay = f"; {counted(len(pruning.pinned), 'session')} stayed because a baseline names them" if pruning.pinned else ""
    facts = {
        "removed": "sessions" if whole else "rounds",
        "dry_run": dry_run,
        "sessions": [session.session_id for session in pruning.sessions],
        "pinned": [session.session_id for session in pruning.pinned],
    }
    if removed is None:
        text = f"would remove {what}" if pruning.sessions else "nothing to remove"
        return report(call.output, SCHEMA, facts, text + stay, ())
    facts |= {"bytes_before": removed.bytes_before, "bytes_after": removed.bytes_after}
    sizes = before_and_after(removed.bytes_before, removed.bytes_after)
    return report(call.output, SCHEMA, facts, f"removed {what}: {sizes}{stay}", removed.problems)
