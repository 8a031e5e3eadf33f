"""Reports as data: JSON and CSV, in SI units, with nothing in place of what was not measured."""

from collections.abc import Sequence
from dataclasses import asdict, fields

from pytest_benchdb.model.report import Report, ReportRow, SessionReport
from pytest_benchdb.present.report.columns import (
    Column,
    columns_named,
    figure_of,
    has_figures,
    raw_name,
    unusual_metric,
)
from pytest_benchdb.present.writing.values import object_json, write_csv

REPORT_SCHEMA = "benchdb.report/1"

_UNITS = {"_s": "s", "_bytes": "B", "_j": "J", "throughput": "1/s"}
RUN_UNITS = {
    field.name: unit for field in fields(ReportRow) for ending, unit in _UNITS.items() if field.name.endswith(ending)
}
"""Unit of each figure of a run, by its name in JSON and CSV."""

_FIGURES = {*RUN_UNITS, "cpu_per_wall", "outliers"}


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


def run_values(row: ReportRow) -> dict[str, object]:
    """Return every field of a run; figures that must not be compared are None, whatever was read."""
    shown = has_figures(row)
    return {name: value if shown or name not in _FIGURES else None for name, value in asdict(row).items()}


def report_csv(report: Report, columns: Sequence[Column] | None = None) -> str:
    """Write the runs of a report, one a line; None for every field of a run."""
    rows = [row for shown in report.sessions for row in shown.rows]
    if columns is None:
        names = [field.name for field in fields(ReportRow)]
        return write_csv(names, (list(run_values(row).values()) for row in rows))
    shown = [*columns, *_needed_beside(columns, rows)]
    return write_csv([raw_name(column) for column in shown], ([figure_of(row, c.key) for c in shown] for row in rows))


def _session(shown: SessionReport) -> dict[str, object]:
    return {**asdict(shown.session), "outcomes": dict(shown.outcomes), "rows": [run_values(row) for row in shown.rows]}


def _needed_beside(columns: Sequence[Column], rows: Sequence[ReportRow]) -> list[Column]:
    """Return columns that were not chosen, without which figures would be mistaken for what they are not."""
    keys = []
    if any(column.kind == "time" for column in columns) and any(unusual_metric(row) for row in rows):
        keys.append("metric")
    if any(row.provenance == "simulated" for row in rows):
        keys.append("provenance")
    shown = {column.key for column in columns}
    return [column for key in keys if key not in shown for column in columns_named([key])]
