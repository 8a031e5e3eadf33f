"""Read the series that a selection requests: session values on one machine, in session order."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.metric import MAIN_TIMES, MAINS, METRIC_WORDS, TIME, absent_text, metrics_of
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.model.series import SeriesKey, SessionValue
from pytest_benchdb.operations.select.filters.keyword import parse_expression
from pytest_benchdb.operations.select.filters.where import parse_where, value_filter
from pytest_benchdb.operations.select.selection import Selection
from pytest_benchdb.store.read.reader import Reader

ALL_METRICS = "all"
"""Requests every metric that has a direction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """The values of one series on one machine, in session order; at least one was measured."""

    key: SeriesKey
    fingerprint: str | None
    values: tuple[SessionValue, ...]


def parse_metrics(texts: Sequence[str]) -> tuple[str, ...]:
    """Parse `--metric` arguments: comma-separated names of metrics and words of `METRIC_WORDS`.

    Raises:
        ConfigError: a name is empty.
    """
    names = [name.strip() for text in texts for name in text.split(",")]
    if not all(names):
        raise ConfigError("--metric names no metric; write for example --metric wall_time,peak_rss")
    return tuple(dict.fromkeys(name.lower() if name.lower() in METRIC_WORDS else name for name in names))


def read_series(
    reader: Reader, sessions: Sequence[SessionRow], selection: Selection, *, optional: bool = False
) -> list[Series]:
    """Read the series that a selection requests.

    Args:
        reader: an open history that contains the sessions.
        sessions: in the order that the values should have.
        selection: metrics and filters.
        optional: whether the metrics are those of a default, any of them possibly missing.

    Raises:
        ConfigError: a filter is not valid, or nothing that the filters select has one of the metrics.
        StoreError: the history cannot be read.
    """
    where = parse_where(selection.where or "")
    selected = value_filter(selection.keyword, selection.where)
    words = (*selection.metrics, *where.metrics) or (TIME,)
    named = {metric for word in words if word not in MAINS for metric in metrics_of(word)}
    mains = [MAINS[word] for word in words if word in MAINS]
    metrics = None if ALL_METRICS in words else (*named, *(metric for group in mains for metric in group))
    names = list(selection.names) if selection.names is not None else names_like(reader, selection.keyword)
    values = reader.session_values([session.session_id for session in sessions], metrics=metrics, names=names)
    filtered = list(filter(selected, values))
    # Runs that did not pass appear as wall times even if another metric is requested.
    keys = {value.key for value in filtered if value.value is not None}
    wanted = {key for key in keys if metrics is None or key.metric in named}
    wanted |= {key for group in mains for key in main_series(keys, group)}
    found = {key.metric for key in keys}
    absent = [word for word in selection.metrics if word != ALL_METRICS and found.isdisjoint(metrics_of(word))]
    if absent and not optional:
        every = reader.session_values([session.session_id for session in sessions], names=names)
        there = {value.key.metric for value in every if selected(value) and value.value is not None}
        if there:
            raise ConfigError(f"--metric {absent[0]}: {absent_text(absent[0], there)}")
    return _grouped((value for value in filtered if value.key in wanted), sessions)


def names_like(reader: Reader, keyword: str | None) -> list[str] | None:
    """Return the full names that a `-k` expression matches, so that nothing else is read; None for all.

    Raises:
        ConfigError: the expression is not valid.
    """
    if not keyword:
        return None
    matches = parse_expression(keyword)
    return [name for name in reader.benchmark_names() if matches(name)]


def main_series(keys: Iterable[SeriesKey], metrics: Sequence[str] = MAIN_TIMES) -> set[SeriesKey]:
    """Return each benchmark's first of some metrics per device: the whole if it was measured, else its phases."""
    ranks = {key: (key.phase is not None, metrics.index(key.metric)) for key in keys if key.metric in metrics}
    best: dict[tuple[str, str | None], tuple[bool, int]] = {}
    for key, rank in ranks.items():
        benchmark = (key.fullname, key.device)
        best[benchmark] = min(rank, best.get(benchmark, rank))
    return {key for key, rank in ranks.items() if rank == best[key.fullname, key.device]}


def _grouped(values: Iterable[SessionValue], sessions: Sequence[SessionRow]) -> list[Series]:
    place: Mapping[str, int] = {session.session_id: number for number, session in enumerate(sessions)}
    machine = {session.session_id: session.fingerprint for session in sessions}
    groups: dict[tuple[SeriesKey, str | None], list[SessionValue]] = {}
    for value in values:
        groups.setdefault((value.key, machine[value.session_id]), []).append(value)
    return [
        Series(key=key, fingerprint=fingerprint, values=tuple(sorted(group, key=lambda value: place[value.session_id])))
        for (key, fingerprint), group in groups.items()
        if any(value.value is not None for value in group)
    ]
