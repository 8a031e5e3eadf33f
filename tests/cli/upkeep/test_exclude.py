"""`benchdb exclude`: sessions taken out of the history, with a reason, and back."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_benchdb.store.history import earlier
from pytest_benchdb.store.history.earlier import find_earlier
from pytest_benchdb.store.history.merge import merge
from pytest_benchdb.store.history.open import open_history
from pytest_benchdb.store.target import Target

Call = Callable[..., Any]

LEVELS_S = (1.0e-3, 1.01e-3, 5.0e-3, 1.02e-3)
"""Level of each session; the third was disturbed."""


@pytest.fixture
def folder(tmp_path: Path, new_session: Call, new_run: Call) -> Path:
    for number, level_s in enumerate(LEVELS_S):
        new_session(
            tmp_path / "history",
            [new_run("a.py::test_work", [level_s, level_s * 1.001, level_s * 1.002])],
            at=24 * number,
            label=f"day{number}",
        )
    return tmp_path / "history"


@pytest.fixture(params=["folder", "file"])
def db(request: pytest.FixtureRequest, folder: Path) -> str:
    if request.param == "folder":
        return str(folder)
    merge([folder], Target(path=folder.parent / "one.duckdb", kind="file"))
    return str(folder.parent / "one.duckdb")


def labels(benchdb: Call, db: str, *arguments: str) -> list[str]:
    return [s["label"] for s in json.loads(benchdb("report", "--db", db, *arguments, "-f", "json").out)["sessions"]]


def test_excluded_session_is_out_of_the_history_but_stored(benchdb: Call, db: str) -> None:
    done = benchdb("exclude", "label:day2", "--reason", "a  backup ran", "--db", db)

    assert (done.status, done.out) == (0, "")
    assert "excluded session " in done.err
    assert "--remove SPEC takes it back" in done.err
    assert labels(benchdb, db, "--last", "9") == ["day0", "day1", "day3"]
    assert labels(benchdb, db, "latest~1") == ["day1"]
    assert labels(benchdb, db, "window:3") == ["day0", "day1", "day3"]
    assert labels(benchdb, db, "label:day2") == ["day2"]

    rows = json.loads(benchdb("sessions", "--db", db, "-f", "json").out)["rows"]
    assert [(row["label"], row["excluded"]) for row in rows][1:3] == [("day2", "a backup ran"), ("day1", None)]
    assert "a backup ran" in benchdb("sessions", "--db", db, "--width", "250").out
    assert "excluded  a backup ran" in benchdb("report", "label:day2", "--db", db).out


def test_excluded_session_is_not_in_trends_noise_and_the_gate(benchdb: Call, db: str) -> None:
    def trend() -> list[float]:
        series = json.loads(benchdb("trend", "--db", db, "-f", "json").out)["series"]
        return [point["value"] for point in series[0]["points"]]

    assert len(trend()) == 4
    benchdb("exclude", "label:day2", "--reason", "disturbed", "--db", db)

    assert len(trend()) == 3
    assert 5.0e-3 not in trend()
    gate = json.loads(benchdb("regress", "--db", db, "-f", "json").out)
    assert len(gate["baseline"]["sessions"]) == 2
    comparison = json.loads(benchdb("compare", "--db", db, "-f", "json").out)
    assert [session["label"] for session in comparison["comparisons"][0]["baseline"]["sessions"]] == ["day1"]


def test_change_in_the_summary_is_not_counted_from_an_excluded_session(
    benchdb: Call, folder: Path, new_session: Call, new_run: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    for limit in ("CPU_LIMIT_S", "WALL_LIMIT_S"):
        monkeypatch.setattr(earlier, limit, 600.0)

    def before_s() -> float:
        made = new_session(
            folder, [new_run("a.py::test_work", [1e-3] * 3)], at=24 * 4_000
        )  # after what is excluded now
        (found,) = find_earlier(str(folder), str(made.path), made.session_id).times
        made.path.unlink()
        return float(found["before"]["min"])

    assert before_s() == LEVELS_S[3]
    benchdb("exclude", "window:2", "--reason", "disturbed", "--db", str(folder))
    assert before_s() == LEVELS_S[1]
    benchdb("exclude", "--remove", "label:day2", "--db", str(folder))
    assert before_s() == LEVELS_S[2]


def test_excluded_sessions_come_back(benchdb: Call, db: str) -> None:
    benchdb("exclude", "label:day2", "day1", "--reason", "two", "--db", db)
    rows = json.loads(benchdb("exclude", "--list", "--db", db, "-f", "json").out)["rows"]
    assert [(row["spec"], row["reason"]) for row in rows] == [("label:day2 day1", "two")] * 2
    assert "two" in benchdb("exclude", "--list", "--db", db).out

    assert benchdb("exclude", "--remove", "day1", "--db", db).status == 0

    assert labels(benchdb, db, "--last", "9") == ["day0", "day1", "day3"]
    benchdb("exclude", "day1", "--reason", "again", "--db", db)
    assert labels(benchdb, db, "--last", "9") == ["day0", "day3"]


def test_latest_is_never_an_excluded_session(benchdb: Call, db: str) -> None:
    benchdb("exclude", "latest", "--reason", "x", "--db", db)

    assert labels(benchdb, db) == ["day2"]
    assert labels(benchdb, db, "latest") == ["day2"]
    benchdb("exclude", "--remove", "latest", "--db", db)
    assert labels(benchdb, db) == ["day3"]


def test_history_whose_sessions_are_all_excluded_says_so(benchdb: Call, db: str) -> None:
    benchdb("exclude", "window:9", "--reason", "x", "--db", db)

    for command in (["report"], ["report", "latest"], ["trend"], ["compare"]):
        ended = benchdb(*command, "--db", db)
        assert (ended.status, ended.out) == (2, ""), command
        assert "excluded" in ended.err
        assert "benchdb exclude --list" in ended.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["label:day2"], "needs --reason TEXT"),
        ([], "needs a SPEC"),
        (["label:day2", "--reason", " "], "--reason is empty"),
        (["label:nothing", "--reason", "x"], "no session has the label 'nothing'"),
        (["--remove", "label:day2"], "label:day2: this session is not excluded"),
        (["--remove"], "needs a SPEC"),
        (["--list", "latest"], "--list takes no SPEC"),
    ],
)
def test_what_cannot_be_excluded_is_refused(benchdb: Call, folder: Path, arguments: list[str], message: str) -> None:
    ended = benchdb("exclude", *arguments, "--db", str(folder))

    assert (ended.status, ended.out) == (2, "")
    assert message in ended.err


def test_exclusions_travel_with_a_merge(benchdb: Call, folder: Path, tmp_path: Path) -> None:
    benchdb("exclude", "label:day2", "--reason", "disturbed", "--db", str(folder))

    merge([folder], Target(path=tmp_path / "copy", kind="folder"))

    with open_history([tmp_path / "copy"]) as reader:
        assert [session.excluded for session in reader.sessions()] == [None, None, "disturbed", None]


def test_list_of_nothing_says_how_to_exclude(benchdb: Call, folder: Path) -> None:
    ended = benchdb("exclude", "--list", "--db", str(folder))

    assert (ended.status, ended.out) == (0, "")
    assert "no session is excluded" in ended.err
