"""`benchdb baseline`: give sessions a lasting name."""

import click

from pytest_benchdb.cli.frame import options
from pytest_benchdb.cli.frame.candidates import complete_specs
from pytest_benchdb.cli.frame.command import Call, reading_command
from pytest_benchdb.cli.frame.database import group_db_option
from pytest_benchdb.cli.upkeep.annotation import FORMATS, LIST_FORMATS, say_written, write_list
from pytest_benchdb.operations.upkeep.annotate import list_baselines, remove_baseline, set_baseline

SCHEMA = "benchdb.baselines/1"
_COLUMNS = ("name", "spec", "session", "recorded", "branch", "commit", "project", "set_at")

_HELP = """Give sessions a name that stays with them, whatever is recorded later.

A name is a SPEC in every command: benchdb compare NAME, benchdb regress --baseline NAME.

Example: benchdb baseline set release-1.2 commit:4f2a91c
"""

_SET_HELP = """Give a session, or all sessions of a commit or a label, the name NAME.

SPEC is the newest session if it is left out. A baseline of that name is replaced.

Example: benchdb baseline set before-rewrite label:before
"""

_RM_HELP = """Remove the name NAME; the sessions stay.

Example: benchdb baseline rm before-rewrite
"""

_LIST_HELP = """List the baselines: what each was set to, and its session.

Example: benchdb baseline list -f json
"""


@click.group("baseline", context_settings=options.CONTEXT, help=_HELP)
def command() -> None:
    """Set, list or remove baselines."""


command.params.append(group_db_option())


@command.add_command
@reading_command(
    "set",
    _SET_HELP,
    click.argument("name", metavar="NAME"),
    click.argument("spec", metavar="[SPEC]", default="latest", shell_complete=complete_specs),
    short_help="Name a session.",
    formats=FORMATS,
)
def set_command(call: Call) -> None:
    """Resolve and write."""
    with call.reading() as feedback:
        written = set_baseline(call.database, call.params["name"], call.params["spec"], feedback=feedback)
    say_written(call.output, SCHEMA, written, f"baseline {call.params['name']} is")


@command.add_command
@reading_command("list", _LIST_HELP, short_help="List the baselines.", formats=LIST_FORMATS)
def list_command(call: Call) -> None:
    """Read and list."""
    with call.reading() as feedback:
        pinned = list_baselines(call.database, feedback=feedback)
    rows = [
        (
            baseline.name,
            baseline.spec,
            baseline.session_id,
            session and session.started_at,
            session and session.branch,
            session and session.commit_sha,
            baseline.project,
            baseline.created_at,
        )
        for baseline, session in ((entry.baseline, entry.session) for entry in pinned)
    ]
    nothing = "there is no baseline; name one with: benchdb baseline set NAME"
    write_list(call.output, SCHEMA, _COLUMNS, rows, nothing)


@command.command("rm", context_settings=options.CONTEXT, help=_RM_HELP, short_help="Remove a name.")
@click.argument("name", metavar="NAME")
@options.database_option
@options.display_options
def rm_command(**params: object) -> None:
    """Write the removal."""
    call = Call(params)
    with call.reading() as feedback:
        remove_baseline(call.database, str(params["name"]), feedback=feedback)
    call.output.say(f"baseline {params['name']} is gone; its sessions stay")
