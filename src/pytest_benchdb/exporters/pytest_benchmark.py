"""Writes the JSON of pytest-benchmark 5.3, as ``--benchmark-json`` does: one benchmark a line, times in seconds.

What it has a key for and we do not know is null; what we know and it has no key for (outcomes, CPU time, memory)
stays in the database.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pytest_benchdb.exporters.round_statistics import statistics_of
from pytest_benchdb.model.export import RunRecord
from pytest_benchdb.model.report import SessionRow

FORMAT_VERSION = "5.3.1"
"""The pytest-benchmark whose keys and formulas these are."""

_OPTIONS = ("disable_gc", "timer", "min_rounds", "max_time", "min_time", "precision", "confidence", "warmup")


def export(session: SessionRow, environment: Mapping[str, Any], runs: Iterable[RunRecord]) -> Iterator[bytes]:
    """Write a session, piece by piece, so that only one run's rounds need to be at hand.

    Args:
        session: the session.
        environment: columns of its environment, by name.
        runs: what to write, in the order they ran.

    Yields:
        Pieces of one JSON document, in ASCII.
    """
    yield b'{\n"machine_info": ' + _dump(_machine_info(environment))
    yield b',\n"commit_info": ' + _dump(_commit_info(session)) + b',\n"benchmarks": ['
    for number, run in enumerate(runs):
        yield (b",\n" if number else b"\n") + _dump(_benchmark(run))
    written_at = _utc(session.finished_at or session.started_at)
    yield b'\n],\n"datetime": ' + _dump(written_at) + b',\n"version": ' + _dump(FORMAT_VERSION) + b"\n}\n"


def _benchmark(run: RunRecord) -> dict[str, object]:
    timer = run.timer.rpartition(".")[2] if run.timer else None
    return {
        "group": run.group,
        "name": run.name,
        "fullname": run.fullname,
        "params": run.params,
        "param": run.param_id,
        "extra_info": run.extra_info,
        "options": {**dict.fromkeys(_OPTIONS), "timer": timer},
        "stats": _stats(run),
    }


def _stats(run: RunRecord) -> dict[str, object]:
    if run.samples_s is not None:
        return {**statistics_of(run.samples_s), "data": list(run.samples_s), "iterations": run.iterations}
    known = run.summary
    rounds, mean = known.n or 0, known.mean or 0.0
    iqr = None if known.q1 is None or known.q3 is None else known.q3 - known.q1
    return {
        "min": known.min,
        "max": known.max,
        "mean": mean,
        "stddev": known.stddev or 0,
        "rounds": rounds,
        "median": known.median,
        "iqr": iqr,
        "q1": known.q1,
        "q3": known.q3,
        "iqr_outliers": run.outliers,
        "stddev_outliers": None,
        # A text even where a number is missing: `pytest-benchmark compare` takes the largest of them.
        "outliers": f"?;{'?' if run.outliers is None else run.outliers}",
        "ld15iqr": None,
        "hd15iqr": None,
        "ops": 1 / mean if mean else 0,
        "total": mean * rounds,
        "iterations": run.iterations,
    }


def _machine_info(environment: Mapping[str, Any]) -> dict[str, object]:
    details = environment.get("details") or {}
    implementation, _, version = str(environment.get("python") or "").partition(" ")
    version = version.partition(" ")[0]
    return {
        "node": None,  # hosts are told apart by a hash here, never named
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
    # ASCII only: lone surrogates of a test's name are escaped too.
    return json.dumps(value, allow_nan=False).encode("ascii")
