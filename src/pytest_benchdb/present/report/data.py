"""Reports as data: JSON and CSV, in SI units, with nothing in place of what was not measured."""

from collections.abc import Sequence
from dataclasses import asdict, fields

from pytest_benchdb.model.report import RUN_UNITS, Report, ReportRow, SessionReport
from pytest_benchdb.present.report.columns import (
    Column,
    columns_named,
    figure_of,
    raw_name,
    unusual_metric,
)
from pytest_benchdb.present.writing.values import object_json, write_csv

REPORT_SCHEMA = "benchdb.report/1"


def report_json(report: Report) -> str:
    """Write a report as one JSON object with a line end."""
    content = {
        "sources": list(report.sources),
        "selection": report.selection,
        "sessions_in_all": report.sessions_in_all,
        "units": RUN_UNITS,
        "sessions": [_session(shown) for shown in report.sessions],
    }
    return object_json(REPORT_SCHEMA, content)


def report_csv(report: Report, columns: Sequence[Column] | None = None) -> str:
    """Write the runs of a report, one a line; None for every field of a run."""
    rows = [row for shown in report.sessions for row in shown.rows]
    if columns is None:
        names = [field.name for field in fields(ReportRow)]
        return write_csv(names, (list(row.values().values()) for row in rows))
    shown = [*columns, *_needed_beside(columns, rows)]
    return write_csv([raw_name(column) for column in shown], ([figure_of(row, c.key) for c in shown] for row in rows))


def _session(shown: SessionReport) -> dict[str, object]:
    return {**asdict(shown.session), "outcomes": dict(shown.outcomes), "rows": [row.values() for row in shown.rows]}


def _needed_beside(columns: Sequence[Column], rows: Sequence[ReportRow]) -> list[Column]:
    """Return columns that were not chosen, without which figures would be mistaken for what they are not."""
    keys = []
    if any(column.kind == "time" for column in columns) and any(unusual_metric(row) for row in rows):
        keys.append("metric")
    if any(row.provenance == "simulated" for row in rows):
        keys.append("provenance")
    shown = {column.key for column in columns}
    return [column for key in keys if key not in shown for column in columns_named([key])]
