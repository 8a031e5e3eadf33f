"""SQL cannot import the outcomes of the model, so each set that it repeats is compared with the model's."""

import re
from typing import get_args

import pytest

from pytest_benchdb.model.run import NOT_RUN, PASSED, Outcome
from pytest_benchdb.store.statement import names, read

OUTCOMES = frozenset(get_args(Outcome))
SKIPPED = NOT_RUN - {"xfailed"}
SESSION_OUTCOMES = frozenset({"passed", "failed", "interrupted", "error", "crashed", "empty"})

_SET = re.compile(r"outcome\s+(?:NOT\s+)?IN\s*\(([^()]*'[^()]*)\)")


def outcome_sets(name: str) -> list[frozenset[str]]:
    return [frozenset(re.findall(r"'(\w+)'", found)) for found in _SET.findall(read(name))]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("queries/session_values", [PASSED]),
        ("queries/main_times", [PASSED]),
        ("queries/sessions", [frozenset({"passed", "skipped", "xfailed"})]),
        ("queries/matrix_runs", [PASSED]),
        ("checks/values", [SESSION_OUTCOMES, OUTCOMES]),
        # An expected failure did run: the views for older databases show it as failed.
        ("schema", [SKIPPED, PASSED, PASSED, OUTCOMES - PASSED - SKIPPED]),
    ],
    ids=["session_values", "main_times", "sessions", "matrix_runs", "values", "schema"],
)
def test_outcomes_in_sql_are_those_of_the_model(name: str, expected: list[frozenset[str]]) -> None:
    assert outcome_sets(name) == expected


def test_no_other_statement_repeats_outcomes() -> None:
    files = [file for folder in ("annotate", "checks", "fold", "queries") for file in names(folder)]

    assert {file for file in files if outcome_sets(file)} == {
        "checks/values",
        "queries/main_times",
        "queries/matrix_runs",
        "queries/session_values",
        "queries/sessions",
    }
