"""Import the JSON of pyperf (and of its former name, perf): versions 1.0 and later of its format."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pytest_benchdb.errors import ImportFormatError
from pytest_benchdb.importers.reading.figures import figure, named
from pytest_benchdb.importers.reading.json_text import head_of_json, json_of
from pytest_benchdb.importers.reading.machine import Machine
from pytest_benchdb.importers.reading.values import (
    BadPart,
    count,
    described,
    items,
    json_object,
    mapping,
    moment_us,
    number,
    parts,
    required_name,
    required_number,
    text,
)
from pytest_benchdb.model.imported import ImportedRun, ImportedSession, ImportProblem

_TOOL = "pyperf"
_UNITS = {"second": ("wall_time", "s"), "byte": ("pyperf_bytes", "B"), "integer": ("pyperf_integer", "1")}
_VOLATILE = frozenset(
    {"date", "duration", "uptime", "boot_time", "load_avg_1min", "mem_max_rss", "runnable_threads", "cpu_freq"}
    | {"cpu_temp", "loops", "inner_loops", "name", "unit", "hostname", "calibrate_loops", "recalibrate_loops"}
)
"""Metadata that is of one run, or is stored elsewhere."""


class Pyperf:
    """The importer of pyperf's suites, gzipped or not."""

    name = "pyperf"

    def can_read(self, _path: Path, head: bytes) -> bool:
        """Return whether the JSON has benchmarks whose runs are apart."""
        json = head_of_json(head)
        return json.has("benchmarks") and "runs" in json.inner and "machine_info" not in json.keys

    def read(self, path: Path) -> Iterator[ImportedSession | ImportProblem]:
        """Read the one session of a file; its time is that of its earliest run.

        Raises:
            ImportFormatError: it is not JSON of pyperf.
        """
        document = mapping(json_of(path, _TOOL))
        benchmarks = document.get("benchmarks")
        if not isinstance(benchmarks, list) or not benchmarks:
            raise ImportFormatError('it has no results in a list "benchmarks"')
        shared = mapping(document.get("metadata"))
        read = list(parts(benchmarks, "benchmarks", lambda entry: _run(entry, shared)))
        yield from (problem for _, problem in read if problem is not None)
        runs = tuple(run for run, _ in read if run is not None)
        if not runs:
            return
        first = {**_metadata(mapping(benchmarks[0]), shared)}
        times = [run.started_unix_us for run in runs if run.started_unix_us is not None]
        yield ImportedSession(
            started_unix_us=min(times, default=None),
            finished_unix_us=max(times, default=None),
            tool=_TOOL,
            tool_version=text(first.get("perf_version")) or text(first.get("pyperf_version")),
            environment=_machine(first).environment,
            runs=runs,
            rows=len(runs),
        )


def _metadata(entry: Mapping[str, Any], shared: Mapping[str, Any]) -> dict[str, Any]:
    """Return what holds for a benchmark: of the file, of the benchmark, and of its first run with values."""
    first = next((run for run in map(mapping, items(entry.get("runs"))) if run.get("values")), {})
    return {**shared, **mapping(entry.get("metadata")), **mapping(first.get("metadata"))}


def _run(entry: Mapping[str, Any], shared: Mapping[str, Any]) -> ImportedRun:
    metadata = _metadata(entry, shared)
    name = required_name(metadata.get("name"), "metadata.name")
    unit = text(metadata.get("unit", "second"))
    if unit is None or unit not in _UNITS:
        raise BadPart(f"metadata.unit is {described(metadata.get('unit'))}; expected second, byte or integer")
    metric, written = _UNITS[unit]
    values: list[float] = []
    warmups = 0
    dates: list[int] = []
    for number_, run in enumerate(map(mapping, items(entry.get("runs")))):
        values += [required_number(value, f"runs[{number_}].values") for value in items(run.get("values"))]
        warmups += len(items(run.get("warmups"))) if run.get("values") else 0
        date = moment_us(mapping(run.get("metadata")).get("date") or metadata.get("date"))
        dates += [date] if date is not None else []
    if not values:
        raise BadPart(f"{name[:100]} has no values: its runs only calibrated")
    machine = _machine(metadata)
    loops = count(metadata.get("loops")) or 1
    return ImportedRun(
        fullname=named(name, None),
        measurements=(figure(metric, written, values, better="lower"),),
        device=machine.processor,
        started_unix_us=min(dates, default=None),
        iterations=loops * (count(metadata.get("inner_loops")) or 1) if metadata.get("loops") else None,
        rounds=len(values),
        warmup_rounds=warmups,
        timer=text(metadata.get("timer")),
        extra_info=json_object({key: value for key, value in metadata.items() if key in {"description", "tags"}}),
    )


def _machine(metadata: Mapping[str, Any]) -> Machine:
    implementation = text(metadata.get("python_implementation")) or "python"
    version = (text(metadata.get("python_version")) or "").split(" ")[0]
    release = text(metadata.get("platform")) or ""
    kept = {key: value for key, value in metadata.items() if key not in _VOLATILE}
    names = {"cpython": "CPython", "pypy": "PyPy"}
    threads = number(metadata.get("cpu_count"))
    return Machine(
        hostname=text(metadata.get("hostname")),
        os=release.split("-")[0] or None,
        kernel=release.split("-")[1] if release.startswith("Linux-") else None,
        architecture=next((part for part in release.split("-") if part in {"x86_64", "aarch64", "arm64"}), None),
        cpu_model=text(metadata.get("cpu_model_name")),
        threads=count(threads),
        runtime=f"{names.get(implementation, implementation)} {version}".strip() if version else "",
        details=json_object({"metadata": kept}) or {},
    )
