"""`benchdb noise`: what this machine can tell, and what to do about its worst benchmarks."""

import math
from pathlib import Path
from typing import Any

import click

from pytest_benchdb.cli.frame import options
from pytest_benchdb.cli.frame.configuration import find_db
from pytest_benchdb.cli.frame.output import make_output, write_table
from pytest_benchdb.cli.frame.progress import feedback_of
from pytest_benchdb.errors import ConfigError
from pytest_benchdb.operations.history.noise import NEWEST, score_noise
from pytest_benchdb.operations.select.selection import Selection
from pytest_benchdb.operations.select.series import SeriesChoice, parse_metrics
from pytest_benchdb.operations.select.sessions import split_specs

_HELP = f"""Score the machine: how much each benchmark varies between sessions of unchanged code, and what that hides.

Record the same code ten times or more in fresh pytest runs, then ask. SPEC is a file or folder of sessions, or a
session in the database; the newest {NEWEST} sessions on the machine of the newest one are looked at.

For each benchmark: the standard deviation from session to session; the smallest slowdown that is found four times in
five (one-sided, p < 0.01) with 3, 5 and 10 sessions per side run in turn, and with one session against a history of 20;
and how many sessions per side a change of --change takes. For the worst: what makes them so, and what to do.

Example: benchdb noise results --last 20
"""


@click.command("noise", context_settings=options.CONTEXT, help=_HELP, short_help="Score this machine's noise.")
@click.argument("specs", metavar="[SPEC]...", nargs=-1)
@options.database_option
@options.run_options
@click.option(
    "--metric",
    metavar="NAMES",
    multiple=True,
    help="Metrics to score: --metric wall_time,cpu_time, or all. Default: the main time of each benchmark.",
)
@click.option("--change", metavar="PERCENT", default="5%", help="The slowdown that is to be found [5%].")
@options.session_options
@options.format_option()
@options.output_option
@options.display_options
def command(**given: Any) -> None:
    """Read, score and show."""
    output = make_output(given)
    source = split_specs(given["specs"], find_db(given["db"], Path.cwd()))
    selection = Selection(since=given["since"], until=given["until"], last=given["last"])
    choice = SeriesChoice(metrics=parse_metrics(given["metric"]), keyword=given["keyword"], where=given["where"])
    with feedback_of(output, "Reading new sessions") as feedback:
        score = score_noise(source, selection, choice, change=_share(given["change"]), feedback=feedback)
    if output.format == "table":
        from pytest_benchdb.present.history.noise import noise_lines

        output.lines(noise_lines(score, output.width, ascii_only=output.ascii_only, all_advice=output.verbose))
    else:
        from pytest_benchdb.present.history.noise import noise_table

        write_table(noise_table(score), output)
    if not score.rows:
        output.say(f"no series matches {score.selection}" if score.selection else "no benchmark has a time")


def _share(text: str) -> float:
    """Read a percentage, with its sign or without.

    Raises:
        ConfigError: it is none above 0.
    """
    try:
        share = float(text.strip().removesuffix("%")) / 100
    except ValueError:
        share = 0.0
    if not 0 < share < math.inf:
        raise ConfigError(f"--change {text}: give a percentage above 0, as in --change 5%")
    return share
