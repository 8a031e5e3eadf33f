"""Store, cache, temporary folder and output file on disks that are full, fill up, or have space again: real disks."""

import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import product
from pathlib import Path

import pytest
from tests.hostile.counts import counted

from pytest_benchdb.store.history.open import open_history

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="only the superuser of Linux may mount small disks"
)
PLACES = ("store", "cache", "temporary", "output")
LAYOUTS = [dict(zip(PLACES, kinds, strict=True)) for kinds in product(("large", "own", "shared"), repeat=len(PLACES))]
"""Whether each place is on a large disk, on a small one of its own, or on a small one with the others that share."""

SUITE = """
import os
import pathlib
import pytest

def fill(disk, leave):
    with open(disk / "ballast", "ab", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 1024)
        except OSError:
            pass
    size = os.path.getsize(disk / "ballast")
    os.truncate(disk / "ballast", max(0, size - leave))

@pytest.mark.parametrize("number", range(7))
def test_x(number, bench_cpu):
    if number == FULL_FROM:
        for disk in DISKS:
            fill(disk, LEAVE)
    if number == FULL_UNTIL:
        for disk in DISKS:
            (disk / "ballast").unlink()
    bench_cpu.pedantic(len, args=("x",), rounds=300)
    bench_cpu.extra_info["text"] = "x" * 3000
"""


@contextmanager
def disks(folder: Path, layout: Mapping[str, str]) -> Iterator[tuple[dict[str, Path], list[Path]]]:
    """Yield the folder of each place, and the small disks."""
    with ExitStack() as stack:
        names = dict.fromkeys(place if kind == "own" else "shared" for place, kind in layout.items() if kind != "large")
        for name in names:
            disk = folder / f"disk-{name}"
            disk.mkdir()
            mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(disk)]
            if subprocess.run(mount, capture_output=True, check=False).returncode:
                pytest.skip("mounting is not allowed here")
            stack.callback(subprocess.run, ["umount", "-l", str(disk)], check=True)
        small = {"own": "disk-{0}", "shared": "disk-shared", "large": "large"}
        places = {place: folder / small[kind].format(place) / place for place, kind in layout.items()}
        for path in places.values():
            path.mkdir(parents=True)
        yield places, [folder / f"disk-{name}" for name in names]


def record(folder: Path, places: Mapping[str, Path], target: Path, head: str) -> "subprocess.CompletedProcess[str]":
    (folder / "test_full.py").write_text(head + SUITE, encoding="utf-8")
    command = ["-m", "pytest", "test_full.py", "-p", "no:cacheprovider", "-p", "pytest_benchdb.plugin"]
    command += [f"--benchdb={target}", f"--benchdb-report={places['output'] / 'report.json'}"]
    variables = {"XDG_CACHE_HOME": str(places["cache"]), "TMPDIR": str(places["temporary"])}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env={**kept, **variables, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def stored_anywhere(folder: Path, target: Path) -> list[str]:
    """Recover whatever is left in any place; return the name of each run that is stored."""
    homes = {path.parent for path in folder.rglob("*.journal.jsonl")} | {
        path.parent for path in folder.rglob("*-*.duckdb")
    }
    homes = {home for home in homes if home not in {target, Path(f"{target}.inbox")}}
    names: list[str] = []
    for place in [target, *sorted(homes)]:
        if not place.exists() and not Path(f"{place}.inbox").exists():
            continue
        subprocess.run(
            [sys.executable, "-m", "pytest_benchdb", "recover", str(place)],
            capture_output=True,
            check=False,
            timeout=120,
        )
        if place.exists() and (place.is_file() or any(place.glob("*.duckdb"))):
            with open_history([place]) as reader:
                names += [f"{run['fullname']} {run['outcome']}" for run in reader.runs()]
    return sorted(names)


@counted(sample=2, long=20, full=4 * len(LAYOUTS))
def test_full_disks_lose_nothing_or_say_what(tmp_path: Path, count: int) -> None:
    faults = []
    for number in range(count):
        chance = random.Random(f"disk-{number}")  # noqa: S311
        layout = LAYOUTS[number % len(LAYOUTS)] if count > len(LAYOUTS) else chance.choice(LAYOUTS)
        full_from = chance.randrange(7)
        full_until = chance.choice((None, chance.randrange(full_from, 7) + 1))
        leave = chance.choice((0, 0, 4_096, 50_000, 600_000))
        folder = tmp_path / str(number)
        folder.mkdir()
        with disks(folder, layout) as (places, small):
            target = places["store"] / chance.choice(("db", "db.duckdb"))
            report = places["output"] / "report.json"
            report.write_text("the report of before", encoding="utf-8")
            head = f"FULL_FROM, FULL_UNTIL, LEAVE = {full_from}, {full_until}, {leave}\n"
            done = record(folder, places, target, f"{head}DISKS = []\nimport pathlib\n" + _assigned(small))
            case = f"{number}: {layout}, full from {full_from} to {full_until}, {leave} left, {target.name}"
            for disk in small:
                (disk / "ballast").unlink(missing_ok=True)
            faults += [f"{case}: {fault}\n{done.stdout[-1500:]}" for fault in _faults(done, folder, target, report)]
        shutil.rmtree(folder)
    assert faults == []


def _assigned(small: list[Path]) -> str:
    return f"DISKS += [pathlib.Path(disk) for disk in {[str(disk) for disk in small]!r}]\n"


def _faults(done: "subprocess.CompletedProcess[str]", folder: Path, target: Path, report: Path) -> Iterator[str]:
    text = done.stdout + done.stderr
    if done.returncode != 0 or "INTERNALERROR" in text or "7 passed" not in done.stdout:
        yield f"status {done.returncode}"
    names = stored_anywhere(folder, target)
    expected = [f"test_full.py::test_x[{number}] passed" for number in range(7)]
    said = re.search(r"(\d+) of (\d+) finished tests could not be stored", text)
    if len(names) != len(set(names)) or not set(names) <= set(expected):
        yield f"stored: {names}"
    lost = len(set(expected) - set(names))
    if lost != (int(said[1]) if said else 0):
        yield f"{lost} are lost, and it said: {said[0] if said else 'nothing'}"
    written = report.read_text(encoding="utf-8")
    if written != "the report of before" and not _is_whole(written, runs=7 - lost):
        yield f"half a report: {written[:200]!r}"
    others = [path.name for path in report.parent.iterdir() if path.name != "report.json"]
    if others and others != ["ballast"]:
        yield f"beside the report: {others}"


def _is_whole(text: str, runs: int) -> bool:
    try:
        return text.count("test_full.py::test_x[") >= runs and isinstance(json.loads(text), dict)
    except ValueError:
        return False
