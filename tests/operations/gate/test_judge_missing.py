"""Missing benchmarks: what should have run and did not, as far as the command lines tell."""

import pytest

from pytest_benchdb.operations.select.partial_runs import missing_names

BEFORE = ["tests/test_a.py::test_x", "tests/test_a.py::test_y[1]", "tests/sub/test_b.py::test_z"]
AFTER = ["tests/test_a.py::test_x"]


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("pytest --benchdb", BEFORE[1:]),
        ("pytest --benchdb=results -q -n 4 -p no:randomly", BEFORE[1:]),
        ("pytest tests --benchdb", BEFORE[1:]),
        ("pytest ./tests/ --benchdb", BEFORE[1:]),
        ("pytest . --benchdb", BEFORE[1:]),
        ("pytest test_a.py --benchdb", BEFORE[1:2]),
        ("pytest tests/test_a.py", BEFORE[1:2]),
        ("pytest tests/test_a.py::test_y", BEFORE[1:2]),
        ("pytest 'tests/test_a.py::test_y[1]'", BEFORE[1:2]),
        ("pytest tests/test_a.py::test_x", []),
        ("pytest sub", BEFORE[2:]),
        ("pytest tests/test_c.py", []),
        ("pytest -k test_x", []),
        ("pytest -ktest_x", []),
        ("pytest -m 'not slow'", []),
        ("pytest --lf", []),
        ("pytest --deselect=tests/sub", []),
        ("pytest 'open", []),
        (None, BEFORE[1:]),
    ],
)
def test_missing_names_are_those_that_the_command_did_not_leave_out(command: str | None, expected: list[str]) -> None:
    assert missing_names(BEFORE, AFTER, commands=("pytest --benchdb tests", command), complete=True) == expected


def test_missing_names_under_the_same_command_are_missing_whatever_it_selects() -> None:
    commands = ("pytest -k test", "pytest -k test")

    assert missing_names(BEFORE, AFTER, commands=commands, complete=True) == BEFORE[1:]


def test_incomplete_session_has_no_missing_names() -> None:
    assert missing_names(BEFORE, AFTER, commands=(None, None), complete=False) == []


def test_missing_names_without_any_absent_are_none() -> None:
    assert missing_names(BEFORE, [*BEFORE, "new"], commands=("pytest", "pytest -q"), complete=True) == []
