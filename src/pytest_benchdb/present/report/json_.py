"""Reports and tables as JSON: SI values, null for what was not measured, a schema name at the top."""

import datetime as dt
import decimal
import json
import math
from collections.abc import Mapping
from dataclasses import fields

from pytest_benchdb.model.report import ReportRow, SessionRow
from pytest_benchdb.present.report.columns import has_figures
from pytest_benchdb.present.report.document import DataTable, Report, SessionReport

REPORT_SCHEMA = "benchdb.report/1"

_UNITS = {"_s": "s", "_bytes": "B", "_j": "J", "throughput": "1/s"}
RUN_UNITS = {
    field.name: unit for field in fields(ReportRow) for ending, unit in _UNITS.items() if field.name.endswith(ending)
}
"""Unit of each figure of a run, by the name that JSON and CSV give it."""

_FIGURES = {*RUN_UNITS, "cpu_per_wall", "outliers"}


def report_json(report: Report) -> str:
    """Write a report as one JSON object with a line end."""
    document = {
        "schema": REPORT_SCHEMA,
        "sources": list(report.sources),
        "selection": report.selection,
        "sessions_in_all": report.sessions_in_all,
        "units": RUN_UNITS,
        "sessions": [_session(shown) for shown in report.sessions],
    }
    return _dump(document)


def table_json(table: DataTable) -> str:
    """Write a table as one JSON object, one object a row; equal column names get a number."""
    names = _unique(table.columns)
    columns: list[object] = list(names)
    if table.types:
        columns = [{"name": name, "type": kind} for name, kind in zip(names, table.types, strict=True)]
    document = {
        "schema": table.schema,
        **table.facts,
        "columns": columns,
        "more": table.more,
        "rows": [dict(zip(names, row, strict=True)) for row in table.rows],
    }
    return _dump(document)


def object_json(schema: str, content: Mapping[str, object]) -> str:
    """Write one object under a schema name."""
    return _dump({"schema": schema, **content})


def run_values(row: ReportRow) -> dict[str, object]:
    """Return every field of a run; figures that must not be compared are None, whatever was read."""
    shown = has_figures(row)
    return {
        field.name: getattr(row, field.name) if shown or field.name not in _FIGURES else None
        for field in fields(ReportRow)
    }


def _session(shown: SessionReport) -> dict[str, object]:
    session = {field.name: getattr(shown.session, field.name) for field in fields(SessionRow)}
    return {**session, "outcomes": dict(shown.outcomes), "rows": [run_values(row) for row in shown.rows]}


def plain_value(value: object) -> object:
    """Turn what DuckDB returns into what JSON has; NaN and infinities become null.

    >>> plain_value([float("nan"), dt.date(2026, 1, 2)])
    [None, '2026-01-02']
    """
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain_value(item) for item in value]
    return _scalar(value)


def _scalar(value: object) -> object:
    if isinstance(value, decimal.Decimal):
        return float(value) if value.is_finite() else None
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, dt.timedelta):
        return value.total_seconds()
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    return str(value)


def _unique(names: tuple[str, ...]) -> tuple[str, ...]:
    taken: dict[str, int] = {}
    result = []
    for name in names:
        count = taken.get(name, 0)
        taken[name] = count + 1
        result.append(name if count == 0 else f"{name}_{count}")
    return tuple(result)


def _dump(document: object) -> str:
    # ASCII only: any terminal, pipe and editor takes it, and lone surrogates of a test's name too.
    return json.dumps(plain_value(document), indent=1, allow_nan=False) + "\n"
