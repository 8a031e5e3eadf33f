import contextlib
import json
import os
import shutil
import stat
import subprocess
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_benchdb.model.benchmark import Benchmark, Labels
from pytest_benchdb.model.environment import SessionEnd
from pytest_benchdb.model.run import CHUNK_ROUNDS, Measurement, Run, Timing
from pytest_benchdb.store.history.session_folder import recover
from pytest_benchdb.store.journal.checksum import is_changed, sealed
from pytest_benchdb.store.journal.journal import Journal
from pytest_benchdb.store.journal.lines import end_line, run_lines
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


OPENING = sealed(b'{"k":"session"')
END = sealed(b'{"k":"end","outcome":"passed"')


def begin(name: str) -> bytes:
    return sealed(b'{"k":"begin","run_id":"%b"' % name.encode())


def finished(name: str, length: int = 0) -> bytes:
    return sealed(b'{"k":"run","run_id":"%b","text":"%b"' % (name.encode(), b"x" * length))


def journal_in(*folders: Path) -> Journal:
    return Journal("abc", lambda: folders, OPENING)


def content(journal: Journal) -> bytes:
    """Return what a journal has after its second line, which is for full disks."""
    assert journal.path is not None
    opening, room, rest = journal.path.read_bytes().split(b"\n", 2)
    assert opening + b"\n" == OPENING
    assert len(room) == 511
    assert not is_changed(room + b"\n")
    return rest


def room_of(journal: Journal) -> dict[str, object]:
    assert journal.path is not None
    entry: dict[str, object] = json.loads(journal.path.read_bytes().splitlines()[1])
    del entry["pad"], entry["crc"]
    return entry


def test_journal_is_readable_line_by_line_while_open_and_locked(tmp_path: Path) -> None:
    journal = journal_in(tmp_path / "new" / "folder")
    journal.append(begin("one"))
    journal.append(finished("one"))

    assert journal.path == tmp_path / "new" / "folder" / "abc.journal.jsonl"
    assert content(journal) == begin("one") + finished("one")
    with journal.path.open("rb") as other:
        assert not lock_now(other.fileno())
        journal.close(END)
        assert lock_now(other.fileno())
    assert content(journal) == begin("one") + finished("one") + END
    assert room_of(journal) == {"k": "room"}
    assert not journal.refusals


def test_journal_goes_on_in_the_next_folder_when_the_first_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    journal = journal_in(tmp_path / "file", tmp_path / "spool")

    assert journal.path is not None
    assert journal.path.parent == tmp_path / "spool"
    assert journal.refusals == {tmp_path / "file": "File exists"}
    journal.close(END)


def test_journal_without_a_folder_keeps_its_lines_until_there_is_one(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    journal = journal_in(tmp_path / "file")
    journal.append(begin("one"))
    journal.append(finished("one"))
    assert journal.path is None
    assert journal.missing_runs == 1

    (tmp_path / "file").unlink()
    journal.close(END)

    assert journal.missing_runs == 0
    assert content(journal) == begin("one") + finished("one") + END


def test_journal_forked_child_writes_nothing(tmp_path: Path) -> None:
    journal = journal_in(tmp_path)
    pid = os.fork()
    if pid == 0:
        journal.append(finished("child"))
        journal.close(END)
        os._exit(0)
    os.waitpid(pid, 0)
    journal.append(finished("parent"))
    journal.close(END)

    assert content(journal) == finished("parent") + END


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
    journal = journal_in(tmp_path)
    journal.append(finished("one"))
    journal.close(END)

    assert taken
    assert content(journal) == finished("one") + END
    assert [path.name for path in tmp_path.iterdir()] == ["abc.journal.jsonl"]


def test_journal_close_releases_it_though_a_forked_child_outlives_the_session(tmp_path: Path) -> None:
    journal = journal_in(tmp_path)
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(writer)
        os.read(reader, 1)
        os._exit(0)
    try:
        journal.close(END)
        assert journal.path is not None
        with journal.path.open("rb") as file:
            assert lock_now(file.fileno())
    finally:
        os.close(writer)
        os.close(reader)
        os.waitpid(pid, 0)


Disk = Callable[[str], Path]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """Return a function that mounts an empty disk of 64 kB."""
    mounted: list[Path] = []

    def mount(name: str) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("only root can mount a small disk")
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(["umount", folder], check=True)


@contextlib.contextmanager
def file_size_limit(size_bytes: int) -> Iterator[None]:
    resource = pytest.importorskip("resource", reason="Windows has no limits of this kind")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def fill(folder: Path) -> Path:
    """Leave no free space on a disk; return the file to remove for some."""
    ballast = folder / "ballast"
    with ballast.open("ab", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 4096)
    return ballast


def test_journal_moves_whole_lines_when_the_disk_is_full(disk: Disk, tmp_path: Path) -> None:
    small = disk("small")
    journal = journal_in(small, tmp_path / "spool")
    lines = [finished(f"test_{number}", 9_900) for number in range(10)]
    for line in lines:
        journal.append(line)
    journal.close(END)

    assert journal.path == tmp_path / "spool" / "abc.journal.jsonl"
    assert content(journal) == b"".join(lines) + END
    assert list(small.iterdir()) == []
    assert journal.refusals == {small: "No space left on device"}
    assert journal.missing_runs == 0


def test_journal_that_could_not_move_has_everything_once_when_space_comes_back(disk: Disk) -> None:
    first, second = disk("first"), disk("second")
    journal = journal_in(first, second / "spool")
    ballasts = [fill(first), fill(second)]
    lines = []
    for number in range(4):
        lines += [begin(f"test_{number}"), finished(f"test_{number}", 3_000)]
        journal.append(lines[-2])
        journal.append(lines[-1])
    assert journal.missing_runs == 3
    assert room_of(journal) == {"k": "full", "lost": 3}

    ballasts[0].unlink()
    journal.append(begin("test_4"))
    assert journal.missing_runs == 0
    assert room_of(journal) == {"k": "room"}
    journal.close(END)

    assert journal.path is not None
    assert journal.path.parent == first
    assert content(journal) == b"".join(lines) + begin("test_4") + END
    assert not (second / "spool" / journal.path.name).exists()
    assert not list((second / "spool").glob(".*"))


def test_journal_moves_later_to_a_disk_that_was_full_as_well(disk: Disk) -> None:
    first, second = disk("first"), disk("second")
    journal = journal_in(first, second)
    ballasts = [fill(first), fill(second)]
    lines = [finished(f"test_{number}", 3_000) for number in range(3)]
    for line in lines:
        journal.append(line)

    ballasts[1].unlink()
    journal.append(begin("last"))
    journal.close(END)

    assert journal.path is not None
    assert journal.path.parent == second
    assert content(journal) == b"".join(lines) + begin("last") + END
    assert [path.name for path in first.iterdir()] == ["ballast"]


def test_journal_returns_home_at_the_end_when_there_is_space(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.touch()
    journal = journal_in(home, tmp_path / "spool")
    journal.append(finished("one"))

    home.unlink()
    journal.close(END)

    assert journal.path == home / "abc.journal.jsonl"
    assert content(journal) == finished("one") + END
    assert list((tmp_path / "spool").iterdir()) == []


def test_journal_on_full_disks_says_at_the_end_how_many_runs_are_missing(disk: Disk) -> None:
    small = disk("small")
    journal = journal_in(small)
    journal.append(begin("one") + finished("one"))
    fill(small)
    journal.append(begin("two"))
    for name in ("two", "three"):
        journal.append(finished(name, 5_000))
    journal.close(END)

    assert journal.missing_runs == 2
    assert journal.written_runs == 1
    assert room_of(journal) == {"k": "end", "outcome": "passed", "lost": 2}
    assert content(journal) == begin("one") + finished("one") + begin("two")


@pytest.mark.parametrize("afterwards", ["nothing", "append"])
def test_journal_whose_folder_was_removed_is_written_again(tmp_path: Path, afterwards: str) -> None:
    folder = tmp_path / "results"
    journal = journal_in(folder)
    journal.append(finished("one"))

    shutil.rmtree(folder)
    if afterwards == "append":
        journal.append(finished("two"))
    journal.close(END)

    assert content(journal) == finished("one") + finished("two") * (afterwards == "append") + END
    assert journal.missing_runs == 0


def test_journal_whose_folder_was_renamed_is_whole_in_the_place_that_was_asked_for(tmp_path: Path) -> None:
    folder = tmp_path / "results"
    journal = journal_in(folder)
    journal.append(finished("one"))
    folder.rename(tmp_path / "renamed")
    journal.append(finished("two"))
    journal.close(END)

    assert journal.path == folder / "abc.journal.jsonl"
    assert content(journal) == finished("one") + finished("two") + END
    recover(tmp_path / "renamed")
    assert list((tmp_path / "renamed").iterdir()) == []


def test_journal_beyond_the_limit_of_file_sizes_keeps_count(tmp_path: Path) -> None:
    journal = journal_in(tmp_path / "a", tmp_path / "b")
    with file_size_limit(8_192):
        for number in range(4):
            journal.append(finished(f"test_{number}", 3_000))
        journal.close(END)

    assert (journal.written_runs, journal.missing_runs) == (2, 2)
    assert content(journal) == finished("test_0", 3_000) + finished("test_1", 3_000)
    assert set(journal.refusals.values()) == {"File too large"}


def test_journal_interrupted_while_it_writes_loses_no_line_and_has_none_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = journal_in(tmp_path)
    write = os.write

    def interrupted(descriptor: int, data: bytes) -> int:
        write(descriptor, data)
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        journal.append(finished("one"))
    monkeypatch.undo()
    journal.close(END)

    assert content(journal) == finished("one") + END


def test_journal_line_for_a_full_disk_has_room_for_the_longest_end(tmp_path: Path) -> None:
    end = end_line(
        SessionEnd(
            finished_unix_us=2**63,
            outcome="interrupted",
            exit_status=-(2**31),
            complete=False,
            load1=-1.2345678901234567e-300,
            steal_s=-1.2345678901234567e-300,
            contended=False,
        )
    )
    journal = journal_in(tmp_path)
    journal.append(begin("one"))
    with file_size_limit(journal.size_bytes):
        journal.append(finished("one"))
        journal.close(end)

    assert room_of(journal)["lost"] == 1
    assert content(journal) == begin("one")


def test_journal_file_is_not_open_to_writing_by_others(tmp_path: Path) -> None:
    journal = journal_in(tmp_path)
    journal.close(END)

    assert journal.path is not None
    assert not journal.path.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH)
