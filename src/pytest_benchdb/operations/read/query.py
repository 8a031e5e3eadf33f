"""Run a user's SELECT over the results, and render the schema as SQL, as tables or as a diagram."""

import re
from collections.abc import Sequence
from pathlib import Path

from pytest_benchdb.model.exchange.schema import Column, Relation
from pytest_benchdb.model.report import DataTable
from pytest_benchdb.operations.exchange.open import SILENT, Feedback, open_source
from pytest_benchdb.operations.read.models import dataclasses_text, sqlalchemy_text
from pytest_benchdb.store.read.sandbox import Limits
from pytest_benchdb.store.statement import read

QUERY_SCHEMA = "benchdb.query/1"
TIMEOUT_S = Limits().seconds
SCHEMA_FORMATS = ("sql", "markdown", "mermaid", "dataclasses", "sqlalchemy")

_RELATION = re.compile(
    r"^CREATE (?P<kind>TABLE|VIEW) (?P<name>\w+)(?: \(\n(?P<body>.*?)\n\);)?", re.MULTILINE | re.DOTALL
)
_COLUMN = re.compile(r"^    (?P<name>\w+) (?P<type>.+?)(?P<filled> NOT NULL)?,?$", re.MULTILINE)
_COMMENT = re.compile(r"^COMMENT ON (?:TABLE|VIEW|COLUMN) (?P<name>[\w.]+) IS '(?P<text>(?:[^']|'')*)';", re.MULTILINE)


def run_query(
    paths: Sequence[Path],
    sql: str,
    *,
    limit: int | None = None,
    timeout_s: float = TIMEOUT_S,
    feedback: Feedback = SILENT,
) -> DataTable:
    """Return the answer to one read-only statement, which has no access to files or the network.

    Args:
        paths: files and folders to query.
        sql: the statement.
        limit: most rows to return; `DataTable.more` is set if there were more. None returns all rows, and raises if
            they exceed the store's own limit.
        timeout_s: time limit in seconds.
        feedback: receives progress, and warnings about unreadable sessions.

    Raises:
        QueryError: the statement was refused, failed, or ran past a limit.
        StoreError: a file cannot be read.
    """
    limits = Limits(seconds=timeout_s) if limit is None else Limits(seconds=timeout_s, rows=limit, cut=True)
    with open_source(paths, feedback) as reader:
        answer = reader.query(sql, limits)
    return DataTable(
        schema=QUERY_SCHEMA, columns=answer.columns, types=answer.types, rows=answer.rows, more=answer.more
    )


def copy_for_clients(paths: Sequence[Path], feedback: Feedback = SILENT) -> Path:
    """Return an up-to-date copy of files and folders as one DuckDB file, in the user's cache folder.

    Raises:
        StoreError: a file cannot be read, or the copy cannot be written.
    """
    with open_source(paths, feedback) as reader:
        return reader.snapshot()


def schema_text(kind: str) -> str:
    """Return the schema in one of `SCHEMA_FORMATS`."""
    sql = read("schema")
    if kind == "sql":
        return sql
    relations = parse_schema(sql)
    tables = [relation for relation in relations if not relation.is_view]
    if kind == "dataclasses":
        return dataclasses_text(tables)
    if kind == "sqlalchemy":
        return sqlalchemy_text(tables)
    return _markdown(relations) if kind == "markdown" else _mermaid(relations)


def parse_schema(sql: str) -> list[Relation]:
    """Return the tables and views of our schema file, whose layout a test checks."""
    comments = {match["name"]: match["text"].replace("''", "'") for match in _COMMENT.finditer(sql)}
    return [_relation(match, comments) for match in _RELATION.finditer(sql)]


def _relation(match: re.Match[str], comments: dict[str, str]) -> Relation:
    name = match["name"]
    if match["kind"] == "TABLE":
        columns = tuple(
            Column(
                name=column["name"],
                kind=column["type"],
                filled=bool(column["filled"]),
                comment=comments.get(f"{name}.{column['name']}", ""),
            )
            for column in _COLUMN.finditer(match["body"] or "")
        )
    else:
        columns = tuple(
            Column(name=key.partition(".")[2], kind="", filled=False, comment=comment)
            for key, comment in comments.items()
            if key.startswith(f"{name}.")
        )
    return Relation(name=name, is_view=match["kind"] == "VIEW", comment=comments.get(name, ""), columns=columns)


def _markdown(relations: Sequence[Relation]) -> str:
    lines = ["# Schema of a pytest-benchdb database", "", "Times are UTC, units are SI, NULL means not measured."]
    for relation in relations:
        kind = "View" if relation.is_view else "Table"
        lines += ["", f"## {kind} `{relation.name}`", "", relation.comment, ""]
        lines += ["| Column | Type | Meaning |", "| :--- | :--- | :--- |"]
        for column in relation.columns:
            filled = ", never NULL" if column.filled else ""
            meaning = column.comment.replace("|", "\\|")
            lines.append(f"| `{column.name}` | {column.kind}{filled} | {meaning} |")
    return "\n".join(lines) + "\n"


def _mermaid(relations: Sequence[Relation]) -> str:
    tables = [relation for relation in relations if not relation.is_view]
    lines = ["erDiagram"]
    for table in tables:
        key = f"{table.name}_id"
        if key not in {column.name for column in table.columns}:
            continue
        lines += [
            f'    {table.name} ||--o{{ {other.name} : "{key}"'
            for other in tables
            if other is not table and key in {column.name for column in other.columns}
        ]
    for table in tables:
        lines.append(f"    {table.name} {{")
        lines += [f"        {_word(column.kind)} {column.name}" for column in table.columns]
        lines.append("    }")
    return "\n".join(lines) + "\n"


def _word(kind: str) -> str:
    """Return a type as a single word, as Mermaid requires."""
    return re.sub(r"\W+", "_", kind.replace("[]", "_list")).strip("_")
