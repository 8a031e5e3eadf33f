"""The formats of a report that are text, for the command line and for pytest's options."""

from pathlib import PurePath

from pytest_benchdb.model.report import Report
from pytest_benchdb.present.report.columns import USUAL_OPTIONS, RenderOptions

REPORT_SUFFIXES = {".md": "md", ".json": "json", ".csv": "csv", ".html": "html"}
"""Format of a report's file, by the suffix of its name."""


def format_of(file: str) -> str | None:
    """Return the format that belongs to a file's name; None if its suffix is unknown.

    >>> format_of("out/Report.HTML"), format_of("report.docx")
    ('html', None)
    """
    return REPORT_SUFFIXES.get(PurePath(file).suffix.lower())


def report_text(report: Report, format_name: str, options: RenderOptions = USUAL_OPTIONS) -> str:
    """Write a report as ``md``, ``json``, ``csv`` or ``html``.

    Raises:
        MissingExtraError: the format needs a package that is not installed.
    """
    # Late: only reports need what writes them, and not every command that knows the names of the formats.
    if format_name == "html":
        from pytest_benchdb.present.report.page import report_html

        return report_html(report, options)
    from pytest_benchdb.present.report.text_formats import report_csv, report_json, report_markdown

    if format_name == "md":
        return report_markdown(report, options)
    return report_csv(report, options.columns) if format_name == "csv" else report_json(report)
