"""What git takes for a commit is a SPEC, wherever a SPEC is taken; against real repositories."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.checkout import Checkout, new_checkout

from pytest_benchdb.environment.git.ancestry import MOST_CHARACTERS, open_ancestry
from pytest_benchdb.errors import ConfigError, NoBaselineError
from pytest_benchdb.model.annotation import Baseline
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.operations.select.selection import find_sessions
from pytest_benchdb.operations.select.spec.context import SpecContext
from pytest_benchdb.operations.select.spec.resolve import resolve_spec
from pytest_benchdb.operations.select.spec.syntax import parse_spec, sides_of

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

Make = Callable[..., SessionRow]


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """Make main: a b c d, tagged v1 at b; the branch `feature` (x y) left at b, and the branch `new` at d."""
    made = new_checkout(tmp_path)
    made.commit("a", "b")
    made.git("tag", "-a", "v1", "-m", "first")
    made.git("checkout", "-q", "-b", "feature")
    made.commit("x", "y")
    made.git("checkout", "-q", "main")
    made.commit("c", "d")
    made.git("branch", "new")
    return made


@pytest.fixture
def sessions(checkout: Checkout, session: Make) -> list[SessionRow]:
    """Return a session of a, b, b, x, y and c, with changes to c, of nothing, labelled by their letters; none of d."""

    def made(number: int, letter: str, **values: Any) -> SessionRow:
        known = {"fingerprint": "here", "commit_sha": checkout.commits.get(letter), "branch": None, "dirty": False}
        moment = f"2026-11-21T{number:02d}:00:00.000000"
        return session(f"019a{number:04d}", moment, **{**known, "label": letter, **values})

    letters = ["a", "b", "b", "x", "y", "c"]
    rows = [made(number, letter) for number, letter in enumerate(letters)]
    return [*rows, made(6, "c", dirty=True, label="changed"), made(7, "-", label="alone")]


def context(checkout: Checkout | None, **values: Any) -> SpecContext:
    git = None if checkout is None else open_ancestry(checkout.root, checkout.environ)
    return SpecContext(git=lambda: git, **values)


def labels(found: Sequence[SessionRow]) -> str:
    return " ".join(str(row.label) for row in found)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("HEAD~1", "c"),
        ("HEAD^", "c"),
        ("HEAD~2", "b b"),
        ("v1", "b b"),
        ("v1^0", "b b"),
        ("feature", "y"),
        ("feature~1", "x"),
        ("new", "c"),
        ("@~3", "a"),
        ("main^{/^b}", "b b"),
    ],
)
def test_git_ref_means_the_sessions_of_its_commit(
    checkout: Checkout, sessions: list[SessionRow], text: str, found: str
) -> None:
    assert labels(resolve_spec(parse_spec(text), sessions, context(checkout))) == found


def test_short_hash_is_found_among_the_sessions(checkout: Checkout, sessions: list[SessionRow]) -> None:
    text = checkout.commits["x"][:7]

    assert labels(resolve_spec(parse_spec(text), sessions, context(checkout))) == "x"


def test_commit_without_results_is_refused_with_the_nearest(checkout: Checkout, sessions: list[SessionRow]) -> None:
    with pytest.raises(NoBaselineError) as raised:
        resolve_spec(parse_spec("HEAD"), sessions, context(checkout))

    assert f"HEAD is the commit {checkout.commits['d'][:12]}, which has no session" in str(raised.value)
    assert f"with a session is {checkout.commits['c'][:12]}" in str(raised.value)


def test_recorded_name_goes_before_git(checkout: Checkout, sessions: list[SessionRow], session: Make) -> None:
    here = {"fingerprint": "here", "commit_sha": checkout.commits["a"], "dirty": False}
    recorded = [*sessions, session("019a0008", "2026-11-21T09:00:00.000000", label="v1", branch="main", **here)]

    assert labels(resolve_spec(parse_spec("v1"), recorded, context(checkout))) == "v1"
    # The branch of sessions, not of the checkout.
    assert labels(resolve_spec(parse_spec("main"), recorded, context(checkout))) == "v1"


def test_label_and_branch_of_one_name_are_said(sessions: list[SessionRow], session: Make) -> None:
    said: list[str] = []
    rows = [*sessions, session("019a0008", "2026-11-21T09:00:00.000000", label="main", branch="main")]

    resolve_spec(parse_spec("main"), rows, context(None, warn=said.append))

    assert said == ["'main' is a label and a branch, so the label is used; otherwise write branch:main"]


@pytest.mark.parametrize(
    "text", ["--output=stolen", "-h", "--git-dir=x", "a\0b", "HEAD\n", "x" * (MOST_CHARACTERS + 1)]
)
def test_word_that_git_could_misread_is_no_commit(checkout: Checkout, sessions: list[SessionRow], text: str) -> None:
    before = sorted(checkout.root.iterdir())

    with pytest.raises(ConfigError):
        resolve_spec(parse_spec(text), sessions, context(checkout))

    git = open_ancestry(checkout.root, checkout.environ)
    assert git is not None
    assert (git.commit_of(text), git.ancestors(text), git.merge_base(text, text)) == (None, [], None)
    assert sorted(checkout.root.iterdir()) == before


def test_ref_outside_a_checkout_says_why(sessions: list[SessionRow]) -> None:
    with pytest.raises(NoBaselineError, match="no git checkout here to look it up in"):
        resolve_spec(parse_spec("HEAD~3"), sessions, context(None))


@pytest.mark.parametrize(
    ("text", "sides"),
    [
        ("main..feature", ["main", "feature"]),
        ("v1.0..v1.1", ["v1.0", "v1.1"]),
        ("main..", ["main", "latest"]),
        ("main...feature", ["merge-base:main", "feature"]),
        ("latest~5..latest", ["latest~5", "latest"]),
        ("../results", ["../results"]),
        ("a/../b", ["a/../b"]),
        ("..", [".."]),
        ("label:a..b", ["label:a..b"]),
        ("v1.0", ["v1.0"]),
    ],
)
def test_range_names_two_sides(text: str, sides: list[str]) -> None:
    assert sides_of([text]) == sides
    assert sides_of([text, "latest"]) == [text, "latest"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("v1..HEAD", "c changed"),
        ("main..feature", "x y"),
        ("v1..", "c changed"),
        ("feature...main", "c changed"),
        ("latest~3..latest", "c changed alone"),
        ("b..y", "x y"),
    ],
)
def test_range_selects_the_sessions_between(
    checkout: Checkout, sessions: list[SessionRow], text: str, found: str
) -> None:
    assert labels(find_sessions([text], sessions, context(checkout))) == found


def test_label_with_dots_is_a_label(checkout: Checkout, sessions: list[SessionRow], session: Make) -> None:
    rows = [*sessions, session("019a0008", "2026-11-21T09:00:00.000000", label="v1..2")]

    assert labels(find_sessions(["v1..2"], rows, context(checkout))) == "v1..2"


def test_empty_range_is_refused(checkout: Checkout, sessions: list[SessionRow]) -> None:
    with pytest.raises(NoBaselineError, match="no session of the 1 commit in it"):
        find_sessions(["HEAD~1..HEAD"], sessions, context(checkout))


def test_baseline_of_a_ref_stays_when_the_ref_moves(checkout: Checkout, sessions: list[SessionRow]) -> None:
    pin = Baseline(
        baseline_id="1",
        project=sessions[0].project,
        name="good",
        spec="HEAD~2",
        session_id=sessions[2].session_id,
        created_at="2026-11-21T23:00:00",
    )
    checkout.commit("e")

    found = resolve_spec(parse_spec("good"), sessions, context(checkout, baselines={"good": pin}))

    assert labels(found) == "b b"
