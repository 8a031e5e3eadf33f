"""`benchdb accept`: let a change pass the gate, with a reason."""

import datetime as dt
from pathlib import Path
from typing import Any

import click

from pytest_benchdb.cli.frame import options
from pytest_benchdb.cli.frame.configuration import find_db
from pytest_benchdb.cli.frame.output import Output, make_output, write_table
from pytest_benchdb.cli.frame.progress import feedback_of
from pytest_benchdb.cli.upkeep.annotation import FORMATS, minute, say_written, short
from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.annotation import Acceptance
from pytest_benchdb.model.answer.table import DataTable
from pytest_benchdb.operations.upkeep.annotate import accept_change, list_acceptances

SCHEMA = "benchdb.acceptances/1"
_COLUMNS = ("pattern", "metric", "reason", "since", "expires", "expired", "author", "accepted_at")
_READING = "Reading new sessions"

_HELP = """Accept a change of level, with a reason: the gate lets it pass, and history before it is no baseline.

PATTERN is a glob of full names, the whole name: 'tests/test_sort.py::*'. Brackets stand for themselves. The change
begins with the newest session, or with the one that --since names; --expires brings the gate back.

Example: benchdb accept '*::test_parse*' --reason 'checks its input now' --expires 30d
"""


@click.command("accept", context_settings=options.CONTEXT, help=_HELP, short_help="Accept a change, with a reason.")
@click.argument("pattern", metavar="[PATTERN]", required=False)
@click.option("--reason", metavar="TEXT", help="Why the change is accepted.")
@click.option("--metric", metavar="NAME", help="Only this metric: time, memory, or its name. Default: all.")
@click.option("--expires", metavar="WHEN", help="Until the end of a day, 2027-01-31, or for a span: 30d, 4w.")
@click.option("--since", metavar="SPEC", default="latest", help="First session of the new level. Default: the newest.")
@click.option("--list", "listed", is_flag=True, help="List what was accepted.")
@options.database_option
@options.format_option(FORMATS)
@options.output_option
@options.display_options
def command(**given: Any) -> None:
    """Write, or list.

    Raises:
        ConfigError: the pattern or the reason is missing.
    """
    output = make_output(given, formats=FORMATS)
    db = find_db(given["db"], Path.cwd())
    if given["listed"]:
        with feedback_of(output, _READING) as feedback:
            _list(list_acceptances(db, feedback=feedback), output)
        return
    if given["pattern"] is None or given["reason"] is None:
        raise ConfigError("benchdb accept needs a PATTERN and --reason TEXT; --list shows what was accepted")
    with feedback_of(output, _READING) as feedback:
        written = accept_change(
            db,
            given["pattern"],
            given["reason"],
            metric=given["metric"],
            expires=given["expires"],
            since=given["since"],
            feedback=feedback,
        )
    say_written(output, SCHEMA, written, f"accepted {given['pattern']} from")


def _list(found: list[Acceptance], output: Output) -> None:
    if not found and output.format == "table":
        output.say("nothing was accepted; accept a change with: benchdb accept PATTERN --reason TEXT")
        return
    now = dt.datetime.now(dt.timezone.utc).replace(tzinfo=None).isoformat()
    rows = [_row(one, now, whole=output.format == "json") for one in found]
    write_table(DataTable(schema=SCHEMA, columns=_COLUMNS, rows=rows), output)


def _row(one: Acceptance, now: str, *, whole: bool) -> list[object]:
    return [
        one.pattern,
        one.metric,
        one.reason,
        one.since_session_id if whole else short(one.since_session_id),
        one.expires_at if whole else minute(one.expires_at),
        one.expires_at is not None and one.expires_at <= now,
        one.author,
        one.created_at if whole else minute(one.created_at),
    ]
