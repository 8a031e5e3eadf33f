"""The earlier times of a session's benchmarks, in folders and single files."""

import os
from pathlib import Path
from typing import Any

import pytest
from tests.store.journals import benchmark, run_lines, write_journal

from pytest_benchdb.model.identity import uuid7
from pytest_benchdb.store.history import earlier
from pytest_benchdb.store.history.earlier import Earlier, find_earlier
from pytest_benchdb.store.history.single_file import fold_inbox
from pytest_benchdb.store.journal.fold import fold

DAY_US = 86_400_000_000
START_US = 1_790_000_000_000_000


class History:
    """Sessions of a folder, a day apart."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._days = 0

    def add(self, *runs: bytes, **session: Any) -> tuple[str, str]:
        """Store a session and return its file and id."""
        self._days += 1
        started_us = START_US + self._days * DAY_US
        session_id = uuid7(started_us // 1000)
        journal = write_journal(self.folder, *runs, session_id=session_id, started_us=started_us, **session)
        path = fold(os.fspath(journal), cache=None).path
        assert path is not None
        return path, session_id

    def find(self, *runs: bytes) -> Earlier:
        """Store a session and return its earlier times."""
        return find_earlier(os.fspath(self.folder), *self.add(*runs))


@pytest.fixture
def history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> History:
    for limit in ("CPU_LIMIT_S", "WALL_LIMIT_S"):
        monkeypatch.setattr(earlier, limit, 600.0)
    return History(tmp_path / "db")


def minima(found: Earlier) -> list[tuple[int, int]]:
    """Return the smallest rounds before and now, in nanoseconds."""
    return [(round(one["before"]["min"] * 1e9), round(one["now"]["min"] * 1e9)) for one in found.times]


def test_first_session_has_no_earlier_times(history: History) -> None:
    assert history.find(run_lines("a", [5, 7])) == Earlier([])


def test_newest_run_of_each_benchmark_is_found(history: History) -> None:
    history.add(run_lines("a", [3, 4]), run_lines("b", [30, 40]))
    history.add(run_lines("a", [5, 6]), run_lines("b", [9, 9], outcome="failed", valid=False))

    found = history.find(run_lines("a", [7, 8]), run_lines("b", [50, 60]), run_lines("c", [1, 2]))

    assert minima(found) == [(5, 7), (30, 50)]
    assert (found.left, found.problem) == (0, None)


def test_backfilled_sessions_are_not_the_newest_of_the_code(history: History) -> None:
    history.add(run_lines("a", [3, 4]))
    history.add(run_lines("a", [90, 91]), tags={"backfill": "k"})

    assert minima(history.find(run_lines("a", [7, 8]))) == [(3, 7)]


def test_last_attempt_counts(history: History) -> None:
    history.add(run_lines("a", [3, 4]), run_lines("a", [5, 6], attempt=2))

    assert minima(history.find(run_lines("a", [7, 8]))) == [(5, 7)]


@pytest.mark.parametrize(("code", "results"), [("b", 2), ("a", 3)], ids=["code", "results"])
def test_run_that_measured_something_else_hides_those_before(history: History, code: str, results: int) -> None:
    def runs(code: str, results: int) -> bytes:
        return run_lines("a", [3, 4], entry=benchmark("a", code_hash=code * 32), result_count=results)

    history.add(runs("a", 2))
    history.add(runs(code, results))

    assert history.find(runs("a", 2)).times == []


def test_search_ends_after_so_many_sessions(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(earlier, "SEARCHED", 2)
    for _ in range(5):
        history.add(run_lines("a", [3, 4]))

    assert history.find(run_lines("b", [7, 8])).left == 3


@pytest.mark.parametrize("limit", ["CPU_LIMIT_S", "WALL_LIMIT_S"])
def test_search_ends_after_a_while(history: History, monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    monkeypatch.setattr(earlier, limit, -1.0)
    history.add(run_lines("a", [3, 4]))
    history.add(run_lines("b", [3, 4]))

    found = history.find(run_lines("a", [7, 8]))

    assert (found.times, found.left) == ([], 1)


def test_file_that_cannot_be_read_is_a_problem_only_if_others_do_not_help(history: History) -> None:
    history.add(run_lines("a", [3, 4]))
    path, _ = history.add(run_lines("a", [5, 6]))
    Path(path).write_bytes(b"no database")

    helped = history.find(run_lines("a", [7, 8]))
    not_helped = find_earlier(os.fspath(history.folder), *history.add(run_lines("b", [7, 8])))

    assert (len(helped.times), helped.problem) == (1, None)
    assert not_helped.problem is not None
    assert path in not_helped.problem


def test_single_file_gives_the_same(tmp_path: Path) -> None:
    target = tmp_path / "all.duckdb"
    inbox = History(tmp_path / "all.duckdb.inbox")
    inbox.add(run_lines("a", [3, 4]), run_lines("b", [30, 40]))
    inbox.add(run_lines("a", [5, 6]))
    _, session_id = inbox.add(run_lines("a", [7, 8]), run_lines("b", [50, 60]))
    inbox.add(run_lines("a", [1, 1]))
    fold_inbox(os.fspath(target), wait_s=1.0)

    found = find_earlier(os.fspath(target), os.fspath(target), session_id)

    assert minima(found) == [(5, 7), (30, 50)]
