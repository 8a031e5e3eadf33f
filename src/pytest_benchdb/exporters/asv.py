"""Export sessions as a results folder of asv (airspeed velocity), for `asv show`, `asv compare` and `asv publish`."""

import datetime as dt
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from pytest_benchdb.exporters.names import Figure, OnlyComparable, figures_of
from pytest_benchdb.model.exchange.exported import ExportFile, StoredRun, StoredSession
from pytest_benchdb.model.report import SessionRow

_COLUMNS = (
    "result",
    "params",
    "version",
    "started_at",
    "duration",
    "stats_ci_99_a",
    "stats_ci_99_b",
    "stats_q_25",
    "stats_q_75",
    "stats_number",
    "stats_repeat",
    "samples",
    "profile",
)
_API_VERSION = 2
_MACHINE_API_VERSION = 1
_SHORT = 8
_VERSION = "pytest-benchdb"
"""What asv compares to know whether a benchmark's code changed: results of one name are one series."""
_UNITS = {"s": "seconds", "B": "bytes"}
_SEPARATORS = re.compile(r"::|/")
_PYTHON = re.compile(r"\d+\.\d+")


class Asv(OnlyComparable):
    """``benchmarks.json``, and for each machine a folder with ``machine.json`` and a file for each commit.

    asv knows results by commit: a session without one, or of files that differed from it, is left out; of several
    sessions of one commit on one machine, the newest figures are kept. Each combination of parameters is a benchmark of
    its own, because asv would show those that were not run as failed.
    """

    name = "asv"
    suffix = ""

    def export(self, sessions: Iterable[StoredSession]) -> list[ExportFile]:
        """Return the files of the tree."""
        benchmarks: dict[str, Any] = {}
        machines: dict[str, dict[str, object]] = {}
        results: dict[str, dict[str, Any]] = {}
        for stored in sessions:
            session = stored.session
            if session.commit_sha is None or session.dirty:
                continue
            figures = list(figures_of(stored))
            if not figures:
                continue
            machine = _machine(session, stored.environment)
            machines[str(machine["machine"])] = machine
            python = _python(session)
            path = f"{machine['machine']}/{session.commit_sha[:_SHORT]}-existing-py{python or 'unknown'}.json"
            document = results.setdefault(path, _results(session, machine, python))
            for figure in figures:
                name = name_of(figure)
                benchmarks[name] = _benchmark(name, figure)
                document["results"][name] = _result(figure)
        files = {"benchmarks.json": {**dict(sorted(benchmarks.items())), "version": _API_VERSION}}
        files |= {
            f"{name}/machine.json": {**machine, "version": _MACHINE_API_VERSION} for name, machine in machines.items()
        }
        return [ExportFile(name=name, pieces=[_dump(content)]) for name, content in {**files, **results}.items()]


def name_of(figure: Figure) -> str:
    """Return the name of a figure in asv's style: ``tests.test_sort.test_sort[100]@cpu``."""
    head, bracket, tail = figure.name.partition("[")
    file, colons, rest = head.partition("::")
    head = _SEPARATORS.sub(".", f"{file.removesuffix('.py')}{colons}{rest}")
    return head + bracket + tail


def _benchmark(name: str, figure: Figure) -> dict[str, object]:
    row, run = figure.row, figure.run
    return {
        "code": "",
        "name": name,
        "param_names": [],
        "params": [],
        "pretty_name": _pretty(run, figure),
        "type": "time" if row.unit == "s" else "track",
        "unit": _UNITS.get(row.unit, row.unit),
        "version": _VERSION,
    }


def _pretty(run: StoredRun, figure: Figure) -> str:
    return figure.name.replace(run.fullname, run.name, 1)


def _result(figure: Figure) -> list[object]:
    """Return the columns of a benchmark without parameters; trailing ones that are not known are left out."""
    row, run = figure.row, figure.run
    started = dt.datetime.fromisoformat(run.started_at).replace(tzinfo=dt.timezone.utc)
    # No statistics: asv compares by their confidence intervals, and rounds of one session are not independent.
    columns: list[object] = [[row.value], [], _VERSION, int(started.timestamp() * 1000), run.duration_s]
    while columns[-1] is None:
        columns.pop()
    return columns


def _results(session: SessionRow, machine: Mapping[str, object], python: str | None) -> dict[str, Any]:
    committed = dt.datetime.fromisoformat(session.commit_at or session.started_at).replace(tzinfo=dt.timezone.utc)
    return {
        "commit_hash": session.commit_sha,
        "env_name": f"existing-py{python or 'unknown'}",
        "date": int(committed.timestamp() * 1000),
        "params": {**machine, "python": python or ""},
        "python": python or "",
        "requirements": {},
        "env_vars": {},
        "result_columns": list(_COLUMNS),
        "results": {},
        "durations": {},
        "version": _API_VERSION,
    }


def _machine(session: SessionRow, environment: Mapping[str, Any]) -> dict[str, object]:
    details = environment.get("details") or {}
    return {
        "machine": f"benchdb-{(session.fingerprint or 'unknown')[:_SHORT]}",
        "os": session.os or "",
        "arch": details.get("machine") or "",
        "cpu": session.cpu_model or "",
        "num_cpu": "" if session.threads is None else str(session.threads),
        "ram": "" if session.ram_bytes is None else str(session.ram_bytes),
    }


def _python(session: SessionRow) -> str | None:
    match = _PYTHON.search(session.python or "")
    return None if match is None else match[0]


def _dump(content: object) -> bytes:
    return json.dumps(content, indent=1, allow_nan=False).encode("ascii") + b"\n"
