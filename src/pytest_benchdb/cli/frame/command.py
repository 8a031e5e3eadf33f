"""The decorator for commands that read results: common options, and the `Call` passed to each command."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import click

from pytest_benchdb.cli.frame import options
from pytest_benchdb.cli.frame.output import FORMATS, command_feedback, make_output
from pytest_benchdb.cli.frame.project import find_db
from pytest_benchdb.operations.exchange.open import Feedback
from pytest_benchdb.operations.select.selection import Selection, make_selection
from pytest_benchdb.operations.select.series import parse_metrics

_FILTERS = ("keyword", "where", "since", "until", "last")


class Call:
    """One call of a command.

    Attributes:
        params: values of its options and arguments, by name.
        output: where and how it writes.
    """

    def __init__(self, params: Mapping[str, Any], formats: tuple[str, ...] = FORMATS) -> None:
        """Check the output options first, so that a mistake ends the command before any work."""
        self.params = params
        self.output = make_output(params, formats=formats)

    @property
    def database(self) -> Path:
        """The database to read, from `--db` or the configuration."""
        return find_db(self.params["db"], Path.cwd())

    @property
    def named_path(self) -> Path:
        """The command's argument PATH, or else the database."""
        return Path(self.params["path"]) if self.params["path"] else self.database

    def selection(
        self, specs: Sequence[str] = (), *, sessions: Sequence[str] = (), benchmarks: bool = False
    ) -> Selection:
        """Return what the options select; filters that the command lacks are not applied.

        Args:
            specs: SPECs of paths and sessions.
            sessions: session names, never taken for paths.
            benchmarks: whether SPECs may be names of benchmarks, which look like paths.

        Raises:
            ConfigError: a SPEC, a metric name or the project's configuration is not valid.
            StoreMissingError: a path does not exist.
        """
        filters = {name: self.params.get(name) for name in _FILTERS}
        metrics = parse_metrics(self.params.get("metric") or ())
        if benchmarks:
            sessions = [*sessions, *(spec for spec in specs if "::" in spec)]
            specs = [spec for spec in specs if "::" not in spec]
        return make_selection(specs, self.database, sessions=sessions, metrics=metrics, **filters)

    def reading(self) -> AbstractContextManager[Feedback]:
        """Return a context manager that yields feedback with a progress bar and warnings, for reading sessions."""
        return command_feedback(self.output, "Reading new sessions")


def reading_command(
    name: str,
    text: str,
    *parameters: Callable[[Any], Any],
    short_help: str | None = None,
    formats: tuple[str, ...] = FORMATS,
    display: Callable[[Any], Any] = options.display_options,
) -> Callable[[Callable[[Call], int | None]], click.Command]:
    """Return a decorator that turns a function into a command.

    Args:
        name: of the command.
        text: its help text.
        parameters: its arguments and options, in addition to `--db`, `-f`, `-o` and the display options.
        short_help: its line in the help of its group; None for a command of the program, whose line is in `main`.
        formats: formats of `-f`; the first is the default.
        display: the options of how it is shown.
    """

    def decorate(function: Callable[[Call], int | None]) -> click.Command:
        def callback(**params: Any) -> int | None:
            return function(Call(params, formats))

        common = (options.format_option(formats), options.output_option, display)
        decorated = options.combine(options.database_option, *parameters, *common)(callback)
        return click.command(name, context_settings=options.CONTEXT, help=text, short_help=short_help)(decorated)

    return decorate
