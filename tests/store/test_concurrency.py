import subprocess
import sys
from pathlib import Path

import pytest

from pytest_benchdb.errors import StoreMissingError
from pytest_benchdb.store.history.open import open_history
from pytest_benchdb.store.upkeep.check import validate

PROCESSES = 8
SESSIONS = 3

WRITER = f"""
import sys
from pathlib import Path
from pytest_benchdb.store.fold_process import fold_in_child
from pytest_benchdb.store.target import resolve
from tests.store import journals as j

target = resolve(sys.argv[1], Path.cwd())
for number in range({SESSIONS}):
    runs = [j.run_lines(f"test_{{i}}", [1000 + i] * 20) for i in range(5)]
    result = fold_in_child(j.write_journal(target.spool, *runs), target, timeout_s=300, row_limit=1)
    assert result.status == "stored", result
"""


@pytest.mark.long
@pytest.mark.parametrize("name", ["results", "results.duckdb"], ids=["folder", "file"])
def test_eight_processes_at_once_lose_nothing(tmp_path: Path, name: str) -> None:
    place = tmp_path / name
    command = [sys.executable, "-c", WRITER, str(place)]
    root = Path(__file__).parents[2]

    writers = [subprocess.Popen(command, cwd=root, stderr=subprocess.PIPE, text=True) for _ in range(PROCESSES)]
    problems = [writer.communicate()[1] for writer in writers]

    assert problems == [""] * PROCESSES
    with open_history([place]) as reader:
        assert len(reader.sessions()) == PROCESSES * SESSIONS
        assert reader.query(
            "SELECT count(DISTINCT run_id), sum(len(round_ns)) "
            "FROM run JOIN round_chunk USING (session_id, benchmark_id)"
        ).rows == ((PROCESSES * SESSIONS * 5, PROCESSES * SESSIONS * 5 * 20),)
    assert validate(place).problems == ()
    assert not list(tmp_path.rglob(".*.part*"))
    assert not list(tmp_path.rglob("*.journal.jsonl"))


def test_readers_beside_writers_see_whole_sessions(tmp_path: Path) -> None:
    place = tmp_path / "results"
    place.mkdir()
    root = Path(__file__).parents[2]
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(place)], cwd=root) for _ in range(3)]
    seen = [0]

    while any(writer.poll() is None for writer in writers):
        try:
            with open_history([place]) as reader:
                sessions = reader.sessions()
        except StoreMissingError:
            sessions = []  # before the first one is stored
        assert all(one.runs == 5 for one in sessions)
        seen.append(len(sessions))

    assert seen == sorted(seen)
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    with open_history([place]) as reader:
        assert len(reader.sessions()) == 3 * SESSIONS
