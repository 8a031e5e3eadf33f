"""Import the folder that criterion.rs writes, ``target/criterion``: its newest results and its named baselines."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pytest_benchdb.errors import ImportFormatError
from pytest_benchdb.importers.reading.figures import figure
from pytest_benchdb.importers.reading.json_text import json_of
from pytest_benchdb.importers.reading.values import (
    BadPart,
    items,
    json_object,
    mapping,
    number,
    part,
    required_number,
    required_numbers,
    text,
)
from pytest_benchdb.model.imported import ImportedRun, ImportedSession, ImportProblem
from pytest_benchdb.model.run import Measurement, Summary

_TOOL = "criterion"
_FILES = frozenset({"benchmark.json", "estimates.json", "sample.json", "tukey.json", "raw.csv"})
_NEWEST, _COMPARISON, _PREVIOUS = "new", "change", "base"
_ROOT = "criterion"
_MOST_BENCHMARKS = 100_000


class Criterion:
    """The importer of criterion.rs; one folder is one session, and so is each baseline that a user named."""

    name = "criterion"

    def can_read(self, _path: Path, _head: bytes) -> bool:
        """Return False: its results are a folder."""
        return False

    def root_of(self, path: Path, within: Path) -> Path | None:
        """Return the folder ``criterion`` above a file of a benchmark, else the folder that the user named."""
        if path.name not in _FILES or path.parent == within:
            return None
        if path.name in {"benchmark.json", "raw.csv"} and not (path.parent / "estimates.json").is_file():
            return None
        for folder in path.parents:
            if folder == within or folder.name == _ROOT:
                return folder
        return None

    def read(self, path: Path) -> Iterator[ImportedSession | ImportProblem]:
        """Read the sessions of a folder: first the named baselines, then the newest results.

        Without raw samples, as of other measurements than time, a benchmark has the statistics of criterion. The
        folder ``base`` is the previous result or a copy of ``new``, and ``change`` compares the two: neither is read.

        Raises:
            ImportFormatError: it holds no result.
        """
        folders: dict[str, list[Path]] = {}
        for number_, file in enumerate(sorted(path.rglob("estimates.json"))):
            if number_ >= _MOST_BENCHMARKS:
                raise ImportFormatError(f"it has more than {_MOST_BENCHMARKS:,} results; name one of its folders")
            if file.parent.name not in {_COMPARISON, _PREVIOUS}:
                folders.setdefault(file.parent.name, []).append(file.parent)
        if not folders:
            raise ImportFormatError("it has no result of criterion: no folder new with estimates.json")
        for baseline in sorted(folders, key=lambda name: (name == _NEWEST, name)):
            runs = []
            for folder in folders[baseline]:
                place = folder.relative_to(path).as_posix()
                run, problem = part(folder, place, lambda folder: _run(folder, path))
                if problem is not None:
                    yield problem
                elif run is not None:
                    runs.append(run)
            if runs:
                label = None if baseline == _NEWEST else baseline
                yield ImportedSession(started_unix_us=None, tool=_TOOL, label=label, runs=tuple(runs), rows=len(runs))


def _read(path: Path) -> Any:
    try:
        return json_of(path, _TOOL)
    except ImportFormatError as error:
        raise BadPart(f"{path.name}: {error}") from error


def _run(folder: Path, root: Path) -> ImportedRun:
    about = mapping(_read(folder / "benchmark.json")) if (folder / "benchmark.json").is_file() else {}
    # Before version 0.3 there is no description, and the folder is the name.
    name = text(about.get("full_id"), 100_000) or folder.parent.relative_to(root).as_posix()
    estimates = mapping(_read(folder / "estimates.json"))
    samples, iterations = _samples(folder)
    measurement = figure(
        "wall_time", "ns", samples or _summary(estimates), details={"criterion": _estimates(estimates)}
    )
    value = text(about.get("value_str"), 10_000)
    return ImportedRun(
        fullname=name,
        group=text(about.get("group_id")),
        params={"value": value} if value else None,
        measurements=(measurement, *_throughput(about, measurement)),
        rounds=None if measurement.samples is None else len(measurement.samples),
        iterations=iterations,
        extra_info=json_object(
            {key: about[key] for key in ("function_id", "value_str", "throughput") if about.get(key)}
        ),
    )


def _samples(folder: Path) -> tuple[list[float] | None, int | None]:
    """Return the nanoseconds of one iteration in each sample; and the iterations, if all samples have as many."""
    path = folder / "sample.json"
    if not path.is_file():
        return None, None
    sample = mapping(_read(path))
    times = required_numbers(sample.get("times"), "sample.json: times")
    iters = required_numbers(sample.get("iters"), "sample.json: iters")
    if len(times) != len(iters) or not all(count > 0 for count in iters):
        raise BadPart(f"sample.json: it has {len(times)} times for {len(iters)} counts of iterations from 1 on")
    first = iters[0]
    return (
        [time / count for time, count in zip(times, iters, strict=True)],
        int(first) if all(count == first for count in iters) and first.is_integer() else None,
    )


def _estimate(estimates: Mapping[str, Any], *names: str) -> float | None:
    """Return an estimate by its name, which was ``Mean`` before version 0.3."""
    found = (mapping(estimates.get(name)).get("point_estimate") for name in names)
    return next((value for value in map(number, found) if value is not None), None)


def _summary(estimates: Mapping[str, Any]) -> Summary:
    mean, median = _estimate(estimates, "mean", "Mean"), _estimate(estimates, "median", "Median")
    if mean is None and median is None:
        raise BadPart("estimates.json: it has neither a mean nor a median")
    return Summary(mean=mean, median=median, stddev=_estimate(estimates, "std_dev", "StdDev"))


def _estimates(estimates: Mapping[str, Any]) -> dict[str, object]:
    """Return criterion's own estimates, in nanoseconds as it writes them."""
    return {
        name.lower(): value
        for name in ("mean", "median", "slope", "std_dev", "Mean", "Median", "Slope", "StdDev")
        if (value := _estimate(estimates, name)) is not None
    }


def _throughput(about: Mapping[str, Any], time: Measurement) -> Iterator[Measurement]:
    """Yield items or bytes per second, from the median of the times: criterion stores the amount of one iteration."""
    stated = about.get("throughput")
    parts: Sequence[Any] = [stated] if isinstance(stated, Mapping) else items(stated)
    middle = time.summary.median if time.summary else sorted(time.samples or [0.0])[len(time.samples or [0]) // 2]
    if not middle:
        return
    for amounts in map(mapping, parts):
        for kind, amount in amounts.items():
            metric = {"Bytes": "bytes_per_second", "BytesDecimal": "bytes_per_second", "Elements": "throughput"}
            if kind in metric and number(amount) is not None:
                rate = required_number(amount, kind) / middle
                yield figure(metric[kind], None, rate, method="amount of an iteration / median time")
