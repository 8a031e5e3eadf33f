import os
import shutil
from pathlib import Path

import duckdb
import pytest
from tests.store import journals as j

from pytest_benchdb.store.journal.fold import fold
from pytest_benchdb.store.upkeep.check import validate


@pytest.fixture
def file(tmp_path: Path) -> Path:
    runs = [
        j.run_lines(f"test_{i}", [10 + i, 20 + i, 400], labels=j.labels("bert"), iterations=3, keep=i != 2)
        for i in range(3)
    ]
    odd = j.run_lines("test_odd", [1], outcome="failed", valid=False)
    path = fold(str(j.write_journal(tmp_path, *runs, odd)), cache=os.environ["XDG_CACHE_HOME"]).path
    assert path is not None
    return Path(path)


def test_validate_good_file_has_no_problem(file: Path) -> None:
    checked = validate(file)

    assert (checked.files, checked.sessions, checked.problems, checked.waiting) == (1, 1, (), ())


DAMAGE = {
    "duplicate_keys": "INSERT INTO run SELECT * FROM run LIMIT 1",
    "orphans": "DELETE FROM benchmark WHERE name = 'test_1'",
    "chunks": "UPDATE round_chunk SET round_ns = round_ns[2:]",
    "statistics": "UPDATE round_chunk SET round_ns = [round_ns[1] + 1, round_ns[2], round_ns[3]]",
    "impossible": "UPDATE measurement SET min = -1",
    "values": "UPDATE measurement SET value = NULL, reason = NULL",
    "orphans.session": "DELETE FROM session",
    "values.unit": "UPDATE measurement SET unit = 'ms' WHERE run_id = (SELECT min(run_id) FROM run)",
    "orphans.run": "DELETE FROM run WHERE run_id = (SELECT min(run_id) FROM run)",
}


@pytest.mark.parametrize(("check", "damage"), DAMAGE.items(), ids=DAMAGE)
def test_validate_finds_planted_damage(file: Path, check: str, damage: str) -> None:
    with duckdb.connect(str(file)) as connection:
        connection.execute(damage)

    problems = validate(file).problems

    assert check.partition(".")[0] in {problem.check for problem in problems}


@pytest.mark.long
def test_validate_finds_a_flipped_byte_wherever_it_is(file: Path, tmp_path: Path) -> None:
    content = file.read_bytes()
    blocks = range(3 * 4096, len(content), 16384)
    with duckdb.connect(str(file), read_only=True) as connection:
        (used,) = connection.execute("SELECT used_blocks FROM pragma_database_size()").fetchone() or (0,)
    copy = tmp_path / "copy.duckdb"
    found = 0

    for start in blocks:
        flipped = bytearray(content)
        flipped[start + 100] ^= 0x40
        copy.write_bytes(flipped)
        found += bool(validate(copy).problems)

    assert found >= used


def test_validate_folder_looks_at_every_file(file: Path, tmp_path: Path) -> None:
    shutil.copyfile(file, tmp_path / "other.duckdb")
    (tmp_path / "bad.duckdb").write_text("text")
    j.write_journal(tmp_path, ended=False)

    checked = validate(tmp_path)

    assert (checked.files, checked.sessions, len(checked.waiting)) == (3, 2, 1)
    assert [(problem.path.name, problem.check) for problem in checked.problems] == [("bad.duckdb", "open")]
