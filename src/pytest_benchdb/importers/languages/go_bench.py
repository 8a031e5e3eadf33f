"""Import the text that ``go test -bench`` prints, in the format of golang.org/design/14313-benchmark-format."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from pytest_benchdb.errors import ImportFormatError
from pytest_benchdb.importers.reading.figures import figure, param_id
from pytest_benchdb.importers.reading.json_text import text_of
from pytest_benchdb.importers.reading.machine import Machine
from pytest_benchdb.importers.reading.units import UNITS
from pytest_benchdb.importers.reading.values import MOST_COUNT, BadPart, moment_us, part
from pytest_benchdb.model.environment import Commit
from pytest_benchdb.model.imported import ImportedRun, ImportedSession, ImportProblem
from pytest_benchdb.model.run import Measurement

_TOOL = "go test"
_LINE = re.compile(r"Benchmark(?P<name>[^\s]*)\s+(?P<iterations>\d+)\s+(?P<values>\S.*)")
_HEADER = re.compile(r"(?P<key>[a-z][^\s:A-Z]*):\s*(?P<value>.*)")
_BYTES_HEADER = re.compile(rb"^(goos|goarch|pkg): \S", re.MULTILINE)
_BYTES_LINE = re.compile(rb"^Benchmark\S+\s+\d+\s+\S+ (ns/op|\S+/\S+)", re.MULTILINE)
_FAILED = re.compile(r"--- FAIL: Benchmark(?P<name>\S+)")
_NUMBER = re.compile(r"[+-]?[0-9]{1,400}(\.[0-9]{0,400})?([eE][+-]?[0-9]{1,4})?")
_PROCESSORS = re.compile(r"-(\d+)$")
_METRICS = {
    "ns/op": ("wall_time", "ns", "lower"),
    "B/op": ("allocated_bytes", "B", "lower"),
    "allocs/op": ("allocations", "1", "lower"),
    "MB/s": ("bytes_per_second", "MB/s", "higher"),
}


@dataclass(slots=True)
class _Benchmark:
    """The lines of one benchmark so far: with ``-count`` there are several, which are its rounds."""

    place: str
    iterations: int
    headers: dict[str, str]
    values: dict[str, list[float]] = field(default_factory=dict)


class GoBench:
    """The importer of the output of Go's benchmarks."""

    name = "go"

    def can_read(self, _path: Path, head: bytes) -> bool:
        """Return whether the text has a line of a benchmark's result, or the headers before one."""
        return b"\x00" not in head and bool(_BYTES_LINE.search(head) or _BYTES_HEADER.search(head[:4096]))

    def read(self, path: Path) -> Iterator[ImportedSession | ImportProblem]:
        """Read the one session of a file; lines of other output are passed over.

        Raises:
            ImportFormatError: it has no result.
        """
        found: dict[str, _Benchmark] = {}
        failed: dict[str, str] = {}
        headers: dict[str, str] = {}
        first: dict[str, str] = {}
        rows = 0
        for number, line in enumerate(text_of(path).splitlines(), 1):
            place = f"line {number}"
            if header := _HEADER.fullmatch(line):
                headers[header["key"]] = header["value"].strip()
                first.setdefault(header["key"], header["value"].strip())
            elif match := _LINE.match(line):
                rows += 1
                _, problem = part((match, place), place, partial(_add, headers=headers, found=found))
                if problem is not None:
                    yield problem
            elif match := _FAILED.match(line):
                failed[_PROCESSORS.sub("", _full(match["name"], headers))] = place
        runs = tuple(_runs(found, failed))
        if not runs and not rows:
            raise ImportFormatError("it has no line of a result, such as: BenchmarkSort-8  1000  1234 ns/op")
        if runs:
            yield _session(runs, first, rows)


def _full(name: str, headers: dict[str, str]) -> str:
    package = headers.get("pkg")
    return f"{package}.Benchmark{name}" if package else f"Benchmark{name}"


def _add(line: "tuple[re.Match[str], str]", *, headers: dict[str, str], found: dict[str, _Benchmark]) -> None:
    """Add the figures of a line, with its place, to those of its benchmark."""
    match, place = line
    words = match["values"].split()
    pairs = list(zip(words[::2], words[1::2], strict=False))
    if len(words) % 2 or not pairs:
        raise BadPart(f"its figures are {match['values'][:60]!r}; expected pairs of a value and a unit")
    bad = next((value for value, _ in pairs if not _NUMBER.fullmatch(value)), None)
    if bad is not None:
        raise BadPart(f"a value is {bad[:40]!r}; expected a number before each unit")
    values = {unit: float(value) for value, unit in pairs}
    iterations = int(match["iterations"][:20])
    if not 0 < iterations <= MOST_COUNT:
        raise BadPart(f"its iterations are {match['iterations'][:40]}; expected a whole number from 1 on")
    name = _full(match["name"], headers)
    benchmark = found.setdefault(name, _Benchmark(place, iterations, dict(headers)))
    for unit, number in values.items():
        benchmark.values.setdefault(unit, []).append(number)


def _runs(found: dict[str, _Benchmark], failed: dict[str, str]) -> Iterator[ImportedRun]:
    for name, benchmark in found.items():
        measurements, problem = part(benchmark, benchmark.place, _measurements)
        if problem is None and measurements:
            yield _run(name, benchmark, measurements)
    for name, place in failed.items():
        if not any(_PROCESSORS.sub("", other) == name for other in found):
            yield ImportedRun(fullname=name, measurements=(), outcome="failed", reason=f"--- FAIL in {place}")


def _run(name: str, benchmark: _Benchmark, measurements: tuple[Measurement, ...]) -> ImportedRun:
    base = _PROCESSORS.sub("", name)
    processors = _PROCESSORS.search(name)
    params = dict(part_.split("=", 1) for part_ in base.split("/")[1:] if "=" in part_)
    rounds = max(len(values) for values in benchmark.values.values())
    return ImportedRun(
        fullname=base,
        params=dict(params) or None,
        param_id=param_id(params) if params else None,
        measurements=measurements,
        device=_machine(benchmark.headers).processor,
        iterations=benchmark.iterations,
        rounds=rounds,
        extra_info={"GOMAXPROCS": int(processors[1][:6])} if processors else None,
    )


def _measurements(benchmark: _Benchmark) -> tuple[Measurement, ...]:
    rows = []
    for unit, values in benchmark.values.items():
        metric, written, better = _METRICS.get(unit, (f"go:{unit}", unit, "none"))
        rate = unit.endswith("/s") and metric.startswith("go:")
        rows.append(
            figure(
                metric[:200],
                written,
                values[0] if len(values) == 1 else values,
                better="higher" if rate and unit not in UNITS else better,
                source_name=unit,
            )
        )
    return tuple(rows)


def _session(runs: tuple[ImportedRun, ...], headers: dict[str, str], rows: int) -> ImportedSession:
    started_us = moment_us(headers.get("date") or headers.get("upload-time") or "")
    sha = headers.get("commit") or headers.get("git-commit")
    return ImportedSession(
        started_unix_us=started_us,
        finished_unix_us=started_us,
        tool=_TOOL,
        tool_version=headers.get("toolchain") or None,
        environment=_machine(headers).environment,
        commit=Commit(sha=sha[:100] if sha else None, branch=headers.get("branch") or None),
        runs=runs,
        rows=rows,
    )


def _machine(headers: dict[str, str]) -> Machine:
    return Machine(
        os=headers.get("goos"),
        architecture=headers.get("goarch"),
        cpu_model=headers.get("cpu"),
        runtime=headers.get("toolchain", ""),
    )
