"""Fold damaged journals: what was not touched is stored as it was, and what was is missing, not valid, or the same."""

import json
import os
import random
from pathlib import Path
from typing import Any

import duckdb
from tests.cli.conftest import make_run, make_session
from tests.hostile.counts import counted
from tests.hostile.mutation import damaged, flip, mix_lines, replace_bytes

from pytest_benchdb.errors import CorruptFileError
from pytest_benchdb.store.history.session_folder import recover
from pytest_benchdb.store.journal.fold import DAMAGED_SUFFIX, fold
from pytest_benchdb.store.target import JOURNAL_SUFFIX

_RUNS = """
SELECT CAST(r.run_id AS VARCHAR), b.fullname, r.outcome, r.iterations, r.rounds
FROM run r JOIN benchmark b ON b.benchmark_id = r.benchmark_id
"""
_FIGURES = """
SELECT CAST(m.run_id AS VARCHAR), m.metric, m.valid, m.value, m.n, m.min, m.median, m.mean, m.max,
  (SELECT list(c.round_ns ORDER BY c.chunk) FROM round_chunk c WHERE c.measurement_id = m.measurement_id)
FROM measurement m
"""


def new_journal(folder: Path) -> Path:
    """Return a journal as a recording process writes it, with runs of one and of three chunks."""
    chance = random.Random(7)  # noqa: S311
    runs = [
        make_run(f"tests/test_a.py::test_{n}", [chance.uniform(1e-6, 2e-6) for _ in range(rounds)])
        for n, rounds in enumerate((3, 5, 2_500, 4, 1_100))
    ]
    return make_session(folder, runs, finished=False, label="night").path


def stored(path: Path) -> tuple[dict[str, Any], dict[tuple[str, str], tuple[Any, ...]]]:
    """Return the runs by id, and the figures that are valid by run and metric; fail if a run is there twice."""
    with duckdb.connect(str(path), read_only=True) as connection:
        runs = connection.execute(_RUNS).fetchall()
        figures = connection.execute(_FIGURES).fetchall()
    assert len({row[0] for row in runs}) == len(runs)
    valid = [row for row in figures if row[2]]
    assert len({row[:2] for row in valid}) == len(valid)
    return {row[0]: row[1:] for row in runs}, {row[:2]: row[3:] for row in valid}


def run_of(line: bytes) -> str | None:
    """Return the id of the run that a line is about."""
    entry = json.loads(line)
    run_id: str | None = entry.get("run_id") or entry.get("run")
    return run_id


@counted(sample=25, long=250, full=8_000)
def test_damaged_journals_lose_only_what_was_damaged(tmp_path: Path, count: int) -> None:
    journal = new_journal(tmp_path / "plain")
    original = journal.read_bytes()
    lines = original.splitlines(keepends=True)
    by_run: dict[str | None, list[bytes]] = {}
    for line in lines:
        by_run.setdefault(run_of(line), []).append(line)
    whole = fold(str(journal), cache=os.environ["XDG_CACHE_HOME"]).path
    assert whole is not None
    runs, figures = stored(Path(whole))
    assert len(runs) == 5
    for number in range(count):
        chance = random.Random(f"journal-{number}")  # noqa: S311
        damage = chance.choice((damaged, flip, replace_bytes, mix_lines))
        data = damage(original, chance)
        folder = tmp_path / "damaged"
        folder.mkdir()
        (folder / journal.name).write_bytes(data)

        _, problems = recover(folder)

        left = data[: data.rfind(b"\n") + 1].splitlines(keepends=True)
        untouched = {run for run, own in by_run.items() if [line for line in left if line in set(own)] == own}
        files = list(folder.glob("*.duckdb"))
        found_runs, found = stored(files[0]) if files else ({}, {})
        assert len(files) <= 1, number
        for run_id, row in runs.items():
            if run_id in untouched:
                assert found_runs.get(run_id) == row, (number, problems)
        for key, values in figures.items():
            if key[0] in untouched:
                assert found.get(key) == values, (number, key, problems)
            else:
                assert found.get(key) in (None, values), (number, key, problems)
        assert set(found) <= set(figures), number
        assert not list(folder.glob(f"*{JOURNAL_SUFFIX}")), (number, "the journal is tried for ever")
        assert files or list(folder.glob(f"*{DAMAGED_SUFFIX}")) or not left, (number, problems)
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()


@counted(sample=10, long=100, full=2_000)
def test_damaged_journal_does_not_keep_its_neighbours_out(tmp_path: Path, count: int) -> None:
    journal = new_journal(tmp_path / "plain")
    original = journal.read_bytes()
    for number in range(count):
        chance = random.Random(f"neighbour-{number}")  # noqa: S311
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / journal.name).write_bytes(damaged(original, chance))
        make_session(folder, [make_run("t.py::test_b")], finished=False, at=1, label="neighbour")

        recover(folder)

        labels = []
        for path in folder.glob("*.duckdb"):
            with duckdb.connect(str(path), read_only=True) as connection:
                labels += [label for (label,) in connection.execute("SELECT label FROM session").fetchall()]
        assert labels.count("neighbour") == 1, number
        for path in folder.iterdir():
            path.unlink()


def test_journal_without_a_good_line_is_set_aside_and_named(tmp_path: Path) -> None:
    journal = new_journal(tmp_path)
    journal.write_bytes(b"\n".join([b"x" * 100] * 5) + b"\n")

    try:
        folded = fold(str(journal), cache=os.environ["XDG_CACHE_HOME"])
    except CorruptFileError as error:
        assert journal.name in str(error)  # noqa: PT017 - an empty session is fine as well
    else:
        assert folded.damaged_lines
    assert not journal.exists()
