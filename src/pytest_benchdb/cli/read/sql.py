"""`benchdb sql`: ask one up-to-date file with DuckDB's own program, or any other client."""

import os
import shutil
import sys
from typing import Any

import click

from pytest_benchdb.cli.frame import options
from pytest_benchdb.cli.frame.command import Call
from pytest_benchdb.cli.frame.database import db_option
from pytest_benchdb.operations.read.query import copy_for_clients

_PROGRAM = "duckdb"

_HELP = """Open DuckDB's shell on one file that has all sessions; print the path of that file where there is none.

PATH is a file or folder of sessions; without one the database is read. The file is a copy in your cache folder, brought
up to date by this command: a program may keep it open, and what it changes changes no result. The next call replaces
the copy if there are new sessions, or if it was changed. --path prints the path, and so does the command when its
output is not a terminal or there is no program `duckdb` (pip install duckdb-cli). So any client answers:
duckdb "$(benchdb sql --path)" "SELECT name, median_s FROM report"

Example: benchdb sql results
"""


@click.command("sql", context_settings=options.CONTEXT, help=_HELP)
@click.argument("paths", metavar="[PATH]...", nargs=-1)
@db_option("Folder of sessions or .duckdb file. Default: [tool.benchdb] db of pyproject.toml, then .benchdb.")
@click.option("--path", "only_path", is_flag=True, help="Print the path of the file, and open nothing.")
@click.option("-q", "--quiet", is_flag=True, help="Print only the path.")
@click.option("--no-progress", is_flag=True, help="Show no progress bars.")
def command(**params: Any) -> None:
    """Bring the copy up to date, and open it or print its path."""
    call = Call(params)
    paths = call.selection([f"file:{path}" for path in params["paths"]]).paths
    with call.reading() as feedback:
        path = copy_for_clients(paths, feedback)
    program = shutil.which(_PROGRAM)
    if params["only_path"] or program is None or not (sys.stdin.isatty() and sys.stdout.isatty()):
        call.output.text(f"{path}\n")
        return
    os.execv(program, [program, "-readonly", str(path)])  # noqa: S606 - a program of the user's, and our own path
