"""The same question has the same answer everywhere: SQL, terminal, JSON, CSV, HTML, the site, and Python.

Questions are drawn at random, from a seed; SQL on the stored tables is the measure of all answers.
"""

import base64
import csv
import io
import json
import random
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import pytest_benchdb
from pytest_benchdb.present.site.rows import page_name
from pytest_benchdb.present.writing.units import named_unit, one_quantity, write_figure

pytest.importorskip("jinja2")

Call = Callable[..., Any]
SESSIONS, QUESTIONS = 5, 40
NAMES = [f"tests/test_a.py::test_{name}" for name in ("wait", "sort[10]", "sort[1000]", "parse", "add", "flaky")]
FIGURES = {"median_s": "median", "min_s": "min", "max_s": "max", "mean_s": "mean", "q1_s": "q1", "q3_s": "q3"}
"""Fields of a run and the columns of `measurement` that they come from."""

_RUNS = """
SELECT fullname, run.outcome, any_value({columns})
FROM run JOIN benchmark USING (benchmark_id)
LEFT JOIN measurement ON measurement.run_id = run.run_id AND metric = 'wall_time' AND valid AND run.outcome = 'passed'
WHERE run.session_id = '{session}' GROUP BY ALL
"""


@dataclass
class Answers:
    """What each way of asking said, read once."""

    folder: Path
    sessions: list[str]
    report: list[dict[str, Any]]
    table: str
    rows: list[dict[str, str]]
    page: list[dict[str, Any]]
    site: Path
    trends: list[dict[str, Any]]


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory, new_session: Call, new_run: Call) -> tuple[Path, list[str]]:
    """Return a folder of sessions in which times go from nanoseconds to seconds and one test fails at times."""
    chance = random.Random(20)  # noqa: S311
    folder = tmp_path_factory.mktemp("same") / "results"
    ids = []
    for at in range(SESSIONS):
        runs = []
        for place, name in enumerate(NAMES):
            failed = name.endswith("flaky") and at in {1, SESSIONS - 1}
            level = 10.0 ** (-1.4 * place)
            samples = None if failed else [level * chance.uniform(1, 1.3) for _ in range(chance.randint(2, 9))]
            runs.append(new_run(name, samples, **({"outcome": "failed", "reason": "no"} if failed else {})))
        ids.append(new_session(folder, runs, at=at).session_id)
    return folder, ids


@pytest.fixture(scope="module")
def asked() -> list[Answers]:
    """Return a list that keeps the answers: the commands are asked once."""
    return []


@pytest.fixture
def answers(history: tuple[Path, list[str]], asked: list[Answers], benchdb: Call, tmp_path: Path) -> Answers:
    if not asked:
        asked.append(ask(history, benchdb, tmp_path))
    return asked[0]


def ask(history: tuple[Path, list[str]], benchdb: Call, tmp_path: Path) -> Answers:
    folder, ids = history
    text = str(folder)
    assert benchdb("site", text, "-o", str(tmp_path / "site"), "-q").status == 0
    page = benchdb("report", text, "-f", "html").out
    (data,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    packs = [json.loads(zlib.decompress(base64.b64decode(pack))) for pack in json.loads(data)["details"]]
    columns = ",".join(["benchmark", *(column for column in FIGURES.values())])
    return Answers(
        folder=folder,
        sessions=ids,
        report=json.loads(benchdb("report", text, "-f", "json").out)["sessions"][0]["rows"],
        table=benchdb("report", text, "--columns", columns, "--unit", "time=us", "--width", "400").out,
        rows=list(csv.DictReader(io.StringIO(benchdb("report", text, "-f", "csv").out))),
        page=[details for pack in packs for details in pack],
        site=tmp_path / "site",
        trends=json.loads(benchdb("trend", text, "-f", "json").out)["series"],
    )


def data_of(site: Path, name: str) -> Any:
    """Return what the charts of a benchmark's page load."""
    text = (site / "data" / f"{page_name(name)}.js").read_text(encoding="utf-8")
    match = re.search(r"benchmark: (.*) \};", text)
    assert match is not None
    return json.loads(match[1])["details"][0]


def numbers_in(line: str) -> list[str]:
    return re.findall(r"[\d.e+-]+", line)


def of_run(answers: Answers, name: str, field: str) -> Iterator[tuple[str, float | None]]:
    """Yield each answer to the question for a figure of the newest run of a benchmark, SQL's first."""
    with pytest_benchdb.open(answers.folder) as opened:
        sql = _RUNS.format(columns=f"measurement.{FIGURES[field]}", session=answers.sessions[-1])
        found = {row["fullname"]: list(row.values())[2] for row in opened.sql(sql).to_pylist()}
        yield "sql", found[name]
        (row,) = (row for row in opened.runs(session="latest").to_pylist() if row["fullname"] == name)
        yield "python", row[field]
    yield "json", next(row[field] for row in answers.report if row["fullname"] == name)
    text = next(row[field] for row in answers.rows if row["fullname"] == name)
    yield "csv", float(text) if text else None
    yield "html", next(one["values"].get(field) for one in answers.page if one["values"]["fullname"] == name)
    yield "site data", data_of(answers.site, name)["values"].get(field)


@pytest.mark.parametrize("seed", range(2))
def test_figures_of_runs_are_the_same_everywhere(answers: Answers, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    for _ in range(QUESTIONS // 2):
        name, field = chance.choice(NAMES), chance.choice(list(FIGURES))
        found = dict(of_run(answers, name, field))
        value = found["sql"]

        assert set(found.values()) == {value}, f"{field} of {name}: {found}"
        page = (answers.site / "benchmarks" / f"{page_name(name)}.html").read_text(encoding="utf-8")
        line = next(line for line in answers.table.splitlines() if line.startswith(name.rpartition("::")[2]))
        if value is None:
            assert "failed: no" in page
            assert "failed: no" in line
            continue
        figures = numbers_in(line.removeprefix(name.rpartition("::")[2]))
        assert write_figure(value, named_unit("time", "us")) in figures
        if field != "median_s":
            assert f"<dd>{one_quantity(value, 's')}</dd>" in page


def test_index_of_the_site_shows_the_median_of_sql(answers: Answers) -> None:
    index = (answers.site / "index.html").read_text(encoding="utf-8")
    for name in NAMES:
        value = dict(of_run(answers, name, "median_s"))["sql"]
        (row,) = re.findall(rf'<tr[^>]*class="run"(?:(?!</tr>).)*{page_name(name)}\.html.*?</tr>', index, re.DOTALL)
        shown = re.findall(r'data-label="median" class="figure" data-value="([^"]*)">([^<]*)<', row)
        assert [(float(exact), text) for exact, text in shown] == (
            [] if value is None else [(value, one_quantity(value, "s"))]
        )


def test_values_of_histories_are_the_same_everywhere(answers: Answers) -> None:
    chance = random.Random(7)  # noqa: S311
    with pytest_benchdb.open(answers.folder) as opened:
        followed = {trend.key.fullname: trend for trend in opened.trend().series}
        for _ in range(QUESTIONS):
            name, place = chance.choice(NAMES), chance.randrange(SESSIONS)
            trend = followed[name]
            session = answers.sessions[place]
            sql = _RUNS.format(columns=f"measurement.{trend.statistic}", session=session)
            value = next(list(row.values())[2] for row in opened.sql(sql).to_pylist() if row["fullname"] == name)
            at = [point.session_id for point in trend.points].index(session)

            (series,) = (one for one in answers.trends if one["fullname"] == name)
            (drawn,) = data_of(answers.site, name)["trends"]
            found = {
                "python": trend.points[at].value,
                "json": series["points"][at]["value"],
                "site data": drawn["values"][drawn["session_ids"].index(session)],
            }
            for details in answers.page:
                if details["values"]["fullname"] == name and details["trends"]:
                    found["html"] = details["trends"][0]["values"][at]
            assert set(found.values()) == {value}, f"{trend.statistic} of {name} in session {place}: {found}"


def test_counts_of_outcomes_are_the_same_everywhere(answers: Answers, benchdb: Call) -> None:
    for place, session in enumerate(answers.sessions):
        with pytest_benchdb.open(answers.folder) as opened:
            sql = f"SELECT outcome, count(*) AS runs FROM run WHERE session_id = '{session}' GROUP BY ALL"
            counts = {row["outcome"]: row["runs"] for row in opened.sql(sql).to_pylist()}
        shown = benchdb("report", str(answers.folder), f"latest~{SESSIONS - 1 - place}").out
        page = (answers.site / "sessions" / f"{session}.html").read_text(encoding="utf-8")
        chips = dict(re.findall(r'data-tag="(\w+)">(\d+) ', page))

        assert chips == {outcome: str(number) for outcome, number in counts.items()}
        assert all(f"{number} {outcome}" in shown for outcome, number in counts.items())
