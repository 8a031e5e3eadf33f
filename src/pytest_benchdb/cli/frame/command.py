"""The skeleton of commands that read: their common options, and what each call of one has."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import click

from pytest_benchdb.cli.frame import options
from pytest_benchdb.cli.frame.options import find_db
from pytest_benchdb.cli.frame.output import FORMATS, command_feedback, make_output
from pytest_benchdb.operations.exchange.open import Feedback
from pytest_benchdb.operations.select.selection import Selection, make_selection
from pytest_benchdb.operations.select.series import parse_metrics

_FILTERS = ("keyword", "where", "since", "until", "last")


class Call:
    """One call of a command.

    Attributes:
        given: values of its options and arguments, by name.
        output: where and how it writes.
    """

    def __init__(self, params: Mapping[str, Any], formats: tuple[str, ...] = FORMATS) -> None:
        """Read how to write; a mistake in that ends the command before it works."""
        self.params = params
        self.output = make_output(params, formats=formats)

    @property
    def database(self) -> Path:
        """The database to read: of `--db`, or of the configuration."""
        return find_db(self.params["db"], Path.cwd())

    def selection(self, specs: Sequence[str] = (), *, sessions: Sequence[str] = ()) -> Selection:
        """Return what the options select; those that the command does not have select nothing away.

        Args:
            specs: of paths and sessions.
            sessions: names of sessions, whatever they look like.

        Raises:
            ConfigError: a SPEC, a name of a metric or the project's configuration cannot be used.
            StoreMissingError: a path does not exist.
        """
        filters = {name: self.params.get(name) for name in _FILTERS}
        metrics = parse_metrics(self.params.get("metric") or ())
        return make_selection(specs, self.database, sessions=sessions, metrics=metrics, **filters)

    def reading(self) -> AbstractContextManager[Feedback]:
        """Return a block in which sessions are read, with a progress bar and warnings."""
        return command_feedback(self.output, "Reading new sessions")


def reading_command(
    name: str,
    text: str,
    *parameters: Callable[[Any], Any],
    short_help: str,
    formats: tuple[str, ...] = FORMATS,
) -> Callable[[Callable[[Call], int | None]], click.Command]:
    """Return a decorator that makes a command of a function.

    Args:
        name: of the command.
        text: of its help.
        parameters: its arguments and options beside `--db`, `-f`, `-o` and those of the display.
        short_help: its line in the help of the program.
        formats: the first one is the default.
    """

    def decorate(function: Callable[[Call], int | None]) -> click.Command:
        def callback(**params: Any) -> int | None:
            return function(Call(params, formats))

        common = (options.format_option(formats), options.output_option, options.display_options)
        decorated = options.combine(options.database_option, *parameters, *common)(callback)
        return click.command(name, context_settings=options.CONTEXT, help=text, short_help=short_help)(decorated)

    return decorate
