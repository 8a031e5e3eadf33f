import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.store import journals as j

from pytest_benchdb.errors import StoreError
from pytest_benchdb.store.fold_process import fold_in_child
from pytest_benchdb.store.history.open import open_history
from pytest_benchdb.store.target import Target

needs_mounts = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="only the superuser of Linux may mount"
)


@contextmanager
def mounted(folder: Path, *arguments: str) -> Iterator[None]:
    done = subprocess.run(["mount", *arguments, folder], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"mounting is not allowed here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


@needs_mounts
@pytest.mark.parametrize("kind", ["folder", "file"])
def test_full_disk_keeps_what_was_there(tmp_path: Path, kind: str) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    with mounted(disk, "-t", "tmpfs", "-o", "size=6m", "tmpfs"):
        path = disk / ("results" if kind == "folder" else "results.duckdb")
        target = Target(path=path, kind="folder" if kind == "folder" else "file")
        first = fold_in_child(j.write_journal(target.spool, j.run_lines("t", [1])), target, timeout_s=60, row_limit=1)
        assert first.status == "stored"
        journal = j.write_journal(target.spool, j.run_lines("t", [1]))
        free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
        (disk / "ballast").write_bytes(b"x" * (free - 100_000))

        result = fold_in_child(journal, target, timeout_s=60, row_limit=1)

        assert result.status == "failed"
        assert result.message is not None
        assert "No space left" in result.message
        assert f"benchdb recover {path}" in result.message
        assert journal.exists()
        assert [entry.name for entry in target.spool.iterdir() if entry.name.startswith(".")] == []
        (disk / "ballast").unlink()
        again = fold_in_child(journal, target, timeout_s=60, row_limit=1)
        assert again.status == "stored"
        with open_history([path]) as reader:
            assert len(reader.sessions()) == 2


@needs_mounts
def test_read_only_folder_of_a_single_file_can_be_read(tmp_path: Path) -> None:
    folder = tmp_path / "results"
    target = Target(path=folder / "all.duckdb", kind="file")
    for _ in range(2):
        fold_in_child(j.write_journal(target.spool, j.run_lines("t", [1])), target, timeout_s=60, row_limit=1)

    with mounted(folder, "--bind", "-o", "bind", str(folder)):
        subprocess.run(["mount", "-o", "remount,ro,bind", folder], check=True)
        with open_history([target.path]) as reader:
            assert len(reader.sessions()) == 2


@needs_mounts
def test_read_only_folder_cannot_be_recorded_into_and_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "results"
    journal = j.write_journal(folder, j.run_lines("t", [1]))

    with mounted(folder, "--bind", "-o", "bind", str(folder)):
        subprocess.run(["mount", "-o", "remount,ro,bind", folder], check=True)
        target = Target(path=folder, kind="folder")
        result = fold_in_child(journal, target, timeout_s=60, row_limit=1)

    assert result.status == "failed"
    assert result.message is not None
    assert "Read-only" in result.message
    assert journal.exists()


@needs_mounts
def test_read_only_folder_with_dead_journal_is_read_without_it(tmp_path: Path) -> None:
    folder = tmp_path / "results"
    target = Target(path=folder, kind="folder")
    fold_in_child(j.write_journal(folder, j.run_lines("t", [1])), target, timeout_s=60, row_limit=1)
    j.write_journal(folder, j.run_lines("t", [1]), ended=False)

    with mounted(folder, "--bind", "-o", "bind", str(folder)):
        subprocess.run(["mount", "-o", "remount,ro,bind", folder], check=True)
        with open_history([folder]) as reader:
            assert len(reader.sessions()) == 1


@pytest.mark.parametrize("environment", [{"XDG_CACHE_HOME": "", "HOME": ""}], ids=["no HOME"])
def test_no_home_costs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    for name in environment:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    target = Target(path=tmp_path / "results", kind="folder")

    result = fold_in_child(j.write_journal(target.spool, j.run_lines("t", [1])), target, timeout_s=60, row_limit=1)

    assert result.status == "stored"
    with open_history([target.path]) as reader:
        assert len(reader.sessions()) == 1


def test_path_is_a_folder_where_a_file_is_expected(tmp_path: Path) -> None:
    path = tmp_path / "all.duckdb"
    path.mkdir()
    target = Target(path=path, kind="file")

    result = fold_in_child(j.write_journal(target.spool, j.run_lines("t", [1])), target, timeout_s=60, row_limit=1)

    assert result.status == "waiting"
    assert result.path.exists()


def test_recovered_journal_of_a_clock_that_went_back_is_whole(tmp_path: Path) -> None:
    target = Target(path=tmp_path, kind="folder")
    runs = [j.run_lines(f"t{i}", [1], started_us=j.STARTED_US - i * 1_000_000) for i in range(3)]

    result = fold_in_child(j.write_journal(tmp_path, *runs), target, timeout_s=60, row_limit=5)

    assert [row.name for row in result.rows] == ["t2", "t1", "t0"]


def test_store_error_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.duckdb").write_text("x")

    with pytest.raises(StoreError) as caught, open_history([tmp_path / "a.duckdb"]):
        pass

    assert "\n" not in str(caught.value)
