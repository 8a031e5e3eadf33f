"""The tables of the Python API: rows of named columns, which pandas, Polars and Arrow take."""

import datetime as dt
import decimal
import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pytest_benchdb.errors import MissingExtraError
from pytest_benchdb.model.answer.notebook import Notebook
from pytest_benchdb.model.wording import counted

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

TEXT, INTEGER, NUMBER, TRUTH = "VARCHAR", "BIGINT", "DOUBLE", "BOOLEAN"
MOMENT, NUMBERS, LABELS, OBJECT = "TIMESTAMP WITH TIME ZONE", "DOUBLE[]", "MAP(VARCHAR, VARCHAR)", "OBJECT"

_INTEGERS = frozenset({"TINYINT", "SMALLINT", "INTEGER", "UTINYINT", "USMALLINT", "UINTEGER"})
_NUMBERS = ("FLOAT", "DECIMAL")


class Table(Notebook):
    """Rows of named columns, in memory.

    ``len(table)`` is the number of rows, ``table["name"]`` the values of a column, and a loop gives the rows as
    dictionaries. pandas, Polars and pyarrow are needed only by the methods that are named after them; what takes an
    Arrow stream takes a table as it is.

    Attributes:
        types: DuckDB's name for the type of each column, by the name of the column; ``OBJECT`` for dictionaries.
    """

    __slots__ = ("_values", "types")

    def __init__(self, values: Mapping[str, Sequence[object]], types: Mapping[str, str]) -> None:
        """Take columns of equal length; tables come from `History`."""
        self.types: Mapping[str, str] = MappingProxyType({name: _kind(types[name]) for name in values})
        self._values = {name: [_plain(value) for value in column] for name, column in values.items()}

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(self._values)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(next(iter(self._values.values()), ()))

    def __getitem__(self, name: str) -> list[Any]:
        """Return the values of a column."""
        return list(self._values[name])

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield the rows as dictionaries."""
        for row in zip(*self._values.values(), strict=True):
            yield dict(zip(self._values, row, strict=True))

    def __eq__(self, other: object) -> bool:
        """Return whether both have the same columns, types and values."""
        return isinstance(other, Table) and (self._values, dict(self.types)) == (other._values, dict(other.types))

    __hash__ = None  # type: ignore[assignment]  # it holds lists

    def summary(self) -> str:
        """Return the size in one line."""
        return f"{counted(len(self), 'row')} of {counted(len(self.columns), 'column')}"

    def table(self) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
        """Return the heads and the rows, for notebooks."""
        return self.columns, [tuple(row.values()) for row in self]

    def to_pylist(self) -> list[dict[str, Any]]:
        """Return the rows as dictionaries."""
        return list(self)

    def to_dict(self) -> dict[str, list[Any]]:
        """Return the columns as lists, by name."""
        return {name: list(values) for name, values in self._values.items()}

    def to_pandas(self) -> "pd.DataFrame":
        """Return a pandas frame; whole numbers and truth values with gaps have pandas' nullable types.

        Raises:
            MissingExtraError: pandas is not installed.
        """
        pandas = _library("pandas")
        frame: pd.DataFrame = pandas.DataFrame({name: self._series(pandas, name) for name in self.columns})
        return frame

    def to_polars(self) -> "pl.DataFrame":
        """Return a Polars frame; dictionaries become structs.

        Raises:
            MissingExtraError: Polars is not installed.
        """
        polars = _library("polars")
        kinds = {
            TEXT: polars.String,
            INTEGER: polars.Int64,
            NUMBER: polars.Float64,
            TRUTH: polars.Boolean,
            MOMENT: polars.Datetime("us", "UTC"),
            NUMBERS: polars.List(polars.Float64),
        }
        schema = {name: kinds.get(kind) for name, kind in self.types.items()}
        frame: pl.DataFrame = polars.DataFrame(self._values, schema=schema, strict=False, infer_schema_length=None)
        return frame

    def to_arrow(self) -> "pa.Table":
        """Return an Arrow table; dictionaries become structs, or JSON where their values have several types.

        Raises:
            MissingExtraError: pyarrow is not installed.
        """
        pa = _library("pyarrow")
        return pa.table({name: self._array(pa, name) for name in self.columns})

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Return the table as an Arrow stream, for libraries that take one."""
        return self.to_arrow().__arrow_c_stream__(requested_schema)

    def _series(self, pandas: Any, name: str) -> Any:
        values, kind = self._values[name], self.types[name]
        gaps = None in values
        if kind == MOMENT:
            return pandas.Series(pandas.to_datetime(values, utc=True))
        kinds = {INTEGER: "Int64" if gaps else "int64", TRUTH: "boolean" if gaps else "bool", NUMBER: "float64"}
        if kind in {OBJECT, LABELS, NUMBERS}:
            return pandas.Series(values, dtype="object")
        return pandas.Series(values, dtype=kinds.get(kind))

    def _array(self, pa: Any, name: str) -> Any:
        values, kind = self._values[name], self.types[name]
        kinds = {
            TEXT: pa.string(),
            INTEGER: pa.int64(),
            NUMBER: pa.float64(),
            TRUTH: pa.bool_(),
            MOMENT: pa.timestamp("us", "UTC"),
            NUMBERS: pa.list_(pa.float64()),
            LABELS: pa.map_(pa.string(), pa.string()),
        }
        if kind == LABELS:
            values = [list(value.items()) if isinstance(value, Mapping) else None for value in values]
        try:
            return pa.array(values, kinds.get(kind))
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            return pa.array([None if value is None else json.dumps(value, default=str) for value in values])


def _kind(name: str) -> str:
    if name in _INTEGERS:
        return INTEGER
    if name == "UUID":
        return TEXT
    return NUMBER if name.startswith(_NUMBERS) and not name.endswith("]") else name


def _plain(value: object) -> object:
    if isinstance(value, decimal.Decimal):
        return float(value)
    if isinstance(value, uuid.UUID):
        return str(value)
    return value.astimezone(dt.timezone.utc) if isinstance(value, dt.datetime) and value.tzinfo else value


def _library(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        package = "'pytest-benchdb[arrow]'" if name == "pyarrow" else name
        message = f"this needs {name}; install it with: pip install {package}"
        raise MissingExtraError(message) from error
