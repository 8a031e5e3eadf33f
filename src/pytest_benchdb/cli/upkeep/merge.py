"""`benchdb merge`: copy the sessions of files and folders into one."""

from pathlib import Path
from typing import Any

import click

from pytest_benchdb.cli.frame import options
from pytest_benchdb.cli.frame.candidates import complete_paths
from pytest_benchdb.cli.frame.output import command_feedback, make_output
from pytest_benchdb.model.wording import counted
from pytest_benchdb.operations.upkeep.maintain import merge_sources

_HELP = """Copy the sessions of files and folders into one.

Nothing is renumbered, and a session that is there already is left out: doing it twice changes nothing. The sources
stay as they are.

Example: benchdb merge machine-a machine-b -o all.duckdb
"""


@click.command("merge", context_settings=options.CONTEXT, help=_HELP)
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True)
@click.option(
    "-o",
    "--output",
    "-d",
    "--db",
    "target",
    metavar="PATH",
    shell_complete=complete_paths,
    help="File or folder to merge into.",
)
@click.pass_context
@click.option("-q", "--quiet", is_flag=True, help="Say nothing.")
@click.option("--no-progress", is_flag=True, help="Show no progress bars.")
def command(context: click.Context, /, **params: Any) -> None:
    """Merge and report how many sessions were added.

    Raises:
        UsageError: there is no target.
    """
    output = make_output(params)
    target = params["target"] or context.obj
    if target is None:
        raise click.UsageError("name the file or folder to merge into: -o all.duckdb", context)
    with command_feedback(output, "Merging") as feedback:
        merged = merge_sources([Path(source) for source in params["sources"]], target, feedback)
    output.say(
        f"merged {counted(merged.added, 'session')} into {target}"
        + (f"; {counted(merged.present, 'session')} left out, there already" if merged.present else "")
    )
    for line in merged.refused:
        output.say(f"left out: {line}")
    for line in merged.missing:
        output.say(f"attachment left out: {line}")
