"""`benchdb env`: where a session ran, and how two sessions differ in that."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from pytest_benchdb.cli.frame import options
from pytest_benchdb.cli.frame.configuration import find_db
from pytest_benchdb.cli.frame.output import Output, make_output, write_table
from pytest_benchdb.cli.frame.progress import feedback_of
from pytest_benchdb.model.answer.table import DataTable
from pytest_benchdb.operations.read.environment import Place, differences, read_places
from pytest_benchdb.operations.select.sessions import split_specs
from pytest_benchdb.present.writing.text import SHORT_ID, utc_text
from pytest_benchdb.present.writing.units import choose_unit, write_figure

ENV_SCHEMA = "benchdb.env/1"
DIFF_SCHEMA = "benchdb.env-diff/1"

_HELP = """Show where a session ran: machine, operating system, Python and packages; or how two sessions differ in that.

A and B are sessions, as for `benchdb report`; without A it is the newest one.

Example: benchdb env latest~1 latest
"""


@click.command(
    "env", context_settings=options.CONTEXT, help=_HELP, short_help="Show where a session ran, or compare two places."
)
@click.argument("specs", metavar="[A [B]]", nargs=-1)
@options.database_option
@options.format_option()
@options.output_option
@options.display_options
def command(**given: Any) -> None:
    """Read and show."""
    output = make_output(given)
    source = split_specs(given["specs"], find_db(given["db"], Path.cwd()))
    with feedback_of(output, "Reading new sessions") as feedback:
        places = read_places(source, feedback)
    if len(places) == 1:
        _one(places[0], output)
    else:
        _two(places, output)


def _one(place: Place, output: Output) -> None:
    session = place.session
    output.say(f"environment of session {session.session_id[:SHORT_ID]}, {utc_text(session.started_at)}")
    rows = [(name, _value(name, value, output)) for name, value in place.facts.items()]
    table = DataTable(schema=ENV_SCHEMA, columns=("name", "value"), rows=rows, facts={"session_id": session.session_id})
    write_table(table, output)


def _two(places: Sequence[Place], output: Output) -> None:
    first, second = places
    found = differences(first.facts, second.facts)
    titles = [f"{place.session.session_id[:SHORT_ID]}" for place in places]
    rows = [(d.name, _value(d.name, d.first, output), _value(d.name, d.second, output)) for d in found]
    ids: Mapping[str, object] = {"first": first.session.session_id, "second": second.session.session_id}
    columns = ("name", "first", "second") if output.format == "json" else ("name", *titles)
    if found:
        write_table(DataTable(schema=DIFF_SCHEMA, columns=columns, rows=rows, facts=ids), output)
    elif output.format == "json":
        write_table(DataTable(schema=DIFF_SCHEMA, columns=columns, rows=[], facts=ids), output)
    else:
        output.text("no difference\n")


def _value(name: str, value: object, output: Output) -> object:
    """Return a fact as people read it; data formats keep it as it is."""
    if output.format == "table" and name.endswith("_bytes") and isinstance(value, int):
        unit = choose_unit("memory", [float(value)])
        return f"{write_figure(float(value), unit)} {unit.symbol}"
    return value
