"""The schema as SQL, as a page and as a diagram."""

import re

import pytest

from pytest_benchdb.operations.read.query import SCHEMA_FORMATS, parse_schema, schema_text


def test_parse_schema_finds_every_relation_and_column() -> None:
    sql = schema_text("sql")

    relations = {relation.name: relation for relation in parse_schema(sql)}

    assert list(relations) == re.findall(r"^CREATE (?:TABLE|VIEW) (\w+)", sql, re.MULTILINE)
    commented = re.findall(r"^COMMENT ON COLUMN (\w+)\.(\w+)", sql, re.MULTILINE)
    found = [(relation.name, column.name) for relation in relations.values() for column in relation.columns]
    assert sorted(found) == sorted(commented)
    assert relations["session"].columns[0].kind == "UUID"
    assert relations["session"].columns[0].filled


def test_parse_schema_reads_quotes_in_comments() -> None:
    sql = "CREATE TABLE a (\n    b DECIMAL(3, 1)[] NOT NULL,\n    c JSON\n);\nCOMMENT ON COLUMN a.b IS 'it''s';\n"

    (relation,) = parse_schema(sql)

    assert [(c.name, c.kind, c.filled, c.comment) for c in relation.columns] == [
        ("b", "DECIMAL(3, 1)[]", True, "it's"),
        ("c", "JSON", False, ""),
    ]


def test_schema_as_markdown_has_a_row_for_each_column() -> None:
    page = schema_text("markdown")

    assert "## Table `session`" in page
    assert "| `session_id` | UUID, never NULL | UUIDv7 |" in page
    assert "## View `samples`" in page


def test_schema_as_mermaid_has_words_for_types_and_links_for_keys() -> None:
    lines = schema_text("mermaid").splitlines()

    assert lines[0] == "erDiagram"
    assert '    session ||--o{ run : "session_id"' in lines
    entities = [line for line in lines if line.startswith("        ")]
    assert len(entities) > 100
    assert all(re.fullmatch(r" {8}\w+ \w+", line) for line in entities)


@pytest.mark.parametrize("kind", SCHEMA_FORMATS)
def test_schema_in_every_format_ends_with_one_line_end(kind: str) -> None:
    text = schema_text(kind)

    assert text.endswith("\n")
    assert not text.endswith("\n\n")
