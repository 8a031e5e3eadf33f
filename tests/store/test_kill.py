import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest
from tests.store import journals as j

from pytest_benchdb.store.child_command import child_command
from pytest_benchdb.store.fold_child import FoldSettings, main
from pytest_benchdb.store.history.open import open_history
from pytest_benchdb.store.history.session_folder import recover
from pytest_benchdb.store.upkeep.check import validate

RUNS = 40
ROUNDS = list(range(1000, 1200))
UNDISTURBED = 2
"""Folds before the first kill: the first makes the template, the second tells how long one takes."""


def start_fold(journal: Path, path: Path) -> "subprocess.Popen[bytes]":
    settings = FoldSettings(str(journal), str(path), str(journal.parent), os.environ["XDG_CACHE_HOME"], 5, 20.0)
    return subprocess.Popen(child_command(main, *settings), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def kill_somewhere(journal: Path, path: Path, delay_s: float) -> bool:
    """Start the fold of a journal and kill it after a while; tell whether it had not ended yet."""
    with start_fold(journal, path) as child:
        time.sleep(delay_s)
        child.send_signal(signal.SIGKILL)
        return child.wait() == -signal.SIGKILL


def fold_s(journal: Path, path: Path) -> float:
    """Fold a journal undisturbed; return how long this machine takes, so that kills fall within."""
    start_s = time.monotonic()
    with start_fold(journal, path) as child:
        assert child.wait() == 0
    return time.monotonic() - start_s


def check_everything_is_there_once(place: Path, sessions: int) -> None:
    with open_history([place]) as reader:
        assert reader.warnings == ()
        assert len(reader.sessions()) == sessions
        expected = (sessions * RUNS, sessions * RUNS, sessions * RUNS * sum(ROUNDS))
        assert reader.query(
            "SELECT (SELECT count(*) FROM run), (SELECT count(DISTINCT run_id) FROM run), "
            "(SELECT sum(list_sum(round_ns)) FROM round_chunk)"
        ).rows == (expected,)


def kill_and_recover(tmp_path: Path, kind: str, kills: int, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    place = tmp_path / ("results" if kind == "folder" else "results.duckdb")
    spool = place if kind == "folder" else tmp_path / "results.duckdb.inbox"
    killed = 0
    whole_s = 0.0
    for number in range(UNDISTURBED + kills):
        runs = [j.run_lines(f"test_{i}", ROUNDS) for i in range(RUNS)]
        journal = j.write_journal(spool, *runs, started_us=j.STARTED_US + number * 1_000_000)
        if number < UNDISTURBED:
            whole_s = fold_s(journal, place)
            continue
        killed += kill_somewhere(journal, place, chance.uniform(0.0, whole_s))
        if number % 10 == 9 or number == UNDISTURBED + kills - 1:
            recover(spool)
            assert not list(spool.glob(".*.part*"))
            check_everything_is_there_once(place, number + 1)
    assert killed >= kills / 4
    assert validate(place).problems == ()


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_fold_killed_anywhere_loses_nothing_and_doubles_nothing(tmp_path: Path, kind: str) -> None:
    kill_and_recover(tmp_path, kind, kills=6, seed=1)


@pytest.mark.long
@pytest.mark.parametrize("kind", ["folder", "file"])
@pytest.mark.parametrize("seed", range(5))
def test_fold_killed_often_loses_nothing_and_doubles_nothing(tmp_path: Path, kind: str, seed: int) -> None:
    kill_and_recover(tmp_path, kind, kills=25, seed=seed)
