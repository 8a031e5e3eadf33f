"""What runs say about a combination: its state, how it changed, and which place to recommend.

The view `hardware_compatibility` of ``schema.sql`` has the same rule for states; a test compares the two.
"""

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from pytest_benchdb.model.compatibility.states import STATES, Change, State
from pytest_benchdb.model.metric import Better
from pytest_benchdb.model.run import PASSED, Outcome
from pytest_benchdb.model.wording import counted, listed

_FAILED: Mapping[Outcome, State] = {
    "failed": "fail",
    "error": "fail",
    "crashed": "fail",
    "xfailed": "fail",
    "oom": "oom",
    "timeout": "timeout",
}
_RANKS: Mapping[State, int] = {"pass": 2, "degraded": 1, "fail": 0, "oom": 0, "timeout": 0, "unsupported": 0}
"""How good the states are that say something; the others say that nothing is known."""

ALIKE = 0.05
"""Difference of two places, as a share, below which a recommendation says that they are about the same."""


def state_of(outcomes: Iterable[Outcome]) -> State:
    """Return the state of a cell by the outcomes of its runs.

    >>> state_of(["passed", "skipped"]), state_of(["passed", "oom"]), state_of(["oom", "unsupported"]), state_of([])
    ('pass', 'degraded', 'oom', 'untested')
    """
    there = set(outcomes)
    failures = {_FAILED[outcome] for outcome in there if outcome in _FAILED}
    if there & PASSED:
        return "degraded" if failures or "unsupported" in there else "pass"
    if failures:
        return failures.pop() if len(failures) == 1 else "fail"
    if not there:
        return "untested"
    return "unsupported" if "unsupported" in there else "skipped"


def why_text(outcomes: Sequence[Outcome]) -> str:
    """Return a state in numbers.

    >>> why_text(["passed", "oom", "passed"]), why_text(["oom", "skipped"]), why_text([])
    ('2 of 3 passed, 1 oom', '1 oom, 1 skipped', 'no run')
    """
    if not outcomes:
        return "no run"
    counts = Counter(outcome for outcome in outcomes if outcome not in PASSED)
    passed = sum(outcome in PASSED for outcome in outcomes)
    parts = [f"{passed} of {len(outcomes)} passed"] if passed else []
    return ", ".join([*parts, *(f"{number} {outcome}" for outcome, number in sorted(counts.items()))])


def severity(outcome: Outcome) -> int:
    """Return a number that orders runs: those first that say most about why a cell is not a pass."""
    state = state_of([outcome])
    return STATES.index(state) if state != "pass" else len(STATES)


def change_of(before: State, after: State) -> Change | None:
    """Return what happened to a cell; None if its state is the same.

    >>> change_of("oom", "degraded"), change_of("pass", "fail"), change_of("untested", "fail"), change_of("fail", "oom")
    ('fixed', 'broken', 'newly tested', 'changed')
    """
    if before == after:
        return None
    old, new = _RANKS.get(before), _RANKS.get(after)
    if old is None or new is None:
        if old is None and new is None:
            return "changed"
        return "newly tested" if old is None else "no longer tested"
    if old == new:
        return "changed"
    return "fixed" if new > old else "broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A place that may be recommended.

    Attributes:
        values: the value of each benchmark and configuration that was measured there, with its metric and unit in the
            key.
    """

    name: str
    state: State
    passed: int
    values: Mapping[Hashable, float]


def recommend(candidates: Sequence[Candidate], better: Better, what: str) -> tuple[str | None, str]:
    """Return the name of the place to use, and why; None if the runs do not tell.

    Only places of the best state are considered. Each pair of them is compared by the geometric mean over the
    benchmarks that were measured on both, and the one is recommended that no other beats.

    Args:
        candidates: where something was measured.
        better: direction of the metric.
        what: words for the metric: ``wall_time``.
    """
    ranked = [candidate for candidate in candidates if _RANKS.get(candidate.state, 0) > 0]
    if not ranked:
        return None, "nothing was measured where it passed"
    best = max(_RANKS[candidate.state] for candidate in ranked)
    able = [candidate for candidate in ranked if _RANKS[candidate.state] == best]
    words = "all passed" if best == _RANKS["pass"] else "some passed, none has passed everywhere"
    if len(able) == 1:
        return able[0].name, f"the only one where {words.partition(',')[0]}"
    if better == "none":
        return None, f"{what} has no better direction; {_all_of(able)} passed alike"
    return _fastest(able, better, what)


def _fastest(able: Sequence[Candidate], better: Better, what: str) -> tuple[str | None, str]:
    gains = {
        (one.name, other.name): compared
        for one in able
        for other in able
        if one is not other and (compared := _gain(one, other, better)) is not None
    }
    if not gains:
        return None, f"no benchmark has a valid {what} in one configuration on two of {_all_of(able)}"
    beaten = {one for (one, _), (gain, _) in gains.items() if gain < 1}
    unbeaten = [one for one in able if one.name not in beaten and any(name == one.name for name, _ in gains)]
    if not unbeaten:
        return None, "each is beaten by another, on other benchmarks"
    # Of several that share no benchmark, the one that beats most.
    first = max(unbeaten, key=lambda one: (sum(name == one.name for name, _ in gains), one.passed))
    against = {other: compared for (name, other), compared in gains.items() if name == first.name}
    nearest = min(against, key=lambda other: against[other][0])
    gain, shared = against[nearest]
    over = f"{counted(shared, 'benchmark')} on both"
    if gain < 1 + ALIKE:
        reason = f"{what} about as good as on {nearest}: {_times(gain)} as good, {over}"
    else:
        reason = f"{what} {_times(gain)} as good as on {nearest}, the next best, {over}"
    alone = [one for one in able if one is not first and one.name not in against]
    return first.name, reason + (f"; {_all_of(alone)} cannot be compared: no benchmark on both" if alone else "")


def _gain(one: Candidate, other: Candidate, better: Better) -> tuple[float, int] | None:
    """Return by what factor one place is better than another, and over how many benchmarks; None if none is shared."""
    shared = [
        (one.values[key], other.values[key])
        for key in one.values.keys() & other.values.keys()
        if one.values[key] > 0 and other.values[key] > 0
    ]
    if not shared:
        return None
    mean = math.exp(math.fsum(math.log(theirs / own) for own, theirs in shared) / len(shared))
    return (mean if better == "lower" else 1 / mean), len(shared)


def _times(gain: float) -> str:
    return f"{gain:.2f} times" if gain < 10 else f"{gain:.0f} times"  # noqa: PLR2004


def _all_of(places: Iterable[Candidate]) -> str:
    return listed(place.name for place in places).replace(" or ", " and ")
