"""Export one session for services that follow benchmarks in CI: Bencher, and github-action-benchmark."""

import json
from collections.abc import Iterable
from typing import Literal

from pytest_benchdb.exporters.names import (
    Figure,
    OnlyComparable,
    figures_of,
    in_ns,
    only,
    shortened,
    unit_in_ns,
)
from pytest_benchdb.model.exchange.exported import ExportFile, StoredSession

MOST_NAME = 1024
MOST_MEASURE = 64
_FILES = {"lower": "smaller-is-better.json", "higher": "bigger-is-better.json"}


class Bencher(OnlyComparable):
    """Bencher Metric Format, which ``bencher run --adapter json`` reads.

    ``{benchmark: {measure: {value, lower_value, upper_value}}}``.

    The main time is the measure ``latency`` in nanoseconds, as all times are; ``throughput`` is in operations per
    second; every other metric has a measure of its own in SI units. The bounds are the quartiles.
    """

    name = "bmf"
    suffix = ".json"
    holds: Literal["history", "session"] = "session"

    def export(self, sessions: Iterable[StoredSession]) -> list[ExportFile]:
        """Return one file."""
        document: dict[str, dict[str, dict[str, float]]] = {}
        for figure in figures_of(only(sessions)):
            benchmark = shortened(figure.benchmark, MOST_NAME)
            document.setdefault(benchmark, {})[measure_of(figure)] = _metric(figure)
        content = json.dumps(document, indent=1, allow_nan=False) + "\n"
        return [ExportFile(name="bmf.json", pieces=[content.encode("ascii")])]


def measure_of(figure: Figure) -> str:
    """Return the slug of a figure's measure."""
    if figure.is_main:
        return "latency"
    phase = f"-{figure.row.phase}" if figure.row.phase else ""
    words = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in figure.row.metric + phase)
    return shortened(words.lower(), MOST_MEASURE)


def _metric(figure: Figure) -> dict[str, float]:
    row = figure.row
    bounds = {"value": row.value, "lower_value": row.q1, "upper_value": row.q3}
    figures = {name: in_ns(row, value) for name, value in bounds.items()}
    return {name: value for name, value in figures.items() if value is not None}


class GithubActionBenchmark(OnlyComparable):
    """Two files of ``[{name, unit, value, range, extra}]``, because the tool has one direction for each file."""

    name = "github-action-benchmark"
    suffix = ""
    holds: Literal["history", "session"] = "session"

    def export(self, sessions: Iterable[StoredSession]) -> list[ExportFile]:
        """Return a file for each direction that has figures."""
        entries: dict[str, list[dict[str, object]]] = {}
        for figure in figures_of(only(sessions)):
            entries.setdefault(figure.row.better, []).append(_entry(figure))
        return [
            ExportFile(name=_FILES[better], pieces=[(json.dumps(found, indent=1, allow_nan=False) + "\n").encode()])
            for better, found in sorted(entries.items())
        ]


def _entry(figure: Figure) -> dict[str, object]:
    row = figure.row
    spread = in_ns(row, row.stddev)
    entry: dict[str, object] = {"name": figure.name, "unit": unit_in_ns(row), "value": in_ns(row, row.value)}
    if spread is not None:
        entry["range"] = f"\N{PLUS-MINUS SIGN} {spread:.6g}"
    if row.n is not None and row.n > 1:
        entry["extra"] = f"median of {row.n} rounds"
    return entry
