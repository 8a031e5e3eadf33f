"""Correlate metrics and parameters."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal

from pytest_benchdb.analysis.statistics.correlation import LEAST_PAIRS, correlate
from pytest_benchdb.analysis.statistics.false_discovery import q_values
from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.answer.correlation import CorrelationRow, Correlations
from pytest_benchdb.model.wording import did_you_mean
from pytest_benchdb.operations.exchange.open import SILENT, Feedback
from pytest_benchdb.operations.history.observations import Observation, observe_configurations, observe_sessions
from pytest_benchdb.operations.select.selection import Selection, open_selection
from pytest_benchdb.operations.select.series import ALL_METRICS, read_series

Over = Literal["benchmarks", "sessions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrelateRequest:
    """How to correlate the selected results.

    Attributes:
        over: what an observation is: a benchmark (the median of its sessions) or a session of one.
        together: whether all benchmarks form one group; otherwise each test function with its parameters, or each
            benchmark with its sessions, is a group.
        names: keep only pairs with one of these quantities; empty for all.
    """

    over: Over = "benchmarks"
    together: bool = False
    names: tuple[str, ...] = ()


def find_correlations(selection: Selection, request: CorrelateRequest, *, feedback: Feedback = SILENT) -> Correlations:
    """Correlate results from the newest session's machine.

    Args:
        selection: sessions and series; without metrics, every metric with a direction.
        request: observations, groups and quantities.
        feedback: receives progress, and warnings about unreadable sessions.

    Raises:
        ConfigError: a filter, a time or a name is not valid, or there is no quantity of that name.
        StoreMissingError: there is no session.
        StoreError: a file cannot be read.
    """
    with_metrics = selection if selection.metrics else replace(selection, metrics=(ALL_METRICS,))
    with open_selection(selection, feedback) as selected:
        here = selected.on_newest_machine()
        values = [value for series in read_series(selected.reader, here, with_metrics) for value in series.values]
    by_id = {session.session_id: session for session in here}
    observations = observe_sessions(values, by_id) if request.over == "sessions" else observe_configurations(values)
    rows, insufficient = _correlated(observations, request)
    return Correlations(
        sources=tuple(map(str, selection.paths)),
        over=request.over,
        rows=tuple(rows),
        observations=len(observations),
        sessions=len(here),
        insufficient=insufficient,
        selection=selection.text(),
    )


def _correlated(observations: Sequence[Observation], request: CorrelateRequest) -> tuple[list[CorrelationRow], int]:
    quantities = {name for observation in observations for name in _quantities(observation)}
    unknown = [name for name in request.names if name not in quantities]
    if unknown and observations:
        near = did_you_mean(unknown[0], quantities) or f"; choose from {', '.join(sorted(quantities))}"
        raise ConfigError(f"{unknown[0]!r} is not a quantity of these benchmarks{near}")
    correlated = []
    insufficient = 0
    for group, members in _groups(observations, request):
        observed = [_quantities(observation) for observation in members]
        for first, second in _pairs(members, request.names):
            correlation = correlate([row.get(first) for row in observed], [row.get(second) for row in observed])
            if correlation is None:
                insufficient += 1
            else:
                correlated.append((group, first, second, correlation))
    q = q_values([correlation.spearman.p_value for *_, correlation in correlated])
    rows = [
        CorrelationRow(group=group, first=first, second=second, correlation=correlation, q_value=q_value)
        for (group, first, second, correlation), q_value in zip(correlated, q, strict=True)
    ]
    rows.sort(key=lambda row: (-abs(row.correlation.spearman.value), -row.correlation.pairs, row.group or ""))
    return rows, insufficient


def _groups(
    observations: Sequence[Observation], request: CorrelateRequest
) -> Iterator[tuple[str | None, list[Observation]]]:
    groups: dict[str | None, list[Observation]] = {}
    for observation in observations:
        own = observation.fullname if request.over == "sessions" else observation.function
        groups.setdefault(None if request.together else own, []).append(observation)
    for name, members in groups.items():
        if len(members) >= LEAST_PAIRS:
            yield name, members


def _pairs(members: Sequence[Observation], names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield pairs of a parameter and a metric, then pairs of metrics."""
    numbers = sorted({name for observation in members for name in observation.numbers})
    figures = sorted({name for observation in members for name in observation.figures} - set(numbers))
    pairs = [*((number, figure) for number in numbers for figure in figures), *combinations(figures, 2)]
    yield from (pair for pair in pairs if not names or set(names) & set(pair))


def _quantities(observation: Observation) -> dict[str, float]:
    return {**observation.figures, **observation.numbers}
