"""`benchdb report -f html` over real databases: its numbers are those of JSON, and odd histories make useful pages."""

import base64
import html
import json
import random
import re
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_benchdb.model.environment import CiJob, Commit

pytest.importorskip("jinja2")

Call = Callable[..., Any]
HOSTILE = "</script><script>alert(1)</script>\u2028'\"<img src=x>"


@pytest.fixture
def store(tmp_path: Path, new_session: Call, new_run: Call, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Return a function that adds a session of runs, given as names and seconds; commands run beside it."""
    monkeypatch.chdir(tmp_path)

    def add(at: int, runs: dict[str, list[float] | None], **changes: Any) -> None:
        made = [new_run(f"tests/test_a.py::{name}", samples) for name, samples in runs.items()]
        new_session(tmp_path / "results", made, at=at, **changes)

    return add


def page_of(benchdb: Call, *arguments: str) -> str:
    ended = benchdb("report", str(Path.cwd() / "results"), "-f", "html", *arguments)
    assert ended.status == 0, ended.err
    return str(ended.out)


def data_of(page: str) -> Any:
    (found,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    return json.loads(found)


def details_in(data: Any) -> list[dict[str, Any]]:
    """Return what opens below each run, in the order of the table."""
    found = [one for text in data["details"] for one in json.loads(zlib.decompress(base64.b64decode(text)))]
    return [found[place] for place in data["positions"]]


def run_values(data: Any) -> list[dict[str, Any]]:
    return [details["values"] for details in details_in(data)]


def chdir_after(benchdb: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fixture `benchdb` goes to its own project; these tests have their own."""
    monkeypatch.chdir(tmp_path)


def test_numbers_of_the_page_are_those_of_json(
    benchdb: Call, store: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(13)  # noqa: S311
    for at in range(20):
        level = 1e-3 if at < 11 else 1.4e-3
        rounds = {name: [level * chance.uniform(1, 1.02) for _ in range(6)] for name in ("test_a", "test_b[1]")}
        store(at, {**rounds, "test_c": None if at == 19 else [2e-6, 3e-6]})
    chdir_after(benchdb, tmp_path, monkeypatch)

    data = data_of(page_of(benchdb))

    rows = json.loads(benchdb("report", "results", "-f", "json").out)["sessions"][0]["rows"]
    series = json.loads(benchdb("trend", "results", "--metric", "all", "--last", "100", "-f", "json").out)["series"]
    for values, row in zip(run_values(data), rows, strict=True):
        for name in chance.sample(data["fields"], 12):
            assert values.get(name) == row[name], name
        assert all(row[name] in (None, {}) for name in row.keys() - set(data["fields"]))
    trends = [trend for details in details_in(data) for trend in details["trends"]]
    assert len(trends) > 2
    assert sum(trend["metric"] == "wall_time" for trend in trends) == 3
    for trend in trends:
        (other,) = (
            one for one in series if all(one[name] == trend[name] for name in ("fullname", "metric", "phase", "device"))
        )
        for at in chance.sample(range(len(other["points"])), 5):
            point = other["points"][at]
            assert trend["values"][at] == point["value"]
            assert data["sessions"]["ids"][at if trend["at"] is None else trend["at"][at]] == point["session_id"]
        names = ("before", "after", "change", "p_value", "worse")
        assert [[change[name] for name in names] for change in trend["changes"]] == [
            [change[name] for name in names] for change in other["changes"]
        ]
        assert len(trend["changes"]) == (trend["metric"] == "wall_time" and "test_c" not in trend["fullname"])
    drawn = [details for details in details_in(data) if details["rounds"]]
    assert len(drawn) == 2
    for run in drawn:
        assert run["values"]["median_s"] == pytest.approx(sum(sorted(run["rounds"]["values_s"])[2:4]) / 2, rel=1e-9)


def test_page_shows_changes_and_links(
    benchdb: Call, store: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = CiJob(provider="github", url="https://github.com/a/b/actions/runs/1")
    for at in range(20):
        commit = Commit(sha=f"{at:040x}", branch="main", dirty=False, remote_url="git@github.com:a/b.git")
        store(at, {"test_a": [1e-3 * (1 + at % 3 / 1000) * (1.5 if at > 10 else 1)] * 3}, commit=commit, ci=job)
    chdir_after(benchdb, tmp_path, monkeypatch)

    page = page_of(benchdb)

    assert f'href="https://github.com/a/b/commit/{19:040x}"' in page
    assert 'href="https://github.com/a/b/actions/runs/1"' in page
    assert "1 changed for the worse" in page
    assert re.search(r"\+50\.\d % worse", page)
    assert f"at {f'{11:040x}'[:8]}" in page


@pytest.mark.parametrize("sessions", [1, 2])
def test_page_of_a_short_history_is_useful(
    benchdb: Call, store: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sessions: int
) -> None:
    for at in range(sessions):
        store(at, {"test_one_round": [1e-3], "test_b": [1e-3, 2e-3]})
    chdir_after(benchdb, tmp_path, monkeypatch)

    page = page_of(benchdb)

    assert "1.000" in page
    assert page.count('<svg class="history"') == (2 if sessions == 2 else 0)
    assert page.count('<svg class="strip"') == 1  # one round has no spread
    assert ("learning, 10 to go" in page) is (sessions == 2)


def test_page_of_hostile_names_is_inert(
    benchdb: Call, store: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(0, {HOSTILE: [1e-3, 2e-3], "x" * 200: [1e-3]}, project=HOSTILE, label=HOSTILE, note=HOSTILE)
    chdir_after(benchdb, tmp_path, monkeypatch)

    page = page_of(benchdb)

    assert page.count("<script") == 2
    assert "<img" not in page
    assert "\u2028" not in page
    assert f"tests/test_a.py::{HOSTILE}" in {values["fullname"] for values in run_values(data_of(page))}
    assert html.escape("x" * 200) in page


def test_page_of_runs_without_a_time_has_their_reasons(
    benchdb: Call, store: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(0, {"test_a": None})
    chdir_after(benchdb, tmp_path, monkeypatch)

    page = page_of(benchdb)

    (values,) = run_values(data_of(page))
    assert values["outcome"] == "passed"
    assert "median_s" not in values
    assert "<svg" not in page.partition("<script")[0]
    assert [details["trends"] for details in details_in(data_of(page))] == [[]]


def test_page_of_a_metric_that_was_not_measured_has_a_line(
    benchdb: Call, store: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(0, {"test_a": [1e-3]})
    chdir_after(benchdb, tmp_path, monkeypatch)

    ended = benchdb("report", "results", "-f", "html", "-w", "metric=energy")

    assert ended.status == 0
    assert "No run to show." in ended.out
    assert ended.err == "no run matches -w metric=energy\n"


def test_page_that_cannot_be_written_is_one_line(benchdb: Call) -> None:
    ended = benchdb("report", "results", "-o", "missing/page.html")

    assert ended.status == 2
    assert len(ended.err.splitlines()) == 1
    assert "missing" in ended.err


def test_history_of_no_sessions_has_no_chart_of_it(benchdb: Call) -> None:
    page = benchdb("report", "results", "-f", "html", "--history", "0").out

    assert '<svg class="history"' not in page
    assert '<svg class="strip"' in page
