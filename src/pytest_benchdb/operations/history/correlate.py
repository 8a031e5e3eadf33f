"""Which metrics and parameters go together."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from pytest_benchdb.analysis.statistics.correlation import LEAST_PAIRS, correlate
from pytest_benchdb.analysis.statistics.false_discovery import q_values
from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.answer.correlation import CorrelationRow, Correlations
from pytest_benchdb.model.series import SessionValue
from pytest_benchdb.operations.exchange.open import SILENT, Feedback, open_source
from pytest_benchdb.operations.history.observations import Observation, by_configuration, by_session
from pytest_benchdb.operations.select.selection import Selection, named_sessions
from pytest_benchdb.operations.select.series import ALL_METRICS, SeriesChoice, pick_sessions, read_series
from pytest_benchdb.operations.select.sessions import Source, stored_sessions
from pytest_benchdb.operations.select.spec.context import spec_context

Over = Literal["benchmarks", "sessions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrelationWish:
    """What a user wants to see.

    Attributes:
        selection: times and number of the sessions.
        choice: filters; without metrics all are taken.
        over: what one observation is: ``benchmarks`` (the median of its sessions) or ``sessions``.
        together: whether all benchmarks are one group; else each test function over its parameters, or each benchmark
            over its sessions, is one.
        names: only pairs that hold one of these quantities; empty for all.
    """

    selection: Selection
    choice: SeriesChoice
    over: Over = "benchmarks"
    together: bool = False
    names: tuple[str, ...] = ()


def find_correlations(
    source: Source, wish: CorrelationWish, *, now: dt.datetime | None = None, feedback: Feedback = SILENT
) -> Correlations:
    """Correlate what was measured on the machine of the newest session.

    Args:
        source: files and folders, and names of sessions in them.
        wish: which sessions, quantities and groups.
        now: the current time, for spans such as ``7d``; None takes the clock.
        feedback: told about progress and about sessions that could not be read.

    Raises:
        ConfigError: a filter, a time or a name cannot be used, or no quantity has one of the names.
        StoreMissingError: there is no session.
        StoreError: a file cannot be read.
    """
    moment = now or dt.datetime.now(dt.timezone.utc)
    choice = (
        wish.choice
        if wish.choice.metrics
        else SeriesChoice(metrics=(ALL_METRICS,), keyword=wish.choice.keyword, where=wish.choice.where)
    )
    with open_source(source.paths, feedback) as reader:
        everything = stored_sessions(reader, source.paths)
        named = named_sessions(everything, source, spec_context(reader, warn=feedback.warn))
        chosen = pick_sessions(everything, named, wish.selection, moment)
        here = [session for session in chosen if session.fingerprint == chosen[-1].fingerprint]
        values: list[SessionValue] = [value for series in read_series(reader, here, choice) for value in series.values]
    by_id = {session.session_id: session for session in here}
    found = by_session(values, by_id) if wish.over == "sessions" else by_configuration(values)
    rows, insufficient = _correlated(found, wish)
    return Correlations(
        sources=tuple(map(str, source.paths)),
        over=wish.over,
        rows=tuple(rows),
        observations=len(found),
        sessions=len(here),
        insufficient=insufficient,
        selection=wish.choice.text(),
    )


def _correlated(observations: Sequence[Observation], wish: CorrelationWish) -> tuple[list[CorrelationRow], int]:
    known = {name for one in observations for name in _quantities(one)}
    unknown = [name for name in wish.names if name not in known]
    if unknown and observations:
        raise ConfigError(f"{unknown[0]!r} is no quantity of these benchmarks; there are {', '.join(sorted(known))}")
    found = []
    insufficient = 0
    for group, members in _groups(observations, wish):
        for first, second in _pairs(members, wish.names):
            told = [_quantities(one) for one in members]
            correlation = correlate([one.get(first) for one in told], [one.get(second) for one in told])
            if correlation is None:
                insufficient += 1
            else:
                found.append((group, first, second, correlation))
    q = q_values([correlation.spearman.p_value for *_, correlation in found])
    rows = [
        CorrelationRow(group=group, first=first, second=second, correlation=correlation, q_value=q_value)
        for (group, first, second, correlation), q_value in zip(found, q, strict=True)
    ]
    rows.sort(key=lambda row: (-abs(row.correlation.spearman.value), -row.correlation.pairs, row.group or ""))
    return rows, insufficient


def _groups(
    observations: Sequence[Observation], wish: CorrelationWish
) -> Iterator[tuple[str | None, list[Observation]]]:
    groups: dict[str | None, list[Observation]] = {}
    for one in observations:
        name = None if wish.together else one.fullname if wish.over == "sessions" else one.function
        groups.setdefault(name, []).append(one)
    for name, members in groups.items():
        if len(members) >= LEAST_PAIRS:
            yield name, members


def _pairs(members: Sequence[Observation], names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield parameters with metrics, and metrics with each other; what goes before comes first."""
    numbers = sorted({name for one in members for name in one.numbers})
    figures = sorted({name for one in members for name in one.figures} - set(numbers))
    pairs = [*((number, figure) for number in numbers for figure in figures), *combinations(figures, 2)]
    yield from (pair for pair in pairs if not names or set(names) & set(pair))


def _quantities(one: Observation) -> dict[str, float]:
    return {**one.figures, **one.numbers}
