import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest
from tests.store import journals as j
from tests.store.conftest import Ask
from tests.store.processes import HOLD, LOCK, running

from pytest_benchdb.model.identity import uuid7
from pytest_benchdb.store import fold_process
from pytest_benchdb.store.cache import template_folder
from pytest_benchdb.store.fold_process import FoldResult, fold_in_child
from pytest_benchdb.store.target import Target, resolve


def stored(journal: Path, target: Target, *, timeout_s: float = 60.0, row_limit: int = 30) -> FoldResult:
    return fold_in_child(journal, target, timeout_s=timeout_s, row_limit=row_limit)


def in_folder(folder: Path, *runs: bytes, **session: Any) -> tuple[Path, Target]:
    return j.write_journal(folder, *runs, **session), Target(path=folder, kind="folder")


def in_file(path: Path, *runs: bytes) -> tuple[Path, Target]:
    target = Target(path=path, kind="file")
    return j.write_journal(target.spool, *runs), target


def test_fold_in_child_folder_stores_and_returns_rows(tmp_path: Path, ask: Ask) -> None:
    runs = [j.run_lines(f"test_{i}", [10, 20], started_us=j.STARTED_US + i) for i in range(5)]
    failed = j.run_lines("test_5", outcome="failed", valid=False, started_us=j.STARTED_US + 9)
    journal, target = in_folder(tmp_path, *runs, failed)

    result = stored(journal, target, row_limit=3)

    assert (result.status, result.message, result.total_runs) == ("stored", None, 6)
    assert result.outcomes == {"failed": 1, "passed": 5}
    assert [row.name for row in result.rows] == ["test_0", "test_1", "test_2"]
    assert ask(result.path, "SELECT count(*) FROM run") == [(6,)]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [result.path.name]


def test_fold_in_child_file_takes_one_session_more_each_time(tmp_path: Path, ask: Ask) -> None:
    path = tmp_path / "all.duckdb"
    for number in range(3):
        result = stored(*in_file(path, j.run_lines(f"test_{number}", [10])))
        assert (result.status, result.path, result.message) == ("stored", path, None)

    assert ask(path, "SELECT count(*) FROM session") == [(3,)]
    assert ask(path, "SELECT value FROM meta WHERE key = 'file_kind'") == [("history",)]
    assert not (tmp_path / "all.duckdb.inbox").exists()


@pytest.mark.parametrize("how", ["database", "lock"])
def test_fold_in_child_file_in_use_waits_in_the_inbox(
    tmp_path: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(fold_process, "_LOCK_SHARE", 0.005)
    path = tmp_path / "all.duckdb"
    stored(*in_file(path, j.run_lines("test_0", [10])))
    journal, target = in_file(path, j.run_lines("test_1", [10]))

    holder = (HOLD, path, "ro") if how == "database" else (LOCK, f"{path}.lock", "sh")
    with running(*holder) as process:
        result = stored(journal, target)

    assert result.status == "waiting"
    assert result.path.parent == target.spool
    assert result.message is not None
    assert f"benchdb recover {path}" in result.message
    if how == "database":
        assert f"in use by process {process.pid}" in result.message
    later = stored(*in_file(path, j.run_lines("test_2", [10])))
    assert later.status == "stored"
    assert ask(path, "SELECT count(*) FROM session") == [(3,)]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "an empty file"),
        (b"SQLite format 3\0" + b"\0" * 100, "an SQLite database"),
        (b"hello, this is text", "a file of another kind"),
    ],
    ids=["empty", "sqlite", "text"],
)
def test_fold_in_child_foreign_file_is_not_touched(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "all.db"
    path.write_bytes(content)

    result = stored(*in_file(path, j.run_lines("test_0", [10])))

    assert result.status == "waiting"
    assert result.message is not None
    assert f"{path} is {words}" in result.message
    assert path.read_bytes() == content
    assert result.path.exists()


def test_fold_in_child_database_of_another_program_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "mine.duckdb"
    with duckdb.connect(str(path)) as connection:  # in the newest format, which our storage version cannot write
        connection.execute("CREATE TABLE mine AS SELECT 1 AS value")
    content = path.read_bytes()

    result = stored(*in_file(path, j.run_lines("test_0", [10])))

    assert result.status == "waiting"
    assert result.message is not None
    assert result.message.startswith(f"{path} is a DuckDB database, but not one of pytest-benchdb")
    assert path.read_bytes() == content


def test_fold_in_child_journal_of_dead_session_is_recovered(tmp_path: Path, ask: Ask) -> None:
    dead = j.write_journal(tmp_path, j.run_lines("test_dead", [10]), ended=False)
    stale = tmp_path / f".{uuid7()}.part"
    stale.write_bytes(b"half a file")
    journal, target = in_folder(tmp_path, j.run_lines("test_0", [10]))

    result = stored(journal, target)

    assert len(result.recovered) == 1
    assert ask(result.recovered[0], "SELECT outcome FROM session") == [("crashed",)]
    assert not dead.exists()
    assert not stale.exists()


def test_fold_in_child_journal_of_running_session_stays(tmp_path: Path) -> None:
    running_one = j.write_journal(tmp_path, j.run_lines("test_running", [10]), ended=False)
    part = tmp_path / f".{running_one.name.split('.')[0]}.part"
    part.write_bytes(b"being written")
    journal, target = in_folder(tmp_path, j.run_lines("test_0", [10]))

    with running(LOCK, running_one, "ex"):
        result = stored(journal, target)

    assert result.recovered == ()
    assert running_one.exists()
    assert part.exists()


def test_fold_in_child_that_takes_too_long_keeps_the_journal(tmp_path: Path, ask: Ask) -> None:
    journal, target = in_folder(tmp_path, j.run_lines("test_0", [10]))

    result = stored(journal, target, timeout_s=0.001)

    assert result.status == "failed"
    assert result.path == journal
    assert result.message is not None
    assert f"benchdb recover {tmp_path}" in result.message
    assert stored(journal, target).status == "stored"


def test_fold_in_child_that_dies_keeps_the_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal, target = in_folder(tmp_path, j.run_lines("test_0", [10]))
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    (tmp_path / "_duckdb.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n")

    result = stored(journal, target)

    assert result.status == "failed"
    assert journal.exists()


def test_fold_in_child_takes_nothing_that_a_library_prints_for_the_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal, target = in_folder(tmp_path / "results", j.run_lines("test_0", [10]))
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    (tmp_path / "_duckdb.py").write_text(
        "import os, sys\nos.write(1, b'50% of the statement')\n"
        "del sys.path[0], sys.modules['_duckdb']\nimport _duckdb\n"
    )

    assert stored(journal, target).status == "stored"


@pytest.mark.parametrize("executable", ["", "/no/such/python"])
def test_fold_in_child_that_cannot_start_folds_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, executable: str
) -> None:
    journal, target = in_folder(tmp_path, j.run_lines("test_0", [10]))
    monkeypatch.setattr(sys, "executable", executable)

    assert stored(journal, target).status == "stored"


@pytest.mark.parametrize("cache", ["missing", "file", "corrupt"])
def test_fold_in_child_unusable_cache_costs_nothing_but_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: str
) -> None:
    folder = tmp_path / "cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    if cache == "file":
        folder.write_text("not a folder")
    if cache == "corrupt":
        stored(*in_folder(tmp_path / "first", j.run_lines("test_0", [10])))
        for template in folder.rglob("*.duckdb"):
            template.write_bytes(template.read_bytes()[:5000])

    result = stored(*in_folder(tmp_path / "results", j.run_lines("test_0", [10])))

    assert (result.status, result.total_runs) == ("stored", 1)


def test_fold_in_child_journal_that_went_elsewhere_is_stored_there(tmp_path: Path) -> None:
    journal = j.write_journal(tmp_path / "spool", j.run_lines("test_0", [10]))
    target = Target(path=tmp_path / "gone" / "all.duckdb", kind="file")

    result = stored(journal, target)

    assert result.status == "stored"
    assert result.path.parent == tmp_path / "spool"


def test_fold_process_loads_no_database() -> None:
    program = (
        "import sys; import pytest_benchdb.store.fold_process, pytest_benchdb.store.journal.lines\n"
        "print([name for name in ('duckdb', '_duckdb', 'rich', 'click', 'psutil') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"


def test_fold_child_loads_neither_the_public_module_nor_the_model(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        f"sys.path[:] = {sys.path!r}\n"
        "from pytest_benchdb.store.journal.fold import fold\n"
        f"fold(sys.argv[1], cache={os.environ['XDG_CACHE_HOME']!r}, row_limit=3)\n"
        "heavy = ('duckdb', 'pytest_benchdb.model.report', 'tempfile', 'pytest')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    stored(*in_folder(tmp_path, j.run_lines("test_0", [10])))
    folder = template_folder()
    program = program.replace(os.environ["XDG_CACHE_HOME"], str(folder))
    journal = j.write_journal(tmp_path, j.run_lines("test_0", [10]))

    done = subprocess.run(
        [sys.executable, "-S", "-c", program, str(journal)], capture_output=True, text=True, check=True
    )

    assert done.stdout == "[]\n"


def test_resolved_file_and_folder_fold_into_their_places(tmp_path: Path) -> None:
    file, folder = resolve("a.duckdb", tmp_path), resolve("b", tmp_path)

    results = [stored(j.write_journal(target.spool, j.run_lines("t", [1])), target) for target in (file, folder)]

    assert [result.status for result in results] == ["stored", "stored"]
    assert results[0].path == file.path
    assert results[1].path.parent == folder.path
