"""Values and tables of them in every format."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_benchdb.model.report import DataTable
from pytest_benchdb.present.writing.values import layout_values, table_csv, table_json, value_text

ANY_TEXT = st.text(st.characters(), max_size=40)


def test_csv_table_writes_values_plainly() -> None:
    table = DataTable(schema="x", columns=("a", "b,c"), rows=[[None, True], [float("nan"), 'say "x"']])

    assert table_csv(table) == '"a","b,c"\n,true\n,"say ""x"""\n'


def test_json_table_numbers_equal_names() -> None:
    table = DataTable(schema="benchdb.query/1", columns=("a", "a"), rows=[[1, b"\x01"]], types=("INTEGER", "BLOB"))

    document = json.loads(table_json(table))

    assert document["columns"] == [{"name": "a", "type": "INTEGER"}, {"name": "a_1", "type": "BLOB"}]
    assert document["rows"] == [{"a": 1, "a_1": "01"}]


@given(st.lists(ANY_TEXT, min_size=1, max_size=3), st.integers(1, 120))
def test_layout_values_of_any_texts_fits(texts: list[str], columns: int) -> None:
    table = DataTable(schema="x", columns=tuple(texts), rows=[texts, [1] * len(texts)])

    lines = layout_values(table, columns, ascii_only=True).plain().splitlines()

    assert max(len(line) for line in lines) <= columns


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (float("nan"), "NaN"), (True, "true"), (0.1, "0.1"), ([1, None], "[1, ]"), ({"a": 1}, "a=1")],
)
def test_value_text_of_a_value_is_plain(value: object, text: str) -> None:
    assert value_text(value) == text
