"""Import the results of asv (airspeed velocity): one JSON file for each commit, environment and machine.

Beside them asv has ``benchmarks.json``, which names the units and parameters, and ``machine.json``. Layouts of the
results: values of their own (asv 0.1), objects with ``result``, ``params`` and statistics (to 0.4), columns (0.5 on).
"""

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from pytest_benchdb.errors import ImportFormatError, NotResultsError
from pytest_benchdb.importers.reading.figures import figure, named
from pytest_benchdb.importers.reading.files import LATEST_US
from pytest_benchdb.importers.reading.json_text import head_of_json, json_of
from pytest_benchdb.importers.reading.machine import Machine
from pytest_benchdb.importers.reading.values import (
    BadPart,
    count,
    items,
    json_object,
    mapping,
    moment_us,
    number,
    part,
    required_name,
    required_numbers,
    text,
    written_count,
)
from pytest_benchdb.model.environment import Commit
from pytest_benchdb.model.identity import without_addresses
from pytest_benchdb.model.imported import ImportedRun, ImportedSession, ImportProblem
from pytest_benchdb.model.run import Measurement, Summary

_TOOL = "asv"
_COLUMNS = ("result", "params", "version", "started_at", "duration", "stats_ci_99_a", "stats_ci_99_b", "stats_q_25")
_COLUMNS_REST = ("stats_q_75", "stats_number", "stats_repeat", "samples", "profile")
_DESCRIPTIONS = ("benchmarks.json", "machine.json")
_SECONDS = frozenset({"seconds", "second", "s"})
_MOST_COMBINATIONS = 1_000_000
_SHA = re.compile(r"[0-9a-f]{7,64}")
_GIGABYTES = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)\s*([kKMGT])i?B?")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """A benchmark of a result file, whatever its layout; lists run over the combinations of parameters.

    Attributes:
        values: medians, as asv writes them; None for a combination that failed, NaN for one that was skipped.
        statistics: lists by asv's names: ``stats_q_25``, ``samples``.
        started_us: when it ran, microseconds since the epoch.
    """

    values: Sequence[Any]
    params: Sequence[Any]
    statistics: Mapping[str, Sequence[Any]]
    started_us: int | None = None
    duration_s: float | None = None


class Asv:
    """The importer of asv's result files."""

    name = "asv"

    def can_read(self, path: Path, head: bytes) -> bool:
        """Return whether it is a result of a commit, or describes asv's benchmarks or machines."""
        json = head_of_json(head)
        if json.has("commit_hash", "results") or json.has("commit_hash", "env_name"):
            return True
        if path.name not in _DESCRIPTIONS:
            return False
        return json.has("arch", "machine") or bool(json.inner & {"param_names", "timer", "code"})

    def read(self, path: Path) -> Iterator[ImportedSession | ImportProblem]:
        """Read the one session of a file.

        Its time is that of its first benchmark. Files of asv before 0.2.2 have none: ``date`` is that of the commit.

        Raises:
            NotResultsError: it is ``benchmarks.json`` or ``machine.json``.
            ImportFormatError: it is not a result of asv.
        """
        document = mapping(json_of(path, _TOOL))
        if path.name in _DESCRIPTIONS and "results" not in document:
            raise NotResultsError("it describes asv's benchmarks or machines; the results are in files beside it")
        results = document.get("results")
        if not isinstance(results, Mapping) or "commit_hash" not in document:
            raise ImportFormatError("it is not a result of asv: it has no commit_hash and results")
        benchmarks = _benchmarks_beside(path)
        machine = _machine(document)
        runs: list[ImportedRun] = []
        for name, result in results.items():
            read, problem = part((name, result), name[:200], lambda pair: _runs(document, benchmarks, *pair))
            if problem is not None:
                yield problem
            runs += [replace(run, device=machine.processor) for run in read or ()]
        if not runs:
            if not results:
                raise NotResultsError("it has no results: no benchmark ran at this commit")
            return
        starts = [run.started_unix_us for run in runs if run.started_unix_us is not None]
        yield ImportedSession(
            started_unix_us=min(starts, default=None),
            finished_unix_us=max(starts, default=None),
            tool=_TOOL,
            source_key=text(document.get("env_name")) or text(document.get("python")),
            environment=machine.environment,
            commit=_commit(document),
            runs=tuple(runs),
            rows=len(results),
        )


def _benchmarks_beside(path: Path) -> Mapping[str, Any]:
    """Return what ``benchmarks.json`` says, in the folder above; nothing if it is not there or cannot be read."""
    described = path.parent.parent / "benchmarks.json"
    try:
        state = described.stat()
    except OSError:
        return {}
    return _benchmarks_of(described, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=2)
def _benchmarks_of(path: Path, _mtime_ns: int, _size: int) -> Mapping[str, Any]:
    try:
        return mapping(json_of(path, _TOOL))
    except ImportFormatError:
        return {}


def _runs(document: Mapping[str, Any], benchmarks: Mapping[str, Any], name: str, result: object) -> list[ImportedRun]:
    """Return a run for each combination of the parameters of a benchmark."""
    required_name(name, "its name")
    about = mapping(benchmarks.get(name))
    entry = _entry(document, name, result, about)
    names = [str(each) for each in items(about.get("param_names"))]
    combinations = list(itertools.islice(itertools.product(*entry.params), _MOST_COMBINATIONS))
    if entry.params and list(entry.values) == [None]:  # it failed before the first of its parameters
        entry = replace(entry, values=[None] * len(combinations), statistics={})
    if entry.params and len(combinations) != len(entry.values):
        raise BadPart(f"it has {len(entry.values)} results for {len(combinations)} combinations of parameters")
    if not entry.params and len(entry.values) != 1:
        raise BadPart(f"it has {len(entry.values)} results and no parameters")
    return [
        _run(name, about, entry, place, _params(names, combination))
        for place, combination in enumerate(combinations or [()])
    ]


def _params(names: Sequence[str], combination: Sequence[Any]) -> dict[str, object]:
    """Return parameters by name; asv keeps them as texts, which may hold the address of an object."""
    padded = [*names, *(f"param{place}" for place in range(len(names) + 1, len(combination) + 1))]
    return {key: without_addresses(str(value))[:1000] for key, value in zip(padded, combination, strict=False)}


def _entry(document: Mapping[str, Any], name: str, result: object, about: Mapping[str, Any]) -> _Entry:
    if isinstance(result, list):
        if "result_columns" not in document and not any(isinstance(each, list) for each in result):
            return _of_value(document, name, {"result": result}, about)
        columns = items(document.get("result_columns")) or (*_COLUMNS, *_COLUMNS_REST)
        return _of_object(dict(zip(map(str, columns), result, strict=False)))
    return _of_value(document, name, result, about)


def _of_object(result: Mapping[str, Any]) -> _Entry:
    params = result.get("params")
    values = result.get("result")
    statistics = {key: value for key, value in result.items() if isinstance(value, list) and key.startswith("stats_")}
    samples = result.get("samples")
    return _Entry(
        values=values if isinstance(values, list) else [values],
        params=[each for each in items(params) if isinstance(each, list)],
        statistics={**statistics, **({"samples": samples} if isinstance(samples, list) else {})},
        started_us=moment_us(result.get("started_at")),
        duration_s=number(result.get("duration")),
    )


def _of_value(document: Mapping[str, Any], name: str, result: object, about: Mapping[str, Any]) -> _Entry:
    """Return a benchmark of the layouts before 0.5: a value, or an object with ``result`` and perhaps ``stats``."""
    whole = mapping(result) or {"result": result}
    values = whole.get("result")
    stats = items(whole.get("stats"))
    statistics = {
        f"stats_{key}": [mapping(each).get(key) for each in stats]
        for key in ("q_25", "q_75", "number", "repeat", "ci_99_a", "ci_99_b")
        if any(key in mapping(each) for each in stats)
    }
    samples = whole.get("samples") or mapping(document.get("samples")).get(name)
    return _Entry(
        values=values if isinstance(values, list) else [values],
        params=[each for each in items(whole.get("params") or about.get("params")) if isinstance(each, list)],
        statistics={**statistics, **({"samples": samples} if isinstance(samples, list) else {})},
        started_us=moment_us(mapping(document.get("started_at")).get(name)),
    )


def _run(name: str, about: Mapping[str, Any], entry: _Entry, place: int, params: dict[str, object]) -> ImportedRun:
    shown = ", ".join(map(str, params.values()))
    run = ImportedRun(
        fullname=named(f"{name}({shown})" if shown else name, None),
        params=params or None,
        param_id=shown or None,
        measurements=(),
        group=name.rpartition(".")[0][:1000] or None,
        started_unix_us=entry.started_us,
        extra_info=json_object({"version": text(about.get("version"))}) if about.get("version") else None,
    )
    value = entry.values[place]
    if value is None:
        return replace(run, outcome="failed", reason="asv has no value: the benchmark failed")
    if isinstance(value, float) and value != value:  # noqa: PLR0124 - NaN
        return replace(run, outcome="skipped", reason="asv skipped these parameters")
    measurement = _measurement(name, about, entry, place, value)
    rounds = None if measurement.samples is None else len(measurement.samples)
    calls = _statistic(entry, "stats_number", place)
    return replace(run, measurements=(measurement,), rounds=rounds, iterations=count(calls))


def _measurement(name: str, about: Mapping[str, Any], entry: _Entry, place: int, value: object) -> Measurement:
    median = number(value)
    if median is None:
        raise BadPart(f"a result is {str(value)[:60]!r}; expected a number")
    metric, unit, better = _metric_of(name, about)
    samples = items(_statistic(entry, "samples", place))
    if samples:
        return figure(metric, unit, required_numbers(list(samples), "samples"), better=better)
    q1, q3 = number(_statistic(entry, "stats_q_25", place)), number(_statistic(entry, "stats_q_75", place))
    if q1 is None and q3 is None:
        return figure(metric, unit, median, better=better)
    rounds = count(_statistic(entry, "stats_repeat", place))
    return figure(metric, unit, Summary(n=rounds, median=median, q1=q1, q3=q3), better=better)


def _statistic(entry: _Entry, name: str, place: int) -> Any:
    values = entry.statistics.get(name, ())
    return values[place] if place < len(values) else None


def _metric_of(name: str, about: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return metric, unit and direction; without a description the prefix of the name says what was measured."""
    kind, unit = text(about.get("type")), text(about.get("unit"))
    prefix = name.rpartition(".")[2].split("_")[0].removeprefix("Time").lower()
    if kind == "time" or (kind is None and unit in _SECONDS) or (not about and prefix in {"time", "timeraw"}):
        return "wall_time", "s", "lower"
    if kind == "peakmemory" or (not about and prefix == "peakmem"):
        return "peak_rss", "B", "lower"
    if kind == "memory" or (not about and prefix == "mem"):
        return "object_size", "B", "lower"
    return (f"asv:{unit}"[:200] if unit and unit != "unit" else "asv_value"), unit or "1", "lower"


def _commit(document: Mapping[str, Any]) -> Commit:
    sha = text(document.get("commit_hash"), 64)
    committed_us = moment_us(document.get("date"))
    return Commit(
        sha=sha if sha and _SHA.fullmatch(sha) else None,
        committed_at=_iso(committed_us) if committed_us is not None and committed_us <= LATEST_US else None,
    )


def _iso(us: int) -> str:
    import datetime as dt

    return (dt.datetime(1970, 1, 1) + dt.timedelta(microseconds=us)).isoformat()  # noqa: DTZ001 - UTC, as stored


def _machine(document: Mapping[str, Any]) -> Machine:
    params = mapping(document.get("params"))
    python = text(document.get("python")) or text(params.get("python"))
    packages = {key: value for key, value in mapping(document.get("requirements")).items() if isinstance(value, str)}
    os_name = text(params.get("os")) or ""
    kernel = os_name.split(" ")[1] if re.match(r"Linux \d", os_name) else None
    return Machine(
        hostname=text(params.get("machine")),
        os=os_name.split(" ")[0] or None,
        kernel=kernel,
        architecture=text(params.get("arch")),
        cpu_model=text(params.get("cpu")),
        threads=written_count(params.get("num_cpu")),
        ram_bytes=_bytes(params.get("ram")),
        runtime=f"CPython {python}" if python and python[:1].isdigit() else python or "",
        packages=packages,
        details=json_object({"params": params, "env_vars": document.get("env_vars")}) or {},
    )


def _bytes(value: object) -> int | None:
    """Return a size of memory, which people write: kilobytes as a number (asv's own), or ``16GB``."""
    match = _GIGABYTES.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is not None:
        return count(round(float(match[1]) * 1024 ** (1 + "KMGT".index(match[2].upper()))))
    kilobytes = written_count(value)
    return None if kilobytes is None else count(kilobytes * 1024)
