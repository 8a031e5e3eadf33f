"""Import the results of pytest-codspeed's wall-time mode: ``.codspeed/results_*.json``."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pytest_benchdb.errors import ImportFormatError
from pytest_benchdb.importers.reading.figures import figure
from pytest_benchdb.importers.reading.json_text import head_of_json, json_of
from pytest_benchdb.importers.reading.machine import Machine
from pytest_benchdb.importers.reading.values import (
    BadPart,
    count,
    json_object,
    mapping,
    moment_us,
    number,
    parts,
    required_name,
    text,
)
from pytest_benchdb.model.imported import ImportedRun, ImportedSession, ImportProblem
from pytest_benchdb.model.run import Summary

_TOOL = "pytest-codspeed"
_FILE_NAME = re.compile(r"results_(\d{12,14})\.json(\.gz)?")
"""The tool writes the time, in milliseconds since the epoch, into the name alone."""


class Codspeed:
    """The importer of pytest-codspeed's results; its instrumented modes leave no figures in them."""

    name = "pytest-codspeed"

    def can_read(self, _path: Path, head: bytes) -> bool:
        """Return whether the JSON names the process that created it; what it measured with comes far below."""
        json = head_of_json(head)
        return json.has("creator") and "pid" in json.inner

    def read(self, path: Path) -> Iterator[ImportedSession | ImportProblem]:
        """Read the one session of a file; figures are nanoseconds of one iteration.

        Raises:
            ImportFormatError: it is not JSON of pytest-codspeed.
        """
        document = mapping(json_of(path, _TOOL))
        benchmarks = document.get("benchmarks")
        if not isinstance(benchmarks, list) or not benchmarks:
            raise ImportFormatError('it has no results in a list "benchmarks"')
        instrument, creator = mapping(document.get("instrument")), mapping(document.get("creator"))
        machine = _machine(mapping(document.get("python")), instrument)
        read = list(parts(benchmarks, "benchmarks", _run))
        yield from (problem for _, problem in read if problem is not None)
        runs = tuple(run for run, _ in read if run is not None)
        if runs:
            named = _FILE_NAME.fullmatch(path.name)
            started_us = moment_us(int(named[1])) if named else None
            yield ImportedSession(
                started_unix_us=started_us,
                finished_unix_us=started_us,
                tool=text(creator.get("name")) or _TOOL,
                tool_version=text(creator.get("version")),
                environment=machine.environment,
                runs=runs,
                rows=len(runs),
            )


def _run(entry: Mapping[str, Any]) -> ImportedRun:
    # The uri is the id of the test, as pytest shows it; the name is what CodSpeed shows.
    name = required_name(entry.get("uri") or entry.get("name"), "uri")
    stats = mapping(entry.get("stats"))
    mean, stddev, low, q1, median, q3, high = (
        number(stats.get(f"{key}_ns")) for key in ("mean", "stdev", "min", "q1", "median", "q3", "max")
    )
    if mean is None and median is None:
        raise BadPart(f"{name[:100]} has no times: its instrument does not measure wall-clock time")
    rounds = count(stats.get("rounds"))
    summary = Summary(
        n=rounds,
        min=low,
        max=high,
        mean=mean,
        median=median,
        stddev=None if rounds == 1 else stddev,
        q1=q1,
        q3=q3,
    )
    kept = {key: stats[key] for key in ("iqr_outlier_rounds", "stdev_outlier_rounds", "total_time") if key in stats}
    return ImportedRun(
        fullname=name,
        measurements=(figure("wall_time", "ns", summary, details={"codspeed": json_object(kept) or {}}),),
        iterations=count(stats.get("iter_per_round")),
        rounds=rounds,
        extra_info=json_object({"config": entry.get("config")}) if entry.get("config") else None,
    )


def _machine(python: Mapping[str, Any], instrument: Mapping[str, Any]) -> Machine:
    build = mapping(python.get("sysconfig"))
    version = text(build.get("py_version")) or text(python.get("version"))
    dependencies = mapping(python.get("dependencies")).items()
    return Machine(
        runtime=f"CPython {version}" if version else "",
        packages={key: value for key, value in dependencies if isinstance(value, str)},
        details=json_object({"instrument": instrument}) or {},
    )
