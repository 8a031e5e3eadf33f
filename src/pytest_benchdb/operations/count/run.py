"""Runs a suite once under a counter, and returns the session that it recorded."""

import json
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.answer.counts import CountRow, Counts
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.operations.count.wrap import COUNTING_PATIENCE_S, Method, wrap_counting
from pytest_benchdb.operations.exchange.open import open_source
from pytest_benchdb.operations.pytest_run import Suite, run_to_end
from pytest_benchdb.store.read.reader import Reader

_ID_BYTES = 4
RUN_TAG = "count"
"""Tag of a session that `benchdb count` recorded, with an id of its own."""
METRICS = ("instructions", "l1_misses", "ll_misses")
_SIGILL = frozenset({-4, 132})
_ILLEGAL = (
    "the program stopped at an instruction that valgrind does not know (SIGILL), such as one of AVX-512; for "
    "OpenBLAS and NumPy set OPENBLAS_CORETYPE=Haswell, or leave the benchmark out with -k"
)
_TAIL_LINES = 15
_SEEN = frozenset({0, 1, 2, 5})
"""Exit statuses of pytest after which a session may have been recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountRequest:
    """What to count.

    Attributes:
        suite: how pytest runs.
        database: folder or file to record into.
        method: how to count.
        cache: simulate caches too.
        options: more arguments of pytest, such as labels and tags.
    """

    suite: Suite
    database: Path
    method: Method = "auto"
    cache: bool = False
    options: tuple[str, ...] = ()


def count_suite(request: CountRequest, environ: Mapping[str, str]) -> Counts:
    """Run a suite once under a counter and return what it recorded.

    Args:
        request: what to count.
        environ: environment variables of the process.

    Raises:
        BackendUnavailableError: nothing can count here; the message says what to install.
        ConfigError: pytest could not be run, or recorded nothing.
        StoreError: the session cannot be read back.
    """
    suite, run_id = request.suite, os.urandom(_ID_BYTES).hex()
    with tempfile.TemporaryDirectory(prefix="benchdb-count-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        wrapped = wrap_counting(suite.program, environ, dumps=folder, method=request.method, cache=request.cache)
        own = (f"--benchdb={request.database.absolute()}", f"--benchdb-tag={RUN_TAG}={run_id}")
        command = [*wrapped.command, *suite.arguments, *own, *request.options]
        log = folder / "pytest.log"
        try:
            status = run_to_end(
                command, folder=suite.folder, environ=wrapped.environ, log=log, patience_s=COUNTING_PATIENCE_S
            )
        except OSError as error:
            raise ConfigError(f"cannot start {command[0]}: {error.strerror}; name a program that exists") from error
        output = log.read_text(encoding="utf-8", errors="replace")
    if status in _SIGILL:
        raise ConfigError(_ILLEGAL)
    return _read(request, run_id, status, output)


def _read(request: CountRequest, run_id: str, status: int, output: str) -> Counts:
    if status not in _SEEN or not request.database.exists():
        raise ConfigError(f"pytest ended with exit status {status} and recorded nothing{_last(output)}")
    with open_source([request.database]) as reader:
        session = _session(reader.sessions(), run_id)
        if session is None:
            raise ConfigError(f"pytest ended with exit status {status} and recorded nothing{_last(output)}")
        rows = tuple(_rows(reader, session.session_id))
    return Counts(session=session, rows=rows, exit_status=status, output=tail(output))


def _session(sessions: Iterable[SessionRow], run_id: str) -> SessionRow | None:
    return next((session for session in sessions if (session.tags or {}).get(RUN_TAG) == run_id), None)


def _rows(reader: Reader, session_id: str) -> Iterable[CountRow]:
    runs = {run["run_id"]: run for run in reader.runs([session_id])}
    for row in reader.measurements([session_id]):
        if row["metric"] not in METRICS or row["pass"] != "counters":
            continue
        run = runs[row["run_id"]]
        details = json.loads(row["details"] or "{}")
        yield CountRow(
            fullname=run["fullname"],
            phase=row["phase"],
            metric=row["metric"],
            outcome=run["outcome"],
            value=row["median"] if row["value"] is None else row["value"],
            spread=details.get("spread"),
            cpu_share=details.get("cpu_share"),
            valid=bool(row["valid"]),
            reason=row["reason"] or run["reason"],
            method=row["method"],
        )


def tail(output: str) -> tuple[str, ...]:
    """Return the last lines that pytest printed."""
    return tuple([line for line in output.splitlines() if line.strip()][-_TAIL_LINES:])


def _last(output: str) -> str:
    lines: Sequence[str] = [line for line in tail(output) if line.strip("= ")]
    errors = [line for line in lines if line.startswith(("ERROR", "E  "))]
    return f": {(errors or lines)[-1].strip()}" if lines else ""
