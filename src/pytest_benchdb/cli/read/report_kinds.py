"""The kinds of `benchdb report` beside the summary: what each reads, and how it is shown."""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_benchdb.cli.frame.command import Call
from pytest_benchdb.errors import ConfigError
from pytest_benchdb.operations.exchange.open import Feedback
from pytest_benchdb.operations.history.correlate import CorrelateRequest, find_correlations
from pytest_benchdb.operations.history.trend import TrendRequest, build_trends
from pytest_benchdb.operations.matrix.build import MatrixRequest, build_matrix
from pytest_benchdb.operations.read.overview import sum_up_hardware, sum_up_performance, sum_up_power
from pytest_benchdb.operations.select.selection import Selection
from pytest_benchdb.present.history.correlation import correlation_table
from pytest_benchdb.present.history.trend import trend_json
from pytest_benchdb.present.kinds.history import correlation_sheets, trend_sheets
from pytest_benchdb.present.kinds.overview import (
    HARDWARE_SCHEMA,
    PERFORMANCE_SCHEMA,
    POWER_SCHEMA,
    hardware_sheets,
    overview_json,
    performance_sheets,
    power_sheets,
)
from pytest_benchdb.present.kinds.sheet import Sheets, sheets_html, sheets_lines, sheets_markdown
from pytest_benchdb.present.matrix.formats import matrix_text
from pytest_benchdb.present.matrix.text import matrix_lines
from pytest_benchdb.present.writing.grid import Line
from pytest_benchdb.present.writing.values import table_json

SUMMARY = "summary"
_OF_THE_SUMMARY = ("columns", "group_by", "sort", "unit")
"""Options that the other kinds do not have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of report.

    Attributes:
        read: the operation.
        lines: what a terminal shows.
        text: what a file of a format has.
        is_empty: whether there was nothing to report.
    """

    read: Callable[[Selection, Feedback], Any]
    lines: Callable[..., Iterable[Line]]
    text: Callable[[Any, str], str]
    is_empty: Callable[[Any], bool]


def _of_sheets(
    read: Callable[[Selection, Feedback], Any], sheets: Callable[[Any], Sheets], json: Callable[[Any], str]
) -> Kind:
    """Return a kind whose tables are sheets."""

    def text(answer: Any, format_name: str) -> str:
        if format_name == "json":
            return json(answer)
        return (sheets_markdown if format_name == "md" else sheets_html)(sheets(answer))

    return Kind(
        read=read,
        lines=lambda answer, width, **shown: sheets_lines(sheets(answer), width, **shown),
        text=text,
        is_empty=lambda answer: not any(sheet.rows for sheet in sheets(answer).sheets),
    )


def _trends(selection: Selection, feedback: Feedback) -> Any:
    return build_trends(selection, TrendRequest(root=Path.cwd(), environ=os.environ), feedback=feedback)


KINDS: Mapping[str, Kind] = {
    "performance": _of_sheets(
        lambda selection, feedback: sum_up_performance(selection, feedback=feedback),
        performance_sheets,
        overview_json(PERFORMANCE_SCHEMA),
    ),
    "hardware": _of_sheets(
        lambda selection, feedback: sum_up_hardware(selection, feedback=feedback),
        hardware_sheets,
        overview_json(HARDWARE_SCHEMA),
    ),
    "compatibility": Kind(
        read=lambda selection, feedback: build_matrix(selection, MatrixRequest(), feedback=feedback),
        lines=matrix_lines,
        text=matrix_text,
        is_empty=lambda matrix: not matrix.rows,
    ),
    "trend": _of_sheets(_trends, trend_sheets, trend_json),
    "power": _of_sheets(
        lambda selection, feedback: sum_up_power(selection, feedback=feedback),
        power_sheets,
        overview_json(POWER_SCHEMA),
    ),
    "correlation": _of_sheets(
        lambda selection, feedback: find_correlations(selection, CorrelateRequest(), feedback=feedback),
        correlation_sheets,
        lambda correlations: table_json(correlation_table(correlations)),
    ),
}


def write_kind(call: Call, name: str) -> None:
    """Read and show a report of this kind.

    Raises:
        ConfigError: an option is not one of this kind's.
    """
    given = [f"--{option.replace('_', '-')}" for option in _OF_THE_SUMMARY if call.params[option]]
    if given:
        raise ConfigError(f"{given[0]} is for the summary; report --kind {name} has its own columns")
    output = call.output
    if output.format == "csv":
        raise ConfigError(f"report --kind {name} has several tables, which CSV cannot hold; take -f json")
    kind = KINDS[name]
    selection = call.selection(call.params["specs"])
    with call.reading() as feedback:
        answer = kind.read(selection, feedback)
    if output.format == "table":
        output.lines(kind.lines(answer, output.width, ascii_only=output.ascii_only, verbose=output.verbose))
    else:
        output.text(kind.text(answer, output.format))
    if kind.is_empty(answer):
        output.say(f"no run for a report of this kind{f' matches {selection.text()}' if selection.text() else ''}")
