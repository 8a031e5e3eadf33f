"""Both commits in turn: which commits, what a suspect becomes, and what cannot be run."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.checkout import Checkout, new_checkout

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.comparison import ComparisonRow
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.model.series import SessionValue
from pytest_benchdb.model.verdict import Interval, Judgement, Policy, Verdict
from pytest_benchdb.operations.gate.history import GateSides
from pytest_benchdb.operations.gate.request import GateRequest
from pytest_benchdb.operations.gate.side_by_side import find_commits, own_places, plan_duet, settle

POLICY = Policy(better="lower", relative=0.05)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    made = new_checkout(tmp_path)
    made.commit("one", "two")
    return made


@pytest.fixture
def sides(session: Callable[..., SessionRow], checkout: Checkout) -> GateSides:
    """A clean candidate of the second commit, with a history of the first."""
    history = tuple(session(f"h{at}", commit_sha=checkout.commits["one"], dirty=False) for at in range(3))
    return GateSides(
        candidate=(session("c", commit_sha=checkout.commits["two"], dirty=False),), baseline=history, history=history
    )


def suspect(value: SessionValue, change: float = 0.12) -> ComparisonRow:
    return ComparisonRow(
        key=value.key,
        unit="s",
        better="lower",
        group=None,
        judgement=Judgement(verdict="regressed", state="suspect", change=change, baseline=1.0, candidate=1 + change),
        policy=POLICY,
        labels={},
    )


def shown(verdict: Verdict, change: float, low: float, high: float, reason: str | None = None) -> Judgement:
    return Judgement(
        verdict=verdict,
        change=change,
        interval=Interval(low=low, high=high, level=0.95),
        candidate_sessions=5,
        reason=reason,
    )


def test_suspect_that_the_sides_repeat_is_regressed_with_what_they_showed(value: Callable[..., SessionValue]) -> None:
    row, is_open = settle(suspect(value()), shown("regressed", 0.1, 0.08, 0.12))

    assert not is_open
    assert (row.judgement.verdict, row.judgement.state, row.judgement.change) == ("regressed", None, 0.12)
    assert row.judgement.reason == "side by side +10.0 % (+8.0 … +12.0 %) in 5 pairs"
    assert [one.change for one in row.confirmations] == [0.1]


@pytest.mark.parametrize(
    ("seen", "high", "is_cleared"),
    [(0.06, 0.04, True), (0.06, 0.06, False), (0.30, 0.14, True), (0.30, 0.16, False)],
    ids=["within-limit", "beyond-limit", "less-than-half-of-what-was-seen", "more-than-half"],
)
def test_suspect_is_cleared_if_its_interval_leaves_no_room(
    value: Callable[..., SessionValue], seen: float, high: float, is_cleared: bool
) -> None:
    row, is_open = settle(suspect(value(), seen), shown("inconclusive", 0.01, -0.02, high))

    assert is_open is not is_cleared
    assert row.judgement.verdict == "inconclusive"
    assert ("does not repeat what the session showed" in (row.judgement.reason or "")) is is_cleared
    assert ("too noisy to tell" in (row.judgement.reason or "")) is not is_cleared


def test_rate_is_cleared_by_the_lower_end_of_its_interval(value: Callable[..., SessionValue]) -> None:
    rate = replace(suspect(value(), -0.12), better="higher", policy=replace(POLICY, better="higher"))

    assert not settle(rate, shown("inconclusive", 0.0, -0.04, 0.2))[1]
    assert settle(rate, shown("inconclusive", 0.0, -0.2, 0.04))[1]


def test_side_that_did_not_pass_tells_nothing(value: Callable[..., SessionValue]) -> None:
    row, is_open = settle(suspect(value()), Judgement(verdict="error", reason="failed: AssertionError"))

    assert is_open
    assert row.judgement.reason == "side by side showed nothing: failed: AssertionError"


def test_commits_of_a_clean_candidate_are_both_checked_out(sides: GateSides, checkout: Checkout) -> None:
    found = find_commits(sides, checkout.root, checkout.environ)

    assert (found.baseline, found.candidate) == (checkout.commits["one"], checkout.commits["two"])


def test_candidate_with_changes_is_the_working_tree(sides: GateSides, checkout: Checkout) -> None:
    dirty = replace(sides, candidate=(replace(sides.newest, dirty=True),))

    assert find_commits(dirty, checkout.root, checkout.environ).candidate is None


def test_baseline_is_the_newest_commit_that_was_clean(
    sides: GateSides, session: Callable[..., SessionRow], checkout: Checkout
) -> None:
    dirty = session("d", commit_sha=checkout.commits["two"], dirty=True)
    found = find_commits(replace(sides, history=(*sides.history, dirty)), checkout.root, checkout.environ)

    assert found.baseline == checkout.commits["one"]


@pytest.mark.parametrize(
    ("candidate", "history", "message"),
    [
        ({}, {"dirty": True}, "were measured with uncommitted changes"),
        ({}, {"commit_sha": None}, "have no commit"),
        ({}, {"commit_sha": "f" * 40}, "is not a commit of"),
        ({"commit_sha": None}, {}, "recorded outside of a git checkout"),
        ({"dirty": True, "commit_sha": "f" * 40}, {}, "had uncommitted changes on ffffffffff, and"),
    ],
    ids=["dirty-baseline", "no-commit", "unknown-commit", "candidate-without-commit", "other-commit-checked-out"],
)
def test_side_whose_code_is_not_there_is_refused(
    sides: GateSides, checkout: Checkout, candidate: dict[str, object], history: dict[str, object], message: str
) -> None:
    changed = replace(
        sides,
        candidate=(replace(sides.newest, **candidate),),  # type: ignore[arg-type]
        history=tuple(replace(one, **history) for one in sides.history),  # type: ignore[arg-type]
    )

    with pytest.raises(ConfigError, match=message):
        find_commits(changed, checkout.root, checkout.environ)


def test_commit_that_no_branch_has_is_not_run(sides: GateSides, checkout: Checkout) -> None:
    # As that of a pull request which was only fetched: the hash is from a database, which may come from anybody.
    checkout.git("checkout", "-q", "--detach")
    checkout.commit("strange")
    checkout.git("checkout", "-q", "main")
    history = tuple(replace(one, commit_sha=checkout.commits["strange"]) for one in sides.history)

    with pytest.raises(ConfigError, match="is on no branch or tag"):
        find_commits(replace(sides, history=history), checkout.root, checkout.environ)


def test_commit_that_a_shallow_clone_lacks_says_how_to_get_it(
    sides: GateSides, checkout: Checkout, tmp_path: Path
) -> None:
    shallow = checkout.clone(tmp_path / "shallow", "--depth", "1")

    with pytest.raises(ConfigError, match="this clone is shallow; git fetch --unshallow"):
        find_commits(sides, shallow.root, shallow.environ)


def test_merge_commit_is_run_like_any_other(sides: GateSides, checkout: Checkout) -> None:
    checkout.git("checkout", "-q", "-b", "side", "HEAD~1")
    checkout.commit("on the side")
    checkout.git("merge", "-q", "--no-ff", "-m", "merged", "main")
    merged = checkout.git("rev-parse", "HEAD")
    changed = replace(sides, candidate=(replace(sides.newest, commit_sha=merged),))

    assert find_commits(changed, checkout.root, checkout.environ).candidate == merged


def test_folder_without_a_checkout_is_refused(sides: GateSides, tmp_path: Path) -> None:
    environ = {"GIT_CEILING_DIRECTORIES": str(tmp_path.parent)}

    with pytest.raises(ConfigError, match="is not in a git checkout"):
        find_commits(sides, tmp_path, environ)


def test_plan_takes_the_users_command_without_what_names_its_session(sides: GateSides, checkout: Checkout) -> None:
    inside = checkout.root / "tests"
    words = ("pytest", "--benchdb=db", "--benchdb-fail-on", "time:5%", str(inside), "-k", "sort")
    request = GateRequest(words=words, folder=checkout.root, environ=checkout.environ)

    duet = plan_duet(sides, request)

    assert duet.arguments == ("tests", "-k", "sort")
    assert duet.only_own


@pytest.mark.parametrize(
    ("file", "places"),
    [("src/shop/__init__.py", ("src",)), ("src/shop.py", ("src",)), ("shop/__init__.py", (".",)), ("a.txt", ())],
    ids=["package-in-src", "module-in-src", "package", "none"],
)
def test_own_places_are_where_the_packages_are(tmp_path: Path, file: str, places: tuple[str, ...]) -> None:
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).touch()

    assert own_places(tmp_path) == places
