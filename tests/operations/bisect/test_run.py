from typing import TYPE_CHECKING

import pytest

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.operations.commits.checkout import find_benchmark_files, find_origin
from pytest_benchdb.operations.exchange.open import open_source
from pytest_benchdb.operations.pytest_run import run_to_end

if TYPE_CHECKING:
    from tests.operations.bisect.conftest import Shop

PACKAGE, TEST = "src/shop/__init__.py", "tests/test_shop.py"


def needing(kilobytes: int) -> str:
    return f"def work():\n    return bytearray({kilobytes} * 1024)\n"


def test_bisect_finds_the_commit_and_the_same_call_again_runs_nothing(shop: "Shop") -> None:
    shas = shop.levels(100, 100, 200, 200)

    found = shop.bisect()
    again = shop.bisect()

    assert (found.outcome, [one.sha for one in found.suspects]) == ("found", [shas[2]])
    assert found.confidence > 0.95
    assert found.change is not None
    assert found.change.change == pytest.approx(1.0, rel=0.05)
    assert found.runs == 4  # both ends, and the two commits on both sides of the change
    assert shop.worktrees() == 1
    assert (again.suspects[0].sha, again.runs, again.sessions) == (shas[2], 0, found.sessions)
    assert any(line.startswith("step 1: ") for line in shop.said)


@pytest.mark.long
def test_bisect_of_one_commit_needs_the_ends_only(shop: "Shop") -> None:
    shas = shop.levels(100, 200)

    found = shop.bisect()

    assert (found.outcome, found.suspects[0].sha, found.runs) == ("found", shas[1], 2)


@pytest.mark.long
def test_bisect_finds_an_improvement_too(shop: "Shop") -> None:
    shas = shop.levels(200, 100, 100)

    found = shop.bisect()

    assert found.suspects[0].sha == shas[1]
    assert found.ends.verdict == "improved"


@pytest.mark.long
def test_bisect_of_ends_that_do_not_differ_says_so(shop: "Shop") -> None:
    shop.levels(100, 200, 100)

    found = shop.bisect()

    assert (found.outcome, found.suspects, found.runs) == ("unchanged", (), 2)


@pytest.mark.long
def test_bisect_passes_over_commits_that_cannot_be_measured(shop: "Shop") -> None:
    shop.levels(100, 100)
    broken = [shop.commit(f"x{number}", {PACKAGE: f"import {number}\n"}) for number in range(2)]
    fixed = shop.commit("fixed", {PACKAGE: needing(200)})
    shop.commit("last", {PACKAGE: needing(200) + "# last\n"})

    found = shop.bisect()

    assert found.outcome == "range"
    assert [one.sha for one in found.suspects] == [*broken, fixed]
    assert [one.problem is not None for one in found.suspects] == [True, True, False]
    assert shop.worktrees() == 1


@pytest.mark.long
def test_bisect_goes_on_in_the_branch_of_a_merge(shop: "Shop") -> None:
    shop.levels(100)
    shop.checkout.git("checkout", "-q", "-b", "side")
    shop.commit("s1", {"src/shop/more.py": "\n"})
    culprit = shop.commit("s2", {PACKAGE: needing(300)})
    shop.commit("s3", {PACKAGE: needing(300) + "# 3\n"})
    shop.checkout.git("checkout", "-q", "main")
    shop.commit("m1", {"src/shop/other.py": "\n"})
    shop.checkout.git("merge", "-q", "--no-ff", "-m", "Merge side", "side")
    shop.commit("m2", {"src/shop/other.py": "# 2\n"})

    found = shop.bisect()
    outer = shop.bisect(into_merges=False)

    assert (found.outcome, found.suspects[0].sha) == ("found", culprit)
    assert any("Merge side" in note for note in found.notes)
    assert outer.suspects[0].subject == "Merge side"


@pytest.mark.long
def test_bisect_of_two_changes_finds_the_larger_and_names_the_other(shop: "Shop") -> None:
    shas = shop.levels(100, 150, 150, 300, 300)

    found = shop.bisect()

    assert found.suspects[0].sha == shas[3]
    assert any("more than once" in note for note in found.notes)


@pytest.mark.long
def test_bisect_with_too_few_steps_gives_a_range_and_goes_on_with_more(shop: "Shop") -> None:
    shas = shop.levels(100, 100, 100, 100, 200, 200)

    first = shop.bisect(most_steps=1)
    second = shop.bisect()

    assert first.outcome == "range"
    assert shas[4] in [one.sha for one in first.suspects]
    assert any("--max-steps" in note for note in first.notes)
    assert (second.outcome, second.suspects[0].sha) == ("found", shas[4])
    assert second.runs < 6


@pytest.mark.long
def test_bisect_takes_sessions_of_the_history_of_what_repeats(shop: "Shop") -> None:
    shas = shop.levels(100, 100, 200, 200)
    results, shop.results = shop.results, shop.results.parent / "first"
    shop.bisect()
    history, shop.results = shop.results, results

    found = shop.bisect(history=history, build="true")

    assert found.suspects[0].sha == shas[2]
    assert found.runs == 1  # one of the ends, to know this machine and this benchmark
    assert found.reused > 0


@pytest.mark.long
def test_bisect_of_a_benchmark_that_only_bad_has_needs_its_files(shop: "Shop") -> None:
    (shop.checkout.root / TEST).unlink()
    shas = shop.levels(100, 100)
    shop.commit("benchmark", {PACKAGE: needing(200), TEST: BENCHMARK})
    origin = find_origin(shop.checkout.root, shop.checkout.environ)

    with pytest.raises(ConfigError, match=r"cannot be measured: .*--benchmarks-from HEAD"):
        shop.bisect()
    found = shop.bisect(files=find_benchmark_files(origin, "HEAD", ("tests",)))

    assert found.suspects[0].subject == "benchmark"
    assert len(shas) == 2


BENCHMARK = "from shop import work\n\ndef test_work(bench_cpu):\n    bench_cpu.pedantic(work, rounds=3)\n"


@pytest.mark.long
def test_bisect_of_a_renamed_benchmark_names_both(shop: "Shop") -> None:
    shop.levels(100)
    shop.commit("renamed", {TEST: BENCHMARK.replace("test_work", "test_labour"), PACKAGE: needing(200)})

    with pytest.raises(ConfigError, match=r"test_work and HEAD has .*test_labour, which has another name"):
        shop.bisect()


@pytest.mark.long
def test_bisect_of_a_metric_that_was_not_measured_says_what_there_is(shop: "Shop") -> None:
    shop.levels(100, 200)

    with pytest.raises(ConfigError, match="--metric throughput: nothing here measured it; there are"):
        shop.bisect(metric="throughput")


@pytest.mark.long
def test_bisect_of_an_end_whose_setup_fails_says_how(shop: "Shop") -> None:
    shop.levels(100, 200)

    with pytest.raises(ConfigError, match=r"--build ended with exit status 3.*name another commit"):
        shop.bisect(build="exit 3")
    assert shop.worktrees() == 1


@pytest.mark.long
def test_bisect_with_changes_that_are_not_committed_measures_commits_and_says_so(shop: "Shop") -> None:
    shas = shop.levels(100, 100, 200)
    (shop.checkout.root / PACKAGE).write_text("raise SystemExit\n", encoding="utf-8")

    found = shop.bisect()

    assert found.suspects[0].sha == shas[2]
    assert any("not committed" in line for line in shop.said)


@pytest.mark.long
def test_bisect_interrupted_within_a_step_removes_its_checkouts_and_goes_on(
    shop: "Shop", monkeypatch: pytest.MonkeyPatch
) -> None:
    shas = shop.levels(100, 100, 100, 200, 200)
    calls = 0

    def interrupted(*arguments: object, **options: object) -> int:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise KeyboardInterrupt
        return run_to_end(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("pytest_benchdb.operations.commits.record.run_to_end", interrupted)

    with pytest.raises(KeyboardInterrupt):
        shop.bisect()
    with open_source([shop.results]) as reader:
        kept = len(reader.sessions())
    left = shop.worktrees()
    found = shop.bisect()

    assert (kept, left) == (2, 1)
    assert (found.outcome, found.suspects[0].sha) == ("found", shas[3])
    assert found.runs == 2


@pytest.mark.parametrize(
    ("good", "bad", "message"),
    [
        ("b", "b", "are the same commit"),
        ("c", "a", "other way round"),
        ("nowhere", "c", "'nowhere' is not a commit"),
        ("a", "--all", "'--all' is not a commit"),
    ],
)
def test_bisect_of_ends_that_are_not_a_range_is_refused(shop: "Shop", good: str, bad: str, message: str) -> None:
    shop.levels(100, 100, 100)
    commits = shop.checkout.commits

    with pytest.raises(ConfigError, match=message):
        shop.bisect(commits.get(good, good), commits.get(bad, bad))


def test_bisect_in_a_shallow_clone_says_how_to_get_the_rest(shop: "Shop") -> None:
    shop.levels(100, 100)
    good = shop.checkout.commits["a"]
    clone = shop.checkout.clone(shop.checkout.root.parent / "clone", "--depth", "1")
    shop.checkout = clone

    with pytest.raises(ConfigError, match="this clone is shallow; git fetch --unshallow"):
        shop.bisect(good)
