"""A folder or file where a SPEC is expected is understood, or refused with what to type."""

import json
from collections.abc import Callable
from typing import Any

import pytest

Call = Callable[..., Any]


@pytest.mark.parametrize(
    "arguments",
    [
        ["report"],
        ["trend"],
        ["noise"],
        ["sessions"],
        ["env"],
        ["show"],
        ["doctor"],
        ["correlate"],
        ["regress", "--confirm", "0"],
    ],
    ids=" ".join,
)
def test_path_names_the_database(benchdb: Call, arguments: list[str]) -> None:
    expected, ended = benchdb(*arguments, "--db", "results"), benchdb(*arguments, "results")

    assert expected.status == 0, expected.err
    assert (ended.status, ended.out) == (expected.status, expected.out)


def test_path_before_a_statement_names_the_database(benchdb: Call) -> None:
    assert benchdb("query", "results", "SELECT 7 AS a", "-f", "csv").out.split() == ['"a"', "7"]
    refused = benchdb("query", "results")
    assert refused.status == 2
    assert "benchdb query results 'SELECT ...'" in refused.err


@pytest.mark.parametrize(
    "arguments",
    [["note", "results", "text"], ["baseline", "set", "x", "results"], ["regress", "--baseline", "results"]],
)
def test_path_where_only_a_session_can_be_is_refused_with_what_to_type(benchdb: Call, arguments: list[str]) -> None:
    ended = benchdb("-d", "results", *arguments)

    assert ended.status == 2
    assert "'results' is a path, not a session; name the database so: --db results latest" in ended.err


@pytest.mark.parametrize("arguments", [["baseline", "list"], ["accept", "--list"]], ids=" ".join)
def test_lists_are_data_in_every_format_that_messages_name(benchdb: Call, arguments: list[str]) -> None:
    assert benchdb(*arguments, "--db", "results", "-f", "csv").out.count(",") >= 7
    assert json.loads(benchdb(*arguments, "--db", "results", "-f", "json").out)["rows"] == []
