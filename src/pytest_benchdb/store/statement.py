"""Reads statements from ``sql/``, substitutes their ``$named`` parameters, and fetches their rows.

Values become SQL literals here instead of being bound by duckdb: before DuckDB 2.0 one bound parameter imports
pandas, numpy and pyarrow where they are installed (240 to 580 ms), and a literal lets the planner skip row groups.
The process that folds a session loads this module, so it imports only what the interpreter has loaded anyway.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_FOLDER = os.path.join(os.path.dirname(__file__), "sql")
_END_OF_TIME_US = 253_402_300_800_000_000
_PARAMETER = re.compile(r"\$([a-z_]+)")

Value = str | int | float | bool | None | Sequence[str | float | None] | Mapping[str, str]
"""The type of a parameter."""


def read(name: str) -> str:
    """Return the text of ``sql/<name>.sql``."""
    with open(os.path.join(_FOLDER, *f"{name}.sql".split("/")), encoding="utf-8") as file:
        return file.read()


def names(folder: str) -> list[str]:
    """Return the sorted names, for `read`, of the statements in ``sql/<folder>``."""
    return sorted(
        f"{folder}/{file[:-4]}" for file in os.listdir(os.path.join(_FOLDER, folder)) if file.endswith(".sql")
    )


def literal(value: Value) -> str:
    """Return an SQL literal that means exactly `value`.

    >>> literal("it's")
    "'it''s'"
    >>> literal(["a", "b"])
    "['a', 'b']"
    """
    if value is None or isinstance(value, int):  # also a bool: DuckDB reads True, False and NULL
        return "NULL" if value is None else str(value)
    if isinstance(value, float):
        return f"CAST('{value!r}' AS DOUBLE)"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Mapping):
        return f"map({literal(list(value))}, {literal(list(value.values()))})"
    return f"[{', '.join(map(literal, value))}]" if value else "CAST([] AS VARCHAR[])"


def is_timestamp(value: object) -> bool:
    """Return whether a value is a time that Python and DuckDB can store: microseconds since 1970, until the year 9999.

    >>> is_timestamp(1_700_000_000_000_000), is_timestamp(10**30), is_timestamp("now")
    (True, False, False)
    """
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _END_OF_TIME_US


def identifier(name: str) -> str:
    """Return `name` quoted as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def render(sql: str, values: Mapping[str, Value]) -> str:
    """Replace the ``$named`` parameters of a statement with `values`.

    Raises:
        KeyError: a parameter has no value.
    """
    return _PARAMETER.sub(lambda match: literal(values[match[1]]), sql)


def fetch(connection: "DuckDBPyConnection", name: str, values: dict[str, Value]) -> list[dict[str, Any]]:
    """Run ``sql/<name>.sql`` and return its rows as dictionaries."""
    cursor = connection.execute(render(read(name), values))
    columns = [column[0] for column in cursor.description or ()]
    return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


def syntax_tree(connection: "DuckDBPyConnection", select: str) -> dict[str, Any]:
    """Return the syntax tree of a SELECT, which is not run; its key ``error`` is true for anything else.

    Raises:
        Exception: DuckDB's own, for a text that it cannot read.
    """
    row = connection.execute(f"SELECT json_serialize_sql({literal(select)})").fetchone()
    tree: dict[str, Any] = json.loads(row[0]) if row else {"error": True}
    return tree


def nodes(tree: object) -> Iterator[dict[str, Any]]:
    """Yield every node of a syntax tree, outer ones first."""
    if isinstance(tree, dict):
        yield tree
        tree = list(tree.values())
    if isinstance(tree, list):
        for value in tree:
            yield from nodes(value)


def _text(value: str) -> str:
    # A NUL would end the statement, and a lone surrogate cannot be encoded.
    clean = value.encode("utf-8", "replace").decode("utf-8")
    parts = ["'" + part.replace("'", "''") + "'" for part in clean.split("\0")]
    return parts[0] if len(parts) == 1 else "(" + " || chr(0) || ".join(parts) + ")"
