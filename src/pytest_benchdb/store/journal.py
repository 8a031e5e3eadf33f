"""The journal: one line for each finished run, durable before the next test begins.

It is written while tests run, so nothing here imports DuckDB. A line costs one system call and
survives `kill -9`; the fold (`store.fold`) turns it into tables when the session ends.
Each line is a JSON object; `k` tells its kind: session, begin, chunk, run, end.
"""

import contextlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path

from pytest_benchdb.errors import StoreError
from pytest_benchdb.model.benchmark import Benchmark, Labels
from pytest_benchdb.model.identity import uuid7
from pytest_benchdb.model.run import CHUNK_ROUNDS, Boundary, Measurement, Run, Summary
from pytest_benchdb.model.session import SessionEnd, SessionStart
from pytest_benchdb.store.lock import lock_now
from pytest_benchdb.store.target import JOURNAL_SUFFIX

FORMAT = 1
_CREATE_ATTEMPTS = 5
_to_json = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False, check_circular=False).encode


class Journal:
    """An open journal; the file is locked for as long as this process records into it.

    Lines that cannot be written move the journal to the next of its folders, with all it holds.
    """

    def __init__(self, name: str, folders: Sequence[Path]) -> None:
        """Create the journal in the first of `folders` that takes it.

        Args:
            name: the session's id.
            folders: the spool, then where to go when that is full or read-only.

        Raises:
            StoreError: none of the folders can be written.
        """
        self._name = name + JOURNAL_SUFFIX
        self._folders = list(folders)
        self._pid = os.getpid()
        self._fd = -1
        self.size_bytes = 0
        self.path = Path()
        self.moved_because: str | None = None
        self._open_next()

    def append(self, lines: bytes) -> None:
        """Write whole lines; they are kept when this returns, whatever happens to the process.

        A forked child of the session writes nothing: its parent does.

        Raises:
            StoreError: no folder can take them.
        """
        if os.getpid() != self._pid:
            return
        try:
            self._write(lines)
        except OSError as error:
            self._move(error)
            self.append(lines)

    def close(self) -> None:
        """Release the file; the fold may take it from here."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _write(self, lines: bytes) -> None:
        view = memoryview(lines)
        try:
            while view:
                view = view[os.write(self._fd, view) :]
        except OSError:
            # A torn line in the middle would hide what follows it.
            with contextlib.suppress(OSError):
                os.ftruncate(self._fd, self.size_bytes)
            raise
        self.size_bytes += len(lines)

    def _move(self, error: OSError) -> None:
        """Go on in the next folder, and take the lines written so far along.

        Raises:
            StoreError: there is none.
        """
        self.moved_because = f"{self.path.parent} cannot be written: {error.strerror}"
        old_path, old_fd = self.path, self._fd
        with contextlib.suppress(OSError):
            kept = old_path.read_bytes()[: self.size_bytes]
            self._open_next()
            self._write(kept)
            os.close(old_fd)
            old_path.unlink()
            return
        raise StoreError(f"{self.moved_because}, nor can any other folder; free space and run again")

    def _open_next(self) -> None:
        reason = self.moved_because
        while self._folders:
            folder = self._folders.pop(0)
            try:
                self._fd = _create(folder / self._name)
            except OSError as error:
                reason = reason or f"{folder} cannot be written: {error.strerror}"
                continue
            self.size_bytes = 0
            self.path = folder / self._name
            self.moved_because = reason
            lock_now(self._fd)
            return
        message = f"{reason or 'there is no folder to write into'}; give another PATH with --benchdb=PATH"
        raise StoreError(message)


def _create(path: Path) -> int:
    """Create a file that was not there, and return its descriptor.

    Raises:
        OSError: it cannot be created.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)
    for _attempt in range(_CREATE_ATTEMPTS):
        path.parent.mkdir(parents=True, exist_ok=True)
        # Whoever empties an inbox removes it, and may do so between these two lines.
        with contextlib.suppress(FileNotFoundError):
            return os.open(path, flags, 0o644)
    return os.open(path, flags, 0o644)


def session_line(start: SessionStart) -> bytes:
    """Encode the first line of a journal."""
    commit, ci = start.commit, start.ci
    session = {
        "session_id": start.session_id,
        "project": start.project,
        "kind": start.kind,
        "started_us": start.started_unix_us,
        "label": start.label,
        "tags": dict(start.tags),
        "note": start.note,
        "command": start.command,
        "tool": start.tool,
        "tool_version": start.tool_version,
        "environment_id": start.environment.environment_id,
        "fingerprint": start.environment.fingerprint,
        "commit_sha": commit.sha,
        "branch": commit.branch,
        "dirty": commit.dirty,
        "commit_at": commit.committed_at,
        "merge_base": commit.merge_base,
        "remote_url": commit.remote_url,
        "ci_provider": ci.provider,
        "ci_url": ci.url,
        "pull_request": ci.pull_request,
        "load_start": start.load.load1,
        "steal_start_s": start.load.steal_s,
    }
    return _line(
        {
            "k": "session",
            "format": FORMAT,
            "session": session,
            "environment": _as_dict(start.environment),
            "devices": [_as_dict(device) for device in start.devices],
            "unmeasured": dict(start.unmeasured),
            "pid": os.getpid(),
        }
    )


def begin_line(run_id: str, benchmark: Benchmark, *, started_unix_us: int, attempt: int, worker: str | None) -> bytes:
    """Encode that a test starts, so that a session that dies knows which test it died in."""
    return _line(
        {
            "k": "begin",
            "run_id": run_id,
            "fullname": benchmark.fullname,
            "benchmark": benchmark_dict(benchmark),
            "started_us": started_unix_us,
            "attempt": attempt,
            "worker": worker,
        }
    )


def run_lines(run: Run, *, keep_rounds: bool = True) -> bytes:
    """Encode a finished run: its rounds in chunks, then the line that makes them count.

    Args:
        run: the run.
        keep_rounds: False stores the statistics of the rounds only.
    """
    measurements, chunks = [], []
    for measurement in run.measurements:
        measurement_id = uuid7()
        entry = _measurement_dict(measurement_id, measurement)
        measurements.append(entry)
        if measurement.samples is not None:
            entry["keep"] = keep_rounds
            chunks.extend(_chunks(measurement_id, run, measurement))
    line = {
        "k": "run",
        "run_id": run.run_id,
        "device_id": run.device_id,
        "started_us": run.started_unix_us,
        "duration_s": run.duration_s,
        "outcome": run.outcome,
        "reason": run.reason,
        "attempt": run.attempt,
        "worker": run.worker,
        "parallel": run.parallel,
        "iterations": run.iterations,
        "rounds": run.rounds,
        "warmup_rounds": run.warmup_rounds,
        "calls": run.calls,
        "timer": run.timer,
        "valid": run.samples_valid,
        "invalid": run.invalid_reason,
        "extra_info": run.extra_info,
        "benchmark": benchmark_dict(run.benchmark),
        "labels": _labels_dict(run.labels),
        "boundary": None if run.boundary is None else _boundary_list(run.boundary),
        "measurements": measurements,
    }
    chunks.append(_line(line))
    return b"".join(chunks)


def end_line(end: SessionEnd) -> bytes:
    """Encode the last line of a journal."""
    return _line(
        {
            "k": "end",
            "finished_us": end.finished_unix_us,
            "outcome": end.outcome,
            "exit_status": end.exit_status,
            "complete": end.complete,
            "load_end": end.load1,
            "steal_s": end.steal_s,
            "contended": end.contended,
        }
    )


def benchmark_dict(benchmark: Benchmark) -> dict[str, object]:
    """Return a benchmark as the journal writes it."""
    return {
        "benchmark_id": benchmark.benchmark_id,
        "project": benchmark.project,
        "fullname": benchmark.fullname,
        "file": benchmark.file,
        "class_name": benchmark.class_name,
        "function": benchmark.function,
        "name": benchmark.name,
        "group_name": benchmark.group_name,
        "params": benchmark.params,
        "param_id": benchmark.param_id,
        "code_hash": benchmark.code_hash,
    }


class _Nanoseconds(dict[float, str]):
    """Seconds per iteration -> whole nanoseconds per round, as text.

    The rounds of a small benchmark take few distinct values, so looking them up is more than
    twice as fast as converting each (69 against 169 ns for a round of one clock tick).
    """

    def __init__(self, iterations: int) -> None:
        super().__init__()
        self._scale = 1e9 * iterations

    def __missing__(self, seconds: float) -> str:
        if len(self) > 8 * CHUNK_ROUNDS:
            self.clear()
        text = self[seconds] = str(round(seconds * self._scale))
        return text


def _chunks(measurement_id: str, run: Run, measurement: Measurement) -> Iterator[bytes]:
    samples = measurement.samples or ()
    head = f'{{"k":"chunk","id":"{measurement_id}","run":"{run.run_id}","i":'
    if measurement.unit == "s" and run.iterations:
        as_text, key = _Nanoseconds(run.iterations).__getitem__, "ns"
    else:
        as_text, key = repr, "v"
    for index, first in enumerate(range(0, len(samples), CHUNK_ROUNDS)):
        numbers = ",".join(map(as_text, samples[first : first + CHUNK_ROUNDS]))
        yield f'{head}{index},"{key}":[{numbers}]}}\n'.encode()


def _measurement_dict(measurement_id: str, measurement: Measurement) -> dict[str, object]:
    summary = measurement.summary
    return {
        "id": measurement_id,
        "metric": measurement.metric,
        "unit": measurement.unit,
        "better": measurement.better,
        "pass": measurement.pass_name,
        "phase": measurement.phase,
        "provenance": measurement.provenance,
        "method": measurement.method,
        "reason": measurement.reason,
        "value": measurement.value,
        "sampled": measurement.samples is not None,
        "summary": None if summary is None else {field.name: getattr(summary, field.name) for field in fields(Summary)},
    }


def _boundary_list(boundary: Boundary) -> list[float | None]:
    return [
        boundary.wall_s,
        boundary.cpu_s,
        boundary.thread_s,
        boundary.peak_rss_bytes,
        boundary.rss_start_bytes,
        boundary.minor_faults,
        boundary.major_faults,
        boundary.voluntary_switches,
        boundary.involuntary_switches,
        boundary.steal_s,
    ]


def _labels_dict(labels: Labels) -> dict[str, object] | None:
    values = {field.name: getattr(labels, field.name) for field in fields(labels)}
    if all(value is None for value in values.values()):
        return None
    return {
        **values,
        "model_id": labels.model_id,
        "model_version_id": labels.model_version_id,
        "framework_id": labels.framework_id,
    }


def _as_dict(row: object) -> dict[str, object]:
    """Return a dataclass's own fields, without copying what they hold as `asdict` does."""
    values = {field.name: getattr(row, field.name) for field in fields(row)}  # type: ignore[arg-type]
    return {name: dict(value) if isinstance(value, Mapping) else value for name, value in values.items()}


def _line(entry: Mapping[str, object]) -> bytes:
    # "replace": a lone surrogate (a file name that is not UTF-8) has no encoding, and DuckDB refuses it.
    return _to_json(entry).encode("utf-8", "replace") + b"\n"
