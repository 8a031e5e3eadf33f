"""The program `benchdb` and the console scripts of single commands."""

from collections.abc import Iterator, Mapping, MutableMapping
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple, NoReturn

import click

from pytest_benchdb import __version__
from pytest_benchdb.cli.frame.database import group_db_option
from pytest_benchdb.cli.frame.failure import run

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class Entry(NamedTuple):
    """A command before its module is imported.

    Attributes:
        module: relative to `pytest_benchdb.cli`; its `command` is the command.
        help: its line in the program's help.
    """

    module: str
    help: str


SECTIONS: Mapping[str, Mapping[str, Entry]] = {
    "Record": {
        "run": Entry("record.run", "Time command lines, and record them."),
        "count": Entry("record.count", "Count the instructions of a suite, once."),
        "init": Entry("upkeep.init", "Make a database, with sample data if you like."),
        "import": Entry("upkeep.import_", "Import results of other tools as sessions."),
        "backfill": Entry("history.backfill", "Record the benchmarks of past commits."),
        "peaks": Entry("upkeep.peaks", "Measure the peaks of this machine's devices."),
    },
    "Read": {
        "report": Entry("read.report", "Show the benchmarks of a session."),
        "plot": Entry("read.plot", "Draw a figure for a paper: PNG, SVG or PDF."),
        "matrix": Entry("read.matrix", "Show what works where: models by backends."),
        "show": Entry("read.show", "Show everything about a benchmark, a session or a run."),
        "sessions": Entry("read.sessions", "List the sessions."),
        "site": Entry("read.site", "Write a static site of the history."),
        "env": Entry("read.env", "Show where a session ran, or compare two places."),
        "query": Entry("read.query", "Answer one SELECT statement, read-only."),
        "sql": Entry("read.sql", "Open DuckDB's shell on one up-to-date file."),
        "schema": Entry("read.schema", "Print the schema of a database."),
        "export": Entry("upkeep.export", "Write results in the formats of other tools."),
    },
    "Compare": {
        "compare": Entry("decide.compare", "Compare two sides, or an axis."),
        "regress": Entry("decide.regress", "Fail if a session became worse: the gate of CI."),
        "duet": Entry("decide.duet", "Run two commits or environments in turn, and compare them."),
        "explain": Entry("decide.explain", "Show which functions make a benchmark slower."),
    },
    "History": {
        "trend": Entry("history.trend", "Show levels over time, and changes."),
        "bisect": Entry("history.bisect", "Find the commit that changed a benchmark."),
        "noise": Entry("history.noise", "Score this machine's noise."),
        "correlate": Entry("history.correlate", "Show which metrics and parameters agree."),
        "fit": Entry("history.fit", "Show how benchmarks grow with a parameter."),
        "predict": Entry("history.predict", "Estimate combinations that were not measured."),
    },
    "Keep": {
        "baseline": Entry("upkeep.baseline", "Give sessions a name that stays."),
        "accept": Entry("upkeep.accept", "Accept a change, with a reason."),
        "exclude": Entry("upkeep.exclude", "Take sessions out of the history, with a reason."),
        "note": Entry("upkeep.note", "Write a note about a session or a run."),
        "merge": Entry("upkeep.merge", "Copy the sessions of files and folders into one."),
        "recover": Entry("upkeep.recover", "Fold what sessions that died left behind."),
        "rm": Entry("maintain.rm", "Remove sessions."),
        "prune": Entry("maintain.prune", "Remove the rounds of old sessions, or the sessions."),
        "optimize": Entry("maintain.optimize", "Make a database small and quick to read."),
        "migrate": Entry("maintain.migrate", "Write files of an older schema anew."),
        "backup": Entry("maintain.backup", "Back a database up, with only what is new."),
        "restore": Entry("maintain.restore", "Restore a database from its backups."),
        "clean-sources": Entry("maintain.clean_sources", "Remove source files that are proven imported."),
        "validate": Entry("maintain.validate", "Read and check every value."),
        "doctor": Entry("upkeep.doctor", "Check everything and say what to do."),
        "completion": Entry("upkeep.completion", "Set up completion in bash, zsh or fish."),
    },
}
"""The commands in the order of the help, under what they are for."""

_ENTRIES = {name: entry for section in SECTIONS.values() for name, entry in section.items()}


class LazyCommands(MutableMapping[str, click.Command]):
    """The commands of a group by name; each module is imported when its command is looked up."""

    def __init__(self, entries: Mapping[str, Entry]) -> None:
        """Take the commands in listing order."""
        self._entries = dict(entries)
        self._loaded: dict[str, click.Command] = {}

    def __getitem__(self, name: str) -> click.Command:
        if name not in self._loaded:
            entry = self._entries[name]
            command: click.Command = import_module(f"pytest_benchdb.cli.{entry.module}").command
            command.short_help = entry.help
            self._loaded[name] = command
        return self._loaded[name]

    def __setitem__(self, name: str, command: click.Command) -> None:
        self._entries.setdefault(name, Entry(name, command.short_help or ""))
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        del self._entries[name]
        self._loaded.pop(name, None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)


class SectionedGroup(click.Group):
    """A group whose help and completion come from `SECTIONS`, so that no command is imported for them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names in the order of the help."""
        return list(self.commands)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the commands section by section, their texts below each other."""
        widest = max(map(len, self.commands))
        for title, entries in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(widest), entry.help) for name, entry in entries.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        """Return the commands that begin with `incomplete`; options if it begins with a dash."""
        from click.shell_completion import CompletionItem

        if incomplete.startswith("-"):
            return click.Command.shell_complete(self, ctx, incomplete)
        return [
            CompletionItem(name, help=entry.help) for name, entry in _ENTRIES.items() if name.startswith(incomplete)
        ]


cli = SectionedGroup(
    "benchdb",
    # click annotates the parameter as a dict, but any mutable mapping works.
    commands=LazyCommands(_ENTRIES),
    help=(
        "Read and look after benchmark results that pytest recorded with --benchdb.\n\n"
        "Data goes to standard output and everything else to standard error. Exit status: 0 fine, 1 the gate failed, "
        "2 wrong usage, 3 nothing to compare, 4 undecided, 5 a problem with the database, 70 an internal "
        "error.\n\n"
        "Example: pytest --benchdb && benchdb report"
    ),
    context_settings={"help_option_names": ["-h", "--help"]},
)
cli.params += [
    group_db_option(),
    click.Option(
        ["--version"],
        is_flag=True,
        expose_value=False,
        is_eager=True,
        help="Show the version and exit.",
        callback=lambda context, _param, is_given: _show_version(context) if is_given else None,
    ),
]


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
