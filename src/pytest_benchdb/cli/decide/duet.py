"""`benchdb duet`: run two commits or two environments in turn, and compare the results."""

from dataclasses import replace
from functools import partial
from typing import Any

import click
from click.core import ParameterSource

from pytest_benchdb.cli.decide.compare import FORMATS, ComparisonWriter, comparison_options, read_request
from pytest_benchdb.cli.decide.duet_run import DUET_DB, read_duet, run_and_compare, side_options, words_of
from pytest_benchdb.cli.decide.explanation import explain_duet_result, explain_option, explanations_of, write_explained
from pytest_benchdb.cli.frame import options
from pytest_benchdb.cli.frame.database import db_option
from pytest_benchdb.cli.frame.options import CommandWithProgram
from pytest_benchdb.cli.frame.output import make_output
from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model import exit_status
from pytest_benchdb.model.verdict import FAILING

_COUNT_METRIC = "instructions"
_PAIRS = 5
_MOST_CONFIRMS = 5

_HELP = f"""Run two commits or two environments in turn, in fresh pytest processes, and compare them.

BASE and HEAD are commits, or one range A..B, checked out into folders of their own that are removed in the end; without
HEAD, the working tree as it is. The order is A, B, B, A, A, B, ..., so that what disturbs the machine disturbs both.
Each process records into {DUET_DB}; a side is then judged by one figure for each of its sessions.

Without a command after --, it is the one that recorded the newest session, if you recorded it in this folder on this
machine; it is printed before it runs.

The package under test must be imported from each side's own folder. One that is installed in editable mode is not,
unless --pythonpath puts the folder first; a side that imported your checkout's files is an error.

With --count each side runs once under a counter, and the counts of its instructions are compared: two processes say
what no load can change. What executes more is counted again in four more processes of each side, because how memory is
laid out moves some counts by a percent. What waits is not judged by it.

The exit status is 0 whatever the verdicts are, unless --gate is given. A gate runs what looks worse in turn again, and
fails only on what repeats and chance does not explain among so many benchmarks.

Example: benchdb duet main --pythonpath src -- pytest tests/bench -k parse
"""


@click.command(
    "duet",
    cls=CommandWithProgram,
    context_settings=options.CONTEXT,
    help=_HELP,
    options_metavar="[OPTIONS]",
)
@click.argument("base", required=False)
@click.argument("head", required=False)
@click.option(
    "--pairs", metavar="N", type=click.IntRange(min=1), default=_PAIRS, help=f"Sessions of each side [{_PAIRS}]."
)
@side_options
@click.option("--module", metavar="NAME", help="Module that each side must import from its own folder.")
@db_option(f"Folder or .duckdb file that takes the sessions [{DUET_DB}].", envvar=None)
@click.option(
    "--threshold",
    "thresholds",
    metavar="LIMIT",
    multiple=True,
    help="Smallest change that counts: 5%, or for one metric 'wall_time:200us'.",
)
@click.option(
    "--count",
    "counted",
    is_flag=True,
    help="Count the instructions of each side once instead of timing it; needs no quiet machine.",
)
@click.option("--gate", is_flag=True, help="Exit with 1 if a benchmark regressed or did not pass.")
@click.option(
    "--confirm",
    metavar="N",
    type=click.IntRange(0, _MOST_CONFIRMS),
    default=1,
    help="With --gate or --count, run suspects in N further duets [1].",
)
@explain_option
@comparison_options
@click.pass_context
def command(context: click.Context, /, **params: Any) -> int:
    """Run, compare and show.

    Raises:
        ConfigError: the options do not go together, or a side cannot be run.
    """
    output = make_output(params, formats=FORMATS)
    writer, request = ComparisonWriter(params, output), read_request(params)
    confirms = params["confirm"] if params["gate"] or params["counted"] else None
    if params["counted"]:
        if context.get_parameter_source("pairs") is not ParameterSource.DEFAULT:
            raise ConfigError("--count runs each side once, so leave --pairs out")
        params["pairs"] = 1
        request = replace(request, metrics=request.metrics or (_COUNT_METRIC,))
    duet = read_duet(params, words_of(context, output))
    comparison = run_and_compare(duet, request, output, confirms=confirms)
    explain = partial(explain_duet_result, comparison, duet, params, output)
    together = output.format in {"json", "html"}  # one document holds both
    explained = explain() if together else None
    status = writer.write((comparison,), output, explanations_of(explained, params), explained)
    write_explained(explained if together else explain(), params, output)
    if params["gate"] and any(row.judgement.verdict in FAILING for row in comparison.rows):
        return exit_status.GATE_FAILED
    return status
