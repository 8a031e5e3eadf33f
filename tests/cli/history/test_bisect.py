"""`benchdb bisect`: what it refuses, what it takes from a trend, and how an answer is shown."""

import json
import math
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.checkout import Checkout, new_checkout

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.answer.bisection import Bisection, Suspect
from pytest_benchdb.model.environment import Commit
from pytest_benchdb.model.series import SeriesKey
from pytest_benchdb.model.verdict import Interval, Judgement
from pytest_benchdb.operations.bisect.from_trend import find_change
from pytest_benchdb.present.history.bisection import (
    bisection_json,
    bisection_lines,
    bisection_markdown,
    explain_command,
)
from pytest_benchdb.present.writing.grid import plain_text

Call = Callable[..., Any]
STEPPED = "tests/test_a.py::test_stepped"


def sha(number: int) -> str:
    return f"{number:040x}"


def make_history(new_session: Call, new_run: Call, folder: Path, *, factor: float, same_commit: bool = False) -> Path:
    chance = random.Random(1)  # noqa: S311 - noise, no secret
    for number in range(18):
        value = 2e-3 * (factor if number >= 12 else 1.0) * math.exp(chance.gauss(0, 0.005))
        commit = Commit(sha=sha(1 if same_commit else number + 1), branch="main", dirty=False)
        new_session(folder, [new_run(STEPPED, [value, value * 1.01])], at=number, commit=commit)
    return folder


def test_from_trend_takes_the_commits_on_both_sides_of_a_change(
    new_session: Call, new_run: Call, tmp_path: Path
) -> None:
    history = make_history(new_session, new_run, tmp_path / "results", factor=1.3)

    found = find_change(history, "time", "stepped", tmp_path, os.environ)

    assert (found.good, found.bad) == (sha(12), sha(13))
    assert (found.fullname, found.metric) == (STEPPED, "wall_time")
    assert found.text.startswith(f"{STEPPED}, wall_time: +3")


@pytest.mark.parametrize(
    ("changes", "keyword", "message"),
    [
        ({"factor": 1.0}, None, "no level of 1 series has changed in .*name two commits"),
        ({"factor": 1.0}, "nothing", "has no series of benchmarks that match -k nothing"),
        ({"factor": 1.3, "same_commit": True}, None, "both sides are commit 0000000, so the machine changed"),
    ],
    ids=["steady", "no-series", "one-commit"],
)
def test_from_trend_without_a_change_of_the_code_says_so(
    new_session: Call, new_run: Call, tmp_path: Path, changes: dict[str, Any], keyword: str | None, message: str
) -> None:
    history = make_history(new_session, new_run, tmp_path / "results", **changes)

    with pytest.raises(ConfigError, match=message):
        find_change(history, "time", keyword, tmp_path, os.environ)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("v1",), "name GOOD and BAD, for example: benchdb bisect"),
        (("v1", "v2", "--from-trend"), "--from-trend finds both ends itself"),
        (("v1", "v2", "--confidence", "40%", "--", "pytest"), "--confidence 40%: give a percentage above 50"),
        (("v1", "v2", "--", "make", "bench"), "this does not run pytest"),
        (("v1", "v2", "--"), "say what to run after --"),
    ],
    ids=["one-end", "both-ways", "confidence", "no-pytest", "nothing-to-run"],
)
def test_bisect_wrong_usage_is_one_line(benchdb: Call, arguments: tuple[str, ...], message: str) -> None:
    ended = benchdb("bisect", *arguments)

    assert ended.status == 2
    assert message in ended.err
    assert len(ended.err.strip().splitlines()) == 1


def test_bisect_outside_of_a_checkout_says_so(benchdb: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))

    ended = benchdb("bisect", "v1", "v2", "--", "pytest", "tests")

    assert ended.status == 2
    assert "is not in a git checkout" in ended.err


CULPRIT = Suspect(
    sha="a" * 40,
    subject="Rewrite the tokenizer",
    author="Jane Doe",
    authored_at="2026-11-02T10:00:00+01:00",
    is_merge=False,
    probability=0.992,
    sessions=6,
    problem=None,
)
CHANGE = Judgement(
    verdict="regressed",
    change=0.123,
    interval=Interval(low=0.111, high=0.134, level=0.95),
    baseline=1.1e-3,
    candidate=1.235e-3,
)
FOUND = Bisection(
    outcome="found",
    key=SeriesKey(fullname="tests/test_parse.py::test_parse[big]", metric="wall_time"),
    unit="s",
    better="lower",
    good="1" * 40,
    bad="2" * 40,
    commits=63,
    suspects=(CULPRIT,),
    confidence=0.992,
    asked=0.95,
    ends=CHANGE,
    change=CHANGE,
    steps=(),
    runs=47,
    sessions=47,
    reused=0,
    seconds=192.0,
    notes=("2 commits could not be measured",),
    explain=None,
)


def test_bisection_lines_of_a_commit_have_the_change_the_confidence_and_the_next_command() -> None:
    explain = explain_command(FOUND, "pytest tests/bench")

    lines = plain_text(bisection_lines(replace(FOUND, explain=explain), 100)).splitlines()

    assert lines[0] == "aaaaaaa Rewrite the tokenizer (Jane Doe, 2026-11-02)"
    assert "test_parse[big], wall_time: 1.100 ms -> 1.235 ms, +12.3 %" in lines[1]
    assert "  confidence 99.2 %, by 47 sessions" in lines
    assert lines[-1] == "  why: benchdb explain aaaaaaaaaaaa~1 aaaaaaaaaaaa -k test_parse -- pytest tests/bench"


def test_bisection_lines_of_a_range_list_every_commit_with_its_problem() -> None:
    other = replace(CULPRIT, sha="b" * 40, probability=0.4, problem="--build ended with exit status 1")
    answer = replace(FOUND, outcome="range", suspects=(CULPRIT, other), explain=None)

    text = plain_text(bisection_lines(answer, 120))

    assert text.startswith("one of 2 commits:\n")
    assert "40.0 % bbbbbbb Rewrite the tokenizer" in text
    assert "cannot be measured: --build ended with exit status 1" in text
    assert explain_command(answer, "pytest") is None


@pytest.mark.parametrize(
    ("outcome", "head"),
    [("unchanged", "no change between 1111111 and 2222222"), ("undecided", "it is not clear whether 1111111 and")],
)
def test_bisection_lines_without_a_suspect_have_the_change_of_the_ends(outcome: Any, head: str) -> None:
    answer = replace(FOUND, outcome=outcome, suspects=(), change=None)

    text = plain_text(bisection_lines(answer, 120))

    assert text.startswith(head)
    assert "+12.3 % (+11.1 % to +13.4 %)" in text.splitlines()[0]


def test_bisection_as_data_has_everything() -> None:
    data = json.loads(bisection_json(FOUND))

    assert data["schema"] == "benchdb.bisect/1"
    assert data["suspects"][0]["sha"] == "a" * 40
    assert data["change"]["interval"]["low"] == 0.111
    assert bisection_markdown(FOUND).startswith("**aaaaaaa Rewrite the tokenizer")
    assert FOUND.summary() == "aaaaaaa Rewrite the tokenizer (Jane Doe, 2026-11-02): 99.2 %"


@pytest.fixture
def waiting(tmp_path: Path) -> Checkout:
    """A project whose benchmark does not end."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    checkout = new_checkout(tmp_path)
    (checkout.root / "tests").mkdir()
    test = (
        "import pathlib, time\n\ndef test_wait(bench_cpu):\n    pathlib.Path('started').touch()\n    time.sleep(600)\n"
    )
    (checkout.root / "tests" / "test_wait.py").write_text(test, encoding="utf-8")
    (checkout.root / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    checkout.git("add", ".")
    checkout.commit("a", "b")
    return checkout


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_bisect_that_is_interrupted_leaves_no_checkout_and_says_how_to_go_on(
    waiting: Checkout, number: signal.Signals
) -> None:
    command = [sys.executable, "-m", "pytest_benchdb", "bisect", "HEAD~1", "HEAD", "--", "pytest", "tests"]
    temporary = waiting.root.parent / "tmp"
    temporary.mkdir()
    process = subprocess.Popen(
        command,
        cwd=waiting.root,
        env={**waiting.environ, "TMPDIR": str(temporary)},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    limit = time.monotonic() + 120
    while not list(temporary.glob("benchdb-commits-*/**/started")):
        assert time.monotonic() < limit
        assert process.poll() is None
        time.sleep(0.1)

    if number == signal.SIGINT:
        os.killpg(process.pid, number)  # as a terminal does
    else:
        process.send_signal(number)
    _, err = process.communicate(timeout=120)

    assert process.returncode == 130
    assert "the same command goes on from there" in err
    assert "Traceback" not in err
    assert list(temporary.glob("benchdb-*")) == []
    assert len(waiting.git("worktree", "list").splitlines()) == 1
