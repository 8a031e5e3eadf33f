"""The rule of the compatibility matrix: outcomes to states, states to changes, figures to recommendations."""

import itertools
from collections.abc import Hashable

import pytest

from pytest_benchdb.analysis.compatibility import Candidate, change_of, recommend, state_of
from pytest_benchdb.model.compatibility.states import MEANINGS, STATES, State
from pytest_benchdb.model.run import Outcome
from pytest_benchdb.present.matrix.words import ASCII_SYMBOLS, SYMBOLS

OUTCOMES: tuple[Outcome, ...] = (
    "passed",
    "xpassed",
    "failed",
    "error",
    "crashed",
    "xfailed",
    "oom",
    "timeout",
    "unsupported",
    "skipped",
)


def expected(outcomes: tuple[Outcome, ...]) -> str:
    """Say the rule once more, in other words."""
    if not outcomes:
        return "untested"
    ran = [outcome for outcome in outcomes if outcome != "skipped"]
    good = [outcome for outcome in ran if outcome in {"passed", "xpassed"}]
    broken = [outcome for outcome in ran if outcome not in {"passed", "xpassed", "unsupported"}]
    if not ran:
        return "skipped"
    if good:
        return "pass" if len(good) == len(ran) else "degraded"
    if not broken:
        return "unsupported"
    return broken[0] if set(broken) in ({"oom"}, {"timeout"}) else "fail"


def test_every_combination_of_outcomes_has_its_state() -> None:
    for size in range(4):
        for outcomes in itertools.product(OUTCOMES, repeat=size):
            assert state_of(outcomes) == expected(outcomes), outcomes


def test_untested_is_never_another_state_and_no_other_state_is_untested() -> None:
    assert state_of([]) == "untested"
    assert "untested" not in {state_of(some) for size in (1, 2) for some in itertools.product(OUTCOMES, repeat=size)}


def test_every_state_has_a_meaning_and_signs_of_its_own() -> None:
    assert tuple(MEANINGS) == tuple(SYMBOLS) == tuple(ASCII_SYMBOLS) == STATES
    assert len(set(SYMBOLS.values())) == len(set(ASCII_SYMBOLS.values())) == len(STATES)
    assert all(sign.isascii() for sign in ASCII_SYMBOLS.values())


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        ("pass", "pass", None),
        ("degraded", "pass", "fixed"),
        ("unsupported", "pass", "fixed"),
        ("pass", "degraded", "broken"),
        ("degraded", "oom", "broken"),
        ("timeout", "oom", "changed"),
        ("untested", "fail", "newly tested"),
        ("skipped", "pass", "newly tested"),
        ("pass", "untested", "no longer tested"),
        ("fail", "skipped", "no longer tested"),
        ("skipped", "untested", "changed"),
    ],
)
def test_changes(before: State, after: State, change: str | None) -> None:
    assert change_of(before, after) == change


def place(name: str, state: State = "pass", **figures: float) -> Candidate:
    values: dict[Hashable, float] = dict(figures.items())
    return Candidate(name=name, state=state, passed=len(values), values=values)


def test_the_faster_place_is_recommended_over_shared_benchmarks_only() -> None:
    choice, reason = recommend([place("cpu", a=1.0, b=4.0, c=0.001), place("cuda", a=0.5, b=1.0)], "lower", "time")

    assert (choice, reason) == ("cuda", "time 2.83 times as good as on cpu, the next best, 2 benchmarks on both")


def test_direction_is_respected() -> None:
    candidates = [place("cpu", a=10.0), place("cuda", a=100.0)]

    assert recommend(candidates, "higher", "throughput")[0] == "cuda"
    assert recommend(candidates, "lower", "time")[0] == "cpu"
    assert recommend(candidates, "none", "clock")[0] is None


def test_what_works_everywhere_goes_before_what_is_fast() -> None:
    choice, reason = recommend([place("cpu", a=1.0), place("cuda", "degraded", a=0.01)], "lower", "time")

    assert (choice, reason) == ("cpu", "the only one where all passed")


@pytest.mark.parametrize(
    ("candidates", "choice", "words"),
    [
        ([], None, "nothing was measured"),
        ([place("cpu", "fail"), place("cuda", "oom")], None, "nothing was measured"),
        (
            [place("cpu", a=1.0), place("cuda", b=1.0)],
            None,
            "no benchmark has a valid time in one configuration on two of cpu and cuda",
        ),
        ([place("cpu", a=1.0), place("cuda", a=0.99)], "cuda", "about as good"),
        ([place("cpu", a=1.0), place("cuda", a=0.1), place("mps", b=1.0)], "cuda", "mps cannot be compared"),
        ([place("a", x=1.0, z=9.0), place("b", x=2.0, y=1.0), place("c", y=2.0, z=1.0)], None, "each is beaten"),
        ([place("cpu", "degraded", a=1.0), place("cuda", "fail")], "cpu", "the only one where some passed"),
        ([place("cpu", a=0.0), place("cuda", a=0.0)], None, "no benchmark has a valid time"),
    ],
)
def test_recommendations_say_why(candidates: list[Candidate], choice: str | None, words: str) -> None:
    found, reason = recommend(candidates, "lower", "time")

    assert found == choice
    assert words in reason
