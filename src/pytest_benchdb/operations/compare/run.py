"""Compare two sides, or the values of one dimension, benchmark by benchmark."""

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pytest_benchdb.analysis.rules.few_sessions import SESSIONS_A_SIDE
from pytest_benchdb.analysis.rules.policy import default_policy
from pytest_benchdb.analysis.rules.sides import judge_sides
from pytest_benchdb.analysis.rules.suite import largest_shift, suite_shifts
from pytest_benchdb.errors import ConfigError, NoBaselineError
from pytest_benchdb.model.comparison import Comparison, Side
from pytest_benchdb.model.metric import MAIN_TIMES, MAINS, absent_text, metrics_of
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.model.series import SessionValue
from pytest_benchdb.model.verdict import COMPARED, Judgement, Policy
from pytest_benchdb.model.wording import counted
from pytest_benchdb.operations.compare.axis import SESSION_DIMENSIONS, Axis, axis_matching, find_axis, split_axis
from pytest_benchdb.operations.compare.machines import find_obstacle, keep_one_machine, machine_warnings
from pytest_benchdb.operations.compare.pairs import BY_FULLNAME, Matching, Pair, pair_sides
from pytest_benchdb.operations.compare.partial import NewestSides, newest_sides, without_unselected
from pytest_benchdb.operations.compare.rows import (
    Mains,
    apply_thresholds,
    build_comparison,
    find_mains,
    is_main,
    judge_pairs,
    mains_of,
    refuse_incomparable,
)
from pytest_benchdb.operations.compare.sides import LATEST, SpecSource, open_specs, parse_side
from pytest_benchdb.operations.exchange.open import SILENT, Feedback
from pytest_benchdb.operations.select.filters.threshold import (
    Threshold,
    parse_threshold,
    parse_thresholds,
    unknown_metric,
)
from pytest_benchdb.operations.select.filters.where import parse_where, value_filter
from pytest_benchdb.operations.select.normalize import NONE, Normalization, read_normalization
from pytest_benchdb.operations.select.recipe import read_recipes
from pytest_benchdb.operations.select.spec.context import spec_context
from pytest_benchdb.operations.select.spec.resolve import kept_sessions
from pytest_benchdb.operations.select.spec.syntax import Spec
from pytest_benchdb.store.read.reader import Reader

TOGETHER = 1_000_000
"""Most rounds to read in one query; more are read run by run, to bound the memory."""

Rounds = Mapping[tuple[str, str, str | None], Sequence[float]]
"""Rounds by run, metric and phase, in the metric's unit per iteration."""

_MOST_SPECS = 2
_USUAL_SPECS = ("latest~1", LATEST)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareRequest:
    """What is compared, and when a change counts.

    Attributes:
        metrics: names of metrics and words of `METRIC_WORDS`; empty for those of `where`, or wall time.
        optional: names of metrics that are compared too where they were measured.
        keyword: `-k` expression over full names.
        where: `-w` filter.
        share: smallest change that counts, for every metric; None for each metric's default.
        thresholds: limits of single metrics; the last that matches counts.
        allow_cross: whether machines, Pythons and the benchmarks' code may differ.
        normalize_by: name of the benchmark to divide the times of each session by; None divides by nothing.
    """

    metrics: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    keyword: str | None = None
    where: str | None = None
    share: float | None = None
    thresholds: tuple[Threshold, ...] = ()
    allow_cross: bool = False
    normalize_by: str | None = None

    def metric_groups(self) -> dict[str, tuple[str, ...]]:
        """Return the metrics of each word; at least one per word must have been measured."""
        if self.metrics:
            return {word: metrics_of(word) for word in self.metrics}
        named = parse_where(self.where or "").metrics
        words = {word: metrics_of(word) for word in named if word in MAINS}
        others = tuple(name for name in named if name not in MAINS)
        return words | ({"/".join(others): others} if others else {}) or {MAIN_TIMES[0]: MAIN_TIMES[:1]}

    def metric_names(self) -> list[str]:
        """Return the metrics in the order they were named."""
        named = (metric for group in self.metric_groups().values() for metric in group)
        return list(dict.fromkeys((*named, *self.optional)))


def compare_named(
    specs: Sequence[str],
    db: Path,
    request: CompareRequest,
    *,
    axis: str | None = None,
    baseline_value: str | None = None,
    feedback: Feedback = SILENT,
) -> tuple[Comparison, ...]:
    """Compare the sides, or the axis, that a user names.

    Args:
        specs: baseline and candidate, by default the newest session and the one before it; with an axis, any number of
            SPECs whose sessions to split.
        db: the database; not read if both sides are paths.
        request: metrics, filters and thresholds.
        axis: a dimension whose values to compare.
        baseline_value: the value to compare the others with.
        feedback: receives progress, and warnings about unreadable sessions.

    Returns:
        One comparison; with an axis, one for each value except the baseline's.

    Raises:
        NoBaselineError: a SPEC matches no session, or both match the same one.
        ConfigError: a SPEC is ambiguous or not valid, or a filter is not valid.
        StoreError: a file cannot be read, or there is no session.
    """
    if axis is None and len(specs) > _MOST_SPECS:
        raise ConfigError(
            f"name a baseline and at most one candidate, not {len(specs)}: benchdb compare latest~1 latest"
        )
    parsed = [parse_side(text) for text in (specs if axis else [*specs, *_USUAL_SPECS[len(specs) :]])]
    only_files = parsed and all(spec.path is not None for spec in parsed)
    with open_specs(parsed, [] if only_files else [db], feedback) as source:
        if axis is not None:
            sides = [_find_side(source, spec, (), request, feedback) for spec in parsed]
            return compare_axis(source.reader, _sessions_of_axis(source, axis, sides), axis, request, baseline_value)
        # The candidate first, because a baseline such as `window:5` depends on it.
        candidate = _find_side(source, parsed[1], (), request, feedback)
        baseline = _find_side(source, parsed[0], candidate.sessions, request, feedback)
        # `window:5` ends with the newest session.
        rest = tuple(session for session in baseline.sessions if session not in candidate.sessions)
        if not rest:
            raise NoBaselineError(
                f"{baseline.name} and {candidate.name} are the same session; record another, or name an earlier one, "
                "as in latest~1"
            )
        baseline = replace(baseline, sessions=rest)
        newest = None if specs else newest_sides(source.reader, source.in_db, baseline, candidate)
        if newest is not None:
            baseline, candidate = newest.sides
        return (compare(source.reader, baseline, candidate, request, newest),)


def compare(
    reader: Reader, baseline: Side, candidate: Side, request: CompareRequest, newest: NewestSides | None = None
) -> Comparison:
    """Compare a candidate's sessions with a baseline's, benchmark by benchmark; the history must hold both.

    Benchmarks that one side's command left out are not compared. With `newest`, the sides have the newest run of each.

    Raises:
        ConfigError: a filter is not valid, or a threshold's unit is not its metric's.
        StoreError: the history cannot be read.
    """
    left_out: tuple[str, ...] = ()
    if not request.allow_cross:
        baseline, candidate, left_out = keep_one_machine(baseline, candidate)
    sides = baseline, candidate
    selected = value_filter(request.keyword, request.where)
    values = [reader.session_values(_ids(side.sessions), metrics=request.metric_names()) for side in sides]
    _check_metrics(reader, [*values[0], *values[1]], [session for side in sides for session in side.sessions], request)
    normalization = _normalization(reader, [session for side in sides for session in side.sessions], request)
    before, after = ([value for value in normalization.apply(side) if selected(value)] for side in values)
    if newest is None:
        before, after, remarks = without_unselected(reader, sides, (before, after))
    else:
        (before, after), remarks = newest.pick((before, after)), newest.remarks
    compared = _compared(reader, sides, (before, after), request, normalization)
    return replace(compared, warnings=(*left_out, *remarks, *compared.warnings))


def compare_axis(
    reader: Reader,
    sessions: Sequence[SessionRow],
    dimension: str,
    request: CompareRequest,
    baseline_value: str | None = None,
) -> tuple[Comparison, ...]:
    """Compare every value of a dimension with one of them.

    Args:
        reader: an open history that contains the sessions.
        sessions: the sessions to split.
        dimension: ``backend``, ``model``, ``python``, a parameter, a tag, ...: see `axis.find_axis`.
        request: metrics, filters and thresholds.
        baseline_value: the value to compare the others with; None for the first.

    Returns:
        One comparison for each value except the baseline's.

    Raises:
        ConfigError: there is no such dimension or value, or only one value.
        StoreError: the history cannot be read.
    """
    selected = value_filter(request.keyword, request.where)
    by_id = {session.session_id: session for session in sessions}
    values = reader.session_values(list(by_id), metrics=request.metric_names())
    _check_metrics(reader, values, sessions, request)
    normalization = _normalization(reader, sessions, request)
    values = [value for value in normalization.apply(values) if selected(value)]
    axis = find_axis(dimension, values, by_id)
    first, *others = split_axis(axis, values, by_id, baseline_value)
    warnings = _without_value(axis, values)
    comparisons = []
    for other in others:
        sides = []
        for side in (first, other):
            ids = {value.session_id for value in side.values}
            name = f"{axis.name.rpartition(':')[2]}={side.value}"
            sides.append(Side(name=name, sessions=tuple(session for session in sessions if session.session_id in ids)))
        pair = (list(first.values), list(other.values))
        across = _Across(axis=axis.name, matching=axis_matching(axis, (first, other)))
        compared = _compared(reader, (sides[0], sides[1]), pair, request, normalization, across)
        comparisons.append(replace(compared, warnings=(*warnings, *compared.warnings)))
    return tuple(comparisons)


def _find_side(
    source: SpecSource, spec: Spec, candidates: Sequence[SessionRow], request: CompareRequest, feedback: Feedback
) -> Side:
    context = spec_context(source.reader, candidates, allow_cross=request.allow_cross, warn=feedback.warn)
    try:
        sessions = source.find(spec, context)
    except NoBaselineError:
        # Sessions of other machines are still shown, as incomparable and with the reason.
        sessions = []
        with contextlib.suppress(NoBaselineError):
            sessions = source.find(spec, replace(context, allow_cross=True))
        if not sessions:
            raise
    return Side(name=spec.text, sessions=tuple(sessions))


def _sessions_of_axis(source: SpecSource, axis: str, sides: Sequence[Side]) -> Sequence[SessionRow]:
    """Return the named sessions; without any, all of them for an axis of whole sessions, else the newest."""
    if not sides:
        of_sessions = axis in SESSION_DIMENSIONS or axis.startswith(("tag:", "session:"))
        kept = kept_sessions(source.in_db)
        return kept if of_sessions else kept[-1:]
    named = {session.session_id: session for side in sides for session in side.sessions}
    return sorted(named.values(), key=lambda session: session.placed_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Across:
    """How the benchmarks of two sides match, and the dimension that the sides are values of; None without one."""

    matching: Matching
    axis: str | None = None


_TWO_SIDES = _Across(matching=BY_FULLNAME)


def _compared(
    reader: Reader,
    sides: tuple[Side, Side],
    values: tuple[list[SessionValue], list[SessionValue]],
    request: CompareRequest,
    normalization: Normalization,
    across: _Across = _TWO_SIDES,
) -> Comparison:
    mains = find_mains(*values)
    pairs = [pair for pair in pair_sides(*values, across.matching) if _is_selected(pair, request, mains)]
    order = {metric: place for place, metric in enumerate(request.metric_names())}
    pairs.sort(key=lambda pair: order.get(pair.key.metric, len(order)))
    rule = SidesRule(
        request=request,
        sessions={session.session_id: session for side in sides for session in side.sessions},
        axis=across.axis,
        rounds=_read_rounds(reader, pairs, normalization),
        mains=mains,
    )
    recipes = read_recipes(reader, [value for pair in pairs for value in pair.candidate or pair.baseline])
    rows = judge_pairs(pairs, rule, recipes)
    shift = largest_shift(suite_shifts(rows).values()) if across.axis is None else None
    return build_comparison(reader, sides, rows, (*normalization.remarks(), *machine_warnings(*sides, shift)))


@dataclass(frozen=True, slots=True, kw_only=True)
class SidesRule:
    """Judges the pairs of two sides by all their sessions; see `rows.Rule`.

    Attributes:
        sessions: the sessions of both sides, by id.
        axis: the compared dimension, whose own difference is not an obstacle; None without one.
        rounds: raw rounds for pairs with too few sessions.
        mains: the metrics judged as `time` and `memory`, by benchmark.
    """

    request: CompareRequest
    sessions: Mapping[str, SessionRow]
    axis: str | None = None
    rounds: Rounds = field(default_factory=dict)
    mains: Mains = field(default_factory=dict)

    def policy(self, pair: Pair) -> Policy:
        """Return a pair's limits: the default, overridden by the share for all metrics, then by thresholds."""
        value, fewer = pair.newest, min(len(pair.baseline), len(pair.candidate))
        policy = default_policy(value.key.metric, value.unit, value.better, sessions=fewer)
        if self.request.share is not None:
            policy = replace(policy, relative=self.request.share)
        return apply_thresholds(policy, self.request.thresholds, value, mains_of(value, self.mains))

    def judge(self, pair: Pair, policy: Policy) -> Judgement:
        """Judge a pair by the values of all its sessions."""
        crossing, obstacle = self.request.allow_cross, None
        baseline, candidate = pair.baseline, pair.candidate
        if baseline and candidate and not crossing:
            before, after = ([self.sessions[value.session_id] for value in side] for side in (baseline, candidate))
            obstacle = find_obstacle(before, after, across=self.axis)
        if crossing or _functions(baseline) != _functions(candidate):
            # The sides of an axis may be two functions, whose code differs.
            baseline, candidate = (
                tuple(replace(value, code_hash=None) for value in side) for side in (baseline, candidate)
            )
        rounds = {value.run_id: self.rounds.get(_rounds_key(value), ()) for value in (*baseline, *candidate)}
        judgement = judge_sides(baseline, candidate, policy, rounds=rounds)
        if judgement.verdict == "incomparable" and not crossing and "code" in (judgement.reason or ""):
            judgement = replace(judgement, reason=f"{judgement.reason}; --allow-cross compares them")
        return refuse_incomparable(judgement, pair, obstacle, allow_cross=crossing)


def _normalization(reader: Reader, sessions: Sequence[SessionRow], request: CompareRequest) -> Normalization:
    if request.normalize_by is None:
        return NONE
    return read_normalization(reader, request.normalize_by, _ids(sessions))


def _read_rounds(reader: Reader, pairs: Iterable[Pair], normalization: Normalization) -> Rounds:
    """Read the rounds of pairs with too few sessions on a side; runs with only summaries are left out."""
    values = {
        _rounds_key(value): value
        for pair in pairs
        if pair.baseline and pair.candidate and min(len(pair.baseline), len(pair.candidate)) < SESSIONS_A_SIDE
        for value in (*pair.baseline, *pair.candidate)
        if (value.n or 0) > 1
    }
    session_ids = sorted({value.session_id for value in values.values()})
    rows: list[dict[str, Any]] = []
    if sum(value.n or 0 for value in values.values()) <= TOGETHER:
        for metric in {metric for _, metric, _ in values}:
            rows += reader.samples(session_ids, metric=metric)
    else:
        for run_id, metric in dict.fromkeys((run_id, metric) for run_id, metric, _ in values):
            rows += reader.samples(session_ids, run_id=run_id, metric=metric)
    # If several passes measured a metric, the timing pass goes last so that it wins, as in reports.
    rows.sort(key=lambda row: row["pass"] == "time")
    rounds = {(row["run_id"], row["metric"], row["phase"]): row["samples"] for row in rows}
    return {key: normalization.of_rounds(values[key], found) for key, found in rounds.items() if key in values}


def _rounds_key(value: SessionValue) -> tuple[str, str, str | None]:
    return value.run_id, value.key.metric, value.key.phase


def _functions(values: Iterable[SessionValue]) -> set[str]:
    return {value.key.fullname.partition("[")[0] for value in values}


def _check_metrics(
    reader: Reader, values: Iterable[SessionValue], sessions: Iterable[SessionRow], request: CompareRequest
) -> None:
    """Refuse a metric that no session has, also of a limit; the message lists those that the sessions do have."""
    seen = {value.key.metric for value in values}
    absent = [word for word, metrics in request.metric_groups().items() if seen.isdisjoint(metrics)]
    if not absent and not any(map(unknown_metric, request.thresholds)):
        return
    measured = reader.metric_names(_ids(sessions))
    reason = next((reason for limit in request.thresholds if (reason := unknown_metric(limit, measured))), None)
    if reason is not None and measured:
        raise ConfigError(reason)
    if absent and measured:
        raise ConfigError(f"--metric {absent[0]}: {absent_text(absent[0], measured)}")


def _is_selected(pair: Pair, request: CompareRequest, mains: Mains) -> bool:
    """Return whether a pair belongs to the request: it was run, and has a requested metric or did not pass."""
    if not pair.was_run:
        return False
    groups = request.metric_groups()
    named = pair.key.metric in request.optional or any(
        pair.key.metric in metrics for word, metrics in groups.items() if word not in MAINS
    )
    if named or any(is_main(pair, word, mains) for word in groups if word in MAINS):
        return True
    return all(value.outcome != "passed" for value in (*pair.baseline, *pair.candidate))


def _without_value(axis: Axis, values: Iterable[SessionValue]) -> tuple[str, ...]:
    has_value: dict[str, bool] = {}
    for value in values:
        name = value.key.fullname
        has_value[name] = has_value.get(name, False) or axis.value_of(value) is not None
    lost = list(has_value.values()).count(False)
    return (f"{counted(lost, 'benchmark')} without {axis.name.rpartition(':')[2]} left out",) if lost else ()


def _ids(sessions: Iterable[SessionRow]) -> list[str]:
    return [session.session_id for session in sessions]


def parse_limits(texts: Sequence[str]) -> tuple[float | None, tuple[Threshold, ...]]:
    """Parse `--threshold`: a share for every metric (``5%``), or limits of single metrics as for the gate.

    Returns:
        The share, or None, and the other limits.

    Raises:
        ConfigError: a limit is not valid.
    """
    share = None
    for text in texts:
        if ":" not in text:
            if any(sign in text for sign in "<>") and parse_threshold(text).budget is not None:
                raise ConfigError(
                    f"--threshold {text!r} is a budget, which no baseline is needed for; check it with: "
                    f"benchdb regress --threshold '{text}'"
                )
            share = parse_threshold(f"wall_time:{text}").relative
            if share is None:
                raise ConfigError(
                    f"--threshold {text!r} is not a percentage; write 5%, or the metric with it: wall_time:{text}"
                )
    return share, parse_thresholds(text for text in texts if ":" in text)


def compared_anything(comparison: Comparison) -> bool:
    """Return whether at least one row has a verdict on a change."""
    return any(row.judgement.verdict in COMPARED for row in comparison.rows)
