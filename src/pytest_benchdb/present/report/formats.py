"""The formats of a report that are text: one way to each, for the command line and for pytest's options."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath

from pytest_benchdb.model.report import Report
from pytest_benchdb.present.report.columns import Column
from pytest_benchdb.present.writing.units import FigureKind, Unit

REPORT_SUFFIXES = {".md": "md", ".json": "json", ".csv": "csv", ".html": "html"}
"""Format of a report's file, by the ending of its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What the user asked of a report's shape; the defaults leave it to each session.

    Attributes:
        columns: columns to show, in order; CSV has every field of a run without them, JSON always.
        group_by: one of `columns.GROUP_KEYS`, or ``none``.
        units: units to show figures in; JSON and CSV are always in SI units.
    """

    columns: Sequence[Column] | None = None
    group_by: str | None = None
    units: Mapping[FigureKind, Unit] = field(default_factory=dict)


DEFAULT_SHAPE = Shape()


def format_of(file: str) -> str | None:
    """Return the format that a file's name asks for; None if there is none of that ending.

    >>> format_of("out/Report.HTML"), format_of("report.docx")
    ('html', None)
    """
    return REPORT_SUFFIXES.get(PurePath(file).suffix.lower())


def report_text(report: Report, format_name: str, shape: Shape = DEFAULT_SHAPE) -> str:
    """Write a report.

    Args:
        report: the sessions.
        format_name: ``md``, ``json``, ``csv`` or ``html``.
        shape: what the user asked for.

    Raises:
        MissingExtraError: the format needs a package that is not installed.
    """
    if format_name == "json":
        from pytest_benchdb.present.report.json_ import report_json

        return report_json(report)
    if format_name == "csv":
        from pytest_benchdb.present.report.csv_ import report_csv

        return report_csv(report, shape.columns)
    if format_name == "html":
        from pytest_benchdb.present.report.page import report_html

        return report_html(report, shape.columns, shape.group_by, shape.units)
    from pytest_benchdb.present.report.markdown import report_markdown

    return report_markdown(report, shape.columns, shape.group_by, shape.units)
