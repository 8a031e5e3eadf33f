"""The baseline that nobody has to name, against real git repositories."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.checkout import Checkout, new_checkout

from pytest_benchdb.environment.git.ancestry import open_ancestry
from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.operations.select.spec.automatic import find_auto_baseline
from pytest_benchdb.operations.select.spec.context import SpecContext
from pytest_benchdb.operations.select.spec.resolve import resolve_spec
from pytest_benchdb.operations.select.spec.syntax import parse_spec

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

Make = Callable[..., SessionRow]


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """main: a b c d; the branch `feature` (x y) left at b."""
    made = new_checkout(tmp_path)
    made.commit("a", "b")
    made.git("checkout", "-q", "-b", "feature")
    made.commit("x", "y")
    made.git("checkout", "-q", "main")
    made.commit("c", "d")
    return made


class History:
    """Sessions one after the other, named by their commits."""

    def __init__(self, checkout: Checkout, make: Make) -> None:
        self._checkout = checkout
        self._make = make
        self.sessions: list[SessionRow] = []

    def add(self, commit: str, branch: str | None = "main", **values: Any) -> SessionRow:
        """Record a session of a commit, which was made on the day of its place in the alphabet."""
        number = len(self.sessions)
        known = {
            "branch": branch,
            "commit_sha": self._checkout.commits.get(commit),
            "commit_at": f"2026-10-{ord(commit) - 96:02d}T00:00:00.000000",
            "fingerprint": "here",
            "dirty": False,
            "label": commit,
        }
        moment = f"2026-11-21T{number:02d}:00:00.000000"
        made = self._make(f"019a{number:04d}", moment, **{**known, **values})
        self.sessions.append(made)
        return made


@pytest.fixture
def history(checkout: Checkout, session: Make) -> History:
    return History(checkout, session)


def context(checkout: Checkout | None, candidate: SessionRow, **values: Any) -> SpecContext:
    git = None if checkout is None else open_ancestry(checkout.root, checkout.environ)
    return SpecContext(candidates=(candidate,), git=lambda: git, **values)


def labels(found: Sequence[SessionRow]) -> list[str | None]:
    return [one.label for one in found]


def test_auto_on_the_default_branch_is_the_previous_commit_with_results(checkout: Checkout, history: History) -> None:
    history.add("a")
    # Not the newest by time: a was measured once more at last.
    for commit, branch in [("b", "main"), ("b", "main"), ("x", "feature"), ("a", "main")]:
        history.add(commit, branch)
    candidate = history.add("d")

    assert labels(find_auto_baseline(history.sessions, context(checkout, candidate))) == ["b", "b"]


def test_auto_on_the_default_branch_without_git_orders_by_commit_time(history: History) -> None:
    for commit in "acb":
        history.add(commit)
    candidate = history.add("d")
    warnings: list[str] = []

    assert labels(find_auto_baseline(history.sessions, context(None, candidate, warn=warnings.append))) == ["c"]
    assert len(warnings) == 1
    assert warnings[0].startswith(
        "there is no git checkout here, so sessions are ordered by time to find the commit before"
    )


def test_auto_of_uncommitted_changes_is_their_own_commit(checkout: Checkout, history: History) -> None:
    for commit in "cd":
        history.add(commit)
    candidate = history.add("d", dirty=True)

    assert labels(find_auto_baseline(history.sessions, context(checkout, candidate))) == ["d"]


@pytest.mark.parametrize("by", ["session", "environment"])
def test_auto_of_a_pull_request_is_the_merge_base(checkout: Checkout, history: History, by: str) -> None:
    for commit in "abcd":
        history.add(commit)
    history.add("x", "feature")
    candidate = history.add("y", "feature", pull_request="7" if by == "session" else None)

    found = find_auto_baseline(history.sessions, context(checkout, candidate, pull_request=by == "environment"))

    assert labels(found) == ["b"]


def test_auto_of_a_pull_request_without_results_of_the_merge_base_goes_further_back(
    checkout: Checkout, history: History
) -> None:
    for commit in "acd":
        history.add(commit)
    candidate = history.add("y", "feature", pull_request="7")
    warnings: list[str] = []

    assert labels(find_auto_baseline(history.sessions, context(checkout, candidate, warn=warnings.append))) == ["a"]
    base, taken = (checkout.commits[name][:12] for name in "ba")
    assert warnings == [f"the merge base {base} has no results on this machine; using {taken}, 1 commit(s) before it"]


def test_auto_of_a_pull_request_knows_the_merge_base_that_was_recorded(checkout: Checkout, history: History) -> None:
    for commit in "abcd":
        history.add(commit)
    candidate = history.add("y", "feature", pull_request="7", merge_base=checkout.commits["b"])
    warnings: list[str] = []

    assert labels(find_auto_baseline(history.sessions, context(None, candidate, warn=warnings.append))) == ["b"]
    assert warnings == []


def test_auto_of_a_pull_request_uses_its_target_branch(checkout: Checkout, history: History) -> None:
    checkout.git("checkout", "-q", "-b", "topic", "feature")
    checkout.commit("z")
    history.add("b")
    history.add("y", "feature")
    candidate = history.add("z", "topic", pull_request="7")

    found = find_auto_baseline(history.sessions, context(checkout, candidate, target_branch="feature"))

    assert labels(found) == ["y"]


def test_auto_in_a_shallow_clone_warns_and_orders_by_time(checkout: Checkout, history: History, tmp_path: Path) -> None:
    clone = checkout.clone(tmp_path / "clone", "--depth", "1", "--branch", "feature")
    for commit in "abc":
        history.add(commit)
    history.add("x", "feature")
    candidate = history.add("y", "feature", pull_request="7", commit_at="2026-10-02T12:00:00.000000")
    warnings: list[str] = []

    found = find_auto_baseline(history.sessions, context(clone, candidate, warn=warnings.append))

    assert labels(found) == ["b"]
    assert len(warnings) == 1
    assert (
        "this clone is shallow, so sessions are ordered by time to find the merge base of the candidate" in warnings[0]
    )
    assert "fetch-depth: 0" in warnings[0]


def test_auto_elsewhere_is_the_last_session_on_the_machine(checkout: Checkout, history: History) -> None:
    history.add("b")
    history.add("x", "feature")
    history.add("x", "feature", complete=False)
    history.add("x", "feature", fingerprint="there")
    candidate = history.add("y", "feature")
    history.add("d")

    assert labels(find_auto_baseline(history.sessions, context(checkout, candidate))) == ["x"]
    assert find_auto_baseline(history.sessions, context(checkout, candidate))[0].session_id == "019a0001"


def test_auto_never_takes_other_machines_or_the_candidate(checkout: Checkout, history: History) -> None:
    history.add("b", fingerprint="there")
    candidate = history.add("d")

    assert find_auto_baseline(history.sessions, context(checkout, candidate)) == []
    assert labels(find_auto_baseline(history.sessions, context(checkout, candidate, allow_cross=True))) == ["b"]


def test_merge_base_of_main_itself_is_the_commit_before(checkout: Checkout, history: History) -> None:
    for commit in "abc":
        history.add(commit)
    candidate = history.add("d")

    assert labels(resolve_spec(parse_spec("merge-base"), history.sessions, context(checkout, candidate))) == ["c"]


def test_merge_base_of_a_named_branch(checkout: Checkout, history: History) -> None:
    for commit in "abc":
        history.add(commit)
    history.add("x", "feature")
    candidate = history.add("y", "feature")

    for text, found in {"merge-base": "b", "merge-base:main": "b", "merge-base:feature": "x"}.items():
        assert labels(resolve_spec(parse_spec(text), history.sessions, context(checkout, candidate))) == [found]


def test_merge_base_without_a_candidate_is_refused(checkout: Checkout, history: History) -> None:
    history.add("a")

    with pytest.raises(ConfigError, match="there is no candidate"):
        resolve_spec(parse_spec("merge-base"), history.sessions, SpecContext())


def test_branch_whose_name_no_session_has_is_looked_up_in_git(checkout: Checkout, history: History) -> None:
    history.add("b", None)
    history.add("x", None)
    candidate = history.add("d", None)
    candidate_context = context(checkout, candidate)

    assert labels(resolve_spec(parse_spec("branch:feature"), history.sessions, candidate_context)) == ["x"]
    assert labels(resolve_spec(parse_spec("branch:main"), history.sessions, candidate_context)) == ["b"]


def test_commit_and_tag_are_looked_up_in_git(checkout: Checkout, history: History) -> None:
    checkout.git("tag", "v1.0", checkout.commits["a"])
    checkout.git("tag", "-a", "v1.1", "-m", "annotated", checkout.commits["c"])
    checkout.git("tag", "v1.2", checkout.commits["d"])
    for commit in "aac":
        history.add(commit)
    candidate_context = context(checkout, replace(history.sessions[0], session_id="019b"))

    for text, found in {
        "tag:v1.*": ["c"],
        "tag:v1.0": ["a", "a"],
        "v1.0": ["a", "a"],
        "commit:main~1": ["c"],
        "commit:v1.0": ["a", "a"],
    }.items():
        assert labels(resolve_spec(parse_spec(text), history.sessions, candidate_context)) == found, text
    with pytest.raises(ConfigError, match=r"the commits of v1\.2 have no results"):
        resolve_spec(parse_spec("tag:v1.2"), history.sessions, candidate_context)
