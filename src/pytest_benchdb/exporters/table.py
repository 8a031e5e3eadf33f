"""Export everything as a long table, one row per measurement: CSV, JSON and JSON lines.

`model.exchange.long_table` has the columns. These formats keep every figure to the last digit, and are imported again.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Literal

from pytest_benchdb.model.exchange.exported import ExportFile, StoredRun, StoredSession
from pytest_benchdb.model.exchange.long_table import NAMES, Value, json_line, long_rows
from pytest_benchdb.model.value.spreadsheet import csv_text

JSON_SCHEMA = "benchdb.export/1"


class _Table:
    """What the three formats share: they hold every run of every session."""

    is_text = True
    holds: Literal["history", "session"] = "history"
    rounds = True
    name: str
    suffix: str

    def takes(self, _run: StoredRun) -> bool:
        """Return True: every run has a row."""
        return True

    def export(self, sessions: Iterable[StoredSession]) -> list[ExportFile]:
        """Return one file."""
        return [ExportFile(name=f"results{self.suffix}", pieces=self._pieces(long_rows(sessions)))]

    def _pieces(self, rows: Iterable[tuple[Value, ...]]) -> Iterator[bytes]:
        raise NotImplementedError


class CsvTable(_Table):
    """RFC 4180 with plain line feeds: every text is quoted, and no cell is a formula; the rounds are a JSON array."""

    name = "csv"
    suffix = ".csv"

    def _pieces(self, rows: Iterable[tuple[Value, ...]]) -> Iterator[bytes]:
        yield ",".join(map(csv_text, NAMES)).encode() + b"\n"
        for row in rows:
            yield ",".join(map(_cell, row)).encode("utf-8", "backslashreplace") + b"\n"


class JsonTable(_Table):
    """One JSON document with an object per row."""

    name = "json"
    suffix = ".json"

    def _pieces(self, rows: Iterable[tuple[Value, ...]]) -> Iterator[bytes]:
        yield f'{{"schema": "{JSON_SCHEMA}", "rows": ['.encode()
        for number, row in enumerate(rows):
            yield (b",\n" if number else b"\n") + json_line(row)
        yield b"\n]}\n"


class JsonLines(_Table):
    """One JSON object per line and row."""

    name = "jsonl"
    suffix = ".jsonl"

    def _pieces(self, rows: Iterable[tuple[Value, ...]]) -> Iterator[bytes]:
        for row in rows:
            yield json_line(row) + b"\n"


def _cell(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    return csv_text(value if isinstance(value, str) else json.dumps(value))
