"""GitHub's workflow commands, parsed like GitHub's runner does."""

import re

from hypothesis import given
from hypothesis import strategies as st
from tests.present.verdicts.results import HOSTILE, comparison, gate, hostile, many, row

from pytest_benchdb.model.benchmark import Location
from pytest_benchdb.model.comparison import Comparison, Gate
from pytest_benchdb.present.verdicts.github import escape_data, escape_property, github_annotations

COMMAND = re.compile(r"::(error|warning|notice) (.*?)::(.*)")


def read(text: str) -> tuple[str, dict[str, str], str]:
    """Parse a command like ``ActionCommand.TryParseV2`` of actions/runner."""
    found = COMMAND.fullmatch(text)
    assert found is not None, text
    properties = dict(part.split("=", 1) for part in found[2].split(","))
    return found[1], {name: decoded(value) for name, value in properties.items()}, decoded(found[3])


def decoded(text: str) -> str:
    for code, char in (("%3A", ":"), ("%2C", ","), ("%0A", "\n"), ("%0D", "\r"), ("%25", "%")):
        text = text.replace(code, char)
    return text


def commands(result: Gate | Comparison, locations: dict[str, Location] | None = None) -> list[str]:
    *lines, last = github_annotations(result, locations).splitlines()
    assert last.startswith("benchdb: ")
    return lines


@given(st.text())
def test_escape_property_of_any_text_can_be_undone_and_ends_nothing(text: str) -> None:
    escaped = escape_property(text)

    assert decoded(escaped) == text
    assert not set(escaped) & set("\r\n:,")
    assert decoded(escape_data(text)) == text


def test_annotations_of_a_gate_are_errors_warnings_and_silence() -> None:
    rows = [
        row("regressed", "t.py::a", command="pytest t.py::a"),
        row("regressed", "t.py::b", state="unstable"),
        row("missing", "t.py::c"),
        row("inconclusive", "t.py::d"),
        row("improved", "t.py::e"),
    ]

    found = [read(line) for line in commands(gate(rows), {"t.py::a": Location(file="s,u:b/t.py", line=12)})]

    assert [kind for kind, _, _ in found] == ["error", "warning", "warning"]
    _, properties, message = found[0]
    assert properties == {"file": "s,u:b/t.py", "line": "12", "title": "benchdb: wall_time regressed"}
    assert message.startswith("t.py::a: wall_time: regressed, +10.0 %;")
    assert message.endswith("\npytest t.py::a")


def test_annotations_of_many_show_ten_of_each_and_count_the_rest() -> None:
    found = [read(line) for line in commands(many(1_000))]

    kinds = [kind for kind, _, _ in found]
    assert (kinds.count("error"), kinds.count("warning"), kinds.count("notice")) == (10, 10, 1)
    assert found[-1][2] == "101 more that failed are not shown here; 324 more that need review are not shown here"


def test_annotations_of_ten_have_no_rest() -> None:
    found = commands(comparison([row("regressed", f"t.py::{n}") for n in range(10)]))

    assert [read(line)[0] for line in found] == ["error"] * 10


def test_annotations_of_hostile_names_stay_one_command_a_line() -> None:
    lines = commands(hostile(), {HOSTILE + "regressed": Location(file=HOSTILE, line=1)})

    assert [read(line)[0] for line in lines] == ["error", *["warning"] * 3]
    assert all(set(read(line)[1]) <= {"file", "line", "title"} for line in lines)
    assert "##[" not in github_annotations(hostile()).splitlines()[-1]


def test_annotations_of_a_fine_gate_are_one_line_of_the_log() -> None:
    assert github_annotations(gate([row()])) == "benchdb: 0 of 1 benchmarks regressed\n"
