"""Import Bencher Metric Format (BMF): ``{benchmark: {measure: {value, lower_value, upper_value}}}``."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pytest_benchdb.errors import ImportFormatError
from pytest_benchdb.importers.reading.figures import figure
from pytest_benchdb.importers.reading.json_text import decoded, json_of
from pytest_benchdb.importers.reading.values import BadPart, mapping, number, part, required_name, required_number
from pytest_benchdb.model.imported import ImportedRun, ImportedSession, ImportProblem
from pytest_benchdb.model.run import Measurement

_TOOL = "bencher"
_KEY = r'\{\s*"(?:[^"\\]|\\.)*"\s*:\s*'
_START = re.compile(rf'\s*{_KEY}{_KEY}\{{\s*"(lower_value|upper_value|value)"\s*:')
_MEASURES: Mapping[str, tuple[str, str | None]] = {
    "latency": ("wall_time", "ns"),
    "throughput": ("throughput", "1/s"),
    "instructions": ("instructions", "1"),
    "l1-misses": ("l1_misses", "1"),
    "build-time": ("build_time", "s"),
    "file-size": ("file_size", "B"),
}
"""Bencher's built-in measures: the format has no units, so these are what Bencher's documentation says."""
_LOWER = frozenset({"build_time", "file_size"})


class BencherMetricFormat:
    """The importer of BMF; it has no time, no machine and no units."""

    name = "bencher"

    def can_read(self, _path: Path, head: bytes) -> bool:
        """Return whether the first benchmark is as BMF has it."""
        return _START.match(decoded(head, errors="replace")) is not None

    def read(self, path: Path) -> Iterator[ImportedSession | ImportProblem]:
        """Read the one session of a file.

        Raises:
            ImportFormatError: it is not BMF.
        """
        document = json_of(path, "Bencher")
        if not isinstance(document, Mapping) or not document:
            raise ImportFormatError("it is not Bencher Metric Format: it has no benchmarks")
        runs = []
        for name, measures in document.items():
            run, problem = part((name, measures), name[:100] or '""', lambda pair: _run(*pair))
            if problem is not None:
                yield problem
            elif run is not None:
                runs.append(run)
        if runs:
            yield ImportedSession(started_unix_us=None, tool=_TOOL, runs=tuple(runs), rows=len(runs))


def _run(name: str, measures: object) -> ImportedRun:
    name = required_name(name, "its name")
    if not isinstance(measures, Mapping) or not measures:
        raise BadPart("it has no measures")
    return ImportedRun(fullname=name, measurements=tuple(_figure(key, value) for key, value in measures.items()))


def _figure(measure: str, value: object) -> Measurement:
    figures = mapping(value)
    reading = required_number(figures.get("value"), f"{measure[:60]}.value")
    metric, unit = _MEASURES.get(measure, (measure[:64].strip() or "unnamed", "unknown"))
    bounds: dict[str, Any] = {key: number(figures.get(key)) for key in ("lower_value", "upper_value")}
    return figure(
        metric,
        unit,
        reading,
        better="lower" if metric in _LOWER else "none",
        source_name=measure,
        details={key: bound for key, bound in bounds.items() if bound is not None},
    )
