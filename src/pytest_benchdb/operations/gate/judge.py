"""Reads what a gate judges, and judges it: everything of a gate but re-runs and its outcome."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.comparison import Side
from pytest_benchdb.model.metric import MAIN_TIMES, METRICS
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.model.series import SessionValue
from pytest_benchdb.operations.compare.machines import machine_warnings
from pytest_benchdb.operations.gate.allowances import Allowance, after_acceptances, expired_warnings, of_acceptance
from pytest_benchdb.operations.gate.history import Sides
from pytest_benchdb.operations.gate.missing import missing_names
from pytest_benchdb.operations.gate.policy import Rules, main_times, marker_rules, time_key
from pytest_benchdb.operations.gate.request import GateRequest
from pytest_benchdb.operations.gate.rows import Context, JudgedRow, judge_rows, named_metrics
from pytest_benchdb.operations.select.filters.keyword import parse_expression
from pytest_benchdb.operations.select.filters.where import parse_where
from pytest_benchdb.operations.select.recipe import recipes_of
from pytest_benchdb.store.read.reader import Reader

DEFAULT_METRICS = ("python_peak", "peak_rss", "energy")
"""What is looked at beside times when nothing is named; only some of it fails the gate, as `analysis.policy` says."""

_KEPT = 22
"""Sessions of each series that are read: the rule looks at 20, and leaves out some that were disturbed."""
_SPAN = 60
"""Sessions in which they are looked for first: to look through a thousand takes most of a second."""
_LEAST = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What a session is, before re-runs.

    Attributes:
        rows: one for each series.
        allowances: of the command line and of the database.
        warnings: one line each: what readers must know before they believe the rows.
    """

    rows: tuple[JudgedRow, ...]
    allowances: tuple[Allowance, ...]
    warnings: tuple[str, ...]


def judge(reader: Reader, sides: Sides, request: GateRequest, now: str) -> Judged:
    """Read the values of both sides, and judge each series.

    Args:
        reader: an open history that holds the sessions.
        sides: the sessions.
        request: filters, rules and allowances.
        now: ISO 8601 in UTC.

    Raises:
        ConfigError: a filter cannot be read, or a threshold names what was not measured.
        StoreError: the history cannot be read.
    """
    values = _Values(reader, request)
    candidate = values.of(sides.candidate)
    reference = values.of(sides.baseline[-1:])
    values.only_main_times([*candidate, *reference])
    candidate = [value for value in candidate if values.has(value.key.metric)]
    history = values.of(sides.history) if sides.are_many else _history(values, sides.history, candidate)
    _check_thresholds(request.rules, [*candidate, *history])
    by_id = {session.session_id: session for session in (*sides.history, *sides.candidate)}
    runs = reader.runs([sides.judged.session_id])
    markers = marker_rules((run["fullname"], run["extra_info"]) for run in runs)
    context = Context(
        rules=replace(request.rules, markers=markers),
        sessions=by_id,
        both_sides=sides.are_many,
        confirms=request.confirms,
        missing=_missing(reader, reference, candidate, sides, request),
    )
    names = {run["benchmark_id"]: run["fullname"] for run in runs}
    allowances = (*map(partial(of_acceptance, names=names), reader.acceptances()), *request.allowances)
    rows = judge_rows(after_acceptances(history, allowances, by_id, sides.judged, now), candidate, context)
    warnings = [
        *sides.warnings,
        *machine_warnings(*ends_of(sides), None),
        *expired_warnings(allowances, [one.row.key for one in rows], now),
        *_idle_thresholds(context.rules, candidate),
    ]
    commanded = tuple(_with_commands(reader, rows, candidate))
    return Judged(rows=commanded, allowances=allowances, warnings=tuple(warnings))


def ends_of(sides: Sides) -> tuple[Side, Side]:
    """Return the newest session of the baseline, if there is one, and the candidate."""
    return Side(name="baseline", sessions=sides.baseline[-1:]), Side(name="candidate", sessions=sides.candidate)


class _Values:
    """Reads the values of sessions that a request asks for."""

    def __init__(self, reader: Reader, request: GateRequest) -> None:
        self._reader = reader
        self._matches = parse_expression(request.keyword or "")
        self._where = parse_where(request.where or "")
        usual = () if request.rules.thresholds else DEFAULT_METRICS
        self._own = [*usual, *sorted(named_metrics(request.rules)), *self._where.metrics]
        self._metrics = list(dict.fromkeys([*MAIN_TIMES, *self._own]))

    def only_main_times(self, values: Iterable[SessionValue]) -> None:
        """Read no other times from here on than those that stand for the time of a benchmark: reading takes time."""
        main = {MAIN_TIMES[0], *main_times(values).values()}
        self._metrics = list(dict.fromkeys([*(name for name in MAIN_TIMES if name in main), *self._own]))

    def of(self, sessions: Sequence[SessionRow], keep: int | None = None) -> list[SessionValue]:
        """Return values by series and then oldest first; `keep` sessions of each series, the newest."""
        ids = [session.session_id for session in sessions]
        found = self._reader.session_values(ids, metrics=self._metrics, keep=keep)
        return [value for value in found if self._is_asked(value)]

    def has(self, metric: str) -> bool:
        """Tell whether a metric is read."""
        return metric in self._metrics

    def _is_asked(self, value: SessionValue) -> bool:
        asked = self._where.metrics
        if asked and value.key.metric not in asked:
            return False
        return self._matches(value.key.fullname) and self._where.matches_value(value)


def _history(values: _Values, sessions: Sequence[SessionRow], candidate: Sequence[SessionValue]) -> list[SessionValue]:
    """Return the newest values of each series; from all sessions only if the newest ones know too little of one."""
    history = values.of(sessions[-_SPAN:], _KEPT)
    if len(sessions) <= _SPAN:
        return history
    known = Counter(value.key for value in history)
    scarce = any(known[value.key] < _LEAST for value in candidate if value.value is not None)
    return values.of(sessions, _KEPT) if scarce else history


def _missing(
    reader: Reader,
    reference: Sequence[SessionValue],
    candidate: Sequence[SessionValue],
    sides: Sides,
    request: GateRequest,
) -> frozenset[str]:
    if request.missing == "ignore" or not sides.baseline:
        return frozenset()
    before, judged = sides.baseline[-1].session_id, sides.judged
    commands = reader.commands([before, judged.session_id])
    names = missing_names(
        {value.key.fullname: None for value in reference if value.value is not None},
        {value.key.fullname for value in candidate},
        commands=(commands.get(before), commands.get(judged.session_id)),
        complete=judged.complete,
    )
    return frozenset(names)


def _with_commands(reader: Reader, rows: Sequence[JudgedRow], candidate: Sequence[SessionValue]) -> Iterator[JudgedRow]:
    by_key = {value.key: value for value in candidate}
    recipes = recipes_of(reader, by_key.values())
    for judged in rows:
        value = by_key.get(judged.row.key)
        recipe = recipes.get(value.run_id) if value is not None else None
        command = None if recipe is None else recipe.command(judged.row.key.fullname)
        yield replace(judged, row=replace(judged.row, command=command))


def _check_thresholds(rules: Rules, values: Sequence[SessionValue]) -> None:
    """Refuse a threshold of a metric that nobody knows: more likely a typing error than a metric of tomorrow.

    Raises:
        ConfigError: there is one.
    """
    measured = {value.key.metric for value in values}
    for threshold in rules.thresholds:
        unknown = [name for name in threshold.metrics if name not in METRICS and name not in measured]
        if unknown and values:
            raise ConfigError(
                f"threshold {threshold.text!r}: no metric {unknown[0]!r} was measured; write time, memory, or one of "
                f"{', '.join(sorted(measured))}"
            )


def _idle_thresholds(rules: Rules, values: Sequence[SessionValue]) -> Iterator[str]:
    """Yield what thresholds found nothing to limit: a gate that nobody notices to be open."""
    times = main_times(values)
    for threshold in rules.thresholds:
        if values and not any(threshold.matches(value, times.get(time_key(value))) for value in values):
            yield f"threshold {threshold.text!r} limits nothing that was measured in this session"
