"""Reports as JSON: SI values, null for what was not measured, a schema name at the top."""

from dataclasses import fields

from pytest_benchdb.model.report import Report, ReportRow, SessionReport, SessionRow
from pytest_benchdb.present.report.columns import has_figures
from pytest_benchdb.present.writing.values import dump_json

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
    return dump_json(document)


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
