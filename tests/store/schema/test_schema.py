import re

import pytest

from pytest_benchdb.model.metric import METRICS
from pytest_benchdb.store import connection as db
from pytest_benchdb.store.history.absorb import FACTS, KEYS
from pytest_benchdb.store.schema.template import schema_statements
from pytest_benchdb.store.statement import names, read, render

VALUES = {
    "session_ids": ["01a1fbe3-b9c1-7ea8-a718-e81d7b7dd27e"],
    "first_id": "01a1fbe3-b9c1-7ea8-a718-e81d7b7dd27e",
    "last_id": "01a1fbe3-b9c1-7ea8-a718-e81d7b7dd27e",
    "session_id": "01a1fbe3-b9c1-7ea8-a718-e81d7b7dd27e",
    "run_id": "01a1fbe3-b9c1-7ea8-a718-e81d7b7dd27e",
    "environment_id": None,
    "metric": "wall_time",
    "prefix": "01",
    "limit": 3,
    "most": 3,
    "bins": 24,
    "metrics": ["wall_time"],
    "keep": 20,
    "aliases": ["elsewhere"],
    "names": ["pedantic"],
    "rows": "python",
    "columns": None,
    "row_tag": "",
    "column_tag": "machine",
}


@pytest.fixture
def connection() -> object:
    made = db.connect()
    made.execute(schema_statements("history"))
    return made


def test_schema_every_table_view_and_column_has_a_comment(connection: object) -> None:
    for sql in (
        "SELECT table_name FROM duckdb_tables() WHERE NOT internal AND comment IS NULL",
        "SELECT view_name FROM duckdb_views() WHERE NOT internal AND comment IS NULL",
        "SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal AND comment IS NULL",
    ):
        assert connection.execute(sql).fetchall() == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", [*names("queries"), *names("checks")])
def test_statement_runs_on_an_empty_schema(connection: object, name: str) -> None:
    assert connection.execute(render(read(name), VALUES)).fetchall() == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", [*names("queries"), *names("checks"), *names("fold"), *names("annotate")])
def test_statement_begins_with_what_it_is(name: str) -> None:
    assert re.match(r"-- \S", read(name))


def test_every_view_can_be_queried(connection: object) -> None:
    views = connection.execute(  # type: ignore[attr-defined]
        "SELECT view_name FROM duckdb_views() WHERE NOT internal"
    ).fetchall()

    assert len(views) == 11
    for (view,) in views:
        assert connection.execute(f"SELECT * FROM {view}").fetchall() == []  # type: ignore[attr-defined]


def test_metrics_of_the_registry_are_in_a_new_file(connection: object) -> None:
    rows = connection.execute("SELECT metric, unit, better, kind FROM metric").fetchall()  # type: ignore[attr-defined]

    assert {row[0]: row[1:] for row in rows} == {m.name: (m.unit, m.better, m.kind) for m in METRICS.values()}


def test_every_table_is_folded_into_histories(connection: object) -> None:
    rows = connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()  # type: ignore[attr-defined]

    assert {row[0] for row in rows} == {*FACTS, *KEYS, "meta"}
