import shutil
from pathlib import Path

import pytest
from tests.checkout import Checkout, new_checkout

from pytest_benchdb.environment.git.ancestry import Ancestry, open_ancestry

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """main: a b m c, where m merged the branch `side` (x y) that left at a."""
    made = new_checkout(tmp_path)
    made.commit("a")
    made.git("checkout", "-q", "-b", "side")
    made.commit("x", "y")
    made.git("checkout", "-q", "main")
    made.commit("b")
    made.git("merge", "-q", "--no-ff", "-m", "m", "side")
    made.commits["m"] = made.git("rev-parse", "HEAD")
    made.commit("c")
    return made


def opened(checkout: Checkout) -> Ancestry:
    found = open_ancestry(checkout.root, checkout.environ)
    assert found is not None
    return found


def names(checkout: Checkout, commits: list[str]) -> str:
    back = {sha: name for name, sha in checkout.commits.items()}
    return "".join(back[sha] for sha in commits)


def test_open_ancestry_of_a_checkout_knows_its_default_branch(checkout: Checkout) -> None:
    found = opened(checkout)

    assert (found.is_shallow, found.default_branch) == (False, "main")


def test_open_ancestry_of_a_clone_follows_its_remote(checkout: Checkout, tmp_path: Path) -> None:
    checkout.git("branch", "-q", "-m", "main", "stable")
    clone = checkout.clone(tmp_path / "clone")
    clone.git("checkout", "-q", "-b", "main")

    assert opened(clone).default_branch == "stable"


def test_open_ancestry_outside_of_a_checkout_is_none(checkout: Checkout, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()

    assert open_ancestry(tmp_path / "elsewhere", checkout.environ) is None
    assert open_ancestry(tmp_path / "missing", checkout.environ) is None


def test_open_ancestry_without_git_is_none(checkout: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    assert open_ancestry(checkout.root, {**checkout.environ, "PATH": str(tmp_path)}) is None


def test_ancestors_are_newest_first(checkout: Checkout) -> None:
    commits = checkout.commits
    found = opened(checkout)

    assert names(checkout, found.ancestors(commits["c"], first_parent=True)) == "cmba"
    assert set(names(checkout, found.ancestors(commits["c"]))) == set("cmbayx")
    assert names(checkout, found.ancestors(commits["y"])) == "yxa"
    assert names(checkout, found.ancestors(commits["c"], first_parent=True, limit=2)) == "cm"
    assert found.ancestors("0" * 40) == []


def test_merge_base_is_where_two_parted(checkout: Checkout) -> None:
    commits = checkout.commits
    found = opened(checkout)

    assert found.merge_base(commits["b"], commits["y"]) == commits["a"]
    assert found.merge_base(commits["c"], commits["b"]) == commits["b"]
    assert found.merge_base(commits["c"], "0" * 40) is None


def test_merge_base_of_strangers_is_none(checkout: Checkout) -> None:
    checkout.git("checkout", "-q", "--orphan", "other")
    checkout.commit("o")

    assert opened(checkout).merge_base(checkout.commits["o"], checkout.commits["c"]) is None


def test_commit_of_names_that_git_knows(checkout: Checkout) -> None:
    commits = checkout.commits
    checkout.git("tag", "-a", "v1", "-m", "annotated", commits["b"])
    found = opened(checkout)

    assert found.commit_of("main") == commits["c"]
    assert found.commit_of("v1") == commits["b"]
    assert found.commit_of(commits["b"][:10]) == commits["b"]
    assert found.commit_of("HEAD~1") == commits["m"]
    for wrong in ("nothing", "-h", "--all", "", "a b", "0" * 40):
        assert found.commit_of(wrong) is None


def test_commit_of_a_branch_that_only_the_remote_has(checkout: Checkout, tmp_path: Path) -> None:
    clone = checkout.clone(tmp_path / "clone")

    assert opened(clone).commit_of("side") == checkout.commits["y"]


def test_tags_are_those_of_the_glob_with_their_commits(checkout: Checkout) -> None:
    commits = checkout.commits
    checkout.git("tag", "-a", "v1.0", "-m", "annotated", commits["a"])
    checkout.git("tag", "v1.1", commits["b"])
    checkout.git("tag", "w/2", commits["c"])
    found = opened(checkout)

    assert found.tags("v1.*") == {"v1.0": commits["a"], "v1.1": commits["b"]}
    assert found.tags("*") == {"v1.0": commits["a"], "v1.1": commits["b"], "w/2": commits["c"]}
    assert found.tags("x*") == {}


def test_shallow_clone_knows_that_it_is_and_nothing_beyond(checkout: Checkout, tmp_path: Path) -> None:
    commits = checkout.commits
    clone = checkout.clone(tmp_path / "clone", "--depth", "2")
    found = opened(clone)

    assert found.is_shallow
    assert names(checkout, found.ancestors(commits["c"], first_parent=True)) == "cm"
    assert found.merge_base(commits["c"], commits["a"]) is None
