"""What to type to run a benchmark again."""

import shlex
from collections.abc import Callable
from typing import Any

import pytest

from pytest_benchdb.model.series import SessionValue
from pytest_benchdb.operations.select.recipe import Recipe, kept_options, read_recipes

Make = Callable[..., SessionValue]


class Commands:
    """Stands for the reader of a history."""

    def __init__(self, **commands: str | None) -> None:
        self._commands = commands

    def commands(self, session_ids: list[str]) -> dict[str, str | None]:
        return {one: self._commands[one] for one in session_ids if one in self._commands}


def command_of(reader: Any, value: SessionValue) -> str | None:
    recipe = read_recipes(reader, [value]).get(value.run_id)
    return None if recipe is None else recipe.command(value.key.fullname)


@pytest.mark.parametrize(
    ("command", "kept"),
    [
        ("pytest", []),
        ("pytest tests -k 'a b' -x -q --lf -n 4 --benchdb=db --benchdb-label=x --benchdb-tag a=b", []),
        ("pytest --benchdb-backends=cuda:0 t.py", ["--benchdb-backends=cuda:0"]),
        ("pytest --benchdb-backends cuda:0 t.py", ["--benchdb-backends=cuda:0"]),
        ("pytest --benchdb-passes memory,energy", ["--benchdb-passes=memory,energy"]),
        ("pytest --benchdb-all tests", ["--benchdb-all"]),
        ("pytest --benchmark-min-rounds 9 --benchmark-only tests", ["--benchmark-min-rounds=9", "--benchmark-only"]),
        ("pytest --benchmark-json=x.json --benchmark-autosave --benchmark-save x", []),
        ("pytest -p no:randomly -c other.ini -o x=y t.py", ["-p", "no:randomly"]),
        ("pytest -p evil --rootdir=/tmp --benchmark-timer=evil.now --benchmark-cprofile-dump=x", []),
        ("pytest '--benchmark-storage=https://***@host'", []),
        ("pytest 'unclosed", []),
    ],
)
def test_kept_options_are_those_that_change_the_measuring(command: str, kept: list[str]) -> None:
    assert list(kept_options(command)) == kept


@pytest.mark.parametrize(
    "nodeid", ["t.py::test_x", "t.py::test_x[a b]", "t.py::test_x[it's]", "t.py::test_x[$HOME-*]", "a b/t.py::test_x"]
)
def test_command_gives_the_node_id_back_through_a_shell(nodeid: str) -> None:
    assert shlex.split(Recipe(options=()).command(nodeid)) == ["pytest", nodeid, "--benchdb"]


def test_command_of_two_tests_runs_both() -> None:
    recipe = Recipe(options=("-p", "x"))

    assert recipe.command("t.py::b", "t.py::a") == "pytest t.py::a t.py::b --benchdb -p x"
    assert recipe.command("t.py::b", "t.py::b") == "pytest t.py::b --benchdb -p x"


def test_recipe_of_a_default_device_names_the_backend(value: Make) -> None:
    run = value("s", backend="cuda", fullname="t.py::x")

    assert command_of(Commands(s="pytest --benchdb"), run) == "pytest t.py::x --benchdb --benchdb-backends=cuda"


@pytest.mark.parametrize(
    ("command", "changes"),
    [
        ("pytest --benchdb-backends=cuda:1", {"backend": "cuda"}),
        ("pytest", {"backend": "cpu"}),
        ("pytest", {"backend": None}),
        ("pytest", {"backend": "cuda", "params": {"bench_each": "cuda:0"}}),
    ],
)
def test_recipe_adds_no_backend_where_it_is_said_already(value: Make, command: str, changes: dict[str, Any]) -> None:
    found = command_of(Commands(s=command), value("s", **changes))

    assert found is not None
    assert found.count("--benchdb-backends") == command.count("--benchdb-backends")


def test_recipe_of_what_was_imported_or_has_no_command_is_none(value: Make) -> None:
    assert command_of(Commands(s="pytest"), value("s", provenance="imported")) is None
    assert command_of(Commands(), value("s")) is None
    assert command_of(Commands(s=None), value("s")) is None
