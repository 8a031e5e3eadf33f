"""Parse `-w` filters over runs: ``backend=cuda model=bert* metric=time``."""

import re
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.metric import MAINS, MEMORY, METRICS, TIME, metrics_of
from pytest_benchdb.model.report import ReportRow
from pytest_benchdb.model.series import SessionValue
from pytest_benchdb.model.wording import did_you_mean
from pytest_benchdb.operations.select.filters.keyword import matches_glob, parse_expression

_FIELDS: Mapping[str, Callable[[ReportRow], object]] = {
    "backend": lambda row: row.backend,
    "device": lambda row: row.device,
    "model": lambda row: row.model,
    "version": lambda row: row.model_version,
    "implementation": lambda row: row.implementation,
    "workload": lambda row: row.workload,
    "precision": lambda row: row.precision,
    "batch_size": lambda row: row.batch_size,
    "benchmark": lambda row: row.fullname,
    "name": lambda row: row.name,
    "file": lambda row: row.fullname.partition("::")[0],
    "group": lambda row: row.group,
    "outcome": lambda row: row.outcome,
    "provenance": lambda row: row.provenance,
    "attempt": lambda row: row.attempt,
    "worker": lambda row: row.worker,
    "session": lambda row: row.session_id,
}


def _label(name: str) -> Callable[[SessionValue], object]:
    return lambda value: value.labels.get(name)


def _name(value: SessionValue) -> str:
    head, bracket, tail = value.key.fullname.partition("::")[2].partition("[")
    return head.rpartition("::")[2] + bracket + tail


_VALUE_FIELDS: Mapping[str, Callable[[SessionValue], object]] = {
    "backend": lambda value: value.key.backend,
    "device": lambda value: value.key.device,
    "benchmark": lambda value: value.key.fullname,
    "name": _name,
    "file": lambda value: value.key.fullname.partition("::")[0],
    "group": lambda value: value.group,
    "outcome": lambda value: value.outcome,
    "provenance": lambda value: value.provenance,
    "session": lambda value: value.session_id,
    **{name: _label(name) for name in ("model", "version", "implementation", "workload", "precision", "batch_size")},
}

WHERE_KEYS = (*_FIELDS, "metric")
"""The keys that `-w` accepts."""

_TIMES = ("median", "spread", "min", "rounds")
METRIC_COLUMNS: Mapping[str, tuple[str, ...]] = {
    TIME: _TIMES,
    "wall_time": _TIMES,
    "cpu_time": ("cpu", "cpu_time"),
    MEMORY: ("memory",),
    "peak_rss": ("peak_rss",),
    "throughput": ("throughput",),
    "energy": ("energy",),
    "device_peak": ("device_memory",),
    "first_call_time": ("first_call",),
}
"""Report columns that show each metric, or one of `MAINS`."""

_TERM = re.compile(r"(?P<key>\w+)(?P<sign>!?=)(?P<value>.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Term:
    """One condition: the field must match one of the patterns, or none if `negated`.

    A run without a value matches only the empty pattern.
    """

    key: str
    patterns: tuple[str, ...]
    negated: bool

    def matches(self, row: ReportRow) -> bool:
        """Return whether a run meets the condition."""
        return self._matches(_FIELDS[self.key](row))

    def matches_value(self, value: SessionValue) -> bool:
        """Return whether a session's value meets the condition; its attempt and worker count as empty."""
        field = _VALUE_FIELDS.get(self.key)
        return self._matches(None if field is None else field(value))

    def matches_named(self, field: Callable[[str], object]) -> bool:
        """Return whether something meets the condition that has fields by the names of `WHERE_KEYS`."""
        return self._matches(field(self.key))

    def _matches(self, value: object) -> bool:
        text = "" if value is None else str(value)
        return any(matches_glob(text.lower(), pattern.lower()) for pattern in self.patterns) is not self.negated


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """A filter: a run must meet every term.

    Attributes:
        metrics: the metrics to show, by name or as a word of `MAINS`; empty for all.
    """

    terms: tuple[Term, ...] = ()
    metrics: tuple[str, ...] = ()

    def matches(self, row: ReportRow) -> bool:
        """Return whether a run meets every condition."""
        return all(term.matches(row) for term in self.terms)

    def matches_value(self, value: SessionValue) -> bool:
        """Return whether a session's value meets every condition; its metric is not considered."""
        return all(term.matches_value(value) for term in self.terms)

    def matches_named(self, field: Callable[[str], object]) -> bool:
        """Return whether something meets every condition that has fields by the names of `WHERE_KEYS`."""
        return all(term.matches_named(field) for term in self.terms)


def parse_where(text: str, more: Sequence[str] = ()) -> Where:
    """Parse a filter; its keys are `WHERE_KEYS`, and `more` for what only `Where.matches_named` can tell.

    Terms are ``key=value`` or ``key!=value``, separated by spaces. A value may contain ``*`` and ``?``, commas
    separate alternatives, and quotes protect spaces.

    >>> parse_where("backend=cpu,cuda model!=bert*").terms[1]
    Term(key='model', patterns=('bert*',), negated=True)

    Raises:
        ConfigError: a term is not valid, or its key is unknown.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise ConfigError(f"-w {text!r}: a quote is not closed; write for example -w 'model=bert*'") from error
    terms: list[Term] = []
    metrics: list[str] = []
    for word in words:
        match = _TERM.fullmatch(word)
        if match is None:
            raise ConfigError(
                f"-w {word!r}: not of the form key=value; write for example -w 'backend=cuda model=bert*'"
            )
        key, patterns = match["key"].lower(), tuple(match["value"].split(","))
        if key == "metric":
            metrics += _metrics(patterns, negated=match["sign"] == "!=")
        elif key in _FIELDS or key in more:
            terms.append(Term(key, patterns, match["sign"] == "!="))
        else:
            raise ConfigError(f"-w {word!r}: no field {key!r}; choose from {', '.join([*WHERE_KEYS, *more])}")
    return Where(terms=tuple(terms), metrics=tuple(metrics))


def value_filter(keyword: str | None, where: str | None) -> Callable[[SessionValue], bool]:
    """Return a predicate for the values that `-k` and `-w` select; it ignores `metric=`.

    Raises:
        ConfigError: a filter is not valid.
    """
    matches, conditions = parse_expression(keyword or ""), parse_where(where or "")
    return lambda value: matches(value.key.fullname) and conditions.matches_value(value)


def report_columns(metrics: Iterable[str]) -> tuple[str, ...]:
    """Return the columns of a report that show metrics of `Where`.

    Raises:
        ConfigError: no column shows one of them.
    """
    names = list(metrics)
    shown = [name for name in names if name in METRIC_COLUMNS]
    for name in names:
        if name not in METRIC_COLUMNS and not (shown and name in METRICS):
            near = did_you_mean(name, METRIC_COLUMNS).removesuffix("?")
            raise ConfigError(
                f"-w metric={name}: no such metric in this report{near}; choose from {', '.join(METRIC_COLUMNS)}"
            )
    return tuple(dict.fromkeys(column for name in shown for column in METRIC_COLUMNS[name]))


def _metrics(patterns: tuple[str, ...], *, negated: bool) -> list[str]:
    metrics = [name for pattern in patterns for name in _named(pattern.lower())]
    if not negated:
        return metrics
    excluded = {*metrics, *(name for word in metrics for name in metrics_of(word))}
    return [name for name in METRIC_COLUMNS if name not in excluded]


def _named(pattern: str) -> Sequence[str]:
    """Return the metrics that a pattern means: one that one benchmark has (`MAINS`), several, or a suite's own."""
    if pattern in MAINS:
        return (pattern,)
    if "*" not in pattern and "?" not in pattern:
        return metrics_of(pattern)
    names = [name for name in METRICS if matches_glob(name, pattern)]
    if not names:
        raise ConfigError(f"-w metric={pattern}: no metric matches; choose from {', '.join(METRICS)}")
    return names
