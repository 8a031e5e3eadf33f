"""Run a duet from a command's options, with progress."""

import contextlib
import os
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click

from pytest_benchdb.cli.frame.database import VARIABLE as DB_VARIABLE
from pytest_benchdb.cli.frame.failure import ended_like_an_interrupt
from pytest_benchdb.cli.frame.options import passthrough_args
from pytest_benchdb.cli.frame.output import Output, progress_bar
from pytest_benchdb.cli.frame.project import find_db
from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.comparison import Comparison
from pytest_benchdb.operations.compare.run import CompareRequest
from pytest_benchdb.operations.duet.confirm import confirm_duet
from pytest_benchdb.operations.duet.plan import RECOUNT_PAIRS, Duet, SideRequest
from pytest_benchdb.operations.duet.recorded import recorded_words
from pytest_benchdb.operations.duet.run import compare_duet, run_duet
from pytest_benchdb.operations.exchange.open import Feedback
from pytest_benchdb.operations.pytest_run import split_command
from pytest_benchdb.operations.select.spec.syntax import home_path

DUET_DB = ".benchdb-duet"
"""Apart from the history, because duet sessions are not records of the newest commit."""

_EXAMPLE = "benchdb duet main -- pytest tests/bench"

Function = TypeVar("Function", bound=Callable[..., Any])


def side_options(function: Function) -> Function:
    """Add the options that say how pytest runs on each side of a duet; `read_duet` reads them."""
    for option in reversed(
        (
            click.option("--base-python", metavar="PATH", help="Python that runs pytest for the base."),
            click.option("--head-python", metavar="PATH", help="Python that runs pytest for the head."),
            click.option(
                "--base-command", metavar="TEXT", help="Command that replaces pytest for the base: 'uv run pytest'."
            ),
            click.option("--head-command", metavar="TEXT", help="Command that replaces pytest for the head."),
            click.option(
                "--pythonpath",
                metavar="DIR",
                multiple=True,
                help="Folder of each side that Python looks into first, relative to the working folder: src. "
                "May be repeated.",
            ),
        )
    ):
        function = option(function)
    return function


def read_duet(params: Mapping[str, Any], words: Sequence[str] | None) -> Duet:
    """Return the duet for the options `base`, `head`, `pairs`, `base_python` and so on; only `pairs` is required.

    Raises:
        ConfigError: there is nothing to run, or the sides are the same.
    """
    own, arguments = split_command(words or (), _EXAMPLE)
    base, head = _commits(params.get("base"), params.get("head"))
    programs = {place: _program(place, params, own) for place in ("base", "head")}
    if base is None and programs["base"] == programs["head"]:
        raise ConfigError("both sides are the same: name a commit, or --base-python and --head-python")
    named = programs["base"] != programs["head"]
    return Duet(
        base=SideRequest(commit=base, program=programs["base"], name=_name("base", params) if named else None),
        head=SideRequest(commit=head, program=programs["head"], name=_name("head", params) if named else None),
        arguments=arguments,
        pairs=params["pairs"],
        database=home_path(params.get("db") or DUET_DB),
        pythonpath=tuple(params.get("pythonpath") or ()),
        module=params.get("module"),
        counted=bool(params.get("counted")),
    )


def words_of(context: click.Context, output: Output) -> list[str] | None:
    """Return the command after ``--``, else the one by which this user recorded the newest session here.

    Raises:
        ConfigError: there is no such session, or its command cannot be run again.
        StoreError: the database cannot be read.
    """
    words = passthrough_args(context)
    if words is not None:
        return words
    recorded = recorded_words(find_db(context.obj or os.environ.get(DB_VARIABLE), Path.cwd()), Path.cwd(), _EXAMPLE)
    output.say(f"running as recorded: {shlex.join(recorded)}")
    return recorded


def run_and_compare(duet: Duet, request: CompareRequest, output: Output, *, confirms: int | None = None) -> Comparison:
    """Run a duet, with a progress bar on a terminal or else a line per run, and compare its sides.

    Args:
        duet: what to run.
        request: what to compare.
        output: for progress.
        confirms: how many further duets must repeat a regression, corrected for the number of benchmarks; None for no
            gate.

    Raises:
        ConfigError: a side cannot be run, or the request is not valid.
        StoreError: the sessions cannot be read back.
    """
    with run_feedback("Running", output) as feedback:

        def run(only: Sequence[str] = ()) -> Comparison:
            further = replace(duet, pairs=RECOUNT_PAIRS) if only and duet.counted else duet
            return compare_duet(further, run_duet(further, Path.cwd(), os.environ, feedback, only=only), request)

        return run() if confirms is None else confirm_duet(run(), confirms, run, output.say)


@contextlib.contextmanager
def run_feedback(title: str, output: Output) -> Iterator[Feedback]:
    """Yield feedback with a progress bar on a terminal, or else a line per run; SIGTERM ends the block like Ctrl-C."""
    with ended_like_an_interrupt(), progress_bar(title, shown=output.progress) as progress:

        def say_progress(done: int, total: int) -> None:
            if done:
                output.say(f"run {done} of {total} done")

        yield Feedback(progress=progress or say_progress, warn=output.say)


def _commits(base: str | None, head: str | None) -> tuple[str | None, str | None]:
    """Return the commits of both sides; a range ``A..B`` as the base names both, and ``A..`` the working tree."""
    first, dots, last = (base or "").partition("..")
    if head is not None or not first or not dots:
        return base, head
    if last.startswith("."):
        raise ConfigError(f"{base}: a duet runs two commits; write {first}..{last[1:]}, or name the merge base")
    return first, last or None


def _program(place: str, params: Mapping[str, Any], own: Sequence[str]) -> tuple[str, ...]:
    """Return the words that replace `pytest` on a side."""
    python, text = params.get(f"{place}_python"), params.get(f"{place}_command")
    if python and text:
        raise ConfigError(f"--{place}-python and --{place}-command both say how to run pytest; give one of them")
    if (python or text) and list(own) != ["pytest"]:
        raise ConfigError(f"-- {shlex.join(own)}: write pytest here; --{place}-python or --{place}-command replaces it")
    if text:
        first, *rest = _split(text, f"--{place}-command")
    elif python or list(own) == ["pytest"]:
        first, rest = python or sys.executable, ["-m", "pytest"]
    else:
        first, *rest = own
    return (_absolute(first), *rest)


def _absolute(program: str) -> str:
    """Make a program's path absolute without resolving links: a virtual environment's Python is a link."""
    path = home_path(program)
    return str(path.absolute()) if path.name != program else program


def _split(text: str, option: str) -> list[str]:
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise ConfigError(f"{option} {text!r}: {error}") from error
    if not words:
        raise ConfigError(f"{option} is empty; give a command such as 'uv run pytest'")
    return words


def _name(place: str, params: Mapping[str, Any]) -> str:
    return params.get(f"{place}_python") or params.get(f"{place}_command") or "this Python"
