"""Export everything but the raw rounds as an Excel workbook; needs XlsxWriter, the extra ``[excel]``."""

import datetime as dt
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any, Literal

from pytest_benchdb.errors import ConfigError, MissingExtraError
from pytest_benchdb.model.exchange.exported import ExportFile, StoredRun, StoredSession
from pytest_benchdb.model.exchange.long_table import COLUMNS, LongColumn, Value, long_rows

MOST_ROWS = 1_048_575
"""Rows of a sheet below its header."""
MOST_TEXT = 32_767
_SHOWN = COLUMNS[:-1]
_TIME_FORMAT = "yyyy-mm-dd hh:mm:ss"
_BEGINNING = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - the format has no time zones
_WIDTHS = {"benchmark": 50, "started_at": 20, "committed_at": 20, "run_started_at": 20}


class Excel:
    """A workbook with one sheet: the long table without its rounds.

    Every text is written as a text: no cell is a formula, whatever a benchmark is called.
    """

    name = "excel"
    suffix = ".xlsx"
    is_text = False
    holds: Literal["history", "session"] = "history"
    rounds = False

    def takes(self, _run: StoredRun) -> bool:
        """Return True: every run has a row."""
        return True

    def export(self, sessions: Iterable[StoredSession]) -> list[ExportFile]:
        """Return one file.

        Raises:
            MissingExtraError: XlsxWriter is not installed.
        """
        try:
            import xlsxwriter
        except ImportError as error:
            message = "Excel files are written by XlsxWriter; install it with: pip install 'pytest-benchdb[excel]'"
            raise MissingExtraError(message) from error
        return [ExportFile(name="results.xlsx", pieces=_pieces(xlsxwriter, sessions))]


def _pieces(xlsxwriter: Any, sessions: Iterable[StoredSession]) -> Iterator[bytes]:
    written = io.BytesIO()
    with xlsxwriter.Workbook(written, {"constant_memory": True}) as workbook:
        workbook.set_properties({"created": _BEGINNING})  # the same sessions give the same bytes
        sheet, bold = workbook.add_worksheet("measurements"), workbook.add_format({"bold": True})
        times = workbook.add_format({"num_format": _TIME_FORMAT})
        sheet.freeze_panes(1, 0)
        for place, column in enumerate(_SHOWN):
            sheet.set_column(place, place, _WIDTHS.get(column.name, 14))
            sheet.write_string(0, place, column.name, bold)
        number = 0
        for number, row in enumerate(long_rows(sessions), 1):
            if number > MOST_ROWS:
                raise ConfigError(f"a sheet of Excel holds {MOST_ROWS:,} rows; export fewer with --last, -k or -w")
            for place, (column, value) in enumerate(zip(_SHOWN, row, strict=False)):
                _write(sheet, (number, place), column, value, times)
        sheet.autofilter(0, 0, number, len(_SHOWN) - 1)
    yield written.getvalue()


def _write(sheet: Any, cell: tuple[int, int], column: LongColumn, value: Value, times: object) -> None:
    if value is None:
        return
    if isinstance(value, bool):
        sheet.write_boolean(*cell, value)
    elif isinstance(value, int | float):
        sheet.write_number(*cell, value)
    elif column.kind == "TIMESTAMP":
        sheet.write_datetime(*cell, dt.datetime.fromisoformat(str(value)), times)
    else:
        text = value if isinstance(value, str) else json.dumps(value)
        sheet.write_string(*cell, text.encode("utf-8", "backslashreplace").decode()[:MOST_TEXT])
