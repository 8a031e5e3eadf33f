"""The rows of a Parquet file, each with its number; read by pyarrow."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pytest_benchdb.errors import ImportFormatError, MissingExtraError
from pytest_benchdb.importers.csv_rows import check_columns
from pytest_benchdb.importers.table_row import COLUMNS, BadRow, Cells

MAGIC = b"PAR1"
_BATCH_ROWS = 10_000
_TEXTS = ("session", "benchmark", "metric", "unit", "better", "commit", "branch", "fingerprint", "backend")


def parquet_rows(path: Path) -> Iterator[tuple[str, Cells | BadRow]]:
    """Yield the rows: place and cells.

    Raises:
        ImportFormatError: it is damaged, or has not the columns that are needed, or of other types.
        MissingExtraError: pyarrow is not installed.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        message = "Parquet files are read by pyarrow; install it with: pip install 'pytest-benchdb[arrow]'"
        raise MissingExtraError(message) from error
    try:
        with contextlib.closing(pq.ParquetFile(path)) as file:
            present = {name.strip().lower(): name for name in file.schema_arrow.names}
            check_columns(list(present))
            wanted = [name for name in present if name in COLUMNS]
            number = 0
            for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=[present[name] for name in wanted]):
                columns = [_column(pa, name, batch.column(present[name])) for name in wanted]
                for cells in zip(*columns, strict=True):
                    number += 1
                    yield f"row {number}", dict(zip(wanted, cells, strict=True))
    except (pa.ArrowException, OSError) as error:
        what = " ".join(str(error).split())[:200]
        raise ImportFormatError(f"it is no Parquet file that can be read: {what}") from error


def _column(pa: Any, name: str, column: Any) -> list[Any]:
    """Return the cells of a column as plain values.

    Raises:
        ImportFormatError: a column has a type that it cannot have.
    """
    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.dictionary_decode(), kind.value_type
    text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    nothing = pa.types.is_null(kind)
    if name == "value" and not text and not nothing:
        if not (pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind)):
            raise ImportFormatError(f"its column value is of type {kind}; a number is wanted")
        column = column.cast(pa.float64(), safe=False)
    elif name == "round" and not text and not nothing:
        if not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
            raise ImportFormatError(f"its column round is of type {kind}; a whole number is wanted")
        column = column.cast(pa.int64())
    elif name == "started_at" and not text:
        column = _times(pa, column, kind)
    elif name in _TEXTS and not text and not nothing:
        column = column.cast(pa.string())
    cells: list[Any] = column.to_pylist()
    return cells


def _times(pa: Any, column: Any, kind: Any) -> Any:
    if pa.types.is_timestamp(kind):
        return column.cast(pa.timestamp("us", tz="UTC"), safe=False)
    if pa.types.is_date(kind):
        return column.cast(pa.timestamp("us")).cast(pa.timestamp("us", tz="UTC"))
    raise ImportFormatError(f"its column started_at is of type {kind}; a timestamp or a text is wanted")
