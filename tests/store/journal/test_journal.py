import json
import os
import stat
import subprocess
from array import array
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_benchdb.errors import StoreError
from pytest_benchdb.model.benchmark import Benchmark, Labels
from pytest_benchdb.model.run import CHUNK_ROUNDS, Measurement, Run, Timing
from pytest_benchdb.store.history.session_folder import recover
from pytest_benchdb.store.journal.journal import Journal
from pytest_benchdb.store.journal.lines import run_lines
from pytest_benchdb.store.lock import lock_now

BENCHMARK = Benchmark(
    benchmark_id="0" * 32,
    project="p",
    fullname="t.py::t",
    file="t.py",
    class_name=None,
    function="t",
    name="t",
    group_name=None,
    params=None,
    param_id=None,
    code_hash=None,
)


def run_of(measurement: Measurement, *, iterations: int = 1) -> Run:
    return Run(
        run_id="1" * 32,
        benchmark=BENCHMARK,
        labels=Labels(),
        outcome="passed",
        reason=None,
        started_unix_us=0,
        timing=Timing(measurements=(measurement,), iterations=iterations),
        extra_info={"name": 'a\nb\udc80"é😀'},
    )


def entries(lines: bytes) -> list[dict[str, object]]:
    return [json.loads(line) for line in lines.decode().splitlines()]


@given(st.lists(st.integers(0, 10**15), max_size=3000))
def test_run_lines_rounds_are_whole_nanoseconds_in_chunks(round_ns: list[int]) -> None:
    measurement = Measurement.of("wall_time", round_ns=array("q", round_ns))

    *chunks, run = entries(run_lines(run_of(measurement, iterations=7)))

    assert run["k"] == "run"
    assert [chunk["i"] for chunk in chunks] == list(range(len(chunks)))
    assert all(len(chunk["ns"]) <= CHUNK_ROUNDS for chunk in chunks)  # type: ignore[arg-type]
    assert [ns for chunk in chunks for ns in chunk["ns"]] == round_ns  # type: ignore[attr-defined]


@pytest.mark.parametrize("metric", ["energy", "step_time"])
def test_run_lines_of_samples_keep_the_values(metric: str) -> None:
    *chunks, _ = entries(run_lines(run_of(Measurement.of(metric, samples=[0.1, 2.5e-10]))))

    assert [chunk["v"] for chunk in chunks] == [[0.1, 2.5e-10]]


def test_run_lines_are_utf8_whatever_the_text() -> None:
    *_, run = entries(run_lines(run_of(Measurement.of("wall_time", round_ns=[]))))

    assert run["extra_info"] == {"name": 'a\nb?"é😀'}


def test_journal_is_readable_line_by_line_while_open_and_locked(tmp_path: Path) -> None:
    journal = Journal("abc", [tmp_path / "new" / "folder"])
    journal.append(b"one\n")
    journal.append(b"two\n")

    assert journal.path == tmp_path / "new" / "folder" / "abc.journal.jsonl"
    assert journal.path.read_bytes() == b"one\ntwo\n"
    with journal.path.open("rb") as other:
        assert not lock_now(other.fileno())
        journal.close()
        assert lock_now(other.fileno())


def test_journal_goes_on_in_the_next_folder_when_the_first_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    journal = Journal("abc", [tmp_path / "file", tmp_path / "spool"])

    assert journal.path.parent == tmp_path / "spool"
    assert journal.moved_because is not None
    assert "cannot be written" in journal.moved_because
    journal.close()


def test_journal_without_a_folder_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StoreError, match="give another PATH"):
        Journal("abc", [tmp_path / "file"])


def test_journal_forked_child_writes_nothing(tmp_path: Path) -> None:
    journal = Journal("abc", [tmp_path])
    pid = os.fork()
    if pid == 0:
        journal.append(b"child\n")
        os._exit(0)
    os.waitpid(pid, 0)
    journal.append(b"parent\n")
    journal.close()

    assert journal.path.read_bytes() == b"parent\n"


def test_journal_survives_a_recovery_between_its_creation_and_its_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[int] = []

    def recover_then_lock(descriptor: int) -> bool:
        if not taken:  # once, or the journal could never begin
            taken.append(descriptor)
            recover(tmp_path)
        return lock_now(descriptor)

    monkeypatch.setattr("pytest_benchdb.store.journal.journal.lock_now", recover_then_lock)
    journal = Journal("0198c5d4-1a2b-7c3d-8e4f-001122334455", [tmp_path])
    journal.append(b"line\n")
    journal.close()

    assert taken
    assert journal.path.read_bytes() == b"line\n"
    assert [path.name for path in tmp_path.iterdir()] == [journal.path.name]


def test_journal_close_releases_it_though_a_forked_child_outlives_the_session(tmp_path: Path) -> None:
    journal = Journal("abc", [tmp_path])
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(writer)
        os.read(reader, 1)
        os._exit(0)
    try:
        journal.close()
        with journal.path.open("rb") as file:
            assert lock_now(file.fileno())
    finally:
        os.close(writer)
        os.close(reader)
        os.waitpid(pid, 0)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], capture_output=True, check=False
    ).returncode:
        pytest.skip("only root can mount a small disk")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_journal_moves_whole_lines_when_the_disk_is_full(small_disk: Path, tmp_path: Path) -> None:
    journal = Journal("abc", [small_disk, tmp_path / "spool"])
    line = b"x" * 9_999 + b"\n"
    for _ in range(10):
        journal.append(line)
    journal.close()

    assert journal.path.parent == tmp_path / "spool"
    assert journal.path.read_bytes() == line * 10
    assert list(small_disk.iterdir()) == []
    assert journal.moved_because is not None
    assert "No space left" in journal.moved_because


def test_journal_file_is_not_open_to_writing_by_others(tmp_path: Path) -> None:
    journal = Journal("abc", [tmp_path])
    journal.close()

    assert not journal.path.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH)
