"""Import the tables that `benchdb export` writes: CSV, JSON, JSON lines and Parquet, with every row and its rounds.

`model.exchange.long_table` has the columns, which may be in any order, and all but a few may be missing.
"""

import csv
import io
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pytest_benchdb.environment.collect import environment_id
from pytest_benchdb.errors import ImportFormatError, StoreError
from pytest_benchdb.importers.reading.files import MOST_ROWS, opened, unix_us, utc_text
from pytest_benchdb.model.benchmark import Labels
from pytest_benchdb.model.environment import Commit, Device, Environment
from pytest_benchdb.model.exchange.long_table import COLUMNS, NAMES, NEEDED
from pytest_benchdb.model.identity import content_id
from pytest_benchdb.model.imported import ImportedRun, ImportedSession, ImportProblem
from pytest_benchdb.model.metric import METRICS
from pytest_benchdb.model.run import NOT_RUN, PASSED, Measurement, Summary
from pytest_benchdb.model.value.spreadsheet import unguarded

TOOL = "pytest-benchdb"
_MAGIC = b"PAR1"
_MOST_LINE = 64 << 20
_MOST_BYTES = 1 << 30
_KINDS = {column.name: column.kind for column in COLUMNS}
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_OUTCOMES = PASSED | NOT_RUN | {"failed", "error", "timeout", "oom", "crashed"}
_DIRECTIONS = frozenset({"lower", "higher", "none"})
_STATISTICS = ("min", "max", "mean", "median", "stddev", "q1", "q3")
_LABELS = {"version": "model_version"}

Cells = Mapping[str, Any]


class _BadRow(Exception):  # noqa: N818 - it never leaves this module
    """A row cannot be used; the text says why."""


class ExportedTable:
    """The importer of our own tables."""

    name = "benchdb"

    def can_read(self, path: Path, head: bytes) -> bool:
        """Return whether the header, the first object or the columns are those of an export."""
        if head.startswith(_MAGIC):  # the names of its columns are at its end
            return path.is_file() and _is_ours(_parquet_names(path))
        line = head.split(b"\n", 2)
        first = line[1] if len(line) > 1 and b'"benchdb.export/' in line[0] else line[0]
        return all(f'"{name}"'.encode() in first for name in NEEDED)

    def read(self, path: Path) -> Iterator[ImportedSession | ImportProblem]:
        """Yield a problem for each bad row, then the sessions.

        Raises:
            ImportFormatError: it is damaged, or not one of our tables.
        """
        sessions: dict[str, _Session] = {}
        number = 0
        for number, (place, cells) in enumerate(_rows(path), 1):
            if number > MOST_ROWS:
                raise ImportFormatError(f"it has more than {MOST_ROWS:,} rows; split it")
            try:
                if isinstance(cells, _BadRow):
                    raise cells
                _add(sessions, cells)
            except _BadRow as error:
                yield ImportProblem(place=place, text=str(error))
        if not number:
            raise ImportFormatError("it has no rows")
        for session_id, session in sorted(sessions.items(), key=lambda item: (item[1].started_us, item[0])):
            yield session.imported(session_id)


@dataclass(slots=True)
class _Session:
    """The rows of one session so far."""

    started_us: int
    cells: Cells
    runs: dict[str, ImportedRun] = field(default_factory=dict)
    rows: int = 0

    def imported(self, session_id: str) -> ImportedSession:
        cells = self.cells
        dirty = _value(cells, "dirty")
        return ImportedSession(
            started_unix_us=self.started_us,
            finished_unix_us=self.started_us,
            tool=_text(cells, "tool") or TOOL,
            tool_version=_text(cells, "tool_version"),
            source_key=session_id,
            recorded_as=session_id if _UUID.fullmatch(session_id) else None,
            label=_text(cells, "label"),
            project=_text(cells, "project"),
            environment=_environment(cells),
            commit=Commit(
                sha=_text(cells, "commit"),
                branch=_text(cells, "branch"),
                dirty=dirty if isinstance(dirty, bool) else None,
                committed_at=_time_text(cells, "committed_at"),
            ),
            runs=tuple(self.runs.values()),
            rows=self.rows,
        )


def _add(sessions: dict[str, _Session], cells: Cells) -> None:
    session_id, run_id = _required(cells, "session_id"), _required(cells, "run_id")
    session = sessions.get(session_id)
    if session is None:
        session = _Session(_time_us(cells, "started_at"), cells)
    run = session.runs.get(run_id) or _run(cells, _device(cells))
    if _text(cells, "metric") is not None:
        run = replace(run, measurements=(*run.measurements, _measurement(cells)))
    sessions[session_id] = session
    session.runs[run_id] = run
    session.rows += 1


def _run(cells: Cells, device: Device | None) -> ImportedRun:
    outcome = _required(cells, "outcome")
    if outcome not in _OUTCOMES:
        raise _BadRow(f"outcome is {outcome[:40]!r}; expected one of {', '.join(sorted(_OUTCOMES))}")
    params = _value(cells, "params")
    return ImportedRun(
        fullname=_required(cells, "benchmark"),
        measurements=(),
        group=_text(cells, "group"),
        params=params if isinstance(params, dict) else None,
        param_id=_text(cells, "param_id"),
        device=device,
        labels=Labels(
            model=_text(cells, "model"),
            version=_text(cells, "model_version"),
            precision=_text(cells, "precision"),
            implementation=_text(cells, "implementation"),
            workload=_text(cells, "workload"),
            batch_size=_count(cells, "batch_size"),
            sequence_length=_count(cells, "sequence_length"),
            framework=_text(cells, "framework"),
            framework_version=_text(cells, "framework_version"),
            use_case=_text(cells, "use_case"),
        ),
        outcome=outcome,  # type: ignore[arg-type]
        reason=_text(cells, "reason"),
        started_unix_us=_time_us(cells, "run_started_at"),
        duration_s=_number(cells, "duration_s"),
        iterations=_count(cells, "iterations"),
        rounds=_count(cells, "rounds"),
        warmup_rounds=_count(cells, "warmup_rounds"),
        timer=_text(cells, "timer"),
    )


def _measurement(cells: Cells) -> Measurement:
    metric, unit, better = _required(cells, "metric"), _required(cells, "unit"), _required(cells, "better")
    registered = METRICS.get(metric)
    if registered is not None and (unit, better) != (registered.unit, registered.better):
        ours = f"{registered.unit!r} ({registered.better})"
        raise _BadRow(f"{metric} is in {unit!r} ({better[:40]}); it is stored in {ours}")
    if better not in _DIRECTIONS:
        raise _BadRow(f"better is {better[:40]!r}; write lower, higher or none")
    samples, value = _samples(cells), _number(cells, "value")
    figures = {name: _number(cells, name) for name in _STATISTICS}
    summary = None
    if samples is None and figures["mean"] is not None:
        summary = Summary(n=_count(cells, "n"), **figures)
    valid, reason = _value(cells, "valid"), _text(cells, "why_not")
    if samples is None and summary is None and value is None and reason is None:
        reason = "its file has no value"
    return Measurement(
        metric=metric,
        unit=unit,
        better=better,
        pass_name=_text(cells, "pass") or "time",
        phase=_text(cells, "phase"),
        provenance="simulated" if _text(cells, "provenance") == "simulated" else "imported",
        method=_text(cells, "method"),
        reason=reason,
        samples=samples,
        summary=summary,
        value=value if samples is None and summary is None else None,
        valid=valid is not False,
        domain=_text(cells, "domain"),
        rank=_count(cells, "rank"),
    )


def _device(cells: Cells) -> Device | None:
    backend = _text(cells, "backend")
    name = _text(cells, "device") or backend
    if backend is None or name is None:
        return None
    return Device(device_id=content_id(backend, name, None), backend=backend, name=name)


def _environment(cells: Cells) -> Environment | None:
    fingerprint = _text(cells, "machine_fingerprint")
    if fingerprint is None:
        return None
    if not _UUID.fullmatch(fingerprint):
        fingerprint = content_id("fingerprint/table/1", fingerprint)
    environment = Environment(
        environment_id="",
        fingerprint=fingerprint,
        os=_text(cells, "os"),
        cpu_model=_text(cells, "cpu_model"),
        python=_text(cells, "python") or "",
    )
    return replace(environment, environment_id=environment_id(environment))


# ---------------------------------------------------------------- rows
def _rows(path: Path) -> Iterator[tuple[str, Cells | _BadRow]]:
    with opened(path) as file:
        start = file.read(len(_MAGIC))
    if start == _MAGIC:
        yield from _parquet_rows(path)
    elif start[:1] == b"{":
        yield from _json_rows(path)
    else:
        yield from _csv_rows(path)


def _parquet_names(path: Path) -> list[str]:
    from pytest_benchdb.store.parquet import parquet_names

    return parquet_names(path)


def _parquet_rows(path: Path) -> Iterator[tuple[str, Cells | _BadRow]]:
    from pytest_benchdb.store.parquet import parquet_rows

    if not _is_ours(_parquet_names(path)):
        raise ImportFormatError("it is not a Parquet file that can be read, or lacks columns of benchdb export")
    try:
        for number, row in enumerate(parquet_rows(path), 1):
            yield f"row {number}", dict(zip(NAMES, row, strict=True))
    except StoreError as error:
        raise ImportFormatError(" ".join(str(error).split())[:300]) from error


def _json_rows(path: Path) -> Iterator[tuple[str, Cells | _BadRow]]:
    """Yield the rows of JSON lines, or of the document with a row on each line that `benchdb export json` writes."""
    with opened(path) as file:
        number = 0
        while line := file.readline(_MOST_LINE):
            number += 1
            if len(line) == _MOST_LINE:
                raise ImportFormatError(f"line {number} has more than {_MOST_LINE} bytes")
            text = line.strip().removesuffix(b",")
            if text in {b"", b"]}"} or text.endswith(b'"rows": ['):
                continue
            yield f"line {number}", _json_cells(text)


def _json_cells(line: bytes) -> Cells | _BadRow:
    try:
        cells = json.loads(line)
    except (ValueError, RecursionError) as error:
        return _BadRow(f"it is not JSON: {error}")
    return cells if isinstance(cells, dict) else _BadRow(f"it is a {type(cells).__name__}, not an object")


def _csv_rows(path: Path) -> Iterator[tuple[str, Cells | _BadRow]]:
    with opened(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="replace", newline="")
        csv.field_size_limit(_MOST_LINE)
        reader = csv.reader(text)
        try:
            names = next(reader, [])
            if not _is_ours(names):
                raise ImportFormatError(f"its first line lacks columns of benchdb export: {', '.join(NEEDED)}")
            for fields in reader:
                if fields:
                    yield f"line {reader.line_num}", _csv_cells(names, fields)
        except csv.Error as error:
            raise ImportFormatError(f"line {reader.line_num} cannot be split into cells: {error}") from error


def _csv_cells(names: list[str], fields: list[str]) -> Cells | _BadRow:
    if len(fields) != len(names):
        return _BadRow(f"it has {len(fields)} cells, and the header {len(names)}")
    return {name: _parsed(name, cell) for name, cell in zip(names, fields, strict=True) if cell}


def _parsed(name: str, cell: str) -> object:
    kind = _KINDS.get(name, "VARCHAR")
    if kind == "BOOLEAN":
        return {"true": True, "false": False}.get(cell, cell)
    return unguarded(cell) if kind in {"VARCHAR", "TIMESTAMP"} else cell


def _is_ours(names: Iterable[str]) -> bool:
    return set(NEEDED) <= set(names)


# ---------------------------------------------------------------- cells
def _value(cells: Cells, name: str) -> object:
    """Return a cell; a text of a column that holds JSON is parsed."""
    cell = cells.get(name)
    if isinstance(cell, str) and _KINDS[name] in {"JSON", "DOUBLE[]"}:
        try:
            return json.loads(cell)
        except (ValueError, RecursionError) as error:
            raise _BadRow(f"{name} is not JSON: {error}") from error
    return cell


def _text(cells: Cells, name: str) -> str | None:
    cell = cells.get(name)
    return None if cell is None or cell == "" else str(cell)


def _required(cells: Cells, name: str) -> str:
    text = _text(cells, name)
    if text is None or not text.strip():
        raise _BadRow(f"{name} is empty")
    return text


def _number(cells: Cells, name: str) -> float | None:
    cell = cells.get(name)
    if cell is None or cell == "":
        return None
    try:
        number = math.nan if isinstance(cell, bool) else float(cell)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise _BadRow(f"{name} is {str(cell)[:40]!r}; expected a finite number")
    return number


def _count(cells: Cells, name: str) -> int | None:
    number = _number(cells, name)
    if number is None:
        return None
    if not number.is_integer() or not 0 <= number <= 2**53:
        raise _BadRow(f"{name} is {str(cells[name])[:40]!r}; expected a whole number")
    return int(number)


def _samples(cells: Cells) -> list[float] | None:
    value = _value(cells, "samples")
    if value is None or value == "":
        return None
    if not isinstance(value, list) or not all(type(item) in {int, float} and math.isfinite(item) for item in value):
        raise _BadRow("samples is not a list of finite numbers")
    return [float(item) for item in value] or None


def _time_us(cells: Cells, name: str) -> int:
    try:
        return unix_us(_required(cells, name))
    except (ValueError, OverflowError) as error:
        raise _BadRow(f"{name}: {error}") from error


def _time_text(cells: Cells, name: str) -> str | None:
    text = _text(cells, name)
    if text is None:
        return None
    try:
        return utc_text(text)
    except (ValueError, OverflowError):
        return None
