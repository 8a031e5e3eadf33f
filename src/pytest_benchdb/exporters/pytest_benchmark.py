"""Export the JSON of pytest-benchmark 5.3, as ``--benchmark-json`` writes it: one benchmark per line, times in seconds.

Unknown values are null; the format has no keys for outcomes, CPU time and memory. Statistics follow the formulas of
``pytest_benchmark/stats.py``; the database's quartiles differ, because they are interpolated linearly.
"""

import json
import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from pytest_benchdb.exporters.names import only
from pytest_benchdb.model.exchange.exported import ExportFile, StoredMeasurement, StoredRun, StoredSession
from pytest_benchdb.model.report import SessionRow

FORMAT_VERSION = "5.3.1"
"""The version of pytest-benchmark that has these keys and formulas."""

_METRICS = ("wall_time", "cpu_time", "timer_value")
"""Metrics whose rounds the format can represent, the preferred one first."""
_NEEDED = ("n", "min", "max", "mean", "median")
_FENCE = 1.5
_OPTIONS = ("disable_gc", "timer", "min_rounds", "max_time", "min_time", "precision", "confidence", "warmup")


def statistics_of(samples: Sequence[float]) -> dict[str, object]:
    """Return pytest-benchmark's 16 statistics of at least one round, under its names and in its order.

    >>> statistics_of([1.0, 2.0, 3.0, 4.0, 20.0])["outliers"]
    '1;1'
    """
    ordered = sorted(samples)
    n = len(ordered)
    total = math.fsum(ordered)
    mean = min(max(total / n, ordered[0]), ordered[-1])  # the mean of equal rounds is exact
    stddev = math.sqrt(math.fsum((x - mean) ** 2 for x in ordered) / (n - 1)) if n > 1 else 0
    q1, q3 = quartiles(ordered)
    iqr = q3 - q1
    low, high = q1 - _FENCE * iqr, q3 + _FENCE * iqr
    beyond_stddev = _outside(ordered, mean - stddev, mean + stddev)
    beyond_iqr = _outside(ordered, low, high)
    return {
        "min": ordered[0],
        "max": ordered[-1],
        "mean": mean,
        "stddev": stddev,
        "rounds": n,
        "median": _median(ordered),
        "iqr": iqr,
        "q1": q1,
        "q3": q3,
        "iqr_outliers": beyond_iqr,
        "stddev_outliers": beyond_stddev,
        "outliers": f"{beyond_stddev};{beyond_iqr}",
        "ld15iqr": ordered[min(bisect_left(ordered, low), n - 1)],
        "hd15iqr": ordered[max(bisect_right(ordered, high) - 1, 0)],
        "ops": n / total if total else 0,
        "total": total,
    }


def quartiles(ordered: Sequence[float]) -> tuple[float, float]:
    """Return the first and third quartile by method 3 (odd counts) or 2 (even counts) of Wikipedia's "Quartile".

    >>> quartiles([1.0, 2.0, 3.0, 4.0, 5.0])
    (1.75, 4.25)
    """
    count = len(ordered)
    n, rest = divmod(count, 4)
    if count == 1:
        return ordered[0], ordered[0]
    if rest == 1:
        return _between(ordered, n - 1, 0.75), _between(ordered, 3 * n, 0.25)
    if rest == 3:  # noqa: PLR2004 - remainder of 4
        return _between(ordered, n, 0.25), _between(ordered, 3 * n + 1, 0.75)
    return _median(ordered[: count // 2]), _median(ordered[count // 2 :])


def _between(ordered: Sequence[float], index: int, share: float) -> float:
    return (1 - share) * ordered[index] + share * ordered[index + 1]


def _median(ordered: Sequence[float]) -> float:
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def _outside(ordered: Sequence[float], low: float, high: float) -> int:
    return bisect_left(ordered, low) + len(ordered) - bisect_right(ordered, high)


class PytestBenchmark:
    """The file that ``--benchmark-json`` writes: one session, its passed runs with valid times."""

    name = "pytest-benchmark"
    suffix = ".json"
    is_text = True
    holds: Literal["history", "session"] = "session"
    rounds = True

    def takes(self, run: StoredRun) -> bool:
        """Return whether a run passed and has valid times, or readings of a timer of its own."""
        return run.outcome == "passed" and _reading(run) is not None

    def export(self, sessions: Iterable[StoredSession]) -> list[ExportFile]:
        """Return one file."""
        return [ExportFile(name="benchmark.json", pieces=_pieces(only(sessions)))]


def _reading(run: StoredRun) -> StoredMeasurement | None:
    """Return the measurement whose rounds are exported."""
    readings = {
        row.metric: row
        for row in run.measurements
        if row.phase is None
        and row.pass_name == "time"
        and row.rank is None
        and row.valid
        and row.provenance != "simulated"
        and all(getattr(row, name) is not None for name in _NEEDED)
    }
    return next((readings[metric] for metric in _METRICS if metric in readings), None)


def _pieces(stored: StoredSession) -> Iterator[bytes]:
    """Yield a session as chunks of one ASCII JSON document, so that only one run's rounds are in memory at a time."""
    session = stored.session
    yield b'{\n"machine_info": ' + _dump(_machine_info(stored.environment))
    yield b',\n"commit_info": ' + _dump(_commit_info(session)) + b',\n"benchmarks": ['
    number = 0
    for run in stored.runs:
        reading = _reading(run)
        if reading is not None:
            yield (b",\n" if number else b"\n") + _dump(_benchmark(run, reading))
            number += 1
    written_at = _utc(session.finished_at or session.started_at)
    yield b'\n],\n"datetime": ' + _dump(written_at) + b',\n"version": ' + _dump(FORMAT_VERSION) + b"\n}\n"


def _benchmark(run: StoredRun, reading: StoredMeasurement) -> dict[str, object]:
    timer = run.timer.rpartition(".")[2] if run.timer else None
    return {
        "group": run.group,
        "name": run.name,
        "fullname": run.fullname,
        "params": run.params,
        "param": run.param_id,
        "extra_info": run.extra_info or {},
        "options": {**{name: (reading.details or {}).get(name) for name in _OPTIONS}, "timer": timer},
        "stats": _stats(run, reading),
    }


def _stats(run: StoredRun, reading: StoredMeasurement) -> dict[str, object]:
    iterations = run.iterations or 1
    if reading.samples:
        return {**statistics_of(reading.samples), "data": list(reading.samples), "iterations": iterations}
    summary = reading.summary
    rounds, mean = summary.n or 0, summary.mean or 0.0
    iqr = None if summary.q1 is None or summary.q3 is None else summary.q3 - summary.q1
    return {
        "min": summary.min,
        "max": summary.max,
        "mean": mean,
        "stddev": summary.stddev or 0,
        "rounds": rounds,
        "median": summary.median,
        "iqr": iqr,
        "q1": summary.q1,
        "q3": summary.q3,
        "iqr_outliers": reading.outliers,
        "stddev_outliers": None,
        # Always a text: `pytest-benchmark compare` takes the maximum.
        "outliers": f"?;{'?' if reading.outliers is None else reading.outliers}",
        "ld15iqr": None,
        "hd15iqr": None,
        "ops": 1 / mean if mean else 0,
        "total": mean * rounds,
        "iterations": iterations,
    }


def _machine_info(environment: Mapping[str, Any]) -> dict[str, object]:
    details = environment.get("details") or {}
    implementation, _, version = str(environment.get("python") or "").partition(" ")
    version = version.partition(" ")[0]
    return {
        "node": None,  # the database has only a hash of the hostname
        "processor": None,
        "machine": details.get("machine"),
        "python_compiler": (details.get("python") or {}).get("compiler"),
        "python_implementation": implementation or None,
        "python_implementation_version": version or None,
        "python_version": version or None,
        "python_build": None,
        "release": environment.get("kernel"),
        "system": None,
        "cpu": {
            "arch_string_raw": details.get("machine"),
            "brand_raw": environment.get("cpu_model"),
            "count": environment.get("threads"),
            "vendor_id_raw": (details.get("cpu") or {}).get("vendor"),
        },
    }


def _commit_info(session: SessionRow) -> dict[str, object]:
    detached = "(detached head)" if session.commit_sha else "(unknown)"
    return {
        "id": session.commit_sha or "unversioned",
        "time": None,
        "author_time": session.commit_at and _utc(session.commit_at),
        "dirty": session.dirty,
        "project": session.project,
        "branch": session.branch or detached,
    }


def _utc(iso: str) -> str:
    return iso + "+00:00"


def _dump(value: object) -> bytes:
    # ASCII also escapes lone surrogates in a test's name.
    return json.dumps(value, allow_nan=False).encode("ascii")
