"""No entrance of the store takes an impossible figure for a valid one."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.store import journals as j

from pytest_benchdb.model.metric import METRICS
from pytest_benchdb.model.run import Measurement, Summary
from pytest_benchdb.store.history.merge import merge
from pytest_benchdb.store.history.open import open_history
from pytest_benchdb.store.journal.fold import fold
from pytest_benchdb.store.journal.impossible import find_impossible, mark_impossible
from pytest_benchdb.store.target import resolve

FIGURES = ("n", "min", "max", "mean", "median", "stddev", "q1", "q3", "p90", "p95", "p99", "value")
SOUND = {
    "n": 3,
    "min": 1.0,
    "max": 4.0,
    "mean": 2.4,
    "median": 2.0,
    "stddev": 1.2,
    "q1": 1.5,
    "q3": 3.0,
    "p99": 3.9,
    "value": 2.0,
}

IMPOSSIBLE: dict[str, tuple[str, dict[str, Any], str]] = {
    "below zero": ("wall_time", {"min": -1.0}, "min is -1.0, and wall_time is never below 0"),
    "no time": ("wall_time", {"median": 0.0, "value": 0.0, "min": 0.0, "q1": 0.0}, "median is 0, and wall_time takes"),
    "not finite": ("wall_time", {"max": float("inf")}, "max is inf, and wall_time is a finite number"),
    "not a number": ("accuracy", {"mean": float("nan")}, "mean is nan, and accuracy is a finite number"),
    "a century": ("wall_time", {"max": 1e10}, "max is 10000000000.0, and wall_time is never above 3.2e+09"),
    "all centuries": ("wall_time", {"n": 2**62}, "n is 4611686018427387904, and as many rounds"),
    "median below min": ("accuracy", {"median": 0.5, "value": 0.5}, "q1 is 1.5 and median is 0.5, which is less"),
    "mean above max": ("peak_rss", {"mean": 4.5}, "mean is 4.5 and max is 4.0, which is less"),
    "quartiles": ("peak_rss", {"q3": 1.9}, "median is 2.0 and q3 is 1.9, which is less"),
    "percentiles": ("peak_rss", {"p90": 3.95}, "p90 is 3.95 and p99 is 3.9, which is less"),
    "negative deviation": ("wall_time", {"stddev": -1.0}, "stddev is -1.0"),
    "deviation above range": ("wall_time", {"stddev": 3.5}, "stddev is 3.5, which is more than max - min"),
    "no rounds": ("wall_time", {"n": 0}, "n is 0, and there is at least 1 round"),
    "one round with spread": ("wall_time", {"n": 1}, "n is 1, and a single round has no spread"),
    "share above one": ("utilization", {}, "q1 is 1.5, and utilization is never above 1"),
    "half a fault": ("minor_faults", {"max": 4.5}, "max is 4.5, and minor_faults is a whole number"),
}
POSSIBLE: dict[str, tuple[str, dict[str, Any]]] = {
    "as it is": ("wall_time", {}),
    "a delta below zero": ("speedup_delta", {"min": -9.0}),
    "no allocations": ("python_peak", dict.fromkeys(FIGURES[1:], 0.0)),
    "no CPU time": ("cpu_time", dict.fromkeys(FIGURES[1:], 0.0)),
    "a round below the tick": ("wall_time", {"min": 0.0}),
    "only a median": ("wall_time", dict.fromkeys(("min", "max", "mean", "stddev", "q1", "q3"))),
    "a mean that was rounded": ("wall_time", {"mean": 4.0 * (1 + 1e-15)}),
    "half a fault on average": ("minor_faults", {"median": 2.5, "value": 2.5, "q1": 1.25, "n": 4}),
}


def summary_of(figures: dict[str, Any]) -> Summary:
    return Summary(**{name: value for name, value in figures.items() if name != "value"})


def measurement(metric: str, changes: dict[str, Any]) -> Measurement:
    unit = METRICS[metric].unit if metric in METRICS else "1"
    better = METRICS[metric].better if metric in METRICS else "higher"
    return Measurement(metric=metric, unit=unit, better=better, summary=summary_of({**SOUND, **changes}))


@pytest.mark.parametrize(("metric", "changes", "reason"), IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_objection_names_what_is_impossible(metric: str, changes: dict[str, Any], reason: str) -> None:
    assert (measurement(metric, changes).objection() or "").startswith(reason)


@pytest.mark.parametrize(("metric", "changes"), POSSIBLE.values(), ids=POSSIBLE)
def test_objection_leaves_what_is_possible(metric: str, changes: dict[str, Any]) -> None:
    assert measurement(metric, changes).objection() is None


def session_file(folder: Path, *samples: tuple[str, dict[str, Any]]) -> Path:
    """Fold a session, and plant figures into its file, as anybody can who sends one."""
    folder.mkdir(exist_ok=True)
    runs = [j.run_lines(f"test_{place}", [10, 20, 400]) for place in range(max(len(samples), 1))]
    path = fold(str(j.write_journal(folder, *runs)), cache=os.environ["XDG_CACHE_HOME"]).path
    assert path is not None
    with duckdb.connect(path) as connection:
        connection.execute("DELETE FROM measurement WHERE metric <> 'wall_time'")
        names = [name for (name,) in connection.execute("SELECT measurement_id FROM measurement").fetchall()]
        for name, (metric, figures) in zip(names, samples, strict=True):
            row = measurement(metric, {})
            chosen: dict[str, Any] = {
                "metric": metric,
                "unit": row.unit,
                "better": row.better,
                "p90": None,
                "p95": None,
                "p99": None,
            }
            chosen |= {**SOUND, **figures}
            columns = ", ".join(f'"{column}" = ?' for column in chosen)
            values: Sequence[Any] = [*chosen.values(), name]
            connection.execute(f"UPDATE measurement SET {columns} WHERE measurement_id = ?", values)
    return Path(path)


def stored(paths: Sequence[Path]) -> list[tuple[str, bool, str | None]]:
    with open_history(paths) as reader:
        return [(row["metric"], row["valid"], row["reason"]) for row in reader.measurements()]


PLANTED = [(metric, changes) for metric, changes, _ in IMPOSSIBLE.values()]
CHANGES = [("wall_time", "unit", "ms"), ("wall_time", "better", "higher"), ("accuracy", "value", 1.25)]


@pytest.mark.parametrize("several", [False, True], ids=["one", "several"])
@pytest.mark.parametrize("folder", [False, True], ids=["file", "folder"])
def test_no_reader_takes_planted_figures(tmp_path: Path, folder: bool, several: bool) -> None:
    file = session_file(tmp_path / "from-elsewhere", *PLANTED)
    others = [session_file(tmp_path / "other", ("wall_time", {}))] if several else []

    read = stored([file.parent if folder else file, *others])

    assert [valid for _, valid, _ in read].count(True) == len(others)
    assert all(reason for _, valid, reason in read if not valid)


@pytest.mark.parametrize(("metric", "column", "value"), [*CHANGES, ("wall_time", "p99", 9.0)])
def test_no_reader_takes_another_unit_direction_or_statistic(
    tmp_path: Path, metric: str, column: str, value: object
) -> None:
    file = session_file(tmp_path, (metric, {}))
    with duckdb.connect(str(file)) as connection:
        connection.execute(f"UPDATE measurement SET {column} = ?", [value])

    ((_, valid, reason),) = stored([file])

    assert (valid, bool(reason)) == (False, True)


def test_reader_of_a_file_says_what_it_does_not_take(tmp_path: Path) -> None:
    file = session_file(tmp_path, ("wall_time", {"min": -1.0}), ("wall_time", {}))

    with open_history([file]) as reader:
        assert reader.warnings == (
            f"{file}: 1 impossible value(s) are not valid; the first: min is -1.0, and wall_time is never below 0",
        )


def test_merge_stores_impossible_figures_as_not_valid(tmp_path: Path) -> None:
    file = session_file(tmp_path / "a", *PLANTED, *POSSIBLE.values())
    target = tmp_path / "all.duckdb"

    merge([file], resolve(str(target), tmp_path))

    with duckdb.connect(str(target), read_only=True) as connection:
        rows = connection.execute("SELECT valid FROM measurement").fetchall()
    assert [valid for (valid,) in rows] == [False] * len(PLANTED) + [True] * len(POSSIBLE)


def test_fold_stores_impossible_figures_as_not_valid(tmp_path: Path, ask: Any) -> None:
    runs = [
        j.run_lines("test_below", [-5, 10, 20]),
        j.run_lines("test_no_time", [0, 0, 1]),
        j.run_lines("test_zero_rounds", [0, 10, 10]),
        j.run_lines("test_no_iterations", [10, 10], iterations=0),
    ]

    path = fold(str(j.write_journal(tmp_path, *runs)), cache=os.environ["XDG_CACHE_HOME"]).path

    sql = "SELECT name, valid, measurement.reason FROM measurement JOIN benchmark USING (benchmark_id) "
    rows = {name: rest for name, *rest in ask(path, sql + "WHERE metric = 'wall_time'")}
    assert rows["test_below"] == [False, "min is -5e-09, and wall_time is never below 0"]
    reason = "median is 0, and wall_time takes time: it was shorter than a tick of the clock"
    assert rows["test_no_time"] == [False, reason]
    assert rows["test_zero_rounds"] == [True, None]
    assert rows["test_no_iterations"][0] is False


numbers = (
    st.none() | st.sampled_from([0.0, 1.0, 2.0, 2.5, -1.0, 1e10, float("inf"), float("nan"), 1e-300]) | st.floats()
)
summaries = st.fixed_dictionaries(
    dict.fromkeys(FIGURES[1:-1], numbers) | {"n": st.none() | st.sampled_from([0, 1, 2, 3, 2**62])}
)


@pytest.mark.long
@settings(
    max_examples=30,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],  # a busy machine is slow
)
@given(
    st.lists(st.tuples(st.sampled_from(["wall_time", "minor_faults", "utilization", "mine"]), summaries), min_size=40)
)
def test_tables_and_single_measurements_are_judged_alike(rows: list[tuple[str, dict[str, Any]]]) -> None:
    with duckdb.connect() as connection:
        figures = ", ".join(f'"{name}" DOUBLE' for name in FIGURES[1:])
        counts = "iterations BIGINT, rounds BIGINT, warmup_rounds BIGINT, calls BIGINT"
        texts = "valid BOOLEAN, reason VARCHAR, metric VARCHAR, unit VARCHAR, better VARCHAR"
        connection.execute(f"CREATE TABLE run (run_id UUID, session_id UUID, {counts})")
        connection.execute(f"CREATE TABLE measurement (run_id UUID, session_id UUID, {texts}, n BIGINT, {figures})")
        expected = []
        for place, (metric, chosen) in enumerate(rows):
            row = measurement(metric, {**dict.fromkeys(FIGURES), **chosen})
            values = [metric, row.unit, row.better, *chosen.values(), chosen["median"]]
            columns = f"metric, unit, better, {', '.join(chosen)}, value"
            marks = ", ".join("?" for _ in values)
            connection.execute(f"INSERT INTO measurement (valid, {columns}) VALUES (TRUE, {marks})", values)
            if row.objection():
                expected.append(place)

        found = find_impossible(connection, "memory", cache=None)
        marked = mark_impossible(connection, "memory", cache=None)

        assert sorted(place for place, _ in found) == expected
        assert len(marked) == len(expected)
        assert find_impossible(connection, "memory", cache=None) == []
