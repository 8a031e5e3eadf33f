"""Sessions on full disks: real ones, so only where this process may mount them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from pytest_benchdb.store.history.open import open_history
from pytest_benchdb.store.history.session_folder import recover

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or os.getuid() != 0, reason="only the superuser of Linux may mount small disks"
)
SUITE = """
import os
import pathlib
import pytest

def fill(disk):
    with open(disk / "ballast", "ab", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            pass

@pytest.mark.parametrize("number", range(7))
def test_x(number, benchmark):
    if number == FULL_FROM:
        for disk in DISKS:
            fill(disk)
    if number == FULL_UNTIL:
        for disk in DISKS:
            (disk / "ballast").unlink()
    benchmark.pedantic(len, args=("x" * 2000,), rounds=1500)
    benchmark.extra_info["text"] = "x" * 3000
"""
PLACES = ("store", "cache", "temporary")


class Disks:
    """A store, a cache and a temporary folder, some of them on disks of 3 MB."""

    def __init__(self, folder: Path, small: dict[str, str], mounts: ExitStack) -> None:
        """Mount a disk for each value of `small`, which names the disk of each place that has one."""
        self.folder = folder
        self.disks = [folder / name for name in dict.fromkeys(small.values())]
        for disk in self.disks:
            disk.mkdir()
            command = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(disk)]
            if subprocess.run(command, capture_output=True, check=False).returncode:
                pytest.skip("mounting is not allowed here")
            mounts.callback(subprocess.check_call, ["umount", str(disk)])
        for place in PLACES:
            path = folder / small.get(place, "large") / place
            path.mkdir(parents=True)
            setattr(self, place, path)
        self.store: Path
        self.cache: Path
        self.temporary: Path

    def record(
        self, *options: str, full_from: int = 3, full_until: int | None = None
    ) -> "subprocess.CompletedProcess[str]":
        suite = f"DISKS = []\nFULL_FROM, FULL_UNTIL = {full_from}, {full_until}\n" + SUITE
        suite += f"\nDISKS += [pathlib.Path(disk) for disk in {list(map(str, self.disks))}]\n"
        (self.folder / "test_full.py").write_text(suite)
        return subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "test_full.py", "-p", "no:cacheprovider", "-p", "no:randomly"),
                *(f"--benchdb={self.store}", *options),
            ],
            cwd=self.folder,
            env={**os.environ, "XDG_CACHE_HOME": str(self.cache), "TMPDIR": str(self.temporary)},
            capture_output=True,
            text=True,
            check=False,
        )

    def free(self) -> None:
        for disk in self.disks:
            (disk / "ballast").unlink(missing_ok=True)

    def stored(self) -> list[tuple[str, ...]]:
        """Return name and outcome of each run in any of the places."""
        rows: list[tuple[str, ...]] = []
        places = (self.store, self.cache / "pytest-benchdb/spool", self.temporary / "pytest-benchdb-0/spool")
        for place in places:
            if place.is_dir():
                recover(place)
                if any(place.glob("*.duckdb")):
                    with open_history([place]) as reader:
                        rows += reader.query(
                            "SELECT name, outcome, CAST(session_id AS VARCHAR) FROM run "
                            "JOIN benchmark USING (benchmark_id) ORDER BY name"
                        ).rows
        return rows


@pytest.fixture
def mounts() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


ALL = [(f"test_x[{number}]", "passed") for number in range(7)]
LAYOUTS = {
    "store": {"store": "a"},
    "store-and-cache-on-one": {"store": "a", "cache": "a"},
    "store-and-cache": {"store": "a", "cache": "b"},
    "store-and-temporary": {"store": "a", "temporary": "b"},
    "all": {"store": "a", "cache": "b", "temporary": "c"},
    "all-on-one": {"store": "a", "cache": "a", "temporary": "a"},
}


@pytest.mark.long
@pytest.mark.parametrize("small", LAYOUTS.values(), ids=LAYOUTS.keys())
def test_session_on_full_disks_is_whole_or_says_what_is_missing(
    tmp_path: Path, mounts: ExitStack, small: dict[str, str]
) -> None:
    disks = Disks(tmp_path, small, mounts)

    done = disks.record()

    assert done.returncode == 0, done.stdout
    assert "7 passed" in done.stdout
    disks.free()
    stored = disks.stored()
    assert [row[:2] for row in stored] == ALL[: len(stored)]
    assert len({row[2] for row in stored}) == 1
    lost = len(ALL) - len(stored)
    if lost:
        assert set(small) == set(PLACES)
        assert f"{lost} of 7 finished tests could not be stored and are lost: No space left on device" in done.stdout
        assert "nothing is lost" not in done.stdout
        assert done.stdout.count("benchdb: ") == 2, done.stdout  # the header, and one warning
    else:
        assert " are lost" not in done.stdout


@pytest.mark.long
@pytest.mark.parametrize("small", LAYOUTS.values(), ids=LAYOUTS.keys())
def test_space_that_comes_back_leaves_one_whole_session(
    tmp_path: Path, mounts: ExitStack, small: dict[str, str]
) -> None:
    disks = Disks(tmp_path, small, mounts)

    done = disks.record("--benchdb-strict", full_until=6)

    assert done.returncode == 0, done.stdout
    assert "7 passed -> " in done.stdout
    assert done.stdout.count("benchdb: ") == 1, done.stdout
    stored = disks.stored()
    assert [row[:2] for row in stored] == ALL
    assert len(list(disks.store.glob("*.duckdb"))) == 1 + (disks.store / "history.duckdb").exists()


def test_strict_session_that_is_not_whole_fails(tmp_path: Path, mounts: ExitStack) -> None:
    done = Disks(tmp_path, LAYOUTS["all"], mounts).record("--benchdb-strict")

    assert done.returncode == 1


def test_tests_of_a_full_disk_are_not_crashed_though_the_session_dies(tmp_path: Path, mounts: ExitStack) -> None:
    disks = Disks(tmp_path, LAYOUTS["all"], mounts)
    (tmp_path / "conftest.py").write_text(
        "import os\ndef pytest_runtest_logfinish(nodeid):\n    if '[5]' in nodeid: os._exit(9)\n"
    )

    assert disks.record().returncode == 9

    disks.free()
    stored = disks.stored()
    assert [row[:2] for row in stored] == ALL[: len(stored)]
