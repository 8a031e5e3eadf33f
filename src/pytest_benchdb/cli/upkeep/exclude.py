"""`benchdb exclude`: take sessions out of the history, with a reason."""

import click

from pytest_benchdb.cli.frame.candidates import complete_specs
from pytest_benchdb.cli.frame.command import Call, reading_command
from pytest_benchdb.cli.upkeep.annotation import FORMATS, say_written, write_list
from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.annotation import Exclusion
from pytest_benchdb.model.wording import counted
from pytest_benchdb.operations.upkeep.annotate import (
    Written,
    exclude_sessions,
    include_sessions,
    list_excluded,
)

SCHEMA = "benchdb.exclusions/1"
_COLUMNS = ("session", "recorded", "commit", "reason", "spec", "author", "excluded_at")

_HELP = """Take sessions out of the history, with a reason: a backup ran beside them, or the commits were broken.

SPEC is a session, a label, a commit, or a range of commits, A..B: every session of it that is stored now. Trends,
noise, the gate, `latest` and the change in pytest's summary go on without these sessions. They stay stored: `benchdb
sessions` marks them, and a command that names one reads it. --remove makes them part of the history again.

Example: benchdb exclude 3f2c1ab..9d0e4c7 --reason 'built without optimisation'
"""


@reading_command(
    "exclude",
    _HELP,
    click.argument("specs", metavar="[SPEC]...", nargs=-1, shell_complete=complete_specs),
    click.option("--reason", metavar="TEXT", help="Why the sessions are excluded."),
    click.option("--remove", is_flag=True, help="Make the sessions part of the history again."),
    click.option("--list", "listed", is_flag=True, help="List the excluded sessions."),
    formats=FORMATS,
)
def command(call: Call) -> None:
    """Exclude, include again, or list.

    Raises:
        ConfigError: a SPEC or the reason is missing, or options contradict each other.
    """
    specs, reason = call.params["specs"], call.params["reason"]
    if call.params["listed"]:
        if specs or reason is not None or call.params["remove"]:
            raise ConfigError("benchdb exclude --list takes no SPEC, --reason or --remove")
        _list(call)
        return
    if not specs:
        raise ConfigError("benchdb exclude needs a SPEC, as in: benchdb exclude latest --reason TEXT")
    if call.params["remove"]:
        if reason is not None:
            raise ConfigError("benchdb exclude --remove takes no --reason")
        with call.reading() as feedback:
            written = include_sessions(call.database, specs, feedback=feedback)
        say_written(call.output, SCHEMA, written, f"part of the history again:{_several(written)}")
        return
    if reason is None:
        raise ConfigError("benchdb exclude needs --reason TEXT")
    with call.reading() as feedback:
        written = exclude_sessions(call.database, specs, reason, feedback=feedback)
    say_written(call.output, SCHEMA, written, f"excluded{_several(written)}")
    if call.output.format != "json":
        call.output.say("benchdb exclude --list shows what is excluded; --remove SPEC takes it back")


def _several(written: Written) -> str:
    """Return how many sessions were annotated if these are several; the message goes on with the newest."""
    number = len(written.entry.session_ids) if isinstance(written.entry, Exclusion) else 0
    return f" {counted(number, 'session')}, the newest" if number > 1 else ""


def _list(call: Call) -> None:
    with call.reading() as feedback:
        excluded = list_excluded(call.database, feedback=feedback)
    rows = [
        (
            row["session_id"],
            session and session.started_at,
            session and session.commit_sha,
            row["reason"],
            row["spec"],
            row["author"],
            row["created_at"],
        )
        for row, session in excluded
    ]
    nothing = "no session is excluded; exclude one with: benchdb exclude SPEC --reason TEXT"
    write_list(call.output, SCHEMA, _COLUMNS, rows, nothing)
