"""Import the SQLite database of pytest-monitor: time, CPU time and memory of each test."""

import json
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from pytest_benchdb.errors import ImportFormatError
from pytest_benchdb.importers.reading.figures import figure
from pytest_benchdb.importers.reading.machine import Machine
from pytest_benchdb.importers.reading.values import (
    BadPart,
    count,
    json_object,
    mapping,
    moment_us,
    number,
    part,
    required_name,
    text,
)
from pytest_benchdb.model.environment import Commit
from pytest_benchdb.model.imported import ImportedRun, ImportedSession, ImportProblem
from pytest_benchdb.model.run import Measurement

_TOOL = "pytest-monitor"
_MAGIC = b"SQLite format 3\x00"
_TABLES = frozenset({"TEST_SESSIONS", "TEST_METRICS", "EXECUTION_CONTEXTS"})
_MOST_BYTES = 1 << 30
_MOST_ROWS = 1_000_000


class PytestMonitor:
    """The importer of pytest-monitor's ``.pymon``."""

    name = "pytest-monitor"

    def can_read(self, _path: Path, head: bytes) -> bool:
        """Return whether it is a SQLite database with the names of its tables."""
        return head.startswith(_MAGIC) and b"TEST_METRICS" in head and b"EXECUTION_CONTEXTS" in head

    def read(self, path: Path) -> Iterator[ImportedSession | ImportProblem]:
        """Read the sessions of a database, from a copy: opening it could write files beside it.

        Raises:
            ImportFormatError: it is damaged, too large, or of another program.
        """
        if path.stat().st_size > _MOST_BYTES:
            raise ImportFormatError(f"it has more than {_MOST_BYTES >> 20} MiB; split it")
        with tempfile.TemporaryDirectory(prefix="benchdb-sqlite-") as folder:
            copy = Path(folder) / "copy.db"
            for suffix in ("", "-wal"):  # what was committed may still be in the second
                beside = path.with_name(path.name + suffix)
                if beside.is_file():
                    shutil.copyfile(beside, copy.with_name(copy.name + suffix))
            try:
                with closing(sqlite3.connect(copy)) as connection:
                    connection.row_factory = sqlite3.Row
                    connection.text_factory = lambda content: content.decode("utf-8", "replace")
                    yield from _sessions(connection)
            except (sqlite3.Error, OverflowError, UnicodeError) as error:
                detail = " ".join(str(error).split())
                raise ImportFormatError(f"it is not a database of pytest-monitor: {detail}") from error


def _sessions(connection: sqlite3.Connection) -> Iterator[ImportedSession | ImportProblem]:
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables >= _TABLES:
        raise ImportFormatError(
            f"it is not a database of pytest-monitor: it lacks {', '.join(sorted(_TABLES - tables))}"
        )
    contexts = {row["ENV_H"]: dict(row) for row in connection.execute("SELECT * FROM EXECUTION_CONTEXTS")}
    found = False
    for row in connection.execute("SELECT * FROM TEST_SESSIONS ORDER BY RUN_DATE, SESSION_H"):
        found = True
        yield from _session(connection, dict(row), contexts)
    if not found:
        raise ImportFormatError("it has no session")


def _session(
    connection: sqlite3.Connection, session: Mapping[str, Any], contexts: Mapping[str, Mapping[str, Any]]
) -> Iterator[ImportedSession | ImportProblem]:
    key = str(session.get("SESSION_H"))[:200]
    query = "SELECT rowid AS number, * FROM TEST_METRICS WHERE SESSION_H = ? ORDER BY rowid LIMIT ?"
    runs: list[ImportedRun] = []
    machines = []
    for row in connection.execute(query, (session.get("SESSION_H"), _MOST_ROWS)):
        machine = _machine(contexts.get(row["ENV_H"], {}))
        machines.append(machine)
        run, problem = part(dict(row), f"TEST_METRICS {row['number']}", lambda row: _run(row, machine))  # noqa: B023
        if problem is not None:
            yield problem
        elif run is not None:
            runs.append(run)
    if not runs:
        return
    started_us = moment_us(session.get("RUN_DATE"))
    yield ImportedSession(
        started_unix_us=started_us,
        finished_unix_us=started_us,
        tool=_TOOL,
        source_key=key,
        label=_description(session),
        environment=machines[0].environment,
        commit=Commit(sha=text(session.get("SCM_ID"), 64)),
        runs=tuple(runs),
        rows=len(runs),
    )


def _description(session: Mapping[str, Any]) -> str | None:
    """Return the description that the user gave; newer versions keep it in an object with tags."""
    written = text(session.get("RUN_DESCRIPTION"), 10_000)
    if written is None or not written.startswith("{"):
        return written[:200] if written else None
    try:
        return text(mapping(json.loads(written)).get("description"), 200)
    except (ValueError, RecursionError):
        return written[:200]


def _run(row: Mapping[str, Any], machine: Machine) -> ImportedRun:
    name = required_name(row.get("ITEM_VARIANT") or row.get("ITEM"), "ITEM")
    path = text(row.get("ITEM_PATH"), 10_000) or ""
    kind = text(row.get("KIND")) or "function"
    measurements = tuple(_measurements(row))
    if not measurements:
        raise BadPart(f"{name[:100]} has no figure")
    file = text(row.get("ITEM_FS_LOC"), 10_000)
    return ImportedRun(
        fullname=f"{file}::{name}" if file and kind == "function" else f"{path}::{name}" if path else name,
        group=text(row.get("COMPONENT")),
        measurements=measurements,
        device=machine.processor,
        started_unix_us=moment_us(row.get("ITEM_START_TIME")),
        duration_s=number(row.get("TOTAL_TIME")),
        rounds=1,
        iterations=1,
        extra_info=json_object({"kind": kind, "item": row.get("ITEM")}),
    )


def _measurements(row: Mapping[str, Any]) -> Iterator[Measurement]:
    total = number(row.get("TOTAL_TIME"))
    if total is not None:
        yield figure("wall_time", "s", total, source_name="TOTAL_TIME")
    for key, metric in (("USER_TIME", "user_time"), ("KERNEL_TIME", "system_time")):
        value = number(row.get(key))
        if value is not None:
            yield figure(metric, "s", value, source_name=key)
    memory = number(row.get("MEM_USAGE"))
    if memory is not None:  # of memory_profiler, whose MB are 2**20 bytes
        yield figure("peak_rss", "MiB", memory, source_name="MEM_USAGE")


def _machine(context: Mapping[str, Any]) -> Machine:
    memory = number(context.get("RAM_TOTAL_MB"))
    python = text(context.get("PYTHON_VERSION")) or text(context.get("PYTHON_INFO")) or ""
    system = text(context.get("SYSTEM_INFO")) or ""
    return Machine(
        hostname=text(context.get("MACHINE_NODE")),
        os=system.split(" ")[0] or None,
        architecture=text(context.get("MACHINE_ARCH")) or text(context.get("MACHINE_TYPE")),
        cpu_model=text(context.get("CPU_VENDOR")),
        threads=count(context.get("CPU_COUNT")),
        ram_bytes=None if memory is None else count(round(memory * (1 << 20))),
        runtime=f"CPython {python.split(' ')[0]}" if python else "",
        details=json_object(context) or {},
    )
