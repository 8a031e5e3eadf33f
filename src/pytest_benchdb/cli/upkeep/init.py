"""`benchdb init`: make a database, with sample data on request."""

import shlex
from pathlib import Path
from typing import Any

import click

from pytest_benchdb.cli.frame import options
from pytest_benchdb.cli.frame.database import db_option
from pytest_benchdb.cli.frame.output import make_output
from pytest_benchdb.cli.frame.project import find_db
from pytest_benchdb.model.wording import counted
from pytest_benchdb.operations.upkeep.sample import make_database

_HELP = """Make a database, and say what to type next.

Recording makes it by itself, so this is needed only for a place that must be there before. What is there already is
kept.

With --sample-data it gets five sessions to try the commands on. They are made up: their kind is sample, their figures
are simulated, every report says so, and no comparison, gate or ranking takes them. Take them out by deleting the
database.

Example: benchdb init --sample-data --db sample
"""


@click.command("init", context_settings=options.CONTEXT, help=_HELP)
@db_option("Folder of sessions or .duckdb file to make. Default: [tool.benchdb] db of pyproject.toml, then .benchdb.")
@click.option("--sample-data", is_flag=True, help="Add five sessions that were made up.")
@click.option("-q", "--quiet", is_flag=True, help="Print only the path.")
def command(**params: Any) -> None:
    """Make it and print its path."""
    output = make_output(params)
    path = find_db(params["db"], Path.cwd())
    made = make_database(str(path), sample_data=params["sample_data"])
    output.text(f"{path}\n")
    output.say("made" if made.is_new else "it is there already, and was kept")
    place = shlex.quote(str(path))
    if params["sample_data"]:
        output.say(f"added {counted(made.sessions, 'session')} of sample data, which was never measured")
        output.say(f"try: benchdb report {place}")
    else:
        output.say(f"record into it with: pytest --benchdb={place}")
