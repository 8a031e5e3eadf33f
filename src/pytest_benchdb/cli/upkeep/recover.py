"""`benchdb recover`: recover the results of sessions that died."""

from pathlib import Path
from typing import Any

import click

from pytest_benchdb.cli.frame import options
from pytest_benchdb.cli.frame.output import command_feedback, make_output
from pytest_benchdb.cli.frame.project import find_db
from pytest_benchdb.model import exit_status
from pytest_benchdb.model.wording import counted
from pytest_benchdb.operations.upkeep.maintain import recover_sessions

_HELP = """Fold the journals of sessions that died, and what waits to go into a single file.

PATH is a folder, a single file, or a journal; the default is the database of --db. Every benchmark that had
finished is kept, once; the one that was running is recorded as crashed. Sessions that still run are left alone.

Example: benchdb recover results
"""


@click.command("recover", context_settings=options.CONTEXT, help=_HELP)
@click.argument("paths", metavar="[PATH]...", nargs=-1)
@options.database_option
@click.option("-q", "--quiet", is_flag=True, help="Say nothing.")
@click.option("--no-progress", is_flag=True, help="Show no progress bars.")
def command(**params: Any) -> int:
    """Recover and report what was recovered."""
    output = make_output(params)
    paths = [Path(path) for path in params["paths"]] or [find_db(params["db"], Path.cwd())]
    with command_feedback(output, "Recovering") as feedback:
        recovered = recover_sessions(paths, feedback)
    for path in recovered.stored:
        output.text(f"{path}\n")
    for line in recovered.problems:
        output.say(line)
    output.say(f"recovered {counted(recovered.sessions, 'session')}" if recovered.sessions else "nothing to recover")
    return exit_status.DATABASE if recovered.problems else exit_status.FINE
