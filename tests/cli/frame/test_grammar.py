"""One grammar: every command takes the database, paths and SPECs in the same ways."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from pytest_benchdb.cli.main import cli

Call = Callable[..., Any]

# Commands without a database, with the reason.
NO_DATABASE = {
    "schema": "prints the schema of this version",
    "completion": "prints a script",
}
# What each command needs beside the database to succeed on it.
ARGUMENTS = {
    "accept": ["--list"],
    "baseline list": [],
    "compare": ["latest~1", "--allow-cross"],
    "correlate": [],
    "doctor": [],
    "env": [],
    "exclude": ["--list"],
    "export": ["json"],
    "matrix": [],
    "noise": [],
    "query": ["SELECT 1"],
    "recover": [],
    "regress": ["--confirm", "0"],
    "report": [],
    "sessions": [],
    "show": ["latest"],
    "sql": [],
    "trend": [],
}
# Commands that change a database, take minutes or need an extra: here only their option is looked at.
ONLY_OPTION = {
    *("fit", "baseline set", "baseline rm", "note", "import", "merge", "peaks", "predict"),
    *("duet", "count", "run", "backfill", "bisect", "explain", "site"),
    "init",
    *("validate", "optimize", "migrate", "backup", "restore", "prune", "rm", "clean-sources"),
    *("plot trend", "plot distribution", "plot compare", "plot axis", "plot matrix", "plot power"),
}


def leaves(group: click.Group, path: str = "") -> Iterator[tuple[str, click.Command]]:
    for name in group.commands:
        command = group.commands[name]
        if isinstance(command, click.Group):
            yield from leaves(command, f"{path}{name} ")
        else:
            yield f"{path}{name}", command


COMMANDS = dict(leaves(cli))


def test_every_command_is_in_the_table() -> None:
    assert set(COMMANDS) == {*ARGUMENTS, *ONLY_OPTION, *NO_DATABASE}


@pytest.mark.parametrize("name", sorted({*ARGUMENTS, *ONLY_OPTION}))
def test_command_takes_its_database_by_the_same_option(name: str) -> None:
    options = {flag for param in COMMANDS[name].params for flag in param.opts}

    assert {"-d", "--db"} <= options


@pytest.mark.parametrize("name", sorted(ARGUMENTS))
def test_database_may_be_named_before_and_after_the_command(benchdb: Call, name: str) -> None:
    words, arguments = name.split(), ARGUMENTS[name]
    expected = benchdb(*words, "--db", "results", *arguments)

    others = [
        benchdb(*words, "-d", "results", *arguments),
        benchdb("--db", "results", *words, *arguments),
        benchdb("-d", "results", *words, *arguments),
        benchdb("-d", "elsewhere", *words, "-d", "results", *arguments),
    ]

    assert expected.status in {0, 1}, expected.err
    assert [(ended.status, ended.out) for ended in others] == [(expected.status, expected.out)] * len(others)


def test_program_database_goes_before_the_variable(benchdb: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCHDB_DB", "elsewhere")

    assert benchdb("-d", "results", "sessions").status == 0
    assert benchdb("sessions").status == 5


def test_group_of_baselines_takes_the_database(benchdb: Call) -> None:
    assert benchdb("baseline", "-d", "results", "list").status == 0
    assert benchdb("-d", "elsewhere", "baseline", "-d", "results", "list").status == 0


def test_merge_writes_into_the_database_of_the_program(benchdb: Call, tmp_path: Path) -> None:
    target = tmp_path / "all.duckdb"

    assert benchdb("-d", str(target), "merge", "results").status == 0
    assert target.is_file()
    assert benchdb("merge", "results").status == 2
