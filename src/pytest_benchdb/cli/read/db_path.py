"""`benchdb db-path`: one up-to-date file for DuckDB clients."""

from typing import Any

import click

from pytest_benchdb.cli.frame import options
from pytest_benchdb.cli.frame.command import Call
from pytest_benchdb.cli.frame.database import db_option
from pytest_benchdb.operations.read.query import copy_for_clients

_HELP = """Print the path of one DuckDB file that has all sessions, for any DuckDB client.

PATH is a file or folder of sessions; without one the database is read. The file is a copy in your cache folder, brought
up to date by this command: a program may keep it open, and what it changes changes no result. The next
call replaces the copy if there are new sessions, or if it was changed. So DuckDB's own program answers with:
duckdb "$(benchdb db-path)" "SELECT name, median_s FROM report"

Example: benchdb db-path results
"""


@click.command("db-path", context_settings=options.CONTEXT, help=_HELP)
@click.argument("paths", metavar="[PATH]...", nargs=-1)
@db_option("Folder of sessions or .duckdb file. Default: [tool.benchdb] db of pyproject.toml, then .benchdb.")
@click.option("-q", "--quiet", is_flag=True, help="Print only the path.")
@click.option("--no-progress", is_flag=True, help="Show no progress bars.")
def command(**params: Any) -> None:
    """Bring the copy up to date, and print its path."""
    call = Call(params)
    paths = call.selection([f"file:{path}" for path in params["paths"]]).paths
    with call.reading() as feedback:
        path = copy_for_clients(paths, feedback)
    call.output.text(f"{path}\n")
