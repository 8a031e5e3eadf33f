"""Compare two sides: which sessions' values meet, what the rules say of them, and what else differs.

The raw rounds of the pairs that have too few sessions to be judged by them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pytest_benchdb.analysis.rules.few_sessions import SESSIONS_A_SIDE
from pytest_benchdb.analysis.rules.policy import default_policy
from pytest_benchdb.analysis.rules.sides import judge_sides
from pytest_benchdb.analysis.rules.suite import group_means, suite_shift
from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.comparison import Comparison, ComparisonRow, Side
from pytest_benchdb.model.metric import MAIN_TIMES, TIME, metrics_of
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.model.run import NOT_RUN
from pytest_benchdb.model.series import SessionValue
from pytest_benchdb.model.verdict import COMPARED, Judgement, Policy
from pytest_benchdb.model.wording import counted
from pytest_benchdb.operations.compare.axis import SESSION_DIMENSIONS, Axis, axis_matching, find_axis, split_axis
from pytest_benchdb.operations.compare.machines import (
    machine_warnings,
    obstacle_between,
    on_one_machine,
    side_differences,
)
from pytest_benchdb.operations.compare.pairs import BY_FULLNAME, Matching, Pair, pair_sides
from pytest_benchdb.operations.select.filters.keyword import parse_expression
from pytest_benchdb.operations.select.filters.threshold import Threshold, parse_threshold, parse_thresholds
from pytest_benchdb.operations.select.filters.where import parse_where
from pytest_benchdb.operations.select.recipe import Recipe, recipes_of
from pytest_benchdb.store.read.reader import Reader

TOGETHER = 1_000_000
"""Rounds that are read in one query; with more they are read run by run, to bound the memory."""

_Key = tuple[str, str, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rounds:
    """Rounds by run, metric and phase, in the metric's unit per iteration."""

    samples: Mapping[_Key, Sequence[float]] = field(default_factory=dict)

    def of(self, pair: Pair) -> tuple[list[float], list[float]] | None:
        """Return the rounds of both sides of a pair; None if one has none, or as many sessions as the rule needs."""
        baseline, candidate = self._side(pair.baseline), self._side(pair.candidate)
        return (baseline, candidate) if len(baseline) > 1 and len(candidate) > 1 else None

    def _side(self, values: Iterable[SessionValue]) -> list[float]:
        return [sample for value in values for sample in self.samples.get(_key(value), ())]


def read_rounds(reader: Reader, pairs: Iterable[Pair]) -> Rounds:
    """Read the rounds of the pairs of which a side has too few sessions; only summaries are left of some runs.

    Raises:
        StoreError: the history cannot be read.
    """
    wanted = {
        _key(value): value
        for pair in pairs
        if pair.baseline and pair.candidate and min(len(pair.baseline), len(pair.candidate)) < SESSIONS_A_SIDE
        for value in (*pair.baseline, *pair.candidate)
        if (value.n or 0) > 1
    }
    if not wanted:
        return Rounds()
    session_ids = sorted({value.session_id for value in wanted.values()})
    metrics = {metric for _, metric, _ in wanted}
    if sum(value.n or 0 for value in wanted.values()) <= TOGETHER:
        rows = [row for metric in metrics for row in reader.samples(session_ids, metric=metric)]
    else:
        rows = [
            row
            for run_id, metric in dict.fromkeys((run_id, metric) for run_id, metric, _ in wanted)
            for row in reader.samples(session_ids, run_id=run_id, metric=metric)
        ]
    return Rounds(samples={key: row["samples"] for row in _first_passes(rows) if (key := _row_key(row)) in wanted})


def _first_passes(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    # Of a metric that several passes read, the timing pass comes last into the mapping: reports show that one.
    return sorted(rows, key=lambda row: row["pass"] == "time")


def _key(value: SessionValue) -> _Key:
    return value.run_id, value.key.metric, value.key.phase


def _row_key(row: Mapping[str, Any]) -> _Key:
    return row["run_id"], row["metric"], row["phase"]


WALL_TIME = "wall_time"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What is compared, and when a change counts.

    Attributes:
        metrics: names of metrics and words of `METRIC_WORDS`; empty for those of `where`, or wall time.
        keyword: `-k` expression over full names.
        where: `-w` filter.
        share: smallest change that counts, of any metric; None leaves it to the metric.
        thresholds: the same for single metrics; the last that matches counts.
        allow_cross: whether machines, Pythons and the benchmarks' code may differ.
    """

    metrics: tuple[str, ...] = ()
    keyword: str | None = None
    where: str | None = None
    share: float | None = None
    thresholds: tuple[Threshold, ...] = ()
    allow_cross: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """What judging the pairs of two sides needs.

    Attributes:
        sessions: those of both sides, by id.
        obstacle: why two values' sessions must not be compared; None if they may.
        same_code: whether both sides run the same code, or what that is is not asked.
        main_times: the metric that stands for the time of each benchmark, by full name.
    """

    choice: Choice
    sessions: Mapping[str, SessionRow]
    obstacle: Callable[[Iterable[str], Iterable[str]], str | None]
    same_code: Callable[[Pair], bool]
    rounds: Rounds
    recipes: Mapping[str, Recipe]
    main_times: Mapping[str, str] = field(default_factory=dict)


def compare(reader: Reader, baseline: Side, candidate: Side, choice: Choice) -> Comparison:
    """Compare a candidate's sessions with a baseline's, benchmark by benchmark.

    Args:
        reader: an open history that holds the sessions.
        baseline: one session or several.
        candidate: likewise.
        choice: metrics, filters and thresholds.

    Raises:
        ConfigError: a filter cannot be used, or a threshold has another unit than its metric.
        StoreError: the history cannot be read.
    """
    fits = _filter(choice)
    told: tuple[str, ...] = ()
    if not choice.allow_cross:
        baseline, candidate, told = on_one_machine(baseline, candidate)
    every = [reader.session_values(_ids(side), metrics=_metrics(choice)) for side in (baseline, candidate)]
    _check_metrics(reader, [*every[0], *every[1]], [*_ids(baseline), *_ids(candidate)], choice)
    values = [[value for value in side if fits(value)] for side in every]
    found = _compared(reader, (baseline, candidate), (values[0], values[1]), choice, BY_FULLNAME)
    return replace(found, warnings=(*told, *found.warnings))


def compare_axis(
    reader: Reader,
    sessions: Sequence[SessionRow],
    dimension: str,
    choice: Choice,
    baseline_value: str | None = None,
) -> tuple[Comparison, ...]:
    """Compare every value of a dimension with one of them.

    Args:
        reader: an open history that holds the sessions.
        sessions: where to look for the values.
        dimension: ``backend``, ``model``, ``python``, a parameter, a tag, ...: see `compare_axis.find_axis`.
        choice: metrics, filters and thresholds.
        baseline_value: what the others are held against; None takes the first value.

    Returns:
        One comparison for each value but the baseline's.

    Raises:
        ConfigError: there is no such dimension or value, or only one value.
        StoreError: the history cannot be read.
    """
    fits = _filter(choice)
    by_id = {session.session_id: session for session in sessions}
    every = reader.session_values(list(by_id), metrics=_metrics(choice))
    _check_metrics(reader, every, list(by_id), choice)
    values = [value for value in every if fits(value)]
    axis = find_axis(dimension, values, by_id)
    first, *others = split_axis(axis, values, by_id, baseline_value)
    told = _without_value(axis, values)
    found = []
    for other in others:
        sides = [
            Side(
                name=f"{axis.name.rpartition(':')[2]}={side.value}",
                sessions=_sessions_of(side.values, sessions),
            )
            for side in (first, other)
        ]
        pair = (list(first.values), list(other.values))
        matching = axis_matching(axis, (first, other))
        compared = _compared(reader, (sides[0], sides[1]), pair, choice, matching, axis)
        found.append(replace(compared, warnings=(*told, *compared.warnings)))
    return tuple(found)


def is_session_dimension(dimension: str) -> bool:
    """Tell whether sessions as a whole differ in a dimension, so that one session alone has nothing to compare."""
    return dimension in SESSION_DIMENSIONS or dimension.startswith(("tag:", "session:"))


def _compared(
    reader: Reader,
    sides: tuple[Side, Side],
    values: tuple[list[SessionValue], list[SessionValue]],
    choice: Choice,
    matching: Matching,
    axis: Axis | None = None,
) -> Comparison:
    main_times = _main_times((*values[0], *values[1]))
    pairs = [pair for pair in pair_sides(*values, matching) if _is_asked(pair, choice, main_times)]
    order = {metric: place for place, metric in enumerate(_metrics(choice))}
    pairs.sort(key=lambda pair: order.get(pair.key.metric, len(order)))
    sessions = {session.session_id: session for side in sides for session in side.sessions}
    work = _Work(
        choice=choice,
        sessions=sessions,
        obstacle=lambda before, after: obstacle_between(
            [sessions[one] for one in before], [sessions[one] for one in after], across=axis.name if axis else None
        ),
        same_code=lambda pair: _functions(pair.baseline) == _functions(pair.candidate),
        rounds=read_rounds(reader, pairs),
        recipes=recipes_of(reader, [value for pair in pairs for value in pair.candidate or pair.baseline]),
        main_times=main_times,
    )
    rows = tuple(_row(pair, work) for pair in pairs)
    shift = suite_shift((row.key, row.judgement) for row in rows) if axis is None else None
    return Comparison(
        baseline=sides[0],
        candidate=sides[1],
        rows=rows,
        differences=side_differences(reader, *sides),
        means=group_means(rows),
        warnings=tuple(machine_warnings(*sides, shift)),
    )


def _row(pair: Pair, work: _Work) -> ComparisonRow:
    newest = (pair.candidate or pair.baseline)[-1]
    policy = _policy(pair, newest, work)
    recipe = work.recipes.get(newest.run_id)
    other = pair.baseline[-1].key.fullname if pair.baseline else None
    return ComparisonRow(
        key=pair.key,
        unit=newest.unit,
        better=newest.better,
        group=newest.group,
        judgement=_judgement(pair, policy, work),
        policy=policy,
        command=None if recipe is None else recipe.command(newest.key.fullname, other),
        labels=newest.labels,
        params=newest.params,
    )


def _judgement(pair: Pair, policy: Policy, work: _Work) -> Judgement:
    baseline, candidate = pair.baseline, pair.candidate
    crossing = work.choice.allow_cross
    obstacle = pair.obstacle if not (crossing and pair.can_cross) else None
    if obstacle is None and baseline and candidate and not crossing:
        obstacle = work.obstacle(_session_ids(baseline), _session_ids(candidate))
    if crossing or not work.same_code(pair):
        baseline, candidate = _without_code(baseline), _without_code(candidate)
    judged = judge_sides(baseline, candidate, policy, rounds=work.rounds.of(pair))
    passed = judged.verdict not in {"error", "missing", "new"}
    if obstacle is not None and passed:
        # Both values are shown; a change between them would be read as one of the code.
        return replace(
            judged,
            verdict="incomparable",
            state=None,
            change=None,
            interval=None,
            test=None,
            statistic=None,
            p_value=None,
            sessions_needed=None,
            reason=obstacle if not pair.can_cross else f"{obstacle}; --allow-cross compares them",
        )
    if judged.verdict == "incomparable" and not crossing and "code" in (judged.reason or ""):
        return replace(judged, reason=f"{judged.reason}; --allow-cross compares them")
    return judged


def _policy(pair: Pair, value: SessionValue, work: _Work) -> Policy:
    fewer = min(len(pair.baseline), len(pair.candidate))
    policy = default_policy(value.key.metric, value.unit, value.better, sessions=fewer)
    if work.choice.share is not None:
        policy = replace(policy, relative=work.choice.share)
    main_time = work.main_times.get(value.key.fullname)
    for threshold in work.choice.thresholds:
        if threshold.matches(value, main_time):
            if threshold.relative is not None:
                policy = replace(policy, relative=threshold.relative, absolute=0.0)
            else:
                policy = replace(policy, relative=0.0, absolute=threshold.absolute or 0.0)
    return policy


def _filter(choice: Choice) -> Callable[[SessionValue], bool]:
    """Return what tells whether a value is asked for.

    Raises:
        ConfigError: a filter cannot be read.
    """
    matches = parse_expression(choice.keyword or "")
    where = parse_where(choice.where or "")
    return lambda value: matches(value.key.fullname) and where.matches_value(value)


def _groups(choice: Choice) -> dict[str, tuple[str, ...]]:
    """Return the metrics by the word for them; at least one of each word must have been measured."""
    if choice.metrics:
        return {word: metrics_of(word) for word in choice.metrics}
    named = parse_where(choice.where or "").metrics
    return {"/".join(named): named} if named else {WALL_TIME: (WALL_TIME,)}


def _metrics(choice: Choice) -> list[str]:
    return list(dict.fromkeys(metric for group in _groups(choice).values() for metric in group))


def _check_metrics(reader: Reader, values: Iterable[SessionValue], session_ids: Sequence[str], choice: Choice) -> None:
    """Refuse a metric that no session has, where the sessions have others.

    Raises:
        ConfigError: a metric is not there; the message lists those that are.
    """
    seen = {value.key.metric for value in values}
    absent = [word for word, metrics in _groups(choice).items() if seen.isdisjoint(metrics)]
    if absent:
        known = sorted({value.key.metric for value in reader.session_values(session_ids, metrics=None)})
        if known:
            raise ConfigError(f"--metric {absent[0]}: nothing here measured it; there are {', '.join(known)}")


def _is_asked(pair: Pair, choice: Choice, main_times: Mapping[str, str]) -> bool:
    """Leave out what neither side ran, and failed runs' wall times where other metrics are asked for and known."""
    values = (*pair.baseline, *pair.candidate)
    if all(value.outcome in NOT_RUN for value in values):
        return False
    metric, groups = pair.key.metric, _groups(choice)
    asked = any(metric in metrics for word, metrics in groups.items() if word != TIME)
    if TIME in groups:
        asked |= metric in {main_times.get(value.key.fullname, WALL_TIME) for value in values}
    return asked or all(value.outcome != "passed" for value in values)


def _main_times(values: Iterable[SessionValue]) -> dict[str, str]:
    found: dict[str, set[str]] = {}
    for value in values:
        if value.value is not None:
            found.setdefault(value.key.fullname, set()).add(value.key.metric)
    return {name: next(m for m in MAIN_TIMES if m in has) for name, has in found.items() if has & set(MAIN_TIMES)}


def _without_value(axis: Axis, values: Iterable[SessionValue]) -> tuple[str, ...]:
    known: dict[str, bool] = {}
    for value in values:
        known[value.key.fullname] = known.get(value.key.fullname, False) or axis.value_of(value) is not None
    lost = list(known.values()).count(False)
    if not lost:
        return ()
    return (f"{counted(lost, 'benchmark')} without {axis.name.rpartition(':')[2]} left out",)


def _functions(values: Iterable[SessionValue]) -> set[str]:
    return {value.key.fullname.partition("[")[0] for value in values}


def _without_code(values: Iterable[SessionValue]) -> tuple[SessionValue, ...]:
    return tuple(replace(value, code_hash=None) for value in values)


def _session_ids(values: Iterable[SessionValue]) -> list[str]:
    return list(dict.fromkeys(value.session_id for value in values))


def _ids(side: Side) -> list[str]:
    return [session.session_id for session in side.sessions]


def _sessions_of(values: Iterable[SessionValue], sessions: Sequence[SessionRow]) -> tuple[SessionRow, ...]:
    ids = {value.session_id for value in values}
    return tuple(session for session in sessions if session.session_id in ids)


def limits_named(texts: Sequence[str]) -> tuple[float | None, tuple[Threshold, ...]]:
    """Read `--threshold`: a share for every metric (``5%``), or limits of single metrics as the gate takes them.

    Returns:
        The share, None without one, and the others.

    Raises:
        ConfigError: one cannot be read.
    """
    plain = [text for text in texts if ":" not in text]
    shares = []
    for text in plain:
        relative = parse_threshold(f"wall_time:{text}").relative
        if relative is None:
            raise ConfigError(
                f"--threshold {text!r} is no percentage; write 5%, or the metric with it: wall_time:{text}"
            )
        shares.append(relative)
    return (shares[-1] if shares else None), parse_thresholds(text for text in texts if ":" in text)


def compared_anything(comparison: Comparison) -> bool:
    """Tell whether at least one row has a verdict on a change."""
    return any(row.judgement.verdict in COMPARED for row in comparison.rows)
