import shutil
from pathlib import Path

import pytest
from tests.checkout import Checkout, new_checkout

from pytest_benchdb.environment.git.commit_range import merged_branch, read_range
from pytest_benchdb.errors import ConfigError

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


def subjects(checkout: Checkout, good: str, bad: str) -> str:
    return "".join(
        commit.subject
        for commit in read_range(checkout.root, checkout.commits[good], checkout.commits[bad], checkout.environ)
    )


def test_range_follows_the_first_parent_oldest_first(checkout: Checkout) -> None:
    assert subjects(checkout, "a", "c") == "bmc"


def test_range_from_a_merged_branch_begins_with_its_merge(checkout: Checkout) -> None:
    assert subjects(checkout, "x", "c") == "mc"


def test_range_knows_who_changed_what(checkout: Checkout) -> None:
    (checkout.root / "odd name.py").write_text("1")
    (checkout.root / "two.py").write_text("2")
    checkout.git("add", ".")
    checkout.git("commit", "-q", "-m", "d \x1f odd")
    checkout.commits["d"] = checkout.git("rev-parse", "HEAD")

    (commit,) = read_range(checkout.root, checkout.commits["c"], checkout.commits["d"], checkout.environ)

    assert commit.files == ("odd name.py", "two.py")
    assert commit.subject == "d \x1f odd"
    assert commit.parents == (checkout.commits["c"],)


def test_range_of_one_commit_against_itself_is_empty(checkout: Checkout) -> None:
    assert subjects(checkout, "c", "c") == ""


def test_range_the_wrong_way_round_says_so(checkout: Checkout) -> None:
    with pytest.raises(ConfigError, match="other way round; write the older commit first"):
        subjects(checkout, "c", "a")


def test_range_of_parallel_branches_names_their_common_ancestor(checkout: Checkout) -> None:
    with pytest.raises(ConfigError, match=f"common ancestor is {checkout.commits['a'][:7]}"):
        subjects(checkout, "y", "b")


def test_range_in_a_shallow_clone_says_so(checkout: Checkout, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    checkout.git("clone", "-q", "--depth", "1", f"file://{checkout.root}", str(clone))

    with pytest.raises(ConfigError, match="shallow; git fetch --unshallow"):
        read_range(clone, checkout.commits["a"], checkout.commits["c"], checkout.environ)


def test_merged_branch_is_from_where_it_left_to_its_tip(checkout: Checkout) -> None:
    (merge,) = read_range(checkout.root, checkout.commits["b"], checkout.commits["m"], checkout.environ)

    assert merge.is_merge
    assert merged_branch(checkout.root, merge, checkout.environ) == (checkout.commits["a"], checkout.commits["y"])
