"""Encodes the journal's lines: one JSON object each, UTF-8; the key `k` is its kind.

session: the start of the session; the first line. begin: a test starts. chunk: rounds of a measurement.
series, request: readings over time, and requests of a token stream.
run: a finished run; only then do its chunks count. end: how the session ended; missing if it died.
room: blank, and replaced where the disk was full: by full while runs wait in memory, by end if they never got in.
"""

import json
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any

from pytest_benchdb.model.benchmark import Benchmark, Labels
from pytest_benchdb.model.environment import Device, Environment, SessionEnd, SessionStart
from pytest_benchdb.model.identity import content_id, uuid7
from pytest_benchdb.model.imported import SourceFile
from pytest_benchdb.model.run import CHUNK_ROUNDS, BlockUsage, Measurement, Run, Summary, Timing
from pytest_benchdb.model.value.json_value import json_value
from pytest_benchdb.store.attachments import KeptFile
from pytest_benchdb.store.journal.checksum import sealed

FORMAT = 1
_ANY_LENGTH = 1 << 62


def _other(value: object) -> object:
    """Return the JSON form of a read-only mapping, or of an object that must not end the session."""
    return dict(value) if isinstance(value, Mapping) else json_value(value)


_to_json = json.JSONEncoder(
    separators=(",", ":"), ensure_ascii=False, allow_nan=False, check_circular=False, default=_other
).encode


def _reader(kind: type, *without: str) -> Callable[[Any], dict[str, object]]:
    """Return a function that maps a dataclass's fields to their values, except the fields `without`.

    It is faster than `asdict`, which copies the values.
    """
    names = [field.name for field in fields(kind) if field.name not in without]
    values_of = attrgetter(*names)
    return lambda row: dict(zip(names, values_of(row), strict=True))


_session = _reader(SessionStart, "started_unix_us", "environment", "devices", "commit", "ci", "load", "unmeasured")
_environment = _reader(Environment)
_device = _reader(Device)
_source = _reader(SourceFile, "rows")
_benchmark = _reader(Benchmark)
_labels = _reader(Labels)
_run = _reader(Run, "started_unix_us", "benchmark", "labels", "timing", "usage", "devices", "attachments")
_timing = _reader(Timing, "measurements", "series", "requests")
_measurement = _reader(Measurement, "pass_name", "round_ns", "samples", "summary")
_summary = _reader(Summary)
_usage_of = attrgetter(*(field.name for field in fields(BlockUsage)))
_attachment = _reader(KeptFile, "attachment_id")
_end = _reader(SessionEnd, "finished_unix_us", "load1")


def session_line(start: SessionStart, source: SourceFile | None = None) -> bytes:
    """Encode the first line of a journal.

    Args:
        start: the session at its start.
        source: the file that the session was imported from; None if it was recorded.
    """
    commit, ci, environment = start.commit, start.ci, start.environment
    session = {
        **_session(start),
        "started_us": start.started_unix_us,
        "environment_id": None if environment is None else environment.environment_id,
        "fingerprint": None if environment is None else environment.fingerprint,
        "commit_sha": commit.sha,
        "branch": commit.branch,
        "dirty": commit.dirty,
        "commit_at": commit.committed_at,
        "commit_subject": commit.subject,
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
            "environment": None if environment is None else _environment(environment),
            "devices": [_device(device) for device in start.devices],
            "unmeasured": dict(start.unmeasured),
            "pid": os.getpid(),
            **({} if source is None else {"source": _source_dict(start.session_id, source)}),
        }
    )


def begin_line(run_id: str, benchmark: Benchmark, *, started_unix_us: int, attempt: int, worker: str | None) -> bytes:
    """Encode the start of a test, so that a dead session shows which test it died in."""
    return _line(
        {
            "k": "begin",
            "run_id": run_id,
            "fullname": benchmark.fullname,
            "benchmark": _benchmark(benchmark),
            "started_us": started_unix_us,
            "attempt": attempt,
            "worker": worker,
        }
    )


def run_lines(
    run: Run, *, keep_rounds: bool = True, attachments: Sequence[KeptFile] = (), session_id: str | None = None
) -> bytes:
    """Encode a finished run: its rounds in chunks, then the line that makes them count.

    Args:
        run: the run.
        keep_rounds: False stores only the statistics of the rounds.
        attachments: the run's stored files.
        session_id: the run's session, in a journal of several.
    """
    timing = run.timing
    measurements: list[dict[str, object]] = []
    lines: list[bytes] = []
    for measurement in timing.measurements:
        measurement_id = uuid7()
        entry = _measurement_dict(measurement_id, measurement)
        measurements.append(entry)
        if entry["sampled"]:
            entry["keep"] = keep_rounds
            entry["n"] = len(measurement.round_ns or measurement.samples or ())
            lines.extend(_chunks(measurement_id, run.run_id, measurement))
    lines.extend(_series(run))
    lines.extend(_requests(run))
    line = {
        "k": "run",
        **_run(run),
        **_timing(timing),
        "started_us": run.started_unix_us,
        "valid": timing.invalid is None,
        "benchmark": _benchmark(run.benchmark),
        "labels": _labels_dict(run.labels),
        "boundary": None if run.usage is None else _usage_of(run.usage),
        "measurements": measurements,
    }
    if session_id is not None:
        line["session_id"] = session_id
    if run.devices:
        line["devices"] = [_device(device) for device in run.devices]
    if timing.series:
        line["with_series"] = True
    if timing.requests:
        line["with_requests"] = True
    if attachments:
        line["attachments"] = [_attachment_dict(file) for file in attachments]
    lines.append(_line(line))
    return b"".join(lines)


def name_line(number: int, benchmark: Benchmark, device_id: str | None) -> bytes:
    """Encode the benchmark and the device that a number means in the runs of a table."""
    return _line({"k": "name", "calls": number, "device_id": device_id, "benchmark": _benchmark(benchmark)})


def end_line(end: SessionEnd, session_id: str | None = None) -> bytes:
    """Encode the last line of a session; in a journal of several it names the session."""
    line = {"k": "end", "finished_us": end.finished_unix_us, "load_end": end.load1, **_end(end)}
    return _line(line if session_id is None else {**line, "session_id": session_id})


def _chunks(measurement_id: str, run_id: str, measurement: Measurement) -> Iterator[bytes]:
    head = f'{{"k":"chunk","id":"{measurement_id}","run":"{run_id}","i":'
    for index, part in enumerate(_parts(len(measurement.round_ns or measurement.samples or ()))):
        if measurement.round_ns is not None:
            numbers = f'"ns":{_to_json(list(measurement.round_ns[part]))}'
        else:
            numbers = f'"v":[{",".join(map(repr, (measurement.samples or ())[part]))}]'
        yield sealed(f"{head}{index},{numbers}".encode())


def _parts(length: int) -> Iterator[slice]:
    return (slice(first, first + CHUNK_ROUNDS) for first in range(0, length, CHUNK_ROUNDS))


def _series(run: Run) -> Iterator[bytes]:
    for series in run.timing.series:
        for index, part in enumerate(_parts(len(series.values))):
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
                    # JSON has no NaN, and a sensor that returns it has measured nothing.
                    "v": [value if _is_finite(value) else None for value in series.values[part]],
                }
            )


def _is_finite(value: object) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)


def _requests(run: Run) -> Iterator[bytes]:
    for request in run.timing.requests:
        yield _line(
            {
                "k": "request",
                "run": run.run_id,
                "i": request.index,
                "phase": request.phase,
                "provenance": run.timing.provenance or "measured",
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


def _measurement_dict(measurement_id: str, measurement: Measurement) -> dict[str, object]:
    return {
        "id": measurement_id,
        "pass": measurement.pass_name,
        "sampled": measurement.round_ns is not None or measurement.samples is not None,
        "summary": None if measurement.summary is None else _summary(measurement.summary),
        **{name: value for name, value in _measurement(measurement).items() if value is not None},
    }


def _source_dict(session_id: str, source: SourceFile) -> dict[str, object]:
    return {
        **_source(source),
        "id": content_id("source_file", source.path, source.checksum, session_id),
        "row_count": source.rows,
    }


def _attachment_dict(file: KeptFile) -> dict[str, object]:
    return {"id": file.attachment_id, **_attachment(file)}


def _labels_dict(labels: Labels) -> dict[str, object] | None:
    values = _labels(labels)
    if all(value is None for value in values.values()):
        return None
    return {
        **values,
        "model_id": labels.model_id,
        "model_version_id": labels.model_version_id,
        "framework_id": labels.framework_id,
    }


def _line(entry: Mapping[str, object]) -> bytes:
    try:
        text = _to_json(entry)
    except (TypeError, ValueError, RecursionError):  # NaN, a key that is not a text, or a circle in some `details`
        text = _to_json(json_value(entry, most=_ANY_LENGTH))
    # "replace": a lone surrogate (a file name that is not UTF-8) has no encoding, and DuckDB refuses it.
    return sealed(text.encode("utf-8", "replace")[:-1])
