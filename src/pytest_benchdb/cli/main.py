"""The program `benchdb` and the console scripts of single commands."""

from collections.abc import Iterator, MutableMapping
from importlib import import_module
from typing import NoReturn

import click

from pytest_benchdb import __version__
from pytest_benchdb.cli.frame.failure import run

_MODULES = {
    "report": "read.report",
    "compare": "decide.compare",
    "regress": "decide.regress",
    "trend": "history.trend",
    "noise": "history.noise",
    "duet": "decide.duet",
    "correlate": "history.correlate",
    "predict": "history.predict",
    "baseline": "upkeep.baseline",
    "accept": "upkeep.accept",
    "note": "upkeep.note",
    "import": "upkeep.import_",
    "sessions": "read.sessions",
    "show": "read.show",
    "query": "read.query",
    "env": "read.env",
    "schema": "read.schema",
    "merge": "upkeep.merge",
    "recover": "upkeep.recover",
    "peaks": "upkeep.peaks",
    "doctor": "upkeep.doctor",
}


class LazyCommands(MutableMapping[str, click.Command]):
    """The commands of a group by name; each module is imported when its command is looked up."""

    def __init__(self, modules: dict[str, str]) -> None:
        """Take the module of each command, relative to `pytest_benchdb.cli`, in listing order."""
        self._modules = modules
        self._loaded: dict[str, click.Command] = {}

    def __getitem__(self, name: str) -> click.Command:
        if name not in self._loaded:
            self._loaded[name] = import_module(f"pytest_benchdb.cli.{self._modules[name]}").command
        return self._loaded[name]

    def __setitem__(self, name: str, command: click.Command) -> None:
        self._modules.setdefault(name, name)
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        del self._modules[name]
        self._loaded.pop(name, None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)


class OrderedGroup(click.Group):
    """A group that lists its commands in the order they were added: the main job first, repairs last."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names in the order they were added."""
        return list(self.commands)


cli = OrderedGroup(
    "benchdb",
    # click annotates the parameter as a dict, but any mutable mapping works.
    commands=LazyCommands(_MODULES),
    help=(
        "Read and look after benchmark results that pytest recorded with --benchdb.\n\n"
        "Data goes to standard output and everything else to standard error. Exit status: 0 fine, 1 the gate failed, "
        "2 wrong usage, 3 nothing to compare, 4 undecided, 5 a problem with the database, 70 an internal "
        "error.\n\n"
        "Example: pytest --benchdb=results && benchdb report results"
    ),
    context_settings={"help_option_names": ["-h", "--help"]},
)
cli.params.append(
    click.Option(
        ["--version"],
        is_flag=True,
        expose_value=False,
        is_eager=True,
        help="Show the version and exit.",
        callback=lambda context, _param, is_given: _show_version(context) if is_given else None,
    )
)


def main() -> NoReturn:
    """Run `benchdb`."""
    run(cli, "benchdb")


def report() -> NoReturn:
    """Run `benchdb-report`: the same command as `benchdb report`."""
    run(cli.commands["report"], "benchdb-report")


def compare() -> NoReturn:
    """Run `benchdb-compare`: the same command as `benchdb compare`."""
    run(cli.commands["compare"], "benchdb-compare")


def regress() -> NoReturn:
    """Run `benchdb-regress`: the same command as `benchdb regress`."""
    run(cli.commands["regress"], "benchdb-regress")


def _show_version(context: click.Context) -> None:
    click.echo(f"pytest-benchdb {__version__}")
    context.exit()
