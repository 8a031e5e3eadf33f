"""`benchdb baseline`: sessions with a name that stays with them."""

from pathlib import Path
from typing import Any

import click

from pytest_benchdb.cli.frame import options
from pytest_benchdb.cli.frame.configuration import find_db
from pytest_benchdb.cli.frame.output import make_output, write_table
from pytest_benchdb.cli.frame.progress import feedback_of
from pytest_benchdb.cli.upkeep.annotation import FORMATS, minute, say_written, short
from pytest_benchdb.model.answer.table import DataTable
from pytest_benchdb.operations.upkeep.annotate import Pinned, list_baselines, remove_baseline, set_baseline

SCHEMA = "benchdb.baselines/1"
_COLUMNS = ("name", "spec", "session", "recorded", "branch", "commit", "project", "set_at")
_READING = "Reading new sessions"

_HELP = """Give sessions a name that stays with them, whatever is recorded later.

A name is a SPEC wherever one is taken: benchdb compare NAME, benchdb regress --baseline NAME.

Example: benchdb baseline set release-1.2 commit:4f2a91c
"""

_SET_HELP = """Give a session, or all sessions of a commit or a label, the name NAME.

SPEC is the newest session where it is left out. A baseline of that name is replaced.

Example: benchdb baseline set before-rewrite label:before
"""

_RM_HELP = """Take the name NAME away; the sessions stay.

Example: benchdb baseline rm before-rewrite
"""

_LIST_HELP = """List the baselines: what each was set to, and the session that it stands for.

Example: benchdb baseline list -f json
"""


@click.group("baseline", context_settings=options.CONTEXT, help=_HELP, short_help="Give sessions a name that stays.")
def command() -> None:
    """Set, list or remove baselines."""


@command.command("set", context_settings=options.CONTEXT, help=_SET_HELP, short_help="Name a session.")
@click.argument("name", metavar="NAME")
@click.argument("spec", metavar="[SPEC]", default="latest")
@options.database_option
@options.format_option(FORMATS)
@options.output_option
@options.display_options
def set_command(**given: Any) -> None:
    """Resolve and write."""
    output = make_output(given, formats=FORMATS)
    with feedback_of(output, _READING) as feedback:
        written = set_baseline(find_db(given["db"], Path.cwd()), given["name"], given["spec"], feedback=feedback)
    say_written(output, SCHEMA, written, f"baseline {given['name']} is")


@command.command("list", context_settings=options.CONTEXT, help=_LIST_HELP, short_help="List the baselines.")
@options.database_option
@options.format_option(FORMATS)
@options.output_option
@options.display_options
def list_command(**given: Any) -> None:
    """Read and list."""
    output = make_output(given, formats=FORMATS)
    with feedback_of(output, _READING) as feedback:
        found = list_baselines(find_db(given["db"], Path.cwd()), feedback=feedback)
    if not found and output.format == "table":
        output.say("there is no baseline; name one with: benchdb baseline set NAME")
        return
    rows = [_row(one, whole=output.format == "json") for one in found]
    write_table(DataTable(schema=SCHEMA, columns=_COLUMNS, rows=rows), output)


def _row(pinned: Pinned, *, whole: bool) -> list[object]:
    baseline, session = pinned.baseline, pinned.session
    recorded = session.started_at if session else None
    commit = session.commit_sha if session else None
    return [
        baseline.name,
        baseline.spec,
        baseline.session_id if whole else short(baseline.session_id),
        recorded if whole else minute(recorded),
        session.branch if session else None,
        commit if whole else short(commit, 8),
        baseline.project,
        baseline.created_at if whole else minute(baseline.created_at),
    ]


@command.command("rm", context_settings=options.CONTEXT, help=_RM_HELP, short_help="Take a name away.")
@click.argument("name", metavar="NAME")
@options.database_option
@options.display_options
def rm_command(**given: Any) -> None:
    """Write the removal."""
    output = make_output(given)
    with feedback_of(output, _READING) as feedback:
        remove_baseline(find_db(given["db"], Path.cwd()), given["name"], feedback=feedback)
    output.say(f"baseline {given['name']} is gone; its sessions stay")
