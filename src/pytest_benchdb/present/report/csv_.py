"""Reports as CSV: raw SI values, units in the names of the columns."""

from collections.abc import Sequence
from dataclasses import fields

from pytest_benchdb.model.report import Report, ReportRow
from pytest_benchdb.present.report.columns import Column, columns_named, figure_of, raw_name, unusual_metric
from pytest_benchdb.present.report.json_ import run_values
from pytest_benchdb.present.writing.values import write_csv


def report_csv(report: Report, columns: Sequence[Column] | None) -> str:
    """Write the runs of a report, one a line.

    Args:
        report: the sessions.
        columns: what `--columns` asks for; None for every field of a run.
    """
    rows = [row for shown in report.sessions for row in shown.rows]
    if columns is None:
        names = [field.name for field in fields(ReportRow)]
        return write_csv(names, (list(run_values(row).values()) for row in rows))
    shown = [*columns, *_telling(columns, rows)]
    return write_csv([raw_name(column) for column in shown], ([figure_of(row, c.key) for c in shown] for row in rows))


def _telling(columns: Sequence[Column], rows: Sequence[ReportRow]) -> list[Column]:
    """Return columns that nobody asked for, without which figures would be taken for what they are not."""
    keys = []
    if any(column.kind == "time" for column in columns) and any(unusual_metric(row) for row in rows):
        keys.append("metric")
    if any(row.provenance == "simulated" for row in rows):
        keys.append("provenance")
    shown = {column.key for column in columns}
    return [column for key in keys if key not in shown for column in columns_named([key])]
