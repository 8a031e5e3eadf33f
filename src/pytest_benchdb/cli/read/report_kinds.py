"""The kinds of `benchdb report` beside the summary: what each reads, and how it is shown."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_benchdb.cli.frame.command import Call
from pytest_benchdb.errors import ConfigError
from pytest_benchdb.operations.exchange.open import Feedback
from pytest_benchdb.operations.history.correlate import CorrelateRequest, find_correlations
from pytest_benchdb.operations.history.trend import TrendRequest, build_trends
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
from pytest_benchdb.present.writing.values import table_json

SUMMARY = "summary"
_OF_THE_SUMMARY = ("columns", "group_by", "sort", "unit")
"""Options that the other kinds do not have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of report.

    Attributes:
        read: the operation.
        sheets: what people read.
        json: what programs read.
    """

    read: Callable[[Selection, Feedback], Any]
    sheets: Callable[[Any], Sheets]
    json: Callable[[Any], str]


def _trends(selection: Selection, feedback: Feedback) -> Any:
    return build_trends(selection, TrendRequest(root=Path.cwd(), environ=os.environ), feedback=feedback)


KINDS: Mapping[str, Kind] = {
    "performance": Kind(
        read=lambda selection, feedback: sum_up_performance(selection, feedback=feedback),
        sheets=performance_sheets,
        json=overview_json(PERFORMANCE_SCHEMA),
    ),
    "hardware": Kind(
        read=lambda selection, feedback: sum_up_hardware(selection, feedback=feedback),
        sheets=hardware_sheets,
        json=overview_json(HARDWARE_SCHEMA),
    ),
    "trend": Kind(read=_trends, sheets=trend_sheets, json=trend_json),
    "power": Kind(
        read=lambda selection, feedback: sum_up_power(selection, feedback=feedback),
        sheets=power_sheets,
        json=overview_json(POWER_SCHEMA),
    ),
    "correlation": Kind(
        read=lambda selection, feedback: find_correlations(selection, CorrelateRequest(), feedback=feedback),
        sheets=correlation_sheets,
        json=lambda correlations: table_json(correlation_table(correlations)),
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
    sheets = kind.sheets(answer)
    if output.format == "json":
        output.text(kind.json(answer))
    elif output.format == "md":
        output.text(sheets_markdown(sheets))
    elif output.format == "html":
        output.text(sheets_html(sheets))
    else:
        output.lines(sheets_lines(sheets, output.width, ascii_only=output.ascii_only, verbose=output.verbose))
    if not any(sheet.rows for sheet in sheets.sheets):
        output.say(f"no run for a report of this kind{f' matches {selection.text()}' if selection.text() else ''}")
