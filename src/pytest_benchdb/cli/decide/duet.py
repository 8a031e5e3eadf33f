"""`benchdb duet`: run two commits or two environments in turn, and compare what they measured.

Runs a duet for a command: what its words mean, and how its progress is shown.
"""

import contextlib
import os
import shlex
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import click

from pytest_benchdb.cli.decide.ci_outputs import ci_options
from pytest_benchdb.cli.decide.compare import FORMATS, Show, choice_of
from pytest_benchdb.cli.frame import exit_codes, options
from pytest_benchdb.cli.frame.options import CommandWithProgram, words_after_dashes
from pytest_benchdb.cli.frame.output import Output, make_output
from pytest_benchdb.cli.frame.progress import progress_bar
from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.comparison import Comparison
from pytest_benchdb.operations.compare.judge import Choice
from pytest_benchdb.operations.duet.plan import Duet, SideChoice
from pytest_benchdb.operations.duet.run import compare_played, play
from pytest_benchdb.operations.exchange.open import Feedback
from pytest_benchdb.present.verdicts.words import ORDERS

DUET_DB = ".benchdb-duet"
"""Not the history: what was run to compare two commits is no record of the newest one."""

_PYTEST = frozenset({"pytest", "py.test"})


def duet_of(given: Mapping[str, Any], words: Sequence[str] | None) -> Duet:
    """Return the duet that options ask for: `base`, `head`, `pairs`, `base_python` and so on, all but `pairs` optional.

    Raises:
        ConfigError: what to run is not said, or the sides are the same.
    """
    if not words:
        raise ConfigError("say what to run after --, for example: benchdb duet main -- pytest tests/bench")
    base, head = given.get("base"), given.get("head")
    at = next((at for at, word in enumerate(words) if Path(word).name in _PYTEST), None)
    if at is None:
        raise ConfigError(f"-- {shlex.join(words)}: this runs no pytest; write: -- pytest {shlex.join(words)}")
    own = words[: at + 1]
    programs = {place: _program(place, given, own) for place in ("base", "head")}
    if base is None and programs["base"] == programs["head"]:
        raise ConfigError("both sides are the same: name a commit, or --base-python and --head-python")
    named = programs["base"] != programs["head"]
    return Duet(
        base=SideChoice(commit=base, program=programs["base"], name=_name("base", given) if named else None),
        head=SideChoice(commit=head, program=programs["head"], name=_name("head", given) if named else None),
        arguments=tuple(words[at + 1 :]),
        pairs=given["pairs"],
        database=Path(given.get("db") or DUET_DB).expanduser(),
        pythonpath=tuple(given.get("pythonpath") or ()),
        module=given.get("module"),
    )


def compared_in_turn(duet: Duet, choice: Choice, output: Output) -> Comparison:
    """Run a duet, with a progress bar on a terminal and a line for each run elsewhere, and compare its sides.

    Raises:
        ConfigError: a side cannot be run, or the choice cannot be used.
        StoreError: the sessions cannot be read back.
    """
    with _ended_like_an_interrupt(), progress_bar("Running", shown=output.progress) as progress:

        def say_progress(done: int, total: int) -> None:
            if done:
                output.say(f"run {done} of {total} done")

        feedback = Feedback(progress=progress or say_progress, warn=output.say)
        played = play(duet, Path.cwd(), os.environ, feedback)
    return compare_played(duet, played, choice)


def _program(place: str, given: Mapping[str, Any], own: Sequence[str]) -> tuple[str, ...]:
    """Return what stands for `pytest` on a side.

    Raises:
        ConfigError: it is said twice, or there is nothing to stand for.
    """
    python, text = given.get(f"{place}_python"), given.get(f"{place}_command")
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
    return (_found_from_here(first), *rest)


def _found_from_here(program: str) -> str:
    """Return the program as it is found from any folder; links stay, because a virtual environment is one."""
    path = Path(program).expanduser()
    return str(path.absolute()) if path.name != program else program


def _split(text: str, option: str) -> list[str]:
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise ConfigError(f"{option} {text!r}: {error}") from error
    if not words:
        raise ConfigError(f"{option} is empty; give a command such as 'uv run pytest'")
    return words


def _name(place: str, given: Mapping[str, Any]) -> str:
    return given.get(f"{place}_python") or given.get(f"{place}_command") or "this Python"


@contextlib.contextmanager
def _ended_like_an_interrupt() -> Iterator[None]:
    """Take SIGTERM for Ctrl-C, so that what was checked out is removed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


_PAIRS = 5
_FAILS = frozenset({"regressed", "error"})

_HELP = f"""Run two commits or two environments in turn, in fresh pytest processes, and compare them.

BASE and HEAD are commits, checked out into folders of their own that are removed in the end; without HEAD, the working
tree as it is. The order is A, B, B, A, A, B, ..., so that what disturbs the machine disturbs both. Each process records
into {DUET_DB}; a side is then judged by one figure for each of its sessions.

The package under test must be imported from each side's own folder. One that is installed in editable mode is not,
unless --pythonpath puts the folder first; a side that imported your checkout's files is an error.

The exit status is 0 whatever the verdicts are, unless --gate asks for another.

Example: benchdb duet main --pythonpath src -- pytest tests/bench -k parse
"""


@click.command(
    "duet",
    cls=CommandWithProgram,
    context_settings=options.CONTEXT,
    help=_HELP,
    short_help="Run two commits or environments in turn, and compare them.",
    options_metavar="[OPTIONS]",
)
@click.argument("base", required=False)
@click.argument("head", required=False)
@click.option(
    "--pairs", metavar="N", type=click.IntRange(min=1), default=_PAIRS, help=f"Sessions of each side [{_PAIRS}]."
)
@click.option("--base-python", metavar="PATH", help="Python that runs pytest for the base.")
@click.option("--head-python", metavar="PATH", help="Python that runs pytest for the head.")
@click.option("--base-command", metavar="TEXT", help="Command that stands for pytest for the base: 'uv run pytest'.")
@click.option("--head-command", metavar="TEXT", help="Command that stands for pytest for the head.")
@click.option(
    "--pythonpath",
    metavar="DIR",
    multiple=True,
    help="Folder of each side that Python looks into first, relative to the working folder: src. May be repeated.",
)
@click.option("--module", metavar="NAME", help="Module that each side must import from its own folder.")
@click.option("--db", metavar="PATH", help=f"Folder or .duckdb file that takes the sessions [{DUET_DB}].")
@click.option(
    "--metric", "metrics", metavar="NAME", multiple=True, help="What to compare; may be repeated. Default: wall_time."
)
@click.option(
    "--threshold",
    "thresholds",
    metavar="LIMIT",
    multiple=True,
    help="Smallest change that counts: 5%, or for one metric 'wall_time:200us'.",
)
@click.option("--gate", is_flag=True, help="Exit with 1 if a benchmark regressed or did not pass.")
@click.option("--only-changed", is_flag=True, help="Leave out what did not change or is not sure to have.")
@click.option("--sort", "order", type=click.Choice(ORDERS), help="Order within groups. Default: as recorded.")
@options.format_option(FORMATS)
@options.output_option
@ci_options
@options.display_options
@click.pass_context
def command(context: click.Context, /, **given: Any) -> int:
    """Run, compare and show."""
    output = make_output(given, formats=FORMATS)
    show, choice = Show(given), choice_of(given)
    comparison = compared_in_turn(duet_of(given, words_after_dashes(context)), choice, output)
    status = show.comparisons((comparison,), output)
    if given["gate"] and any(row.judgement.verdict in _FAILS for row in comparison.rows):
        return exit_codes.GATE_FAILED
    return status
