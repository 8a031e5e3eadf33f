"""`benchdb backfill` in a real checkout: what it refuses, what it plans, and what it records."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.checkout import Checkout
from tests.past import BENCHMARK, PACKAGE, commit, new_shop, write

from pytest_benchdb.model.environment import Commit
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.operations.exchange.open import open_source

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

Call = Callable[..., Any]


@pytest.fixture
def shop(tmp_path: Path) -> Checkout:
    return new_shop(tmp_path)


@pytest.fixture
def here(benchdb: Call, shop: Checkout, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Run a command in this process, in the checkout."""
    for name, value in shop.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(shop.root)
    return benchdb


@pytest.fixture
def backfill(shop: Checkout, benchdb_process: Call) -> Call:
    """Run a backfill in a process of its own, in the checkout."""

    def run(*arguments: str, pytest_arguments: tuple[str, ...] = ("tests",)) -> Any:
        words = ("backfill", *arguments, "--", "pytest", *pytest_arguments)
        return benchdb_process(*words, cwd=shop.root, **shop.environ)

    return run


def sessions_of(shop: Checkout) -> list[SessionRow]:
    with open_source([shop.root / ".benchdb"]) as reader:
        return reader.sessions()


def names_of(shop: Checkout, sessions: list[SessionRow]) -> list[str]:
    names = {sha: name for name, sha in shop.commits.items()}
    return [names[str(session.commit_sha)] for session in sessions]


def planned(ended: Any) -> dict[str, tuple[int, int]]:
    """Return the recorded and the missing sessions of each commit, by subject."""
    assert ended.status == 0, ended.err
    return {row["subject"]: (row["recorded"], row["to_do"]) for row in json.loads(ended.out)["rows"]}


def worktrees(shop: Checkout) -> int:
    return len(shop.git("worktree", "list").splitlines())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("v9..main",), "'v9' is not a commit of"),
        (("main..",), "has no commit"),
        (("main..HEAD~1",), "perhaps you mean HEAD~1..main"),
        (("HEAD~1...main",), "write two dots, as in HEAD~1..main"),
        (("v*",), "no tag matches v*"),
        (("HEAD~1..", "--tags", "r*"), "no tag matches r*"),
        ((), "name the commits to record"),
        (("HEAD~1..", "--step-dates", "soon"), "--step-dates 'soon'"),
        (("HEAD~1..", "--step-dates", "0d"), "--step-dates '0d'"),
        (("HEAD~1..", "--passes", "0"), "--passes"),
        (("HEAD~1..", "--every", "0"), "--every"),
        (("HEAD~1..", "--benchmarks-from", "v9"), "'v9' is not a commit of"),
    ],
)
def test_backfill_that_cannot_begin_is_wrong_usage(here: Call, words: tuple[str, ...], message: str) -> None:
    ended = here("backfill", *words, "--", "pytest", "tests")

    assert ended.status == 2
    assert message in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "say what to run after --"),
        (("--", "make", "bench"), "this does not run pytest"),
        (("--benchmarks-from", "HEAD", "--", "pytest", "-k", "tests"), "name files or folders of benchmarks"),
        (("--benchmarks-from", "HEAD", "--", "pytest", "."), "name the whole checkout"),
        (("--benchmarks-from", "HEAD", "--", "pytest", "tests/.."), "name the whole checkout"),
    ],
)
def test_backfill_of_an_unusable_command_is_wrong_usage(here: Call, words: tuple[str, ...], message: str) -> None:
    ended = here("backfill", "HEAD~1..", *words)

    assert ended.status == 2
    assert message in ended.err


def test_backfill_of_an_absolute_path_suggests_a_relative_one(here: Call, shop: Checkout) -> None:
    ended = here("backfill", "HEAD~1..", "--", "pytest", str(shop.root / "tests"))

    assert ended.status == 2
    assert "write tests" in ended.err


def test_backfill_outside_a_checkout_says_so(benchdb: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))

    ended = benchdb("backfill", "HEAD~1..", "--", "pytest")

    assert ended.status == 2
    assert "is not in a git checkout" in ended.err


def test_backfill_in_a_shallow_clone_says_how_to_get_the_rest(
    here: Call, shop: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone = shop.clone(tmp_path / "clone", "--depth", "1")
    monkeypatch.chdir(clone.root if clone.root.name == "clone" else tmp_path / "clone")

    ended = here("backfill", "HEAD~1..", "--", "pytest", "tests")

    assert ended.status == 2
    assert "git fetch --unshallow" in ended.err


def test_plan_of_a_range_has_the_commits_of_the_branch_without_those_it_merged(here: Call, shop: Checkout) -> None:
    shop.git("checkout", "-q", "-b", "topic", "HEAD~1")
    commit(shop, "inner", {"notes.txt": "n\n"}, day=10)
    shop.git("checkout", "-q", "main")
    shop.git("merge", "-q", "--no-ff", "-m", "merge", "topic")
    words = ("--dry-run", "-f", "json", "--", "pytest", "tests")

    own = planned(here("backfill", "HEAD~2..", *words))
    every = planned(here("backfill", "HEAD~2..", "--all-parents", *words))

    assert list(own) == ["merge", "new"]
    assert sorted(every) == ["inner", "merge", "new"]
    assert worktrees(shop) == 1


def test_plan_of_tags_has_their_commits_in_order(here: Call, shop: Checkout) -> None:
    for name, tag in (("new", "v1.9"), ("bare", "v1.10"), ("old", "w1")):
        shop.git("tag", "-a", "-m", tag, tag, shop.commits[name])
    words = ("--dry-run", "-f", "json", "--", "pytest", "tests")

    assert list(planned(here("backfill", "v1.*", *words))) == ["new", "bare"]
    assert list(planned(here("backfill", "bare..".replace("bare", shop.commits["bare"]), "--tags", *words))) == [
        "new",
        "old",
    ]
    assert list(planned(here("backfill", "--tags", "HEAD~2..", *words))) == ["new", "old"]
    assert list(planned(here("backfill", "HEAD~2..", "--tags", "w*", *words))) == ["old"]
    assert list(planned(here("backfill", "v1.10", *words))) == ["bare"]


def test_plan_by_dates_leaves_out_what_is_close(here: Call, shop: Checkout) -> None:
    commit(shop, "close", {"notes.txt": "n\n"}, day=10)

    ended = here("backfill", "HEAD~2..", "--step-dates", "7d", "--dry-run", "-f", "json", "--", "pytest", "tests")

    assert list(planned(ended)) == ["close"]


def test_plan_counts_sessions_of_the_same_commit_command_and_machine(
    here: Call, shop: Checkout, new_session: Call
) -> None:
    for at, (name, changes) in enumerate([("old", {}), ("new", {"cpu": "Another CPU"})]):
        facts = Commit(sha=shop.commits[name], branch="main", dirty=False)
        new_session(shop.root / ".benchdb", at=at, commit=facts, command="pytest --benchdb tests", **changes)

    ended = here("backfill", "HEAD~2..", "--dry-run", "-f", "json", "--", "pytest", "tests")

    # The machine of `new_session` is not this one.
    assert planned(ended) == {"new": (0, 2), "old": (0, 2)}


def backfilled(
    shop: Checkout,
    new_session: Call,
    new_run: Call,
    *,
    number: int = 18,
    slow_from: int = 10,
    unmeasured: tuple[str, ...] = (),
) -> None:
    """Make a history of commits recorded on one later day, last commit first."""
    for at in range(number):
        commit(shop, f"c{at}", {"notes.txt": f"{at}\n"}, day=10 + at)
    for at in range(number):
        if f"c{at}" in unmeasured:
            continue
        sha = shop.commits[f"c{at}"]
        times = [(2e-3 if at >= slow_from else 1e-3) * (1 + (at * 7 % 18) / 2000)] * 5
        new_session(
            shop.root / ".benchdb",
            [new_run("tests/test_shop.py::test_total", times)],
            at=100 + number - at,
            commit=Commit(sha=sha, branch="main", dirty=False, committed_at=f"2026-01-{10 + at}T12:00:00"),
            tags={"backfill": "k"},
        )


def test_trend_finds_the_change_of_backfilled_sessions_at_its_commit(
    here: Call, shop: Checkout, new_session: Call, new_run: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backfilled(shop, new_session, new_run)

    by_ancestry = here("trend", "-f", "json")
    database = str(shop.root / ".benchdb")
    monkeypatch.chdir(tmp_path)
    by_time = here("trend", "--db", database, "-f", "json")

    for ended in (by_ancestry, by_time):
        (series,) = json.loads(ended.out)["series"]
        (change,) = series["changes"]
        assert change["commit"] == shop.commits["c10"], ended.out


def test_around_changes_plans_the_commits_between_the_sides_of_a_change(
    here: Call, shop: Checkout, new_session: Call, new_run: Call
) -> None:
    backfilled(shop, new_session, new_run, unmeasured=("c9", "c10", "c3"))
    words = ("--dry-run", "-f", "json", "--", "pytest", "tests")

    around = planned(here("backfill", "--around-changes", *words))
    within = planned(here("backfill", "HEAD~8..", "--around-changes", *words))
    outside = here("backfill", "HEAD~3..", "--around-changes", *words)

    assert list(around) == ["c10", "c9"]
    assert list(within) == ["c10"]
    assert outside.status == 2
    assert "outside this RANGE" in outside.err


def test_around_changes_without_a_gap_says_so(here: Call, shop: Checkout, new_session: Call, new_run: Call) -> None:
    backfilled(shop, new_session, new_run)

    ended = here("backfill", "--around-changes", "--dry-run", "--", "pytest", "tests")

    assert ended.status == 2
    assert "no change in the history has commits between its sides" in ended.err


def test_backfilled_sessions_are_neither_the_candidate_nor_the_newest_of_its_history(
    here: Call, shop: Checkout, new_session: Call, new_run: Call
) -> None:
    backfilled(shop, new_session, new_run, number=12, slow_from=99)
    head = Commit(sha=commit(shop, "head", {"notes.txt": "h\n"}, day=28), branch="main", dirty=False)
    made = new_session(
        shop.root / ".benchdb", [new_run("tests/test_shop.py::test_total", [1e-3] * 5)], at=50, commit=head
    )

    ended = here("regress", "--confirm", "0", "-f", "json")

    answer = json.loads(ended.out)
    assert ended.status == 0, ended.err
    assert [session["session_id"] for session in answer["candidate"]["sessions"]] == [made.session_id]
    baseline = answer["baseline"]["sessions"]
    assert baseline[-1]["commit_sha"] == shop.commits["c11"]
    assert [session["commit_sha"] for session in baseline] == [shop.commits[f"c{at}"] for at in range(12)]


@pytest.mark.long
def test_backfill_records_each_commit_and_goes_on_where_it_was_stopped(shop: Checkout, backfill: Call) -> None:
    write(shop, {PACKAGE: "raise SystemExit('not committed')\n"})
    before = shop.git("status", "--porcelain")

    first = backfill("HEAD~2..", "--passes", "1")
    again = backfill("HEAD~2..", "--passes", "1")
    more = backfill("HEAD~2..", "--passes", "2")

    assert first.status == 0, first.err
    assert "2 of 2" in first.err
    assert "recorded 2 sessions in .benchdb" in first.err
    assert "benchdb trend --db .benchdb" in first.err
    assert again.status == 0
    assert "0 runs to do, 2 recorded before" in again.err
    assert "2 runs to do, 2 recorded before" in more.err
    sessions = sessions_of(shop)
    assert names_of(shop, sessions) == ["old", "old", "new", "new"]
    assert [(session.branch, session.dirty, session.commit_at) for session in sessions[::2]] == [
        ("main", False, "2026-01-02T12:00:00.000000"),
        ("main", False, "2026-01-09T12:00:00.000000"),
    ]
    assert shop.git("status", "--porcelain") == before
    assert worktrees(shop) == 1


@pytest.mark.long
def test_backfill_of_twenty_commits_lets_trend_find_the_one_that_made_it_slower(
    shop: Checkout, benchdb_process: Call
) -> None:
    timed = (
        "from shop import total\n\ndef test_total(bench_cpu):\n    bench_cpu.options(max_time_s=0.05)(total, 2000)\n"
    )
    commit(shop, "timed", {"tests/test_shop.py": timed}, day=10)
    base = shop.commits["timed"]
    for at in range(20):
        factor = 1 if at < 11 else 3
        body = f"# {at}\ndef total(n):\n    return sum(range({factor} * n))\n"
        commit(shop, f"c{at}", {PACKAGE: body}, day=11)
    words = ("--passes", "1", "--", "pytest", "tests")

    # In one go of at most 120 s a process, as the tests allow on a busy machine, and on from there.
    for last in ("HEAD~10", "HEAD"):
        ended = benchdb_process("backfill", f"{base}..{last}", *words, cwd=shop.root, **shop.environ)
        assert ended.status == 0, ended.err
    trend = benchdb_process("trend", "-f", "json", cwd=shop.root, **shop.environ)

    assert len(sessions_of(shop)) == 20
    (series,) = json.loads(trend.out)["series"]
    assert [change["commit"] for change in series["changes"]] == [shop.commits["c11"]]


@pytest.mark.long
def test_commits_that_fail_are_recorded_with_the_reason_and_not_tried_again(
    shop: Checkout, backfill: Call, benchdb_process: Call
) -> None:
    commit(shop, "broken", {"tests/test_shop.py": "import missing_module\n"}, day=20)
    base = shop.git("rev-list", "--max-parents=0", "HEAD")
    commit(shop, "renamed", {"tests/test_shop.py": BENCHMARK.replace("test_total", "test_sum")}, day=21)
    command = (f"{base}..", "--passes", "1", "--build", "! grep -q 'sum(range' src/shop/__init__.py || exit 9")

    first = backfill(*command)
    again = backfill(*command)
    retried = backfill(*command, "--retry-failed")
    excluded = benchdb_process("exclude", "--list", "-f", "json", cwd=shop.root, **shop.environ)
    gate = benchdb_process("report", cwd=shop.root, **shop.environ)

    assert first.status == 0, first.err
    assert "failed: --build ended with exit status 9" in first.err
    assert "3 commits failed (--retry-failed tries again)" in first.err
    assert "0 runs to do, 1 recorded before, 3 failed before" in again.err
    assert "3 runs to do" in retried.err
    assert "not measured: --build ended with exit status 9" in excluded.out
    assert gate.status == 0, gate.err
    assert names_of(shop, [session for session in sessions_of(shop) if session.excluded is None]) == ["old"]
    failed = [session for session in sessions_of(shop) if session.excluded is not None]
    assert {(session.runs, session.complete, session.branch) for session in failed} == {(0, False, "main")}
    assert {session.commit_subject for session in failed} == {"new", "broken", "renamed"}


@pytest.mark.long
def test_backfill_that_fails_alike_everywhere_ends_with_the_reason(shop: Checkout, backfill: Call) -> None:
    for at in range(5):
        commit(shop, f"more{at}", {"notes.txt": f"{at}\n"})
    shop.environ["XDG_CACHE_HOME"] = str(shop.root.parent / "cache")

    ended = backfill("HEAD~7..", "--setup", "echo no such index; exit 7")

    assert ended.status == 2
    assert "the first 5 commits all failed" in ended.err
    assert "no such index" in ended.err
    assert worktrees(shop) == 1


@pytest.mark.long
def test_backfill_of_other_code_ends_at_once(shop: Checkout, backfill: Call) -> None:
    shop.environ["PYTHONPATH"] = str(shop.root / "src")

    ended = backfill("HEAD~2..", "--pythonpath", "tests")

    assert ended.status == 2
    assert "from your checkout; put the commit's own folder first with --pythonpath" in ended.err
    assert [session.excluded is not None for session in sessions_of(shop)] == [True]


@pytest.mark.long
def test_a_session_that_was_recorded_in_its_day_is_not_recorded_again(shop: Checkout, backfill: Call) -> None:
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "tests", "--benchdb"],
        cwd=shop.root,
        env={**os.environ, **shop.environ, "PYTHONPATH": "src"},
        check=True,
        capture_output=True,
    )

    ended = backfill("HEAD~2..", "--passes", "1")

    assert "1 run to do, 1 recorded before" in ended.err
    assert names_of(shop, sessions_of(shop)) == ["old", "new"]


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("stage", ["setup", "build", "benchmark"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "terminated"])
def test_backfill_that_is_stopped_keeps_what_it_recorded_and_leaves_nothing_else(
    shop: Checkout, stage: str, number: signal.Signals
) -> None:
    started, cache, temporary = (shop.root.parent / name for name in ("started", "cache", "temporary"))
    temporary.mkdir()
    sleep = "import pathlib, threading\n\ndef test_slow(bench_cpu):\n"
    sleep += f"    pathlib.Path({str(started)!r}).touch()\n    threading.Event().wait(60)\n"
    commit(shop, "slow", {"tests/test_shop.py": sleep if stage == "benchmark" else BENCHMARK, "setup.py": ""}, day=22)
    options = [] if stage == "benchmark" else [f"--{stage}", f"test -f setup.py && touch {started} && exec sleep 60"]
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest_benchdb", "backfill", "HEAD~1..", *options, "--", "pytest", "tests"],
        cwd=shop.root,
        env={**os.environ, **shop.environ, "XDG_CACHE_HOME": str(cache), "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,  # the signal goes to all processes of a terminal, and to none of ours
    )

    deadline = time.monotonic() + 60
    while not started.exists() and time.monotonic() < deadline and process.poll() is None:
        os.sched_yield()
    os.killpg(process.pid, number)
    _, err = process.communicate(timeout=60)

    assert process.returncode == 130, err.decode()
    assert b"the same command goes on" in err
    assert worktrees(shop) == 1
    assert not list(temporary.glob("benchdb-commits-*"))
    assert not list(cache.glob("**/env"))
