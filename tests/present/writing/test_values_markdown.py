"""Markdown that no name can break."""

import re

from hypothesis import given
from hypothesis import strategies as st

from pytest_benchdb.model.report import DataTable
from pytest_benchdb.present.writing.text import sanitize
from pytest_benchdb.present.writing.values import escape, table_markdown

ANY_TEXT = st.text(st.characters(), max_size=40)


def _unescape(text: str) -> str:
    text = text.replace("@\u200b", "@")
    for char, entity in (("<", "&lt;"), (">", "&gt;"), ("&", "&amp;")):
        text = text.replace(entity, char)
    return re.sub(r"\\(\W|_)", r"\1", text)


@given(ANY_TEXT)
def test_markdown_of_any_text_stays_in_its_cell(text: str) -> None:
    escaped = escape(text)

    assert "\n" not in escaped
    assert not re.search(r"(?<!\\)(?:\\\\)*[|`]", escaped)
    assert "<" not in escaped
    assert not re.search(r"@\w", escaped)


@given(ANY_TEXT)
def test_markdown_of_any_text_reads_back(text: str) -> None:
    assert _unescape(escape(text)) == sanitize(text)


def test_markdown_of_test_names_stays_readable() -> None:
    assert escape("test_sort_list") == "test_sort_list"
    assert escape("__init__") == "\\_\\_init\\_\\_"


def test_markdown_table_mentions_left_out_rows() -> None:
    table = DataTable(schema="benchdb.query/1", columns=("n",), rows=[[1]], more=True)

    assert table_markdown(table).splitlines() == [
        "| n |",
        "| ---: |",
        "| 1 |",
        "",
        "_More rows were left out: raise `--limit`._",
    ]
