"""Columns, grouping and order of reports, shared by every format."""

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Literal, cast

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.report import Report, ReportRow
from pytest_benchdb.model.wording import did_you_mean
from pytest_benchdb.present.writing.units import FigureKind, Unit, named_unit

Align = Literal["left", "right"]
ColumnKind = Literal[
    "text",
    "time",
    "memory",
    "rate",
    "flops",
    "bandwidth",
    "energy",
    "frequency",
    "percent",
    "count",
    "factor",
    "rounds",
]
Value = str | float | int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a report.

    Attributes:
        key: name in `--columns` and `--sort`.
        kind: `text`, or the quantity, which decides the unit.
        priority: in a narrow terminal, columns with the largest priority are left out first; those with 0 never.
    """

    key: str
    title: str
    kind: ColumnKind
    priority: int
    align: Align


def _spread(row: ReportRow) -> float | None:
    """Return the interquartile range as a share of the median; None below two rounds."""
    iqr_s = _iqr(row)
    return None if iqr_s is None or not row.median_s else iqr_s / row.median_s


def _iqr(row: ReportRow) -> float | None:
    if row.q1_s is None or row.q3_s is None or row.rounds is None or row.rounds <= 1:
        return None
    return row.q3_s - row.q1_s


def _calls_per_second(row: ReportRow) -> float | None:
    """Return the reciprocal of the mean, as pytest-benchmark does."""
    return 1 / row.mean_s if row.mean_s else None


def metric_of(row: ReportRow) -> str | None:
    """Return the metric of a run's times, with the phase if there is one; None if nothing was timed."""
    if row.main_metric is None or row.main_phase is None:
        return row.main_metric
    return f"{row.main_metric} of {row.main_phase}"


def _text(key: str, title: str, priority: int) -> Column:
    return Column(key=key, title=title, kind="text", priority=priority, align="left")


def _figure(key: str, title: str, kind: FigureKind, priority: int) -> Column:
    return Column(key=key, title=title, kind=kind, priority=priority, align="right")


_COLUMNS: dict[str, tuple[Column, Callable[[ReportRow], Value]]] = {
    column.key: (column, value)
    for column, value in (
        (_text("benchmark", "benchmark", 0), lambda row: row.fullname),
        (_text("file", "file", 18), lambda row: row.fullname.partition("::")[0]),
        (_text("function", "function", 19), lambda row: row.name.partition("[")[0]),
        (_text("group", "group", 15), lambda row: row.group),
        (_text("backend", "backend", 10), lambda row: row.backend),
        (_text("device", "device", 12), lambda row: row.device),
        (_text("model", "model", 11), lambda row: row.model),
        (_text("version", "version", 16), lambda row: row.model_version),
        (_text("implementation", "implementation", 13), lambda row: row.implementation),
        (_text("framework", "framework", 20), lambda row: row.framework),
        (_text("workload", "workload", 9), lambda row: row.workload),
        (_text("precision", "precision", 14), lambda row: row.precision),
        (_figure("batch", "batch", "count", 17), lambda row: row.batch_size),
        (_figure("sequence_length", "sequence length", "count", 21), lambda row: row.sequence_length),
        # Never left out: without it, times of different metrics would be in one column.
        (_text("metric", "metric", 0), lambda row: metric_of(row) or row.own_metric if row.has_figures else None),
        (_figure("median", "median", "time", 0), lambda row: row.median_s),
        (_figure("relative", "relative", "factor", 29), lambda row: row.relative),
        (_figure("ops", "OPS", "rate", 34), _calls_per_second),
        (_figure("spread", "IQR", "percent", 30), _spread),
        (_figure("iqr", "IQR", "time", 31), _iqr),
        (_figure("mean", "mean", "time", 32), lambda row: row.mean_s),
        (_figure("stddev", "stddev", "time", 33), lambda row: row.stddev_s),
        (_figure("min", "min", "time", 60), lambda row: row.min_s),
        (_figure("max", "max", "time", 61), lambda row: row.max_s),
        (_figure("q1", "q1", "time", 62), lambda row: row.q1_s),
        (_figure("q3", "q3", "time", 63), lambda row: row.q3_s),
        (_figure("p95", "p95", "time", 58), lambda row: row.p95_s),
        (_figure("p99", "p99", "time", 59), lambda row: row.p99_s),
        (_figure("outliers", "outliers", "count", 64), lambda row: row.outliers),
        (_figure("throughput", "throughput", "rate", 35), lambda row: row.throughput),
        (_figure("flops", "FLOPS", "flops", 38), lambda row: row.flops_per_second),
        (_figure("bandwidth", "bandwidth", "bandwidth", 39), lambda row: row.bytes_per_second),
        (_figure("roof", "of peak", "percent", 36), lambda row: row.roof_share),
        (_text("limit", "limit", 37), lambda row: row.roof_limit if row.has_figures else None),
        (_figure("energy", "energy", "energy", 34), lambda row: row.energy_j),
        (_figure("first_call", "first call", "time", 57), lambda row: row.first_call_s),
        (_figure("cpu", "CPU", "percent", 40), lambda row: row.cpu_per_wall),
        (_figure("cpu_time", "CPU time", "time", 65), lambda row: row.cpu_s),
        (_figure("memory", "memory", "memory", 50), lambda row: row.memory_bytes),
        (_figure("peak_rss", "peak RSS", "memory", 53), lambda row: row.peak_rss_bytes),
        (_figure("device_memory", "device memory", "memory", 51), lambda row: row.device_peak_bytes),
        (_figure("clock", "clock", "frequency", 52), lambda row: row.clock_hz),
        (_figure("throttled", "throttled", "percent", 36), lambda row: row.throttled_share),
        (Column(key="rounds", title="rounds", kind="rounds", priority=70, align="right"), lambda row: row.rounds),
        (_text("outcome", "outcome", 5), lambda row: row.outcome),
        (_text("provenance", "provenance", 7), lambda row: row.provenance),
        (_text("worker", "worker", 71), lambda row: row.worker),
        (_text("session", "session", 6), lambda row: row.session_id[:13]),
    )
}

COLUMN_KEYS = tuple(_COLUMNS)
"""Every name that `--columns` and `--sort` accept, apart from percentiles (``p99.9``) and ``param:NAME``."""

GROUP_KEYS = (
    "group",
    "file",
    "function",
    "backend",
    "device",
    "model",
    "version",
    "implementation",
    "framework",
    "workload",
    "precision",
    "batch",
    "sequence_length",
    "session",
    "benchmark",
)
"""Every name that `--group-by` accepts, apart from ``param:NAME`` and ``none``: the columns that tell runs apart."""

PARAM = "param:"
_PERCENTILE = re.compile(r"p\d{1,2}(\.\d{1,6})?")
_MORE_COLUMNS = "a percentile (p50, p99.9), or param:NAME"
_FIXED_UNITS = {
    "gflops": ("flops", "GFLOP/s"),
    "tflops": ("flops", "TFLOP/s"),
    "mflops": ("flops", "MFLOP/s"),
    "gb/s": ("bandwidth", "GB/s"),
    "mb/s": ("bandwidth", "MB/s"),
}
"""Names of a column in a unit: the column, and the unit that it shall have."""

_DEFAULT = (
    "benchmark",
    "median",
    "spread",
    "min",
    "throughput",
    "roof",
    "limit",
    "energy",
    "throttled",
    "cpu",
    "memory",
    "rounds",
)
_WIDE = ("max", "mean", "stddev", "outliers")
_WHERE_MEASURED = frozenset({"throughput", "roof", "limit", "energy", "memory"})
_WHERE_NOTABLE = {"throttled": 0.01}
"""Shown if a run has at least this value."""
USUAL_METRIC = "wall_time"
"""The metric of times that are shown without their metric."""
# Shown only if the runs differ: a column of equal texts is useless.
_WHERE_DIFFERENT = ("session", "backend", "implementation")

# Column names in CSV that are not the key with the unit's suffix.
_RAW_NAMES = {
    "benchmark": "fullname",
    "version": "model_version",
    "batch": "batch_size",
    "spread": "iqr_per_median",
    "cpu": "cpu_per_wall",
    "cpu_time": "cpu_s",
    "memory": "memory_bytes",
    "peak_rss": "peak_rss_bytes",
    "device_memory": "device_peak_bytes",
    "energy": "energy_j",
    "clock": "clock_hz",
    "throttled": "throttled_share",
    "roof": "roof_share",
    "ops": "calls_per_s",
    "limit": "roof_limit",
    "flops": "flops_per_second",
    "bandwidth": "bytes_per_second",
}


def raw_name(column: Column) -> str:
    """Return the name of a column of unscaled values, with its SI unit: ``median_s``."""
    suffix = "_s" if column.kind == "time" else ""
    return _RAW_NAMES.get(column.key, column.key + suffix)


def figure_of(row: ReportRow, key: str) -> Value:
    """Return the unscaled value of a column; None for figures that may not be shown."""
    if _column(key)[0].kind != "text" and not row.has_figures:
        return None
    return value_of(row, key)


def value_of(row: ReportRow, key: str) -> Value:
    """Return a run's value for a column, in SI units and unrounded; None if not measured."""
    return _column(key)[1](row)


def columns_named(keys: Iterable[str]) -> tuple[Column, ...]:
    """Return columns by name, in this order; spaces and hyphens count as underscores.

    Raises:
        ConfigError: a column does not exist, or there is no name.
    """
    names = [_canonical(key) for key in keys if key.strip()]
    unknown = [name for name in names if not is_column(name)]
    if unknown or not names:
        message = f"no column {unknown[0]!r}" if unknown else "--columns names no column"
        message += did_you_mean(unknown[0], COLUMN_KEYS).removesuffix("?") if unknown else ""
        message += f"; choose from {', '.join(COLUMN_KEYS)}, {_MORE_COLUMNS}"
        raise ConfigError(message)
    return tuple(_column(key)[0] for key in dict.fromkeys(names))


def units_named(keys: Iterable[str]) -> dict[FigureKind, Unit]:
    """Return the units of columns that are named with one: ``gflops``.

    >>> units_named(["median", "GFLOPS"])["flops"].symbol
    'GFLOP/s'
    """
    fixed = (_FIXED_UNITS[key.strip().lower()] for key in keys if key.strip().lower() in _FIXED_UNITS)
    return {cast("FigureKind", key): named_unit(cast("FigureKind", key), symbol) for key, symbol in fixed}


def percentiles_named(keys: Iterable[str]) -> tuple[float, ...]:
    """Return the percentiles that must be computed for columns, in percent; stored ones are not among them.

    >>> percentiles_named(["median", "p95", "p99.9", "p5"])
    (99.9, 5.0)
    """
    return tuple(float(key[1:]) for key in keys if key not in _COLUMNS and _PERCENTILE.fullmatch(key))


def is_column(key: str) -> bool:
    """Return whether there is a column of this name."""
    if key.startswith(PARAM):
        return key != PARAM
    return key in _COLUMNS or (_PERCENTILE.fullmatch(key) is not None and float(key[1:]) > 0)


def _canonical(key: str) -> str:
    """Return the key of a column that a user named; spaces and hyphens count as underscores."""
    text = key.strip()
    if text.startswith(PARAM):
        return text
    name = "_".join(text.lower().replace("-", " ").split())
    if _PERCENTILE.fullmatch(name):
        return f"p{float(name[1:]):g}"
    return _FIXED_UNITS[name][0] if name in _FIXED_UNITS else name


@cache
def _column(key: str) -> tuple[Column, Callable[[ReportRow], Value]]:
    """Return a column and how a run's value is found, for a key of `is_column`."""
    if key in _COLUMNS:
        return _COLUMNS[key]
    if key.startswith(PARAM):
        name = key.removeprefix(PARAM)
        return _text(key, name, 8), lambda row: _param(row, name)
    return _figure(key, key, "time", 58), lambda row: row.percentiles.get(key)


def _param(row: ReportRow, name: str) -> Value:
    """Return the value of a parameter; numbers stay numbers, so that runs are sorted by them."""
    value = (row.params or {}).get(name)
    return value if value is None or isinstance(value, str | float | int) else json.dumps(value)


def default_columns(rows: Sequence[ReportRow]) -> tuple[Column, ...]:
    """Return the default columns for these runs."""
    # Older runs are marked as such, so that their session needs no column.
    own = {"session": [row for row in rows if row.older_at is None]}
    differing = [key for key in _WHERE_DIFFERENT if len({value_of(row, key) for row in own.get(key, rows)}) > 1]
    unusual = ["metric"] if any(unusual_metric(row) for row in rows) else []
    figures = [
        key
        for key in _DEFAULT[1:]
        if (key not in _WHERE_MEASURED or any(figure_of(row, key) is not None for row in rows))
        and (key not in _WHERE_NOTABLE or any(_is_notable(row, key) for row in rows))
    ]
    return tuple(_COLUMNS[key][0] for key in (_DEFAULT[0], *differing, *unusual, *figures))


def wide_columns(rows: Sequence[ReportRow]) -> tuple[Column, ...]:
    """Return the default columns and more of the rounds' statistics, for terminals where all of them fit."""
    columns = list(default_columns(rows))
    place = next((index + 1 for index, column in enumerate(columns) if column.key == "min"), len(columns))
    columns[place:place] = (_COLUMNS[key][0] for key in _WIDE)
    return tuple(columns)


def _is_notable(row: ReportRow, key: str) -> bool:
    value = figure_of(row, key)
    return isinstance(value, int | float) and value >= _WHERE_NOTABLE[key]


def unusual_metric(row: ReportRow) -> str | None:
    """Return the metric of a run's times if they are shown and not wall times of the whole run, else None."""
    metric = metric_of(row) if row.has_figures else None
    return None if metric == USUAL_METRIC else metric


def default_grouping(rows: Sequence[ReportRow]) -> tuple[str, ...]:
    """Return the key to group these runs by: group, model or file; none if these are all equal."""
    for key in ("group", "model", "file"):
        values = {value_of(row, key) for row in rows}
        if len(values) > 1 or (key != "file" and values - {None}):
            return (key,)
    return ()


def parse_grouping(text: str) -> tuple[str, ...]:
    """Return the keys of `--group-by`: ``function,param:n``; empty for ``none``.

    Raises:
        ConfigError: there is no such key.
    """
    keys = tuple(dict.fromkeys(_canonical(key) for key in text.split(",")))
    if keys == ("none",):
        return ()
    for key in keys:
        if key not in GROUP_KEYS and not (key.startswith(PARAM) and is_column(key)):
            hint = did_you_mean(key, GROUP_KEYS).removesuffix("?")
            raise ConfigError(
                f"--group-by {text}: no key {key!r}{hint}; choose from {', '.join(GROUP_KEYS)}, param:NAME, or none"
            )
    return keys


def check_params(keys: Iterable[str], rows: Sequence[ReportRow]) -> None:
    """Check that some run has each parameter that is named by ``param:NAME``; without runs nothing is checked.

    Raises:
        ConfigError: no run has it.
    """
    names = sorted({name for row in rows for name in row.params or ()})
    for key in keys:
        if rows and key.startswith(PARAM) and key.removeprefix(PARAM) not in names:
            there = f"the parameters are {', '.join(names)}" if names else "none has parameters"
            raise ConfigError(f"{key}: no run that is shown has this parameter; {there}")


def group_of(row: ReportRow, keys: Iterable[str]) -> tuple[Value, ...]:
    """Return the values that a run is grouped by; None where it has none."""
    return tuple(value_of(row, key) for key in keys)


def with_relative(rows: Sequence[ReportRow], group_by: Sequence[str]) -> tuple[ReportRow, ...]:
    """Return the runs with their times relative to the fastest of their group that has the same metric."""

    def place(row: ReportRow) -> tuple[Value, ...]:
        return (*group_of(row, group_by), metric_of(row))

    best: dict[tuple[Value, ...], float] = {}
    for row in rows:
        if row.has_figures and row.median_s:
            best[place(row)] = min(best.get(place(row), math.inf), row.median_s)
    return tuple(
        replace(row, relative=row.median_s / best[place(row)]) if row.has_figures and row.median_s else row
        for row in rows
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderOptions:
    """The options of a report, in any format.

    Attributes:
        columns: in order; None chooses defaults for each session, and every field for CSV. JSON has every field.
        group_by: as `parse_grouping` takes it; None chooses for each session.
        units: units of figures; by default the typical value decides. JSON and CSV are always in SI units.
    """

    columns: Sequence[Column] | None = None
    group_by: str | None = None
    units: Mapping[FigureKind, Unit] = field(default_factory=dict)

    def columns_of(self, rows: Sequence[ReportRow]) -> Sequence[Column]:
        """Return the columns for these runs."""
        return default_columns(rows) if self.columns is None else self.columns

    def grouping_of(self, rows: Sequence[ReportRow]) -> tuple[str, ...]:
        """Return the keys to group these runs by; empty for no groups."""
        return default_grouping(rows) if self.group_by is None else parse_grouping(self.group_by)


USUAL_OPTIONS = RenderOptions()


def check_sort(sort: str | None) -> None:
    """Check that the column to sort by exists.

    Raises:
        ConfigError: it does not.
    """
    if sort is not None and not is_column(sort_key(sort)):
        raise ConfigError(
            f"--sort {sort}: no such column; choose from {', '.join(COLUMN_KEYS)}, {_MORE_COLUMNS}, with '-' for "
            "descending"
        )


def sort_key(sort: str) -> str:
    """Return the key of the column to sort by."""
    key = sort.removeprefix("-")
    return key if key.startswith("-") else _canonical(key)


def sorted_report(report: Report, sort: str | None, options: RenderOptions = USUAL_OPTIONS) -> Report:
    """Return a report with its runs sorted by a column; ``-`` before its name sorts in descending order."""
    if sort is None:
        return report
    related = related_report(report, options)
    return replace(
        related, sessions=tuple(replace(shown, rows=sort_rows(shown.rows, sort)) for shown in related.sessions)
    )


def related_report(report: Report, options: RenderOptions = USUAL_OPTIONS) -> Report:
    """Return a report whose runs have their times relative to the fastest of their group."""
    sessions = (
        replace(shown, rows=with_relative(shown.rows, options.grouping_of(shown.rows))) for shown in report.sessions
    )
    return replace(report, sessions=tuple(sessions))


def sort_rows(rows: Sequence[ReportRow], sort: str) -> tuple[ReportRow, ...]:
    """Return runs sorted by a column; those without a value come last, in either direction."""
    key = sort_key(sort)
    measured = [row for row in rows if not _is_missing(figure_of(row, key))]
    missing = [row for row in rows if _is_missing(figure_of(row, key))]
    measured.sort(key=lambda row: _sort_key(figure_of(row, key)), reverse=sort.startswith("-"))
    return (*measured, *missing)


def _sort_key(value: Value) -> tuple[float, str]:
    return (0.0, value.lower()) if isinstance(value, str) else (float(value or 0), "")


def _is_missing(value: Value) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))
