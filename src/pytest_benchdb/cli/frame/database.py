"""The option that names the database, `--db`, of the program and of each command."""

from collections.abc import Callable
from typing import Any

import click

from pytest_benchdb.cli.frame.candidates import complete_paths

VARIABLE = "BENCHDB_DB"


def db_option(text: str, *, envvar: str | None = VARIABLE) -> Callable[[Any], Any]:
    """Return a command's `--db` with this help text; that of the program goes before the variable.

    Without a variable, only the command's own counts.
    """

    def database(context: click.Context, param: click.Parameter, path: str | None) -> str | None:
        own = context.get_parameter_source(param.name or "") is click.core.ParameterSource.COMMANDLINE
        return path if own or envvar is None else context.obj or path

    return click.option(
        "-d",
        "--db",
        metavar="PATH",
        envvar=envvar,
        show_envvar=envvar is not None,
        callback=database,
        shell_complete=complete_paths,
        help=text,
    )


def group_db_option() -> click.Option:
    """Return the `--db` of a group of commands, which hands the database to the command."""

    def database(context: click.Context, _param: click.Parameter, path: str | None) -> None:
        context.obj = path or context.obj

    return click.Option(
        ["-d", "--db"],
        metavar="PATH",
        expose_value=False,
        callback=database,
        shell_complete=complete_paths,
        help="Database of the command, as with its own --db.",
    )
