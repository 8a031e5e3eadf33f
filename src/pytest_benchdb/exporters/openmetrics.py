"""Export sessions as OpenMetrics text, with the time of each session: for `promtool tsdb create-blocks-from`."""

import datetime as dt
import re
from collections.abc import Iterable, Iterator

from pytest_benchdb.exporters.names import OnlyComparable
from pytest_benchdb.model.exchange.exported import ExportFile, StoredMeasurement, StoredRun, StoredSession
from pytest_benchdb.model.metric import METRICS

_UNITS = {
    "s": "seconds",
    "B": "bytes",
    "J": "joules",
    "W": "watts",
    "K": "kelvins",
    "Hz": "hertz",
    "kg": "kilograms",
    "B/s": "bytes_per_second",
}
_STATISTICS = ("median", "min", "max", "mean", "stddev", "q1", "q3")
_FORBIDDEN = re.compile(r"[^a-zA-Z0-9_]")
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})
_LABELS = ("backend", "device", "model", "precision", "implementation", "batch_size")

_Points = dict[str, dict[float, float]]
"""Values by time, by the labels of their series."""


class OpenMetrics(OnlyComparable):
    """A gauge for each metric, ``benchdb_wall_time_seconds``, with the statistic in the label ``stat``."""

    name = "openmetrics"
    suffix = ".prom"

    def export(self, sessions: Iterable[StoredSession]) -> list[ExportFile]:
        """Return one file."""
        families: dict[str, tuple[StoredMeasurement, _Points]] = {}
        for stored in sessions:
            at = dt.datetime.fromisoformat(stored.session.started_at).replace(tzinfo=dt.timezone.utc).timestamp()
            for run in stored.runs:
                for row in run.figures:
                    points = families.setdefault(family_of(row), (row, {}))[1]
                    for labels, value in _series(stored, run, row):
                        points.setdefault(labels, {})[at] = value
        return [ExportFile(name="metrics.prom", pieces=_lines(families))]


def family_of(row: StoredMeasurement) -> str:
    """Return the name of a metric, which ends with its unit if it has one."""
    name = "benchdb_" + _FORBIDDEN.sub("_", row.metric)
    unit = _UNITS.get(row.unit)
    return name if unit is None or name.endswith(f"_{unit}") else f"{name}_{unit}"


def _series(stored: StoredSession, run: StoredRun, row: StoredMeasurement) -> Iterator[tuple[str, float]]:
    labels: dict[str, object] = {"benchmark": run.fullname, "project": stored.session.project}
    labels |= {name: value for name in _LABELS if (value := getattr(run, name)) is not None}
    labels |= {"phase": row.phase} if row.phase is not None else {}
    labels |= {"machine": stored.session.fingerprint} if stored.session.fingerprint is not None else {}
    statistics = {name: value for name in _STATISTICS if (value := getattr(row, name)) is not None}
    if "median" not in statistics and row.value is not None:
        statistics = {"value": row.value}
    for stat, value in statistics.items():
        written = ",".join(
            f'{name}="{str(text).translate(_ESCAPES)}"' for name, text in {**labels, "stat": stat}.items()
        )
        yield f"{{{written}}}", value


def _lines(families: dict[str, tuple[StoredMeasurement, _Points]]) -> Iterator[bytes]:
    for family, (row, points) in sorted(families.items()):
        yield f"# TYPE {family} gauge\n".encode()
        unit = _UNITS.get(row.unit)
        if unit is not None:
            yield f"# UNIT {family} {unit}\n".encode()
        if row.metric in METRICS:
            yield f"# HELP {family} {METRICS[row.metric].description}\n".encode()
        for labels, values in points.items():
            for at, value in sorted(values.items()):
                yield f"{family}{labels} {value!r} {at!r}\n".encode("utf-8", "replace")
    yield b"# EOF\n"
