"""The gate: decide whether a session is worse than its baseline, and whether that repeats.

It is a comparison of one session with a history, plus re-runs, allowances, q-values and an exit status.
"""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from pytest_benchdb.analysis.rules.suite import group_means
from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.comparison import Comparison, ComparisonRow, Gate, Side
from pytest_benchdb.model.metric import MAIN_MEMORY, MAIN_TIMES, metrics_of
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.model.series import SeriesKey, SessionValue
from pytest_benchdb.model.verdict import VERDICTS, Judgement
from pytest_benchdb.operations.compare.machines import machine_warnings
from pytest_benchdb.operations.compare.pairs import Pair
from pytest_benchdb.operations.compare.rows import build_comparison, find_mains, judge_pairs, mains_of
from pytest_benchdb.operations.exchange.open import SILENT, Feedback
from pytest_benchdb.operations.gate.accepted_levels import AcceptedLevels, drop_before_acceptances
from pytest_benchdb.operations.gate.adjust import (
    Excuses,
    after_checks,
    doubt_shifted,
    is_doubtful,
    is_suspect,
    with_allowances,
    with_q_values,
)
from pytest_benchdb.operations.gate.allowances import (
    Allowance,
    allowance_from_acceptance,
    expired_warnings,
)
from pytest_benchdb.operations.gate.confirm import Confirmation
from pytest_benchdb.operations.gate.exit_status import decide, ungated_warnings
from pytest_benchdb.operations.gate.history import GateSides, open_sides
from pytest_benchdb.operations.gate.judge import (
    GateRule,
    gate_pairs,
    judge_rerun,
    limits_of,
    named_metrics,
)
from pytest_benchdb.operations.gate.policy import Rules, read_marker_rules
from pytest_benchdb.operations.gate.request import GateRequest
from pytest_benchdb.operations.gate.ways import Again, Checks, Counted, SideBySide, Way, check_by, plan_checks, recount
from pytest_benchdb.operations.pytest_run import Runner
from pytest_benchdb.operations.select.filters.threshold import unknown_metric
from pytest_benchdb.operations.select.filters.where import parse_where, value_filter
from pytest_benchdb.operations.select.partial_runs import missing_names
from pytest_benchdb.operations.select.recipe import read_recipes
from pytest_benchdb.operations.select.series import names_like
from pytest_benchdb.store.read.reader import Reader

_SIDE_READINGS = frozenset(
    {
        *MAIN_TIMES,
        "user_time",
        "system_time",
        "thread_time",
        "first_call_time",
        "cycles",
        "cache_misses",
        "branch_misses",
        "command_peak",
        "peak_rss",
        "rss_growth",
    }
)
"""Metrics that are only read if they are a benchmark's `time` or a threshold names them: they explain the others."""

_KEPT = 22
"""Sessions to read of each series: the rule uses 20, and leaves out some that were disturbed."""
_SPAN = 60
"""Sessions to search first: searching a thousand takes most of a second."""
_LEAST = 5


def gate(
    paths: Sequence[Path],
    request: GateRequest,
    *,
    now: dt.datetime | None = None,
    feedback: Feedback = SILENT,
    say: Callable[[str], None] = SILENT.warn,
    runner: Runner | None = None,
) -> Gate:
    """Judge a session by its baseline and history, rerun suspects, and decide whether the gate passes.

    Args:
        paths: the database.
        request: what to judge, by what, and what fails.
        now: the current time; None reads the clock.
        feedback: receives progress, and warnings about unreadable sessions.
        say: called with a line for each check of suspects.
        runner: reruns benchmarks; None starts processes.

    Raises:
        ConfigError: a SPEC, a filter or a threshold is not valid, or suspects cannot be rerun.
        StoreMissingError: there is no session.
        StoreError: a file cannot be read.
    """
    moment = (now or dt.datetime.now(dt.timezone.utc)).astimezone(dt.timezone.utc).replace(tzinfo=None).isoformat()
    with open_sides(paths, request, feedback) as (reader, sides):
        checks = plan_checks(reader, sides, request, runner)
        comparison, pairs, excuses, idle = _judge(reader, sides, request, checks.times, moment)
    rows = with_allowances(with_q_values(comparison.rows, request.fdr), excuses)
    doubtful = {row.key for row in rows if checks.runs_commits and is_doubtful(row)}
    suspects = [row for row in rows if is_suspect(row) or row.key in doubtful]
    confirmation = Confirmation(rows=())
    if suspects and checks.unconfirmed is None:
        ways = _ways(checks, suspects, pairs, sides.newest, request, say)
        confirmation = check_by(ways, suspects, checks.impossible, say)
    recounted = Confirmation(rows=()) if confirmation.interrupted else recount(rows, checks, request, say)
    confirmed = {row.key: row for row in (*confirmation.rows, *recounted.rows)}
    # Again, because a re-run can confirm what a disturbed machine had left in doubt.
    rows = with_allowances(after_checks(rows, confirmed), excuses)
    rows, shift = doubt_shifted(rows)
    final = tuple(sorted(rows, key=_order))
    return decide(
        replace(
            comparison,
            baseline=Side(name=request.baseline, sessions=sides.shown),
            candidate=Side(name=request.candidate or "latest", sessions=sides.candidate),
            rows=final,
            means=group_means(final),
        ),
        request,
        undecided=(confirmation.undecided - doubtful) | recounted.undecided,
        interrupted=confirmation.interrupted or recounted.interrupted,
        shift=shift,
        unconfirmed=checks.unconfirmed,
        no_baseline=sides.no_baseline,
        idle=idle,
    )


def _order(row: ComparisonRow) -> tuple[int, float, str]:
    """Sort key that puts the worst first: by verdict, then by harm, then by name."""
    return VERDICTS.index(row.judgement.verdict), -row.harm, row.key.fullname


def _ways(
    checks: Checks,
    suspects: Sequence[ComparisonRow],
    pairs: Mapping[SeriesKey, Pair],
    session: SessionRow,
    request: GateRequest,
    say: Callable[[str], None],
) -> list[Way]:
    """Return the ways in which suspects will be checked, the best first."""
    policies = {row.key: row.policy for row in suspects if row.policy is not None}

    def judge_value(key: SeriesKey, value: SessionValue, again: SessionRow) -> Judgement:
        return judge_rerun(pairs[key].baseline, value, policies[key], again)

    ways: list[Way] = []
    if checks.duet is not None:
        ways += [Counted(checks.duet, request, say)] if checks.counts else []
        ways += [SideBySide(checks.duet, request, say)] if checks.by != "instructions" else []
    if checks.reruns.runner is not None:
        ways.append(Again(checks.reruns, judge_value, session.fingerprint, say))
    return ways


def _judge(
    reader: Reader, sides: GateSides, request: GateRequest, confirms: int, now: str
) -> tuple[Comparison, Mapping[SeriesKey, Pair], Excuses, list[str]]:
    """Return the comparison before re-runs, its pairs, the allowances, and warnings about limits without effect."""
    values = _Values(reader, request)
    every = values.of(sides.candidate)
    candidate = values.only_metrics_of(every)
    history = values.of(sides.history) if sides.are_many else _history(values, sides.history, candidate)
    _check_thresholds(request.rules, [*candidate, *history], reader)
    by_id = {session.session_id: session for session in (*sides.history, *sides.candidate)}
    runs = reader.runs([sides.newest.session_id])
    markers = read_marker_rules((run["fullname"], run["extra_info"]) for run in runs)
    names = {run["benchmark_id"]: run["fullname"] for run in runs}
    allowances = (*map(partial(allowance_from_acceptance, names=names), reader.acceptances()), *request.allowances)
    levels = _accepted_levels(reader, values, allowances)
    history = drop_before_acceptances(history, allowances, levels.sessions, sides.newest, now)
    rules = replace(request.rules, markers=markers)
    missing = _missing(reader, values.of(sides.baseline[-1:]), every, sides, request)
    pairs, mains = gate_pairs(history, candidate, rules, missing)
    rule = GateRule(
        rules=rules,
        sessions=by_id,
        both_sides=sides.are_many,
        confirms=confirms,
        allow_cross=request.allow_cross,
        mains=mains,
    )
    rows = judge_pairs(pairs, rule, read_recipes(reader, candidate))
    ends = Side(name="baseline", sessions=sides.baseline[-1:]), Side(name="candidate", sessions=sides.candidate)
    idle = list(_idle_thresholds(rules, candidate))
    warnings = [
        *sides.warnings,
        *machine_warnings(*ends, None),
        *expired_warnings(allowances, [row.key for row in rows], now),
        *idle,
        *ungated_warnings(row for row in rows if not rules.exclude(row.key.fullname)),
    ]
    excuses = Excuses(
        allowances=allowances,
        session=sides.newest,
        now=now,
        values={pair.key: pair.candidate[-1] for pair in pairs if pair.candidate},
        levels=levels,
        improvements=request.alert_improvement,
    )
    return build_comparison(reader, ends, rows, warnings), {pair.key: pair for pair in pairs}, excuses, idle


def _accepted_levels(reader: Reader, values: "_Values", allowances: Sequence[Allowance]) -> AcceptedLevels:
    """Return the accepted levels; their sessions may be of any branch, and not in the history."""
    since = {allowance.since_session_id for allowance in allowances}
    sessions = [session for session in reader.sessions() if session.session_id in since] if since - {None} else []
    return AcceptedLevels(
        sessions={session.session_id: session for session in sessions},
        values=values.of(sessions) if sessions else (),
    )


class _Values:
    """Reads the values that a request selects."""

    def __init__(self, reader: Reader, request: GateRequest) -> None:
        self._reader = reader
        self._selected = value_filter(request.keyword, request.where)
        self._names = names_like(reader, request.keyword)
        self._only = {name for word in parse_where(request.where or "").metrics for name in metrics_of(word)}
        self._named = [*sorted(named_metrics(request.rules)), *sorted(self._only)]
        self.metrics: list[str] | None = None

    def only_metrics_of(self, values: Sequence[SessionValue]) -> list[SessionValue]:
        """From now on read only the metrics of these values that a gate shows; return the values of these metrics."""
        main = {MAIN_TIMES[0], *find_mains(values).values()}
        shown = [value.key.metric for value in values if value.key.metric not in _SIDE_READINGS]
        self.metrics = list(
            dict.fromkeys([*(name for name in (*MAIN_TIMES, *MAIN_MEMORY) if name in main), *self._named, *shown])
        )
        return [value for value in values if value.key.metric in self.metrics]

    def of(self, sessions: Sequence[SessionRow], keep: int | None = None) -> list[SessionValue]:
        """Return values by series, oldest first; only the newest `keep` of each series if given."""
        ids = [session.session_id for session in sessions]
        values = self._reader.session_values(ids, metrics=self.metrics, names=self._names, keep=keep)
        return [
            value for value in values if self._selected(value) and (not self._only or value.key.metric in self._only)
        ]


def _history(values: _Values, sessions: Sequence[SessionRow], candidate: Sequence[SessionValue]) -> list[SessionValue]:
    """Return the newest values of each series; search all sessions only if the recent ones have too few of a series."""
    history = values.of(sessions[-_SPAN:], _KEPT)
    if len(sessions) <= _SPAN:
        return history
    counts = Counter(value.key for value in history)
    scarce = any(counts[value.key] < _LEAST for value in candidate if value.value is not None)
    return values.of(sessions, _KEPT) if scarce else history


def _missing(
    reader: Reader,
    reference: Sequence[SessionValue],
    candidate: Sequence[SessionValue],
    sides: GateSides,
    request: GateRequest,
) -> list[str]:
    if request.missing == "ignore" or not sides.baseline:
        return []
    before, newest = sides.baseline[-1].session_id, sides.newest
    commands = reader.commands([before, newest.session_id])
    return missing_names(
        {value.key.fullname: None for value in reference if value.value is not None},
        {value.key.fullname for value in candidate},
        commands=(commands.get(before), commands.get(newest.session_id)),
        complete=newest.complete,
    )


def _check_thresholds(rules: Rules, values: Sequence[SessionValue], reader: Reader) -> None:
    """Refuse a limit of a metric that is neither in the registry nor was ever measured, which is most likely a typo."""
    limits = limits_of(rules)
    if not values or not any(map(unknown_metric, limits)):
        return
    measured = {
        *(value.key.metric for value in values),
        *reader.metric_names([session.session_id for session in reader.sessions()]),
    }
    reason = next((reason for limit in limits if (reason := unknown_metric(limit, measured))), None)
    if reason is not None:
        raise ConfigError(reason)


def _idle_thresholds(rules: Rules, values: Sequence[SessionValue]) -> Iterator[str]:
    """Yield a warning for each threshold that limits nothing, so that a gate without effect is noticed."""
    mains = find_mains(values)
    for threshold in rules.thresholds:
        if values and not any(threshold.matches(value, mains_of(value, mains)) for value in values):
            yield f"threshold {threshold.text!r} limits nothing that was measured in this session"
