"""Judge the series of a gate, by their history or as two sides."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pytest_benchdb.analysis.rules.budget import by_budget
from pytest_benchdb.analysis.rules.history import is_machine_ruled_out, judge_history
from pytest_benchdb.analysis.rules.policy import ENOUGH_SESSIONS, kind_of
from pytest_benchdb.analysis.rules.session_figures import read_figures, usable_part
from pytest_benchdb.analysis.rules.sides import judge_sides
from pytest_benchdb.analysis.rules.two_clocks import is_cpu_bound
from pytest_benchdb.model.metric import MAIN_TIMES, MAINS, TIME
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.model.series import SessionValue
from pytest_benchdb.model.verdict import Judgement, Policy
from pytest_benchdb.operations.compare.pairs import Pair, pair_sides
from pytest_benchdb.operations.compare.rows import (
    Mains,
    find_mains,
    is_main,
    mains_of,
    refuse_incomparable,
)
from pytest_benchdb.operations.gate.policy import Rules, policy_of
from pytest_benchdb.operations.select.filters.threshold import Threshold

_DISTURBED_KINDS = frozenset({"time", "rate", "energy", "power"})
_ONLY_IF_NAMED = frozenset({*MAIN_TIMES, "user_time", "system_time", "command_peak", "peak_rss", "rss_growth"})
"""Metrics that are judged only if a threshold names them, or as the benchmark's `time` or `memory`."""
_CPU_CLOCKS = frozenset({"cpu_time", "thread_time"})
"""Metrics that other work on the machine does not inflate."""
_CONFIRMS_FOR_SMALL = 2
"""Fewest re-runs for the smaller default limit: with fewer it raises too many false alarms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRule:
    """Judges the pairs of a gate; see `compare.rows.Rule`.

    Attributes:
        rules: the users' rules.
        sessions: the candidate's and its history's, by id.
        both_sides: whether to judge two sides with several sessions each, instead of a history.
        confirms: number of re-runs to follow.
        allow_cross: whether other devices may be compared.
        mains: the metrics judged as `time` and `memory`, by benchmark.
    """

    rules: Rules
    sessions: Mapping[str, SessionRow]
    both_sides: bool = False
    confirms: int = 0
    allow_cross: bool = False
    mains: Mains = field(default_factory=dict)

    def policy(self, pair: Pair) -> Policy:
        """Return a pair's limits, and whether it can fail the gate.

        Raises:
            ConfigError: a threshold's unit is not its metric's.
        """
        sessions = len(pair.baseline)
        if self.confirms < _CONFIRMS_FOR_SMALL:
            sessions = min(sessions, ENOUGH_SESSIONS - 1)
        value = pair.newest
        return policy_of(value, self.rules, sessions=sessions, mains=mains_of(value, self.mains))

    def judge(self, pair: Pair, policy: Policy) -> Judgement:
        """Judge a pair; without a candidate it is ``missing``."""
        if self.both_sides:
            judgement = judge_sides(pair.baseline, pair.candidate, policy)
        else:
            value = pair.candidate[-1] if pair.candidate else None
            judgement = judge_history(pair.baseline, value, policy)
            if judgement.state == "suspect" and judgement.reason is None and not self.confirms:
                judgement = replace(judgement, reason="not confirmed by a re-run")
            if value is not None:
                session = self.sessions[value.session_id]
                judgement = _unless_disturbed(judgement, policy, (*pair.baseline, value), session)
        judgement = refuse_incomparable(judgement, pair, None, allow_cross=self.allow_cross)
        if not policy.gated and judgement.verdict in {"regressed", "error", "missing"}:
            judgement = replace(judgement, state="not gated")
        return by_budget(judgement, pair.candidate[-1] if pair.candidate else None, policy)


def gate_pairs(
    history: Sequence[SessionValue], candidate: Sequence[SessionValue], rules: Rules, missing: Collection[str] = ()
) -> tuple[list[Pair], Mains]:
    """Return the pairs that a gate judges, and the metrics judged as `time` and `memory` by benchmark.

    Other times, and the memory of the process, are judged only if a threshold names them; series that only the history
    has, only if they are missing.

    Args:
        history: values of earlier sessions.
        candidate: values of the session, or the sessions, to judge.
        rules: the users' rules.
        missing: full names of benchmarks that should have run and did not.
    """
    mains, named = find_mains(history, candidate), named_metrics(rules)
    words = {
        word for limit in limits_of(rules) if limit.first_only for word in MAINS if limit.metrics[0] in MAINS[word]
    }
    pairs = [
        pair
        for pair in pair_sides(history, candidate)
        if pair.was_run
        and (pair.candidate or pair.key.fullname in missing)
        and (
            pair.key.metric not in _ONLY_IF_NAMED
            or pair.key.metric in named
            or any(is_main(pair, word, mains) for word in {TIME, *words})
        )
    ]
    return pairs, mains


def named_metrics(rules: Rules) -> frozenset[str]:
    """Return the metrics that thresholds name explicitly rather than as ``time`` or ``memory``."""
    return frozenset(name for limit in limits_of(rules) if not limit.first_only for name in limit.metrics)


def limits_of(rules: Rules) -> list[Threshold]:
    """Return all limits, those of the project included."""
    return [*rules.thresholds, *(limit for override in rules.overrides for limit in override.thresholds)]


def judge_rerun(history: Sequence[SessionValue], value: SessionValue, policy: Policy, session: SessionRow) -> Judgement:
    """Judge a re-run's value by the history that made it suspect."""
    # Three sessions per side are enough to suspect a regression, so they are enough to confirm it.
    least = min(policy.least_sessions, max(len(history), 2))
    judgement = judge_history(history, value, replace(policy, least_sessions=least))
    return _unless_disturbed(judgement, policy, (*history, value), session)


def _unless_disturbed(
    judgement: Judgement, policy: Policy, values: Sequence[SessionValue], session: SessionRow
) -> Judgement:
    """Doubt a regression in a disturbed session, unless the code's CPU time or the amount rules out the machine.

    CPU-bound code was already judged by both clocks; other code may have waited or been disturbed.
    """
    *history, value = values
    kind = kind_of(value.key.metric, value.unit)
    if judgement.verdict != "regressed" or not session.contended or kind not in _DISTURBED_KINDS:
        return judgement
    if value.key.metric in _CPU_CLOCKS:
        return judgement
    if value.cpu_s is not None and is_cpu_bound(read_figures(usable_part(values), policy.statistic)):
        return judgement
    if is_machine_ruled_out(judgement, history, value, policy):
        return judgement
    return replace(
        judgement, verdict="inconclusive", state="unstable", reason="other work disturbed the machine in this session"
    )
