"""Read damaged session files: they are left out and named, or have the figures they had; their neighbours stay."""

import multiprocessing
import random
import shutil
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

from tests.cli.conftest import make_run, make_session
from tests.hostile.counts import counted
from tests.hostile.mutation import cut, damaged, flip, replace_bytes

from pytest_benchdb.errors import StoreError
from pytest_benchdb.store.history.open import open_history

BATCH = 50


def blocks(data: bytes, chance: random.Random) -> bytes:
    """Exchange, repeat or blank blocks of 4 kB."""
    size = 4096
    parts = [data[start : start + size] for start in range(0, len(data), size)]
    one, other = chance.sample(range(len(parts)), 2)
    parts[one] = chance.choice((parts[other], bytes(size), chance.randbytes(size)))
    return b"".join(parts)


def figures(folder: Path) -> tuple[dict[str | None, Any], list[str]]:
    """Return the valid figures of each session by its label, and the warnings."""
    with open_history([folder]) as reader:
        sessions = {row.session_id: row.label for row in reader.sessions()}
        found: dict[str | None, Any] = {label: [] for label in sessions.values()}
        for row in reader.samples():
            found[sessions[row["session_id"]]].append((row["metric"], tuple(row["samples"])))
        return {label: sorted(rows) for label, rows in found.items()}, list(reader.warnings)


def try_some(numbers: range, plain: Path, folder: Path) -> list[str]:
    """Damage the newest file of a folder once for each number; return what went wrong."""
    files = sorted(plain.glob("2*.duckdb"))
    original = files[-1].read_bytes()
    expected, _ = figures(plain)
    faults = []
    for number in numbers:
        chance = random.Random(f"session-file-{number}")  # noqa: S311
        place = folder / str(number)
        place.mkdir()
        shutil.copy(files[0], place)
        bad = place / files[-1].name
        bad.write_bytes(chance.choice((damaged, flip, flip, replace_bytes, cut, blocks))(original, chance))
        for home in (place, bad):
            try:
                found, warnings = figures(home)
            except StoreError as error:
                if home == place or "\n" in str(error):
                    faults.append(f"{number}: {error}")
                continue
            except Exception as error:  # noqa: BLE001 - that is what is looked for
                faults.append(f"{number}: {type(error).__name__}: {error}")
                continue
            if home == place and found.get("neighbour") != expected["neighbour"]:
                faults.append(f"{number}: the neighbour has {found.get('neighbour')}")
            if found.get("night", expected["night"]) != expected["night"]:
                faults.append(f"{number}: other figures: {str(found['night'])[:200]}")
            if home == place and "night" not in found and not any(bad.name in warning for warning in warnings):
                faults.append(f"{number}: left out and not named: {warnings}, {sorted(map(str, found))}")
        shutil.rmtree(place)
    return faults


@counted(sample=8, long=80, full=4_000)
def test_damaged_session_files_are_left_out_or_as_they_were(tmp_path: Path, count: int) -> None:
    plain, folder = tmp_path / "plain", tmp_path / "damaged"
    folder.mkdir()
    make_session(plain, [make_run("t.py::test_a")], label="neighbour")
    runs = [make_run(f"t.py::test_{n}", [1e-6 * (n + 1 + m / 1000) for m in range(50)]) for n in range(10)]
    make_session(plain, runs, at=1, label="night")
    faults: list[str] = []
    context = multiprocessing.get_context("spawn")  # a crash of DuckDB ends that process only
    for first in range(0, count, BATCH):
        numbers = range(first, min(count, first + BATCH))
        with ProcessPoolExecutor(1, mp_context=context) as pool:
            try:
                faults += pool.submit(try_some, numbers, plain, folder).result()
            except BrokenProcessPool:
                faults.append(f"the process died at {sorted(path.name for path in folder.iterdir())}")
                shutil.rmtree(folder)
                folder.mkdir()
    assert faults == []
