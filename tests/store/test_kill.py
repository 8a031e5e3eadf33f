import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest
from tests.store import journals as j

from pytest_benchdb.store.check import validate
from pytest_benchdb.store.fold_process import child_command
from pytest_benchdb.store.fold_settings import Settings
from pytest_benchdb.store.folder import recover
from pytest_benchdb.store.history import open_history

RUNS = 40
ROUNDS = list(range(1000, 1200))


def kill_somewhere(journal: Path, path: Path, delay_s: float) -> bool:
    """Start the fold of a journal and kill it after a while; tell whether it had not ended yet."""
    settings = Settings(str(journal), str(path), str(journal.parent), os.environ["XDG_CACHE_HOME"], 5, 20.0)
    with subprocess.Popen(child_command(settings), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        time.sleep(delay_s)
        child.send_signal(signal.SIGKILL)
        return child.wait() == -signal.SIGKILL


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
    for number in range(kills):
        runs = [j.run_lines(f"test_{i}", ROUNDS) for i in range(RUNS)]
        journal = j.write_journal(spool, *runs, started_us=j.STARTED_US + number * 1_000_000)
        killed += kill_somewhere(journal, place, chance.uniform(0.0, 0.6))
        if number % 10 == 9 or number == kills - 1:
            recover(spool)
            assert not list(spool.glob(".*.part*"))
            check_everything_is_there_once(place, number + 1)
    assert killed
    assert validate(place).problems == ()


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_fold_killed_anywhere_loses_nothing_and_doubles_nothing(tmp_path: Path, kind: str) -> None:
    kill_and_recover(tmp_path, kind, kills=6, seed=1)


@pytest.mark.long
@pytest.mark.parametrize("kind", ["folder", "file"])
@pytest.mark.parametrize("seed", range(5))
def test_fold_killed_often_loses_nothing_and_doubles_nothing(tmp_path: Path, kind: str, seed: int) -> None:
    kill_and_recover(tmp_path, kind, kills=25, seed=seed)
