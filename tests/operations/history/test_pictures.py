"""What a report's page draws: the rounds of its runs, those before, and the histories, from real sessions."""

from pathlib import Path
from typing import Any

import pytest
from tests.store import journals as j

from pytest_benchdb.analysis.statistics.spread import quantile
from pytest_benchdb.model.identity import content_id, uuid7
from pytest_benchdb.operations.history.pictures import HISTORY, MOST_ROUNDS, IllustratedReport, build_illustrated
from pytest_benchdb.operations.history.trend import TrendRequest, build_trends
from pytest_benchdb.operations.select.selection import Selection
from pytest_benchdb.store.journal.fold import fold

HOUR_US = 3_600_000_000
NAME = "tests/test_a.py::test_x"


def write_session(folder: Path, number: int, *runs: bytes, **session: Any) -> str:
    started_us = j.STARTED_US + number * HOUR_US
    session_id = uuid7(started_us // 1000)
    journal = j.write_journal(folder, *runs, session_id=session_id, started_us=started_us, **session)
    fold(str(journal), cache=str(folder.parent))
    return session_id


def rounds_of(number: int, level_ns: int = 1_000_000) -> list[int]:
    return [level_ns + 1_000 * (number % 3) + 500 * place for place in range(5)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return sessions of one benchmark that became slower in the 13th, and of one that ran in the newest only."""
    folder = tmp_path_factory.mktemp("history") / "results"
    for number in range(20):
        runs = [j.run_lines("test_x", rounds_of(number, 1_000_000 if number < 12 else 1_300_000))]
        if number == 19:
            runs += [
                j.run_lines("test_many", range(1_000, 6_000)),
                j.run_lines("test_failed", [5, 6], outcome="failed", valid=False),
            ]
        write_session(folder, number, *runs)
    return folder


def illustrate(folder: Path, *specs: str, history: int = HISTORY) -> IllustratedReport:
    selection = Selection(paths=(folder,), specs=specs)
    return build_illustrated(selection, TrendRequest(root=folder, environ={}), history=history)


def run_named(shown: IllustratedReport, name: str) -> str:
    return next(row.run_id for part in shown.report.sessions for row in part.rows if row.name == name)


def test_history_is_that_of_trend(folder: Path) -> None:
    shown = illustrate(folder)

    picture = shown.pictures.of(run_named(shown, "test_x"))

    trends = build_trends(Selection(paths=(folder,)), TrendRequest(root=folder, environ={}))
    assert picture.trend == next(trend for trend in trends.series if trend.key.fullname == NAME)
    assert [change.point.index for change in picture.trend.changes] == [12]
    assert [band.start for band in picture.bands] == [0, 12]
    for band in picture.bands:
        assert band.low is not None
        assert band.high is not None
        assert band.low < band.level < band.high


def test_rounds_are_those_of_the_run_and_of_the_session_before(folder: Path) -> None:
    shown = illustrate(folder)

    picture = shown.pictures.of(run_named(shown, "test_x"))

    assert picture.rounds is not None
    assert picture.before is not None
    assert picture.rounds.values_s == tuple(value / 1e9 for value in rounds_of(19, 1_300_000))
    assert picture.before.values_s == tuple(value / 1e9 for value in rounds_of(18, 1_300_000))
    assert picture.before.session_id == shown.pictures.sessions[-2].session_id


def test_history_of_an_older_session_ends_with_it(folder: Path) -> None:
    shown = illustrate(folder, "latest~9")

    picture = shown.pictures.of(run_named(shown, "test_x"))

    assert picture.trend is not None
    assert len(picture.trend.points) == 11
    assert picture.trend.points[-1].session_id == shown.report.sessions[0].session.session_id
    assert picture.trend.changes == ()


def test_history_has_no_more_sessions_than_were_asked_for(folder: Path) -> None:
    trend = illustrate(folder, history=3).pictures.of(run_named(illustrate(folder), "test_x")).trend
    none = illustrate(folder, history=0)

    assert trend is not None
    assert len(trend.points) == 3
    assert none.pictures.sessions == ()
    assert none.pictures.of(run_named(none, "test_x")).rounds is not None


def test_many_rounds_become_quantiles(folder: Path) -> None:
    shown = illustrate(folder)

    rounds = shown.pictures.of(run_named(shown, "test_many")).rounds

    assert rounds is not None
    assert (rounds.n, rounds.quantiles, len(rounds.values_s)) == (5_000, True, MOST_ROUNDS)
    samples = [value / 1e9 for value in range(1_000, 6_000)]
    assert rounds.values_s == tuple(quantile(samples, step / 100) for step in range(101))


def test_first_run_of_a_benchmark_has_nothing_before_it(folder: Path) -> None:
    shown = illustrate(folder)

    picture = shown.pictures.of(run_named(shown, "test_many"))

    assert picture.before is None
    assert picture.trend is not None
    assert [point.value for point in picture.trend.points] == [1e-6]


def test_run_that_did_not_pass_is_not_drawn(folder: Path) -> None:
    shown = illustrate(folder)

    picture = shown.pictures.of(run_named(shown, "test_failed"))

    assert (picture.rounds, picture.before, picture.trend) == (None, None, None)


def test_other_machine_has_a_history_of_its_own(tmp_path: Path) -> None:
    folder = tmp_path / "results"
    for number in range(3):
        write_session(folder, number, j.run_lines("test_x", rounds_of(number)))
    other = content_id("fingerprint", "b")
    environment = content_id("environment", "b")
    write_session(folder, 3, j.run_lines("test_x", rounds_of(3)), fingerprint=other, environment_id=environment)

    shown = illustrate(folder)

    picture = shown.pictures.of(run_named(shown, "test_x"))
    assert picture.trend is not None
    assert len(picture.trend.points) == 1
    assert picture.before is None
