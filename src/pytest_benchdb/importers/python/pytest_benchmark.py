"""Import the JSON of pytest-benchmark 2.5 (2015) to 5.3: ``--benchmark-json``, ``--benchmark-save`` and autosave."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from pytest_benchdb.environment.collect import environment_id
from pytest_benchdb.environment.fingerprint import kernel_series
from pytest_benchdb.errors import ImportFormatError
from pytest_benchdb.importers.reading.files import unix_us, utc_text
from pytest_benchdb.importers.reading.json_text import head_of_json, json_of
from pytest_benchdb.importers.reading.values import (
    MOST_COUNT,
    MOST_NAME,
    BadPart,
    described,
    json_object,
    mapping,
    text,
)
from pytest_benchdb.model.environment import Commit, Device, Environment
from pytest_benchdb.model.identity import content_id
from pytest_benchdb.model.imported import ImportedRun, ImportedSession, ImportProblem
from pytest_benchdb.model.run import Measurement, Summary

_INT32 = 2**31 - 1
_OWN_KEYS = frozenset({"machine_info", "commit_info"})
_OTHER_KEYS = frozenset(
    {
        *("context", "creator", "hardware_info", "instrument", "metadata", "run_stats", "runs", "scheduler_metrics"),
        "time_unit",
    }
)
"""Keys of other tools' files that have a list ``benchmarks`` too; Conbench's have a ``machine_info`` and a `run_id`."""
_UNKNOWN_COMMITS = frozenset({"unversioned", "unknown", ""})
_SAVED_NAME = re.compile(r"\d{4}_(?P<name>.+)")
_GENERATED_NAME = re.compile(r"(unversioned|unknown|[0-9a-f]{7,40})(_\d{8}_\d{6})?(_uncommitted-changes)?")
_WALL_CLOCKS = frozenset({"perf_counter", "monotonic", "time", "default_timer"})
_CPU_CLOCKS = frozenset({"process_time", "thread_time"})
_STATISTICS = ("min", "max", "mean", "median", "stddev", "q1", "q3")
_FINGERPRINT = "fingerprint/pytest-benchmark/1"
_VOLATILE_CPU_KEYS = ("hz_actual", "hz_actual_raw", "hz_actual_friendly", "flags")


class PytestBenchmark:
    """The importer of pytest-benchmark's JSON files, gzipped or not."""

    name = "pytest-benchmark"

    def can_read(self, path: Path, head: bytes) -> bool:
        """Return whether the JSON object starts with known keys; an empty file is judged by its name."""
        json = head_of_json(head)
        if json.kind == "{":
            is_other = bool(_OTHER_KEYS & (json.keys | json.inner))
            is_own = bool(_OWN_KEYS & json.keys) and "run_id" not in json.keys
            return is_own or (json.has("benchmarks") and not is_other)
        return not head.strip() and _is_json(path) and _SAVED_NAME.fullmatch(path.name) is not None

    def read(self, path: Path) -> Iterator[ImportedSession | ImportProblem]:
        """Read the one session of a file.

        Raises:
            ImportFormatError: it is not JSON of pytest-benchmark, or has no time.
        """
        document = _document(path)
        runs: list[ImportedRun] = []
        benchmarks = document["benchmarks"]
        info, commit = mapping(document.get("machine_info")), mapping(document.get("commit_info"))
        device = _device(info)
        if not benchmarks:
            raise ImportFormatError("it has no benchmarks: pytest-benchmark saved an empty session")
        for index, entry in enumerate(benchmarks):
            run = _run_or_problem(index, entry, device)
            if isinstance(run, ImportProblem):
                yield run
            else:
                runs.append(run)
        if not runs:
            return
        started_us = _saved_us(document)
        yield ImportedSession(
            started_unix_us=started_us,
            finished_unix_us=started_us,
            tool="pytest-benchmark",
            tool_version=text(document.get("version")),
            label=_label(path),
            project=text(commit.get("project")),
            environment=_environment(info),
            commit=_commit(commit),
            runs=tuple(runs),
            rows=len(runs),
        )


def _is_json(path: Path) -> bool:
    return path.name.endswith((".json", ".json.gz"))


def _document(path: Path) -> dict[str, Any]:
    document = json_of(path, "pytest-benchmark")
    if not isinstance(document, dict) or not isinstance(document.get("benchmarks"), list):
        raise ImportFormatError('it is not a file of pytest-benchmark: it has no list "benchmarks"')
    return document


def _run_or_problem(index: int, entry: object, device: Device | None) -> ImportedRun | ImportProblem:
    try:
        return _run(entry, device)
    except BadPart as error:
        return ImportProblem(place=_place(index, entry), text=str(error))


def _run(entry: object, device: Device | None) -> ImportedRun:
    if not isinstance(entry, dict):
        raise BadPart(f"it is a {type(entry).__name__}, not an object")
    fullname = text(entry.get("fullname"), MOST_NAME + 1) or text(entry.get("name"), MOST_NAME + 1)
    if fullname is None:
        raise BadPart(f"fullname is {described(entry.get('fullname'))}; expected a text")
    if len(fullname) > MOST_NAME:
        raise BadPart(f"fullname has more than {MOST_NAME} characters")
    options, stats = mapping(entry.get("options")), entry.get("stats")
    if not isinstance(stats, dict):
        raise BadPart(f"stats is {described(stats)}: it was not measured, or failed")
    iterations, rounds = _count(stats, "iterations"), _count(stats, "rounds")
    timer = _timer(options)
    measurement = _measurement(stats, timer, rounds, json_object(options))
    return ImportedRun(
        fullname=fullname,
        measurements=(measurement,),
        group=text(entry.get("group")),
        params=json_object(entry.get("params")),
        param_id=text(entry.get("param"), MOST_NAME),
        device=device,
        iterations=iterations,
        rounds=rounds if measurement.samples is None else len(measurement.samples),
        warmup_rounds=0 if options.get("warmup") is False else None,
        timer=timer,
        extra_info=json_object(entry.get("extra_info")),
    )


def _place(index: int, entry: object) -> str:
    name = text(entry.get("fullname")) if isinstance(entry, dict) else None
    return f"benchmarks[{index}]" + (f" ({name[:100]})" if name else "")


def _measurement(
    stats: Mapping[str, Any], timer: str | None, rounds: int | None, details: dict[str, object] | None
) -> Measurement:
    """Return the rounds in seconds per iteration, or their statistics if the rounds were not saved."""
    metric, scale = _metric_of(timer)
    samples = summary = reason = None
    if stats.get("data") in (None, []):
        summary = _summary(stats, rounds, scale)
        if summary.median is None:
            reason = "its file has no median"
    else:
        samples = _samples(stats["data"], rounds, scale)
    return Measurement.of(
        metric,
        provenance="imported",
        method=timer,
        samples=samples,
        summary=summary,
        valid=reason is None,
        reason=reason,
        details=details,
    )


def _timer(options: Mapping[str, Any]) -> str | None:
    """Return the clock's name as the plugin writes it, ``time.perf_counter``; None if the file does not say."""
    name = options.get("timer")
    if not isinstance(name, str) or not name.strip():
        return None
    base = name.rpartition(".")[2].removesuffix("_ns")
    return f"time.{name.rpartition('.')[2]}" if base in _WALL_CLOCKS | _CPU_CLOCKS else name[:200]


def _metric_of(timer: str | None) -> tuple[str, float]:
    """Return the metric that a clock measures, and how many of its units make a second."""
    if timer is None:
        return "wall_time", 1.0
    name = timer.removeprefix("time.")
    base = name.removesuffix("_ns")
    scale = 1.0 if base == name else 1e9
    if base in _WALL_CLOCKS:
        return "wall_time", scale
    return ("cpu_time", scale) if base in _CPU_CLOCKS else ("timer_value", 1.0)


def _samples(data: object, rounds: int | None, scale: float) -> list[float]:
    if not isinstance(data, list):
        raise BadPart(f"stats.data is a {type(data).__name__}, not a list")
    if rounds is not None and rounds != len(data):
        raise BadPart(f"stats.data has {len(data)} values, and stats.rounds says {rounds}: the file is not whole")
    for index, value in enumerate(data):
        if type(value) not in {float, int} or not math.isfinite(_float(value)):
            raise BadPart(f"stats.data[{index}] is {described(value)}; expected seconds")
    return [value / scale for value in data] if scale != 1 else list(map(float, data))


def _summary(stats: Mapping[str, Any], rounds: int | None, scale: float) -> Summary:
    figures: dict[str, float | None] = {}
    for name in _STATISTICS:
        value = stats.get(name)
        if value is not None and (type(value) not in {float, int} or not math.isfinite(_float(value))):
            raise BadPart(f"stats.{name} is {described(value)}; expected seconds")
        figures[name] = None if value is None else float(value) / scale
    if figures["median"] is None and figures["mean"] is None:
        has = ", ".join(islice(map(str, stats), 5)) or "nothing"
        raise BadPart(f"stats has neither rounds nor a median nor a mean; it has {has[:100]}")
    if rounds is not None and rounds < 2:  # noqa: PLR2004 - one round has no deviation: 0 was never measured
        figures["stddev"] = None
    return Summary(n=rounds, **figures)


def _count(stats: Mapping[str, Any], name: str) -> int | None:
    value = stats.get(name)
    if value is None:
        return None
    if type(value) is not int or not 0 < value <= MOST_COUNT:
        raise BadPart(f"stats.{name} is {described(value)}; expected a whole number from 1 on")
    return value


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _saved_us(document: Mapping[str, Any]) -> int:
    """Return when the session was saved, in microseconds since the epoch: the only time that a file has."""
    saved = document.get("datetime")
    commit = mapping(document.get("commit_info"))
    for key, value in (("datetime", saved), ("commit_info.time", commit.get("time"))):
        if isinstance(value, str) and value.strip():
            try:
                return unix_us(value)
            except (ValueError, OverflowError) as error:
                raise ImportFormatError(f"{key}: {error}") from error
    raise ImportFormatError(f"it has no time: datetime is {described(saved)}, and commit_info.time is missing too")


def _commit(info: Mapping[str, Any]) -> Commit:
    sha, branch = text(info.get("id")), text(info.get("branch"))
    has_commit = sha is not None and sha not in _UNKNOWN_COMMITS
    dirty = info.get("dirty")
    return Commit(
        sha=sha if has_commit else None,
        branch=None if branch is None or branch.startswith("(") else branch,
        dirty=dirty if has_commit and isinstance(dirty, bool) else None,
        committed_at=_commit_time(info) if has_commit else None,
    )


def _commit_time(info: Mapping[str, Any]) -> str | None:
    for key in ("author_time", "time"):
        value = info.get(key)
        if isinstance(value, str):
            try:
                return utc_text(value)
            except (ValueError, OverflowError):
                continue
    return None


def _label(path: Path) -> str | None:
    """Return NAME of ``--benchmark-save=NAME``; None for a file with a generated name."""
    saved = _SAVED_NAME.fullmatch(path.name.removesuffix(".gz").removesuffix(".json"))
    if saved is None or not _is_json(path) or _GENERATED_NAME.fullmatch(saved["name"]):
        return None
    return saved["name"]


def _environment(info: Mapping[str, Any]) -> Environment | None:
    """Return the machine of a file; None if the file does not describe it.

    The fingerprint covers what affects speed, so files with the same `machine_info` share one. If the processor is
    not named (before version 3.1), the hostname distinguishes machines.
    """
    if not info:
        return None
    cpu = mapping(info.get("cpu"))
    model = _cpu_model(info)
    threads = cpu.get("count")
    threads = threads if type(threads) is int and 0 < threads <= _INT32 else None
    implementation, version = text(info.get("python_implementation")), text(info.get("python_version"))
    node = text(info.get("node"))
    fingerprint = content_id(
        _FINGERPRINT,
        text(info.get("machine")),
        model,
        threads,
        text(info.get("system")),
        kernel_series(text(info.get("release"))),
        implementation,
        ".".join((version or "").split(".")[:2]),
        None if model else node,
    )
    environment = Environment(
        environment_id="",
        fingerprint=fingerprint,
        hostname_hash=content_id(node) if node else None,
        os=text(info.get("system")),
        kernel=text(info.get("release")),
        cpu_model=model,
        threads=threads,
        python=" ".join(part for part in (implementation, version) if part),
        details=_details(info, cpu),
    )
    return replace(environment, environment_id=environment_id(environment))


def _device(info: Mapping[str, Any]) -> Device | None:
    """Return the processor as the plugin would record it on that machine; None if it is not named."""
    name = _cpu_model(info) or text(info.get("machine"))
    if name is None:
        return None
    return Device(device_id=content_id("cpu", name, None), backend="cpu", name=name)


def _cpu_model(info: Mapping[str, Any]) -> str | None:
    """Return the processor's name, under its old or new py-cpuinfo key."""
    cpu = mapping(info.get("cpu"))
    name = text(cpu.get("brand_raw")) or text(cpu.get("brand"))
    return None if name is None or name.strip().lower() == "unknown" else name


def _details(info: Mapping[str, Any], cpu: Mapping[str, Any]) -> dict[str, object]:
    """Return the other facts, without the hostname and what differs between runs on one machine."""
    kept = {key: value for key, value in info.items() if key not in {"node", "cpu"}}
    kept["cpu"] = {key: value for key, value in cpu.items() if key not in _VOLATILE_CPU_KEYS}
    return json_object({"machine": info.get("machine"), "machine_info": kept}) or {}
