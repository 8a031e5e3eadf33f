"""`benchdb accept`: let a change pass the gate, with a reason."""

import datetime as dt

import click

from pytest_benchdb.cli.frame.candidates import complete_benchmarks, complete_metrics, complete_specs
from pytest_benchdb.cli.frame.command import Call, reading_command
from pytest_benchdb.cli.upkeep.annotation import LIST_FORMATS, say_written, write_list
from pytest_benchdb.errors import ConfigError
from pytest_benchdb.operations.upkeep.annotate import accept_change, list_acceptances

SCHEMA = "benchdb.acceptances/1"
_COLUMNS = ("pattern", "metric", "reason", "since", "expires", "expired", "author", "accepted_at")

_HELP = """Accept a change of level, with a reason: the gate lets it pass, and history before it is not a baseline.

PATTERN is a glob of full names, the whole name: 'tests/test_sort.py::*'. Brackets are literal. The change
begins with the newest session, or with the one that --since names; --expires brings the gate back.

Example: benchdb accept '*::test_parse*' --reason 'checks its input now' --expires 30d
"""


@reading_command(
    "accept",
    _HELP,
    click.argument("pattern", metavar="[PATTERN]", required=False, shell_complete=complete_benchmarks),
    click.option("--reason", metavar="TEXT", help="Why the change is accepted."),
    click.option(
        "--metric",
        metavar="NAME",
        shell_complete=complete_metrics,
        help="Only this metric: time, memory, or its name. Default: all.",
    ),
    click.option("--expires", metavar="WHEN", help="Until the end of a day, 2027-01-31, or for a span: 30d, 4w."),
    click.option(
        "--since",
        metavar="SPEC",
        default="latest",
        shell_complete=complete_specs,
        help="First session of the new level. Default: the newest.",
    ),
    click.option("--list", "listed", is_flag=True, help="List the accepted changes."),
    formats=LIST_FORMATS,
)
def command(call: Call) -> None:
    """Write, or list.

    Raises:
        ConfigError: the pattern or the reason is missing.
    """
    if call.params["listed"]:
        _list(call)
        return
    pattern, reason = call.params["pattern"], call.params["reason"]
    if pattern is None or reason is None:
        raise ConfigError("benchdb accept needs a PATTERN and --reason TEXT; --list shows the accepted changes")
    details = {name: call.params[name] for name in ("metric", "expires", "since")}
    with call.reading() as feedback:
        written = accept_change(call.database, pattern, reason, **details, feedback=feedback)
    say_written(call.output, SCHEMA, written, f"accepted {pattern} from")


def _list(call: Call) -> None:
    with call.reading() as feedback:
        acceptances = list_acceptances(call.database, feedback=feedback)
    now = dt.datetime.now(dt.timezone.utc).replace(tzinfo=None).isoformat()
    rows = [
        (
            acceptance.pattern,
            acceptance.metric,
            acceptance.reason,
            acceptance.since_session_id,
            acceptance.expires_at,
            acceptance.expires_at is not None and acceptance.expires_at <= now,
            acceptance.author,
            acceptance.created_at,
        )
        for acceptance in acceptances
    ]
    nothing = "nothing was accepted; accept a change with: benchdb accept PATTERN --reason TEXT"
    write_list(call.output, SCHEMA, _COLUMNS, rows, nothing)
