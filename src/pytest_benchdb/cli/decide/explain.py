"""`benchdb explain`: which functions make a benchmark slower, or which lines hold more memory."""

import os
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from pytest_benchdb.cli.decide.duet_run import DUET_DB, read_duet, run_feedback, side_options, words_of
from pytest_benchdb.cli.frame import options
from pytest_benchdb.cli.frame.candidates import complete_specs
from pytest_benchdb.cli.frame.database import db_option
from pytest_benchdb.cli.frame.options import CommandWithProgram, passthrough_args
from pytest_benchdb.cli.frame.output import Output, make_output
from pytest_benchdb.cli.frame.project import find_db
from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.answer.explanation import Explanations
from pytest_benchdb.operations.exchange.open import Feedback
from pytest_benchdb.operations.explain.run import (
    INSTRUCTIONS,
    ExplainRequest,
    explain_by_running,
    explain_recorded,
    explained_metric,
)

FORMATS = ("table", "md", "json", "html")

_HELP = f"""Show which functions make a benchmark slower, or which lines hold more memory.

BASE and HEAD are commits, or one range A..B; without HEAD, the working tree as it is. Both are checked out into folders
of their own, which are removed in the end, and run once with --benchdb-passes profile: it counts every instruction of
Python's bytecode and every call, so the answer is the same on a loaded machine. It is recorded into {DUET_DB}. If both
are sessions of the history that have profiles already, nothing is run.

The function that is named is the one whose own change costs most: what it executes itself, and what it calls more often
than before. Inherited cost is not a cause. C functions count as calls there; with valgrind, --native counts what they
do inside. Waiting, input and output, and the processor's caches are not seen.

With --metric python_peak (or memory), the lines that hold more when one call holds most memory: each side is run with
the allocations pass, by tracemalloc. With --metric native_peak, native allocations are included, by memray.

With --files DIR, the flame graph of the difference and the profiles of both sides are written for other tools:
collapsed stacks, speedscope, callgrind.

Example: benchdb explain main -k parse --pythonpath src -- pytest tests/bench
"""


@click.command(
    "explain",
    cls=CommandWithProgram,
    context_settings=options.CONTEXT,
    help=_HELP,
    options_metavar="[OPTIONS]",
)
@click.argument("base", required=False, shell_complete=complete_specs)
@click.argument("head", required=False, shell_complete=complete_specs)
@click.option("-k", "keyword", metavar="EXPR", help="Only benchmarks whose full name matches, as with pytest.")
@click.option(
    "--metric",
    metavar="NAME",
    default=INSTRUCTIONS,
    help=f"What to explain: {INSTRUCTIONS}, python_peak (memory), or native_peak, by memray [{INSTRUCTIONS}].",
)
@click.option("--files", metavar="DIR", help="Write flame graphs, and profiles for other tools, into DIR.")
@click.option(
    "--native/--no-native",
    default=None,
    help="Count native functions under valgrind too. Default: where -k names benchmarks that Python does not explain.",
)
@side_options
@db_option(f"Folder or .duckdb file that takes the sessions [{DUET_DB}].", envvar=None)
@options.format_option(FORMATS)
@options.output_option
@options.display_options
@click.pass_context
def command(context: click.Context, /, **params: Any) -> None:
    """Find or record the profiles, and show what differs.

    Raises:
        ConfigError: no base is named.
    """
    output = make_output(params, formats=FORMATS)
    if not params["base"]:
        raise ConfigError("name the base: benchdb explain BASE [HEAD] -- pytest ARGS")
    explanations = _explanations(context, params, output)
    write_explanations(explanations, output)
    if params["files"]:
        _write_files(explanations, Path(params["files"]), output)


def _request(params: Mapping[str, Any]) -> ExplainRequest:
    metric = explained_metric(params["metric"])
    if metric != INSTRUCTIONS:
        for option in ("native", "files"):
            if params[option]:
                raise ConfigError(f"--{option} explains {INSTRUCTIONS}; leave it out with --metric {params['metric']}")
    own_python = not params["base_python"] and not params["base_command"]
    if metric == "native_peak" and own_python and find_spec("memray") is None:
        raise ConfigError("--metric native_peak takes memray: pip install 'pytest-benchdb[memray]'")
    return ExplainRequest(metric=metric, keyword=params["keyword"], native=params["native"])


def _explanations(context: click.Context, params: Mapping[str, Any], output: Output) -> Explanations:
    request = _request(params)
    if passthrough_args(context) is None and params["head"]:
        feedback = Feedback(warn=output.say)
        db = find_db(params["db"] or context.obj, Path.cwd())
        recorded = explain_recorded(db, params["base"], params["head"], request, feedback)
        if recorded is not None:
            return recorded
    duet = read_duet({**params, "pairs": 1}, words_of(context, output))
    with run_feedback("Counting", output) as feedback:
        return explain_by_running(duet, request, Path.cwd(), os.environ, feedback)


def write_explanations(explanations: Explanations, output: Output) -> None:
    """Write explanations in the format of a command's output."""
    from pytest_benchdb.present.explain.page import explanation_html, explanation_json, explanation_markdown
    from pytest_benchdb.present.explain.text import explanation_lines

    if output.format == "table":
        output.lines(explanation_lines(explanations, output.width, ascii_only=output.ascii_only))
        return
    write = {"md": explanation_markdown, "json": explanation_json, "html": explanation_html}[output.format]
    output.text(write(explanations))


def _write_files(explanations: Explanations, folder: Path, output: Output) -> None:
    from pytest_benchdb.operations.explain.files import write_files

    count = write_files(explanations, folder)
    output.say(f"wrote {count} files into {folder}")
