"""Export everything as an SQLite file: sessions, runs, measurements and rounds, with the columns of the long table."""

import contextlib
import json
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

from pytest_benchdb.model.exchange.exported import ExportFile, StoredRun, StoredSession
from pytest_benchdb.model.exchange.long_table import COLUMNS, Value, long_rows

_TYPES = {"VARCHAR": "TEXT", "TIMESTAMP": "TEXT", "JSON": "TEXT", "BOOLEAN": "INTEGER", "DOUBLE": "REAL"}
_WITHOUT_ROUNDS = COLUMNS[:-1]
_PIECE = 1 << 20


class Sqlite:
    """A table ``measurement``, the long table without its rounds, and ``round`` with a row for each of them."""

    name = "sqlite"
    suffix = ".sqlite"
    is_text = False
    holds: Literal["history", "session"] = "history"
    rounds = True

    def takes(self, _run: StoredRun) -> bool:
        """Return True: every run has a row."""
        return True

    def export(self, sessions: Iterable[StoredSession]) -> list[ExportFile]:
        """Return one file."""
        return [ExportFile(name="results.sqlite", pieces=_pieces(sessions))]


def _pieces(sessions: Iterable[StoredSession]) -> Iterator[bytes]:
    with tempfile.TemporaryDirectory(prefix="benchdb-sqlite-") as folder:
        path = Path(folder) / "results.sqlite"
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.execute(f"CREATE TABLE measurement (measurement_id INTEGER PRIMARY KEY, {_columns()})")
            connection.execute(
                "CREATE TABLE round (measurement_id INTEGER NOT NULL, round INTEGER NOT NULL, value REAL)"
            )
            insert = f"INSERT INTO measurement VALUES ({', '.join('?' * (len(_WITHOUT_ROUNDS) + 1))})"  # noqa: S608
            for number, row in enumerate(long_rows(sessions), 1):
                connection.execute(insert, (number, *map(_cell, row[:-1])))
                samples = row[-1] if isinstance(row[-1], list) else []
                rounds = ((number, place, value) for place, value in enumerate(samples, 1))
                connection.executemany("INSERT INTO round VALUES (?, ?, ?)", rounds)
            connection.execute("CREATE INDEX round_of_measurement ON round (measurement_id)")
            connection.commit()
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                yield piece


def _columns() -> str:
    return ", ".join(f'"{column.name}" {_TYPES.get(column.kind, "INTEGER")}' for column in _WITHOUT_ROUNDS)


def _cell(value: Value) -> str | int | float | None:
    if isinstance(value, dict | list):
        return json.dumps(value)
    # A lone surrogate, as in a file name that is not UTF-8, cannot be stored.
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value
