"""`benchdb count`: run a suite once under a counter of instructions, and record the session."""

import os
import shlex
from pathlib import Path
from typing import Any

import click

from pytest_benchdb.cli.frame import options
from pytest_benchdb.cli.frame.database import VARIABLE, db_option
from pytest_benchdb.cli.frame.failure import ended_like_an_interrupt
from pytest_benchdb.cli.frame.options import CommandWithProgram, passthrough_args
from pytest_benchdb.cli.frame.output import make_output, write_answer
from pytest_benchdb.cli.frame.project import find_db
from pytest_benchdb.errors import BackendUnavailableError, ConfigError
from pytest_benchdb.model import exit_status
from pytest_benchdb.operations.count.run import CountRequest, count_suite
from pytest_benchdb.operations.count.wrap import METHODS
from pytest_benchdb.operations.pytest_run import parse_suite
from pytest_benchdb.present.counts import count_lines, count_table

_EXAMPLE = "benchdb count -- pytest tests/bench"
_HELP = f"""Run a suite once and count the instructions of each benchmark, instead of timing it.

A count does not depend on the machine's load, clock or neighbours, so it shows changes of 1 % where times cannot. It
sees nothing of waiting, input and output and caches: a benchmark that does not compute most of its time is marked.

The processor's own counters are used where the kernel gives them; else pytest runs under valgrind, some ten times
slower to start and fifty times slower in what is counted. The session has its own fingerprint: counts are compared with
counts of the same method, CPU features and Python only.

Example: {_EXAMPLE}
"""


@click.command(
    "count", cls=CommandWithProgram, context_settings=options.CONTEXT, help=_HELP, options_metavar="[OPTIONS]"
)
@click.option("-k", "keyword", metavar="EXPR", help="Only benchmarks that match, as pytest's -k.")
@click.option("--cache", is_flag=True, help="Simulate caches too: l1_misses and ll_misses, by callgrind only.")
@click.option(
    "--method",
    type=click.Choice(METHODS),
    default="auto",
    help="How to count: the hardware's counters, callgrind, or auto, which takes the first that there is [auto].",
)
@click.option("--label", metavar="TEXT", help="Name the session.")
@db_option("Folder or .duckdb file that takes the session. Default: as for reading.")
@options.format_option()
@options.output_option
@options.display_options
@click.pass_context
def command(context: click.Context, /, **params: Any) -> int:
    """Run, record and show.

    Raises:
        ConfigError: there is nothing to run, or nothing can count here.
        StoreError: the session cannot be read back.
    """
    output = make_output(params)
    words = passthrough_args(context)
    if not words:
        raise ConfigError(f"say what to run after --, for example: {_EXAMPLE}")
    suite = parse_suite(words, Path.cwd())
    keyword = () if params["keyword"] is None else ("-k", params["keyword"])
    label = () if params["label"] is None else (f"--benchdb-label={params['label']}",)
    request = CountRequest(
        suite=suite,
        database=find_db(params.get("db") or context.obj or os.environ.get(VARIABLE), Path.cwd()),
        method=params["method"],
        cache=params["cache"],
        options=(*keyword, *label),
    )
    output.say(f"counting: {shlex.join(words)}")
    with ended_like_an_interrupt():
        try:
            counts = count_suite(request, os.environ)
        except BackendUnavailableError as error:
            raise ConfigError(str(error)) from error
    if counts.exit_status != 0:
        for line in counts.output:
            output.say(f"  {line}")
    write_answer(counts, count_lines, count_table, output)
    if counts.exit_status == 2:  # noqa: PLR2004 - pytest's for an interruption
        return exit_status.INTERRUPTED
    return exit_status.FINE
