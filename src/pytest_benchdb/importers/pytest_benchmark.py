"""Reads the JSON of pytest-benchmark, 2.5 (2015) to 5.3: ``--benchmark-json``, ``--benchmark-save`` and autosave.

The ``stats`` of one benchmark in pytest-benchmark's JSON -> a measurement.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from pytest_benchdb.errors import ImportFormatError
from pytest_benchdb.importers.file_content import read_whole
from pytest_benchdb.importers.machine_info import device_of, environment_of
from pytest_benchdb.importers.source_time import unix_us, utc_text
from pytest_benchdb.model.environment import Commit, Device
from pytest_benchdb.model.imported import ImportedRun, ImportedSession, ImportProblem
from pytest_benchdb.model.json_value import json_value
from pytest_benchdb.model.metric import METRICS
from pytest_benchdb.model.run import Measurement, Summary

_INT64 = 2**63 - 1
_WALL = frozenset({"perf_counter", "monotonic", "time", "default_timer"})
_CPU = frozenset({"process_time", "thread_time"})
_FIGURES = ("min", "max", "mean", "median", "stddev", "q1", "q3")


class Unusable(Exception):  # noqa: N818 - it is caught three lines above where it is raised, and tells no more
    """A benchmark cannot be taken; the text says why."""


def timer_of(options: Mapping[str, Any]) -> str | None:
    """Return the clock's name as the plugin writes it: ``time.perf_counter``; None if the file does not say."""
    name = options.get("timer")
    if not isinstance(name, str) or not name.strip():
        return None
    base = name.rpartition(".")[2].removesuffix("_ns")
    return f"time.{name.rpartition('.')[2]}" if base in _WALL | _CPU else name[:200]


def iterations_of(stats: Mapping[str, Any]) -> int | None:
    """Return the calls in one round; None if the file does not say.

    Raises:
        Unusable: it is not a number of calls.
    """
    return _count(stats, "iterations")


def measurement_of(stats: Mapping[str, Any], timer: str | None, *, details: dict[str, object] | None) -> Measurement:
    """Return the rounds, seconds per iteration; their statistics where the rounds were not saved.

    Args:
        stats: the object as the file has it.
        timer: name of the clock; None is pytest-benchmark's usual one.
        details: the benchmark's options.

    Raises:
        Unusable: a figure is missing, not finite or no number.
    """
    metric, scale = _metric_of(timer)
    known = METRICS[metric]
    data = stats.get("data")
    rounds = _count(stats, "rounds")
    if data is None or data == []:
        summary, samples = _summary(stats, rounds, scale), None
        negative = summary.min is not None and summary.min < 0
        reason = "its file has a time below zero" if negative else None
        if summary.median is None:
            reason = reason or "its file has no median"
    else:
        summary, samples = None, _samples(data, rounds, scale)
        reason = "its file has a time below zero" if min(samples) < 0 else None
    return Measurement(
        metric=metric,
        unit=known.unit,
        better=known.better,
        provenance="imported",
        method=timer,
        samples=samples,
        summary=summary,
        valid=reason is None,
        reason=reason,
        details=details,
    )


def _metric_of(timer: str | None) -> tuple[str, float]:
    """Return the metric that a clock measures, and how many of its units are a second."""
    if timer is None:
        return "wall_time", 1.0
    name = timer.removeprefix("time.")
    base = name.removesuffix("_ns")
    scale = 1.0 if base == name else 1e9
    if base in _WALL:
        return "wall_time", scale
    return ("cpu_time", scale) if base in _CPU else ("timer_value", 1.0)


def _samples(data: object, rounds: int | None, scale: float) -> list[float]:
    if not isinstance(data, list):
        raise Unusable(f"stats.data is a {type(data).__name__}, not a list")
    if rounds is not None and rounds != len(data):
        raise Unusable(f"stats.data has {len(data)} values, and stats.rounds says {rounds}: the file is not whole")
    for index, value in enumerate(data):
        if type(value) not in {float, int} or not math.isfinite(_float(value)):
            raise Unusable(f"stats.data[{index}] is {_shown_value(value)}; seconds are wanted")
    return [value / scale for value in data] if scale != 1 else list(map(float, data))


def _summary(stats: Mapping[str, Any], rounds: int | None, scale: float) -> Summary:
    figures: dict[str, float | None] = {}
    for name in _FIGURES:
        value = stats.get(name)
        if value is not None and (type(value) not in {float, int} or not math.isfinite(_float(value))):
            raise Unusable(f"stats.{name} is {_shown_value(value)}; seconds are wanted")
        figures[name] = None if value is None else float(value) / scale
    if figures["median"] is None and figures["mean"] is None:
        has = ", ".join(islice(map(str, stats), 5)) or "nothing"
        raise Unusable(f"stats has neither rounds nor a median nor a mean; it has {has[:100]}")
    if rounds is not None and rounds < 2:  # noqa: PLR2004 - one round has no deviation: 0 was never measured
        figures["stddev"] = None
    return Summary(n=rounds, **figures)


def _count(stats: Mapping[str, Any], name: str) -> int | None:
    value = stats.get(name)
    if value is None:
        return None
    if type(value) is not int or not 0 < value <= _INT64:
        raise Unusable(f"stats.{name} is {_shown_value(value)}; a whole number from 1 on is wanted")
    return value


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _shown_value(value: object) -> str:
    return (
        repr(value)[:60] if isinstance(value, (str, int, float, bool)) or value is None else f"a {type(value).__name__}"
    )


MOST_BYTES = 1 << 30
_MOST_NAME = 4096
_MOST_TEXT = 1000
_OWN = (b'"machine_info"', b'"commit_info"')
_NO_COMMIT = frozenset({"unversioned", "unknown", ""})
_SAVED = re.compile(r"\d{4}_(?P<name>.+)")
_AUTOMATIC = re.compile(r"(unversioned|unknown|[0-9a-f]{7,40})(_\d{8}_\d{6})?(_uncommitted-changes)?")


class PytestBenchmark:
    """The importer of pytest-benchmark's JSON files, packed by gzip or not."""

    name = "pytest-benchmark"

    def can_read(self, path: Path, head: bytes) -> bool:
        """Tell by the first keys of the JSON object; an empty or torn file counts by its name."""
        text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
        if text[:1] == b"{":
            # Google Benchmark has "benchmarks" too, and a "context".
            return any(key in text for key in _OWN) or (b'"benchmarks"' in text and b'"context"' not in text)
        return not text and _is_json(path) and _SAVED.fullmatch(path.name) is not None

    def read(self, path: Path) -> Iterator[ImportedSession | ImportProblem]:
        """Read the one session of a file.

        Raises:
            ImportFormatError: it is no JSON of pytest-benchmark, or has no time.
        """
        document = _document(path)
        runs: list[ImportedRun] = []
        benchmarks = document["benchmarks"]
        info = _mapping(document.get("machine_info"))
        device = device_of(info)
        for index, entry in enumerate(benchmarks):
            run = _run_or_problem(index, entry, device)
            if isinstance(run, ImportProblem):
                yield run
            else:
                runs.append(run)
        if not runs:
            if not benchmarks:
                raise ImportFormatError("it has no benchmarks: pytest-benchmark saved an empty session")
            return
        started_us = _time(document, path)
        yield ImportedSession(
            started_unix_us=started_us,
            finished_unix_us=started_us,
            tool="pytest-benchmark",
            tool_version=_text(document.get("version")),
            label=_label(path),
            project=_text(_mapping(document.get("commit_info")).get("project")),
            environment=environment_of(info),
            commit=_commit(_mapping(document.get("commit_info"))),
            runs=tuple(runs),
            rows=len(runs),
        )


def _is_json(path: Path) -> bool:
    return path.name.endswith((".json", ".json.gz"))


def _document(path: Path) -> dict[str, Any]:
    """Return the file's object.

    Raises:
        ImportFormatError: it is not what pytest-benchmark writes.
    """
    content = read_whole(path, MOST_BYTES)
    if not content.strip():
        raise ImportFormatError("it is empty: its writer died, or has not finished")
    try:
        document = json.loads(content.decode("utf-8-sig"))
    except RecursionError as error:
        raise ImportFormatError("it is nested too deeply for pytest-benchmark's JSON") from error
    except UnicodeDecodeError as error:
        raise ImportFormatError(f"it is not UTF-8 (byte {error.start})") from error
    except json.JSONDecodeError as error:
        cut = "; it looks cut off" if error.pos >= len(error.doc.rstrip()) - 1 else ""
        raise ImportFormatError(f"it is no JSON: {error.msg} in line {error.lineno}{cut}") from error
    except ValueError as error:  # an integer of thousands of digits
        raise ImportFormatError(f"it has a number that cannot be read: {error}") from error
    if not isinstance(document, dict) or not isinstance(document.get("benchmarks"), list):
        raise ImportFormatError('it is no file of pytest-benchmark: it has no list "benchmarks"')
    return document


def _run_or_problem(index: int, entry: object, device: Device | None) -> ImportedRun | ImportProblem:
    try:
        return _run(entry, device)
    except Unusable as error:
        return ImportProblem(place=_place(index, entry), text=str(error))


def _run(entry: object, device: Device | None) -> ImportedRun:
    """Return one benchmark.

    Raises:
        Unusable: a part of it is missing or of the wrong type.
    """
    if not isinstance(entry, dict):
        raise Unusable(f"it is a {type(entry).__name__}, not an object")
    fullname = _text(entry.get("fullname"), _MOST_NAME + 1) or _text(entry.get("name"), _MOST_NAME + 1)
    if fullname is None:
        raise Unusable(f"fullname is {_shown(entry.get('fullname'))}; a text is wanted")
    if len(fullname) > _MOST_NAME:
        raise Unusable(f"fullname has more than {_MOST_NAME} characters")
    options, stats = _mapping(entry.get("options")), entry.get("stats")
    if not isinstance(stats, dict):
        raise Unusable(f"stats is {_shown(stats)}: it was not measured, or failed")
    iterations = iterations_of(stats)
    timer = timer_of(options)
    measurement = measurement_of(stats, timer, details=_json(options))
    return ImportedRun(
        fullname=fullname,
        measurements=(measurement,),
        group=_text(entry.get("group")),
        params=_json(entry.get("params")),
        param_id=_text(entry.get("param"), _MOST_NAME),
        device=device,
        iterations=iterations,
        rounds=_rounds(measurement),
        warmup_rounds=0 if options.get("warmup") is False else None,
        timer=timer,
        extra_info=_json(entry.get("extra_info")),
    )


def _rounds(measurement: Measurement) -> int | None:
    if measurement.samples is not None:
        return len(measurement.samples)
    return None if measurement.summary is None else measurement.summary.n


def _time(document: Mapping[str, Any], path: Path) -> int:
    """Return when the session was saved, which is the only time that the file has of it.

    Raises:
        ImportFormatError: it has none.
    """
    found = document.get("datetime")
    commit = _mapping(document.get("commit_info"))
    for key, value in (("datetime", found), ("commit_info.time", commit.get("time"))):
        if isinstance(value, str) and value.strip():
            try:
                return unix_us(value)
            except (ValueError, OverflowError) as error:
                raise ImportFormatError(f"{key}: {error}") from error
    raise ImportFormatError(f"it says no time: datetime is {_shown(found)}, and so is commit_info.time in {path.name}")


def _commit(info: Mapping[str, Any]) -> Commit:
    sha, branch = _text(info.get("id")), _text(info.get("branch"))
    known = sha is not None and sha not in _NO_COMMIT
    dirty = info.get("dirty")
    return Commit(
        sha=sha if known else None,
        branch=None if branch is None or branch.startswith("(") else branch,
        dirty=dirty if known and isinstance(dirty, bool) else None,
        committed_at=_commit_time(info) if known else None,
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
    """Return the name that ``--benchmark-save=NAME`` gave; None for a file that named itself."""
    saved = _SAVED.fullmatch(path.name.removesuffix(".gz").removesuffix(".json"))
    if saved is None or not _is_json(path) or _AUTOMATIC.fullmatch(saved["name"]):
        return None
    return saved["name"]


def _place(index: int, entry: object) -> str:
    name = _text(entry.get("fullname")) if isinstance(entry, dict) else None
    return f"benchmarks[{index}]" + (f" ({name[:100]})" if name else "")


def _json(value: object) -> dict[str, object] | None:
    made = json_value(value) if isinstance(value, Mapping) else None
    return made if isinstance(made, dict) else None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object, most: int = _MOST_TEXT) -> str | None:
    return value[:most] if isinstance(value, str) and value.strip() else None


def _shown(value: object) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "a list"
    return "an object" if isinstance(value, Mapping) else repr(value)[:60]
