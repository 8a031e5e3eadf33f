"""Accepts a database only if everything defined in it is ours, before the first row of it is read.

A file from elsewhere may replace a table by a view, whose SQL would run with our rights when we read the "table", or
shadow a function of DuckDB by a macro. So tables must be plain columns under our names, views ours, and nothing else
may be defined. A view's text depends on the DuckDB that wrote it; one that is not literally ours may call only the
functions, and read only the tables, that ours do.
"""

import contextlib
import functools
import json
import os
import re
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from pytest_benchdb.store import connection as db
from pytest_benchdb.store.cache import template_folder
from pytest_benchdb.store.schema.template import template_key
from pytest_benchdb.store.statement import fetch, nodes, read, syntax_tree

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_COMMENTS = re.compile(r"^COMMENT ON .*?;\n", re.MULTILINE | re.DOTALL)
_NAME = r'(?:\w+|"\w+")'
_TYPE = r"(?:BIGINT|BOOLEAN|DOUBLE|INTEGER|JSON|MAP\(VARCHAR, (?:DOUBLE|VARCHAR)\)|TIMESTAMP|UUID|VARCHAR)(?:\[\])?"
_COLUMN = re.compile(rf"({_NAME}) ({_TYPE})( NOT NULL)?")
_TABLE = re.compile(rf"CREATE TABLE (?:main\.)?{_NAME}\(({_COLUMN.pattern}(?:, {_COLUMN.pattern})*)\);")
_VIEW = re.compile(rf"CREATE VIEW (?:main\.)?{_NAME}(?: ?\([^()]*\))? AS (.*?);?\s*", re.DOTALL)


NOT_OURS = "it lacks the table meta"
"""What a database that pytest-benchdb did not write lacks."""


class _Calls(NamedTuple):
    """The functions that a SELECT calls, the tables that it reads, and the common table expressions that it defines."""

    functions: frozenset[str]
    tables: frozenset[str]
    expressions: frozenset[str]


class _Ours(NamedTuple):
    """What `schema.sql` defines, as this DuckDB writes it: columns of tables, texts of views, and what views call."""

    tables: dict[str, tuple[str, ...]]
    views: dict[str, str]
    calls: _Calls


class Catalogue(NamedTuple):
    """How the definitions of a database differ from ours.

    Attributes:
        foreign: something that pytest-benchdb never defined, as the end of a sentence; the file must not be read.
        differs: a table that is missing or has other columns, or a view with another definition, as in an older schema;
            such a view must not be read either.
    """

    foreign: str | None = None
    differs: str | None = None


def check_catalogues(connection: "DuckDBPyConnection", paths: Mapping[str, str]) -> dict[str, Catalogue]:
    """Compare what attached databases define with our schema, by alias.

    Args:
        connection: from `connection.connect`; none of the databases may be current.
        paths: the file of each alias.
    """
    ours = _ours()
    found: dict[str, list[dict[str, Any]]] = {alias: [] for alias in paths}
    for row in fetch(connection, "queries/catalogue", {"aliases": list(paths)}):
        found[row["alias"]].append(row)
    texts = {row["sql"] for rows in found.values() for row in rows if row["kind"] == "view"}
    harmless = {text for text in texts if text in ours.views.values() or _is_harmless(connection, text, ours)}
    return {alias: _compare(rows, ours, harmless, os.stat(paths[alias]).st_size) for alias, rows in found.items()}


def _compare(rows: Sequence[dict[str, Any]], ours: _Ours, harmless: Collection[str], file_bytes: int) -> Catalogue:
    differs = None
    columns = {row["name"]: _columns(row["sql"]) for row in rows if row["kind"] == "table"}
    if "meta" not in columns:
        return Catalogue(foreign=NOT_OURS)
    for row in rows:
        foreign = _objection(row, ours, columns)
        if foreign is None and (row["row_count"] or 0) > file_bytes:
            foreign = f"its table {row['name']} has {row['row_count']:,} rows in a file of {file_bytes:,} bytes"
        if foreign is not None:
            return Catalogue(foreign=foreign)
    for row in rows:
        if row["kind"] == "view" and row["sql"] not in harmless:
            differs = f"its view {row['name']} has another definition"
    for name, expected in ours.tables.items():
        if columns.get(name) != expected:
            differs = f"its table {name} has other columns" if name in columns else f"it lacks the table {name}"
    return Catalogue(differs=differs)


def _objection(row: dict[str, Any], ours: _Ours, columns: Mapping[str, tuple[str, ...]]) -> str | None:
    """Return why a thing that a database defines must not be there."""
    kind, name = row["kind"], row["name"]
    if kind == "schema" and name == "main":
        return None
    if kind == "table" and row["schema_name"] == "main" and name in ours.tables:
        return None if columns[name] else f"its table {name} has more than plain columns"
    if kind == "view" and row["schema_name"] == "main" and name in ours.views:
        return None
    return f"it has the {kind} {name}"


def _columns(sql: str) -> tuple[str, ...]:
    """Return the columns of a table, each with its type; none if it has more than plain columns."""
    match = _TABLE.fullmatch(sql)
    if match is None:
        return ()
    columns = _COLUMN.findall(match[1])
    return tuple(f"{name.strip(chr(34))} {kind}{required}" for name, kind, required in columns)


def _is_harmless(connection: "DuckDBPyConnection", sql: str, ours: _Ours) -> bool:
    calls = _calls(connection, sql)
    if calls is None:
        return False
    return (
        calls.functions <= ours.calls.functions
        and calls.expressions <= ours.calls.expressions
        and calls.tables <= {*ours.tables, *ours.views, *ours.calls.expressions}
    )


def _calls(connection: "DuckDBPyConnection", sql: str) -> _Calls | None:
    """Return what the SELECT of a view calls and reads; None if the text is not one SELECT."""
    match = _VIEW.fullmatch(sql)
    if match is None:
        return None
    tree = syntax_tree(connection, match[1])
    if tree["error"] or len(tree["statements"]) != 1:
        return None
    functions: set[str] = set()
    tables: set[str] = set()
    expressions: set[str] = set()
    for node in nodes(tree):
        if "function_name" in node:
            functions.add(node["function_name"])
        if "cte_map" in node:
            expressions.update(entry["key"] for entry in node["cte_map"]["map"])
        if node.get("type") == "BASE_TABLE":
            qualified = node["catalog_name"] != "" or node["schema_name"] not in ("", "main")
            tables.add(f"{node['schema_name']}.{node['table_name']}" if qualified else node["table_name"])
    return _Calls(frozenset(functions), frozenset(tables), frozenset(expressions))


@functools.cache
def _ours() -> _Ours:
    """Return our schema; the user's cache keeps it, because defining it takes 100 ms of CPU time."""
    folder = template_folder()
    if folder is None:
        return _defined()
    path = os.path.join(folder, f"catalogue-{template_key()}.json")
    try:
        with open(path, encoding="utf-8") as file:
            tables, views, calls = json.load(file)
        return _Ours(
            {name: tuple(columns) for name, columns in tables.items()}, dict(views), _Calls(*map(frozenset, calls))
        )
    except (OSError, ValueError, TypeError, AttributeError):
        ours = _defined()
    part = f"{path}.{os.getpid()}.part"
    with contextlib.suppress(OSError):
        with open(part, "w", encoding="utf-8") as file:
            json.dump((ours.tables, ours.views, [sorted(names) for names in ours.calls]), file)
        os.replace(part, path)
    return ours


def _defined() -> _Ours:
    """Define our schema in a file of its own, without the comments, which take half of the time.

    DuckDB writes some views otherwise once they have been in a file.
    """
    import tempfile

    with tempfile.TemporaryDirectory(prefix="benchdb-") as folder, contextlib.closing(db.connect()) as connection:
        path = os.path.join(folder, "ours.duckdb")
        db.attach(connection, path, "ours")
        connection.execute(f"USE ours; BEGIN; {_COMMENTS.sub('', read('schema'))}; COMMIT; USE memory; DETACH ours")
        db.attach(connection, path, "ours", read_only=True)
        rows = fetch(connection, "queries/catalogue", {"aliases": ["ours"]})
        views = {row["name"]: row["sql"] for row in rows if row["kind"] == "view"}
        calls = [found for sql in views.values() if (found := _calls(connection, sql))]
        return _Ours(
            tables={row["name"]: _columns(row["sql"]) for row in rows if row["kind"] == "table"},
            views=views,
            calls=_Calls(*(frozenset[str]().union(*parts) for parts in zip(*calls, strict=True))),
        )
