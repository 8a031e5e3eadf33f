"""Write an imported session as a journal, with its ids, benchmarks and provenance."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from pytest_benchdb.model.benchmark import Benchmark
from pytest_benchdb.model.environment import SessionEnd, SessionStart
from pytest_benchdb.model.identity import content_id, timed_id, without_addresses
from pytest_benchdb.model.imported import ImportedRun, ImportedSession, SourceFile
from pytest_benchdb.model.run import NOT_RUN, PASSED, Measurement, Run, Timing
from pytest_benchdb.store.journal.lines import end_line, run_lines, session_line

_SAME_S = 10.0
"""Seconds by which copies of one session may differ: each file has the time at which it was written."""
_MS = 1000
_SESSION_FORMAT = "session/1"
_UNTIMED = "session/1/untimed"


def session_id_of(session: ImportedSession, *, is_timed: bool = True) -> str:
    """Return the session's id: its time and a hash of its results.

    Project, label and path do not affect it, nor does whether the file has all rounds or only their number and
    extremes: a session imported again in another form has the same id.

    Args:
        session: with its time.
        is_timed: whether that distinguishes it from one with the same results; not if it is only a copy's.
    """
    facts: list[str | None] = [_SESSION_FORMAT if is_timed else _UNTIMED, session.source_key, session.commit.sha]
    for run in session.runs:
        facts += [without_addresses(run.fullname), run.device.backend if run.device else None]
        for measurement in run.measurements:
            facts += [measurement.metric, measurement.phase, *_figures(measurement)]
    return id_of_facts(session.start_us, facts)


def id_of_facts(started_us: int, facts: Sequence[str | None]) -> str:
    """Return a session's id for its start and the facts about its results that `session_id_of` lists."""
    digest = hashlib.blake2b(ascii(facts).encode("ascii"), digest_size=16).hexdigest()
    return timed_id(started_us // _MS, digest)


def is_known(session_id: str, stored: dict[str, list[int]], *, is_timed: bool = True) -> bool:
    """Return whether a session, or the same one from another file, is already stored.

    Args:
        session_id: from `session_id_of`, as is `is_timed`.
        stored: times in milliseconds by the rest of the session id.
        is_timed: whether sessions of different times differ.
    """
    ms, content = split_id(session_id)
    if not is_timed:
        return content in stored
    return any(abs(ms - other) <= _SAME_S * _MS for other in stored.get(content, ()))


def split_id(session_id: str) -> tuple[int, str]:
    """Split an id into its milliseconds and the rest."""
    return int(session_id[:8] + session_id[9:13], 16), session_id[14:]


def journal_lines(
    session: ImportedSession, session_id: str, source: SourceFile, tags: Mapping[str, str]
) -> Iterator[bytes]:
    """Yield the lines of a session's journal."""
    yield opening_line(session, session_id, source, tags)
    for place, run in enumerate(session.runs):
        yield run_lines(_run(run, place, session, session_id, session.project or ""), session_id=session_id)
    failed = any(run.outcome not in PASSED | NOT_RUN for run in session.runs)
    yield closing_line(session, session_id, failed=failed)


def opening_line(session: ImportedSession, session_id: str, source: SourceFile, tags: Mapping[str, str]) -> bytes:
    """Return the first line of a session."""
    project = session.project or ""
    devices = {run.device.device_id: run.device for run in session.runs if run.device}
    start = SessionStart(
        session_id=session_id,
        project=project,
        kind="import",
        started_unix_us=session.start_us,
        label=session.label,
        note=session.note,
        tags=tags,
        tool=session.tool,
        tool_version=session.tool_version,
        environment=session.environment,
        devices=tuple(devices.values()),
        commit=session.commit,
    )
    return session_line(start, source)


def closing_line(session: ImportedSession, session_id: str, *, failed: bool) -> bytes:
    """Return the last line of a session."""
    end = SessionEnd(
        finished_unix_us=session.finished_unix_us or session.start_us,
        outcome="failed" if failed else "passed",
        complete=True,
    )
    return end_line(end, session_id)


def _run(run: ImportedRun, place: int, session: ImportedSession, session_id: str, project: str) -> Run:
    # The id begins with the place, so that runs sort in file order.
    digest = f"{place:08x}" + hashlib.blake2b(f"{session_id}/{place}".encode(), digest_size=8).hexdigest()
    measurements = tuple(
        row if row.provenance == "simulated" else replace(row, provenance="imported") for row in run.measurements
    )
    return Run(
        run_id=timed_id(session.start_us // _MS, digest),
        benchmark=benchmark_of(run, project),
        labels=run.labels,
        device_id=run.device.device_id if run.device else None,
        outcome=run.outcome,
        reason=run.reason,
        started_unix_us=run.started_unix_us or session.start_us,
        duration_s=run.duration_s,
        timing=Timing(
            measurements=measurements,
            iterations=run.iterations,
            rounds=run.rounds,
            warmup_rounds=run.warmup_rounds,
            timer=run.timer,
            invalid=None if run.outcome == "passed" else run.reason or f"the run is {run.outcome}",
            provenance="simulated" if any(row.provenance == "simulated" for row in measurements) else "imported",
        ),
        extra_info=run.extra_info,
    )


def benchmark_of(run: ImportedRun, project: str) -> Benchmark:
    """Return the benchmark, with the id that the plugin would give to a test of that name."""
    fullname = without_addresses(run.fullname)
    head, bracket, tail = fullname.partition("[")
    file, _, names = head.rpartition("::") if "::" in head else ("", "", head)
    file, _, classes = file.partition("::")
    return Benchmark(
        benchmark_id=content_id("benchmark", project, fullname),
        project=project,
        fullname=fullname,
        file=file,
        class_name=classes or None,
        function=names,
        name=names + bracket + tail,
        group_name=run.group,
        params=run.params,
        param_id=run.param_id or (tail[:-1] if bracket and tail.endswith("]") else None),
        code_hash=None,
    )


def _figures(measurement: Measurement) -> Sequence[str]:
    """Return the number, minimum and maximum of rounds, which a file without rounds has too."""
    samples, summary = measurement.samples, measurement.summary
    if samples is not None:
        return (str(len(samples)), repr(float(min(samples))), repr(float(max(samples)))) if len(samples) else ("0",)
    if summary is not None:
        middle = () if summary.min is not None else (repr(summary.median), repr(summary.mean))
        return (str(summary.n), repr(summary.min), repr(summary.max), *middle)
    return (repr(measurement.value),)
