"""Journals by hand: lines as the plugin writes them, so that the store is tested without it."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from pytest_benchdb.model.identity import content_id, uuid7
from pytest_benchdb.model.metric import METRICS

STARTED_US = 1_790_000_000_000_000
ENVIRONMENT_ID = content_id("environment", "a")
FINGERPRINT = content_id("fingerprint", "a")
CPU_ID = content_id("cpu", "Test CPU", None)


def line(entry: dict[str, Any]) -> bytes:
    return json.dumps(entry, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def session_line(session_id: str, *, started_us: int = STARTED_US, **changes: Any) -> bytes:
    session = {
        "session_id": session_id,
        "project": "demo",
        "kind": "pytest",
        "started_us": started_us,
        "label": None,
        "tags": {"runner": "a"},
        "note": None,
        "command": "pytest --benchdb",
        "tool": "pytest-benchdb",
        "tool_version": "0.1.0",
        "environment_id": ENVIRONMENT_ID,
        "fingerprint": FINGERPRINT,
        "commit_sha": "a" * 40,
        "branch": "main",
        "dirty": False,
        "commit_at": "2026-01-02T03:04:05",
        "merge_base": None,
        "remote_url": None,
        "ci_provider": None,
        "ci_url": None,
        "pull_request": None,
        "load_start": 0.5,
        "steal_start_s": 1.0,
    }
    environment = {
        "environment_id": ENVIRONMENT_ID,
        "fingerprint": FINGERPRINT,
        "hostname_hash": "h",
        "os": "Debian GNU/Linux 12",
        "kernel": "6.1",
        "cpu_model": "Test CPU",
        "cores": 2,
        "threads": 2,
        "ram_bytes": 8_000_000_000,
        "virtualization": None,
        "python": "CPython 3.11.7",
        "packages": {"numpy": "2.0"},
        "details": {"governor": "performance"},
    }
    device: dict[str, Any] = {
        "device_id": CPU_ID,
        "backend": "cpu",
        "name": "Test CPU",
        "uuid": None,
        "memory_bytes": 8_000_000_000,
        "driver": None,
        "details": {},
    }
    return line(
        {
            "k": "session",
            "format": 1,
            "session": {**session, **changes},
            "environment": environment,
            "devices": [device],
            "unmeasured": {"steal_time": "no /proc/stat"},
            "pid": 1,
        }
    )


def benchmark(name: str, *, group: str | None = None, **changes: Any) -> dict[str, Any]:
    fullname = f"tests/test_a.py::{name}"
    return {
        "benchmark_id": content_id("demo", fullname),
        "project": "demo",
        "fullname": fullname,
        "file": "tests/test_a.py",
        "class_name": None,
        "function": name.partition("[")[0],
        "name": name,
        "group_name": group,
        "params": None,
        "param_id": None,
        "code_hash": "c0de",
        **changes,
    }


def begin_line(name: str, run_id: str, *, started_us: int = STARTED_US) -> bytes:
    entry = benchmark(name)
    return line(
        {
            "k": "begin",
            "run_id": run_id,
            "fullname": entry["fullname"],
            "benchmark": entry,
            "started_us": started_us,
            "attempt": 1,
            "worker": None,
        }
    )


def labels(model: str, *, version: str = "v1", precision: str = "fp16", framework: str = "torch") -> dict[str, Any]:
    return {
        "model": model,
        "version": version,
        "framework": framework,
        "framework_version": "2.0",
        "use_case": "chatbot",
        "implementation": "python",
        "workload": "inference",
        "precision": precision,
        "batch_size": 8,
        "sequence_length": 128,
        "model_id": content_id("model", model),
        "model_version_id": content_id("model_version", model, version, precision),
        "framework_id": content_id("framework", framework, "2.0"),
    }


def measurement(metric: str, *, unit: str = "s", **changes: Any) -> dict[str, Any]:
    return {
        "id": uuid7(),
        "metric": metric,
        "unit": unit,
        "better": METRICS[metric].better if metric in METRICS else "lower",
        "pass": "time",
        "phase": None,
        "provenance": "measured",
        "method": "perf_counter",
        "reason": None,
        "value": None,
        "sampled": False,
        "summary": None,
        **changes,
    }


BOUNDARY = [0.5, 0.4, 0.3, 50_000_000, 40_000_000, 100, 0, 3, 1, None]


def run_lines(  # noqa: PLR0913 - a builder names what differs
    name: str,
    rounds_ns: Sequence[int] = (),
    *,
    run_id: str | None = None,
    iterations: int = 1,
    outcome: str = "passed",
    valid: bool = True,
    others: Iterable[dict[str, Any]] = (),
    keep: bool = True,
    calls: int | None = 10,
    boundary: list[float | None] | None = BOUNDARY,
    started_us: int = STARTED_US,
    entry: dict[str, Any] | None = None,
    **changes: Any,
) -> bytes:
    run_id = run_id or uuid7()
    lines = []
    measurements = list(others)
    if rounds_ns:
        wall = measurement("wall_time", sampled=True, keep=keep)
        measurements.insert(0, wall)
        for index, first in enumerate(range(0, len(rounds_ns), 1024)):
            part = list(rounds_ns[first : first + 1024])
            lines.append(line({"k": "chunk", "id": wall["id"], "run": run_id, "i": index, "ns": part}))
    lines.append(
        line(
            {
                "k": "run",
                "run_id": run_id,
                "device_id": CPU_ID,
                "started_us": started_us,
                "duration_s": 0.6,
                "outcome": outcome,
                "reason": None if outcome == "passed" else f"it {outcome}",
                "attempt": 1,
                "worker": None,
                "parallel": False,
                "iterations": iterations,
                "rounds": len(rounds_ns),
                "warmup_rounds": 0,
                "calls": calls,
                "timer": "perf_counter",
                "valid": valid,
                "invalid": None if valid else "the test did not pass",
                "extra_info": None,
                "benchmark": entry or benchmark(name),
                "labels": None,
                "boundary": boundary,
                "measurements": measurements,
                **changes,
            }
        )
    )
    return b"".join(lines)


def end_line(**changes: Any) -> bytes:
    entry = {
        "k": "end",
        "finished_us": STARTED_US + 2_000_000,
        "outcome": "passed",
        "exit_status": 0,
        "complete": True,
        "load_end": 0.7,
        "steal_s": 0.0,
        "contended": False,
    }
    return line({**entry, **changes})


def write_journal(
    folder: Path, *parts: bytes, session_id: str | None = None, ended: bool = True, **session: Any
) -> Path:
    """Write a journal of one session: its first line, `parts`, and its last line if it `ended`."""
    session_id = session_id or uuid7()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{session_id}.journal.jsonl"
    # Whole at once, as a journal that is locked until it is closed looks to others.
    born = folder / f".{session_id}.born"
    born.write_bytes(session_line(session_id, **session) + b"".join(parts) + (end_line() if ended else b""))
    born.rename(path)
    return path
