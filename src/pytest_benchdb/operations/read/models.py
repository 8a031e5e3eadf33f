"""Render the tables as typed Python models: dataclasses, or mapped classes of SQLAlchemy 2."""

import keyword
import re
from collections.abc import Mapping, Sequence

from pytest_benchdb.model.exchange.schema import Column, Relation

_SCALARS = {
    "UUID": "UUID",
    "VARCHAR": "str",
    "JSON": "str",
    "TIMESTAMP": "datetime.datetime",
    "BOOLEAN": "bool",
    "INTEGER": "int",
    "BIGINT": "int",
    "DOUBLE": "float",
}
_MAP = re.compile(r"MAP\(VARCHAR, (\w+)\)")
_KEYS: Mapping[str, tuple[str, ...]] = {
    "meta": ("key",),
    "metric": ("metric",),
    "round_chunk": ("measurement_id", "chunk"),
    "series": ("run_id", "device_id", "phase", "metric", "domain", "chunk"),
    "request": ("run_id", "phase", "request"),
}
"""The columns that tell the rows of a table apart; of any other table it is its own id."""

_DATACLASSES = '''"""Typed rows of a pytest-benchdb database; made by: benchdb schema --format dataclasses.

Times are UTC, units are SI, None means not measured. JSON is text.

    rows = read(connection, Session)
    write(connection, rows)
"""

import datetime
import json
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, TypeVar
from uuid import UUID

Row = TypeVar("Row")


def read(connection: Any, kind: type[Row]) -> list[Row]:
    """Return every row of the table of a class, from a connection of duckdb."""
    columns = [entry.metadata["column"] for entry in fields(kind)]
    selected = ", ".join(f'"{column}"' for column in columns)
    answer = connection.execute(f'SELECT {selected} FROM "{kind.TABLE}"').fetchall()
    names = [entry.name for entry in fields(kind)]
    return [kind(**dict(zip(names, row))) for row in answer]


def write(connection: Any, rows: list[Any]) -> None:
    """Append rows to the tables of their classes."""
    for row in rows:
        entries = fields(row)
        places = ", ".join(_place(entry.metadata["type"]) for entry in entries)
        values = [_bound(getattr(row, entry.name), entry.metadata["type"]) for entry in entries]
        columns = ", ".join(f'"{entry.metadata["column"]}"' for entry in entries)
        connection.execute(f'INSERT INTO "{row.TABLE}" ({columns}) VALUES ({places})', values)


def _place(kind: str) -> str:
    return f"CAST(CAST(? AS JSON) AS {kind})" if kind.startswith("MAP") else f"CAST(? AS {kind})"


def _bound(value: Any, kind: str) -> Any:
    return json.dumps(value) if kind.startswith("MAP") and value is not None else value


def _column(name: str, kind: str, **default: Any) -> Any:
    return field(**default, metadata={"column": name, "type": kind})
'''

_SQLALCHEMY = '''"""Mapped classes of a pytest-benchdb database; made by: benchdb schema --format sqlalchemy.

For SQLAlchemy 2 with duckdb-engine: create_engine("duckdb:///history.duckdb"). Times are UTC, units are SI, None means
not measured. JSON is text. The tables have no keys; primary_key names the columns that tell their rows apart.
"""

import datetime
import json
from typing import Any
from uuid import UUID

from sqlalchemy import types
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.sql import cast
from sqlalchemy.sql.elements import ColumnElement


class Base(DeclarativeBase):
    """The base of every table."""


class DuckDB(types.UserDefinedType[Any]):
    """A type of DuckDB, by its name; values are those of duckdb's Python client."""

    cache_ok = True

    def __init__(self, name: str) -> None:
        self.name = name

    def get_col_spec(self, **_options: Any) -> str:
        return self.name

    def bind_processor(self, _dialect: Any) -> Any:
        is_map = self.name.startswith("MAP")
        return (lambda value: None if value is None else json.dumps(value)) if is_map else None

    def bind_expression(self, bindvalue: Any) -> ColumnElement[Any]:
        is_map = self.name.startswith("MAP")
        return cast(cast(bindvalue, _JSON), _Plain(self.name)) if is_map else cast(bindvalue, _Plain(self.name))


class _Plain(types.UserDefinedType[Any]):
    cache_ok = True

    def __init__(self, name: str) -> None:
        self.name = name

    def get_col_spec(self, **_options: Any) -> str:
        return self.name


_JSON = _Plain("JSON")
'''


def dataclasses_text(tables: Sequence[Relation]) -> str:
    """Return a module with a dataclass for each table, and functions that read and write their rows."""
    parts = [_DATACLASSES]
    for table in tables:
        lines = [
            "",
            "",
            "@dataclass(kw_only=True)",
            f"class {_class_name(table.name)}:",
            f"    {_docstring(table.comment)}",
            "",
            f'    TABLE: ClassVar[str] = "{table.name}"',
            "",
        ]
        for column in table.columns:
            default = "" if column.filled else ", default=None"
            hint = _hint(column)
            lines.append(f'    {_attribute(column.name)}: {hint} = _column("{column.name}", "{column.kind}"{default})')
        parts.append("\n".join(lines) + "\n")
    names = ", ".join(_class_name(table.name) for table in tables)
    parts.append(f"\n\nTABLES: tuple[type[Any], ...] = ({names})\n")
    return "".join(parts)


def sqlalchemy_text(tables: Sequence[Relation]) -> str:
    """Return a module with a mapped class of SQLAlchemy 2 for each table."""
    parts = [_SQLALCHEMY]
    for table in tables:
        keys = _KEYS.get(table.name, (f"{table.name}_id",))
        lines = ["", "", f"class {_class_name(table.name)}(Base):", f"    {_docstring(table.comment)}", ""]
        lines += [f'    __tablename__ = "{table.name}"', ""]
        for column in table.columns:
            options = ", primary_key=True" if column.name in keys else ""
            options += "" if column.filled else ", nullable=True"
            lines.append(
                f"    {_attribute(column.name)}: Mapped[{_hint(column)}] = "
                f'mapped_column("{column.name}", DuckDB("{column.kind}"){options})'
            )
        parts.append("\n".join(lines) + "\n")
    return "".join(parts)


def _class_name(table: str) -> str:
    return "".join(word.capitalize() for word in table.split("_"))


def _attribute(column: str) -> str:
    """Return a column's name as an attribute: ``class`` and ``pass`` are words of Python."""
    return f"{column}_" if keyword.iskeyword(column) else column


def _hint(column: Column) -> str:
    hint = _plain_hint(column.kind)
    return hint if column.filled else f"{hint} | None"


def _plain_hint(kind: str) -> str:
    if kind.endswith("[]"):
        return f"list[{_plain_hint(kind[:-2])}]"
    match = _MAP.fullmatch(kind)
    return _SCALARS[kind] if match is None else f"dict[str, {_SCALARS[match[1]]}]"


def _docstring(text: str) -> str:
    return f'"""{text.rstrip(".")}."""'
