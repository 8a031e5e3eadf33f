"""`benchdb env`: show a session's environment, or compare those of two."""

from collections.abc import Mapping, Sequence

import click

from pytest_benchdb.cli.frame.candidates import complete_specs
from pytest_benchdb.cli.frame.command import Call, reading_command
from pytest_benchdb.cli.frame.output import Output, write_table
from pytest_benchdb.model.report import DataTable
from pytest_benchdb.operations.read.environment import SessionEnvironment, diff_facts, read_environments
from pytest_benchdb.operations.select.spec.syntax import sides_of
from pytest_benchdb.present.writing.text import SHORT_ID
from pytest_benchdb.present.writing.times import local_text
from pytest_benchdb.present.writing.units import choose_unit, write_figure

ENV_SCHEMA = "benchdb.env/1"
DIFF_SCHEMA = "benchdb.env-diff/1"

_HELP = """Show where a session ran: machine, operating system, Python and packages; or how two sessions differ in that.

A and B are sessions, as for `benchdb report`; without A it is the newest one.

Example: benchdb env latest~1 latest
"""


@reading_command(
    "env",
    _HELP,
    click.argument("specs", metavar="[A [B]]", nargs=-1, shell_complete=complete_specs),
)
def command(call: Call) -> None:
    """Read and show."""
    selection = call.selection(sides_of(call.params["specs"]))
    with call.reading() as feedback:
        environments = read_environments(selection, feedback)
    if len(environments) == 1:
        _one(environments[0], call.output)
    else:
        _two(environments, call.output)


def _one(place: SessionEnvironment, output: Output) -> None:
    session = place.session
    output.say(f"environment of session {session.session_id[:SHORT_ID]}, {local_text(session.started_at)}")
    rows = [(name, _value(name, value, output)) for name, value in place.facts.items()]
    table = DataTable(schema=ENV_SCHEMA, columns=("name", "value"), rows=rows, facts={"session_id": session.session_id})
    write_table(table, output)


def _two(environments: Sequence[SessionEnvironment], output: Output) -> None:
    first, second = environments
    rows = [
        (fact.name, _value(fact.name, fact.first, output), _value(fact.name, fact.second, output))
        for fact in diff_facts(first.facts, second.facts)
    ]
    if not rows and output.format != "json":
        output.text("no difference\n")
        return
    ids: Mapping[str, object] = {"first": first.session.session_id, "second": second.session.session_id}
    titles = ["first", "second"]
    if output.format != "json":
        titles = [environment.session.session_id[:SHORT_ID] for environment in environments]
    write_table(DataTable(schema=DIFF_SCHEMA, columns=("name", *titles), rows=rows, facts=ids), output)


def _value(name: str, value: object, output: Output) -> object:
    """Format byte counts for tables; other formats keep the plain value."""
    if output.format == "table" and name.endswith("_bytes") and isinstance(value, int):
        unit = choose_unit("memory", [float(value)])
        return f"{write_figure(float(value), unit)} {unit.symbol}"
    return value
