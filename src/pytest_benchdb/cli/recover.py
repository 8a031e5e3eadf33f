"""`benchdb recover`: fold what sessions that died left behind."""

from pathlib import Path
from typing import Any

import click

from pytest_benchdb.cli import options
from pytest_benchdb.cli.configuration import find_db
from pytest_benchdb.cli.output import make_output
from pytest_benchdb.cli.progress import progress_bar
from pytest_benchdb.operations.maintain import recover_sessions

_HELP = """Fold the journals of sessions that died, and what waits to go into a single file.

PATH is a folder, a single file, or a journal; without one the database of --db is taken. Every benchmark that had
finished is kept, once; the one that was running is recorded as crashed. Sessions that still run are left alone.

Example: benchdb recover results
"""


@click.command("recover", context_settings=options.CONTEXT, help=_HELP)
@click.argument("paths", metavar="[PATH]...", nargs=-1)
@options.database_option
@click.option("-q", "--quiet", is_flag=True, help="Say nothing.")
@click.option("--no-progress", is_flag=True, help="Show no progress bars.")
def command(**given: Any) -> None:
    """Recover and tell what came back."""
    output = make_output({"quiet": given["quiet"], "no_progress": given["no_progress"]})
    paths = [Path(path) for path in given["paths"]] or [find_db(given["db"], Path.cwd())]
    with progress_bar("Recovering", shown=output.progress) as progress:
        recovered = recover_sessions(paths, progress=progress)
    for path in recovered.stored:
        output.text(f"{path}\n")
    for line in recovered.left:
        output.say(f"left alone: {line}")
    if not recovered.stored and not recovered.left:
        output.say("nothing to recover")
