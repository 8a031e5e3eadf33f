"""What the journal's lines say: one JSON object each, UTF-8; the key `k` tells its kind.

session: what a session begins with; the first line. begin: a test starts. chunk: rounds of a measurement.
series, request: readings over time and requests of a token stream.
run: a finished run, which makes its chunks count. end: how the session ended; a session that died has none.
"""

import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields

from pytest_benchdb.model.benchmark import Benchmark, Labels
from pytest_benchdb.model.identity import content_id, uuid7
from pytest_benchdb.model.imported import SourceFile
from pytest_benchdb.model.run import CHUNK_ROUNDS, BlockUsage, Measurement, Run, Summary
from pytest_benchdb.model.session import SessionEnd, SessionStart
from pytest_benchdb.store.attachments import KeptFile

FORMAT = 1
_to_json = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False, check_circular=False).encode


def session_line(start: SessionStart, source: SourceFile | None = None) -> bytes:
    """Encode the first line of a journal.

    Args:
        start: what the session begins with.
        source: the file that it was imported from; None for one that was recorded.
    """
    commit, ci, environment = start.commit, start.ci, start.environment
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
        "environment_id": None if environment is None else environment.environment_id,
        "fingerprint": None if environment is None else environment.fingerprint,
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
            "environment": None if environment is None else _as_dict(environment),
            "devices": [_as_dict(device) for device in start.devices],
            "unmeasured": dict(start.unmeasured),
            "pid": os.getpid(),
            **({} if source is None else {"source": _source_dict(start.session_id, source)}),
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


def run_lines(run: Run, *, keep_rounds: bool = True, attachments: Sequence[KeptFile] = ()) -> bytes:
    """Encode a finished run: its rounds in chunks, then the line that makes them count.

    Args:
        run: the run.
        keep_rounds: False stores the statistics of the rounds only.
        attachments: the run's files, as the store keeps them.
    """
    measurements: list[dict[str, object]] = []
    chunks: list[bytes] = []
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
        "boundary": None if run.usage is None else _usage_list(run.usage),
        "measurements": measurements,
    }
    if run.sync_mode or run.cache_mode or run.result_count is not None or run.devices or run.provenance != "measured":
        line |= {
            "sync_mode": run.sync_mode,
            "cache_mode": run.cache_mode,
            "provenance": run.provenance,
            "result_count": run.result_count,
            "devices": [_as_dict(device) for device in run.devices],
        }
    if run.series:
        chunks.extend(_series(run))
        line["with_series"] = True
    if run.requests:
        chunks.extend(_requests(run))
        line["with_requests"] = True
    if attachments:
        line["attachments"] = [_attachment_dict(one) for one in attachments]
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
    # What others measured stays as they wrote it: their clocks need not tick in whole nanoseconds.
    if measurement.unit == "s" and run.iterations and measurement.provenance != "imported":
        as_text, key = _Nanoseconds(run.iterations).__getitem__, "ns"
    else:
        as_text, key = repr, "v"
    for index, first in enumerate(range(0, len(samples), CHUNK_ROUNDS)):
        numbers = ",".join(map(as_text, samples[first : first + CHUNK_ROUNDS]))
        yield f'{head}{index},"{key}":[{numbers}]}}\n'.encode()


def _series(run: Run) -> Iterator[bytes]:
    for series in run.series:
        for index, first in enumerate(range(0, len(series.values), CHUNK_ROUNDS)):
            part = slice(first, first + CHUNK_ROUNDS)
            yield _line(
                {
                    "k": "series",
                    "run": run.run_id,
                    "device": series.device_id,
                    "phase": series.phase,
                    "metric": series.metric,
                    "unit": series.unit,
                    "domain": series.domain,
                    "provenance": series.provenance,
                    "i": index,
                    "t": list(series.t_s[part]),
                    # JSON has no NaN: what a sensor tells so was not measured.
                    "v": [value if math.isfinite(value) else None for value in series.values[part]],
                }
            )


def _requests(run: Run) -> Iterator[bytes]:
    for request in run.requests:
        yield _line(
            {
                "k": "request",
                "run": run.run_id,
                "i": request.index,
                "phase": request.phase,
                "provenance": run.provenance,
                "due": request.due_s,
                "sent": request.sent_s,
                "chunks": list(request.chunk_s),
                "tokens_in": request.tokens_in,
                "tokens_out": request.tokens_out,
                "ok": request.ok,
                "slo_ok": request.slo_ok,
                "error": request.error,
            }
        )


_ABOUT_SENSORS = ("device_id", "rank", "domain", "scope", "window_s", "tick_s")


def _measurement_dict(measurement_id: str, measurement: Measurement) -> dict[str, object]:
    summary = measurement.summary
    entry: dict[str, object] = {
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
    if not measurement.valid:
        entry["valid"] = False
    if measurement.details is not None:
        entry["details"] = dict(measurement.details)
    for name in _ABOUT_SENSORS:
        if (value := getattr(measurement, name)) is not None:
            entry[name] = value
    return entry


def _source_dict(session_id: str, source: SourceFile) -> dict[str, object]:
    return {
        "id": content_id("source_file", source.path, source.checksum, session_id),
        "path": source.path,
        "checksum": source.checksum,
        "importer": source.importer,
        "row_count": source.rows,
        "reason": source.reason,
    }


def _attachment_dict(file: KeptFile) -> dict[str, object]:
    return {
        "id": file.attachment_id,
        "name": file.name,
        "media_type": file.media_type,
        "checksum": file.checksum,
        "size_bytes": file.size_bytes,
        "created_us": file.created_us,
    }


def _usage_list(usage: BlockUsage) -> list[float | None]:
    return [
        usage.wall_s,
        usage.cpu_s,
        usage.thread_s,
        usage.peak_rss_bytes,
        usage.rss_start_bytes,
        usage.minor_faults,
        usage.major_faults,
        usage.voluntary_switches,
        usage.involuntary_switches,
        usage.steal_s,
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
