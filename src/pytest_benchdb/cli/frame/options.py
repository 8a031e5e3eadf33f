"""Options that commands share, and commands that take another command after ``--``."""

import math
from collections.abc import Callable
from typing import Any

import click

from pytest_benchdb.cli.frame.candidates import complete_metrics, complete_paths, complete_specs
from pytest_benchdb.cli.frame.database import db_option
from pytest_benchdb.cli.frame.output import FORMATS
from pytest_benchdb.errors import ConfigError

CONTEXT = {"help_option_names": ["-h", "--help"]}
_KEY = "pytest_benchdb.passthrough_args"
_ALL = "pytest_benchdb.all_args"


def combine(*decorators: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Combine decorators into one; the help lists the options in this order."""

    def decorate(function: Any) -> Any:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


database_option = db_option(
    "Folder of sessions or .duckdb file to read. Default: [tool.benchdb] db of pyproject.toml, then .benchdb."
)

session_options = combine(
    click.option(
        "--since", metavar="WHEN", help="Only sessions from this local time on: 2026-11-21, 2026-11-21T08:00, 7d."
    ),
    click.option("--until", metavar="WHEN", help="Only sessions up to this local time, or to the end of this day."),
    click.option("--last", metavar="N", type=click.IntRange(min=1), help="Only the newest N sessions."),
)

run_options = combine(
    click.option(
        "-k",
        "keyword",
        metavar="EXPR",
        help="Only benchmarks whose full name matches, as with pytest: -k 'sort and not slow'.",
    ),
    click.option(
        "-w",
        "--where",
        metavar="FILTER",
        help="Only runs that match: -w 'backend=cuda model=bert* outcome!=passed metric=time'.",
    ),
)

specs_argument = click.argument("specs", metavar="[SPEC]...", nargs=-1, shell_complete=complete_specs)

output_option = click.option(
    "-o", "--output", metavar="FILE", shell_complete=complete_paths, help="Write to FILE; its suffix sets the format."
)

progress_options = combine(
    click.option("-q", "--quiet", is_flag=True, help="Print only the data."),
    click.option("-v", "--verbose", is_flag=True, help="Say more."),
    click.option("--no-progress", is_flag=True, help="Show no progress bars."),
)

display_options = combine(
    click.option("--width", metavar="N", type=click.IntRange(min=1), help="Width of tables. Default: the terminal's."),
    click.option(
        "--color",
        type=click.Choice(["auto", "always", "never"]),
        default="auto",
        show_default=False,
        help="Colour; auto asks the terminal, NO_COLOR and FORCE_COLOR.",
    ),
    progress_options,
)


normalize_option = click.option(
    "--normalize-by",
    metavar="BENCHMARK",
    help="Divide the times of each session by its time of this benchmark, to take out the speed of the machine.",
)


def metric_option(text: str) -> Callable[[Any], Any]:
    """Return a repeatable `--metric` option with this help text."""
    return click.option("--metric", metavar="NAMES", multiple=True, shell_complete=complete_metrics, help=text)


def format_option(formats: tuple[str, ...] = FORMATS) -> Callable[[Any], Any]:
    """Return `-f` for a command's formats; the first is the default."""
    text = f"Format of the data. Default: by the suffix of -o, else {formats[0]}."
    return click.option("-f", "--format", type=click.Choice(formats), help=text)


class CommandWithProgram(click.Command):
    """A command that keeps the arguments after the first ``--``: `benchdb duet main -- pytest tests`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Set the arguments after ``--`` aside for `passthrough_args`, and parse the rest."""
        words: list[str] | None = None
        ctx.meta[_ALL] = list(args)
        if "--" in args:
            at = args.index("--")
            args, words = args[:at], args[at + 1 :]
        ctx.meta[_KEY] = words
        return super().parse_args(ctx, args)


def passthrough_args(context: click.Context) -> list[str] | None:
    """Return the arguments after ``--``; None without ``--``."""
    words: list[str] | None = context.meta.get(_KEY)
    return words


def all_args(context: click.Context) -> list[str]:
    """Return the arguments of a `CommandWithProgram` as they were given, those after ``--`` included."""
    words: list[str] = context.meta[_ALL]
    return words


def parse_tag(text: str) -> tuple[str, str]:
    """Parse ``K=V``.

    Raises:
        ConfigError: it is not of this form.
    """
    key, equals, value = text.partition("=")
    if not key.strip() or not equals:
        raise ConfigError(f"--tag {text!r}: write K=V, as in --tag machine=ci")
    return key.strip(), value.strip()


def parse_share(text: str, option: str) -> float:
    """Parse a percentage, with or without its sign.

    Raises:
        ConfigError: it is not a number above 0.
    """
    try:
        share = float(text.strip().removesuffix("%")) / 100
    except ValueError:
        share = 0.0
    if not 0 < share < math.inf:
        raise ConfigError(f"{option} {text}: give a percentage above 0, as in {option} 5%")
    return share
