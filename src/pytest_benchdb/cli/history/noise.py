"""`benchdb noise`: the changes that this machine can show, and how to improve its worst benchmarks."""

import click

from pytest_benchdb.cli.decide.pages import HTML, check_page
from pytest_benchdb.cli.frame import options
from pytest_benchdb.cli.frame.command import Call, reading_command
from pytest_benchdb.cli.frame.options import parse_share
from pytest_benchdb.cli.frame.output import write_answer
from pytest_benchdb.operations.history.noise import NEWEST, score_noise
from pytest_benchdb.present.history.noise import noise_lines, noise_table

_FORMATS = ("table", "md", "html", "json", "csv")

_HELP = f"""Score the machine: how much each benchmark varies between sessions of unchanged code, and what that hides.

Record the same code ten times or more in fresh pytest runs, then ask. SPEC is a file or folder of sessions, or a
session in the database; the newest {NEWEST} sessions on the machine of the newest one are read.

For each benchmark: the standard deviation from session to session; the smallest slowdown that is found four times in
five (one-sided, p < 0.01) with 3, 5 and 10 sessions per side run in turn, and with one session against a history of 20;
and how many sessions per side a change of --change takes. For the worst: what makes them so, and what to do.

Example: benchdb noise results --last 20
"""


@reading_command(
    "noise",
    _HELP,
    options.specs_argument,
    options.run_options,
    options.metric_option(
        "Metrics to score: --metric wall_time,cpu_time, or all. Default: the main time of each benchmark."
    ),
    click.option("--change", metavar="PERCENT", default="5%", help="The slowdown that is to be found [5%]."),
    options.session_options,
    formats=_FORMATS,
)
def command(call: Call) -> None:
    """Read, score and show."""
    check_page(call.output)
    selection, change = call.selection(call.params["specs"]), parse_share(call.params["change"], "--change")
    with call.reading() as feedback:
        score = score_noise(selection, change=change, feedback=feedback)
    if call.output.format == HTML:
        from pytest_benchdb.present.decisions.noise import noise_html

        call.output.text(noise_html(score))
    else:
        write_answer(score, noise_lines, noise_table, call.output)
    if not score.rows:
        call.output.say(f"no series matches {score.selection}" if score.selection else "no benchmark has a time")
