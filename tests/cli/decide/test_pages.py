"""`-f html` of the commands that decide: its numbers are those of JSON, and odd histories make useful pages."""

import json
import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.present.decisions.reading import Page, read_page

from pytest_benchdb.model.benchmark import Labels
from pytest_benchdb.model.run import Measurement

pytest.importorskip("jinja2")

Call = Callable[..., Any]
HOSTILE = "test_\"><img src=x onerror=alert(1)>'</script>\u2028`|[1]"
FASTER, SLOWER = "test_faster[1]", "test_slower"


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory, new_session: Call, new_run: Call) -> Path:
    """Return a database of seven sessions; in the newest, one benchmark is slower, one faster, and one broken."""
    chance = random.Random(3)  # noqa: S311
    folder = tmp_path_factory.mktemp("decided") / "results"
    for at in range(7):
        runs = []
        for place, name in enumerate((SLOWER, FASTER, HOSTILE, "test_same")):
            level = 10.0 ** -(place + 2) * chance.uniform(1, 1.01)
            level *= {SLOWER: 1.5, FASTER: 0.5}.get(name, 1.0) if at == 6 else 1.0
            rounds = [level * chance.uniform(1, 1.02) for _ in range(6)]
            rate = Measurement.of("throughput", samples=tuple(1 / each for each in rounds))
            time = Measurement.of("wall_time", round_ns=[round(each * 1e9) for each in rounds])
            runs.append(new_run(f"tests/test_a.py::{name}", rounds, measurements=(time, rate)))
        if at == 6:
            runs.append(new_run("tests/test_a.py::test_broken", None, outcome="failed", reason="<b>no</b>"))
        else:
            runs.append(new_run("tests/test_a.py::test_broken", [1e-3, 1e-3]))
        packages = {"numpy": "2.1.0" if at == 6 else "2.0.0"}
        new_session(folder, runs, at=at, packages=packages, note="<i>note</i>" if at == 2 else None)
    return folder


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory, new_session: Call, new_run: Call) -> Path:
    """Return a database of one session, in which batches of four sizes were timed for two models."""
    folder = tmp_path_factory.mktemp("swept") / "results"
    runs = []
    for model, base in (("bert", 4e-3), ("gpt", 9e-3)):
        for size in (1, 2, 8, 32):
            rounds = [base * (1 + 0.1 * size) * (1 + 0.01 * n) for n in range(6)]
            rate = Measurement.of("throughput", samples=tuple(size / each for each in rounds))
            time = Measurement.of("wall_time", round_ns=[round(each * 1e9) for each in rounds])
            runs.append(
                new_run(
                    f"tests/test_a.py::test_forward[{model}-{size}]",
                    rounds,
                    measurements=(time, rate),
                    params={"model": model, "batch_size": size},
                    labels=Labels(model=model, batch_size=size),
                )
            )
    new_session(folder, runs)
    return folder


def both(benchdb: Call, *arguments: str, status: int = 0) -> tuple[Page, Any]:
    """Return what a command says as a page and as JSON."""
    page, data = (benchdb(*arguments, "-f", name) for name in ("html", "json"))
    assert (page.status, data.status) == (status, status), page.err
    return read_page(page.out), json.loads(data.out)


def check_rows(page: Page, rows: list[Mapping[str, Any]]) -> None:
    """Check that the rows of a page are those of JSON, to the last digit."""
    found = {(row.name, "throughput" if "throughput" in row.drawing else "wall_time"): row for row in page.rows}
    named = {row["benchmark"].replace("\u2028", "\\u2028"): row["benchmark"] for row in rows}
    assert {named[name] for name, _ in found} == set(named.values())
    for values in rows:
        shown = found.get((values["benchmark"].replace("\u2028", "\\u2028"), values["metric"]))
        if shown is None:  # without a change, the drawing does not tell the metric
            continue
        assert values["verdict"] in shown.texts["verdict"]
        for name in ("change", "baseline", "candidate", "limit"):
            assert (float(shown.values[name]) if name in shown.values else None) == values[name], name


def test_comparison_page_has_the_numbers_of_json(benchdb: Call, history: Path) -> None:
    metrics = ("--metric", "wall_time", "--metric", "throughput")
    page, data = both(benchdb, "compare", "latest~1", "latest", "--db", str(history), *metrics)

    (compared,) = data["comparisons"]
    check_rows(page, compared["rows"])
    harmful = [row.name for row in page.rows if "throughput" in row.drawing]
    assert (harmful[0], harmful[-1]) == (f"tests/test_a.py::{SLOWER}", f"tests/test_a.py::{FASTER}")
    assert "packages.numpy" in page.text


def test_gate_page_has_the_numbers_of_json_and_a_history(benchdb: Call, history: Path) -> None:
    page, data = both(benchdb, "regress", "--db", str(history), "--confirm", "0", status=1)

    check_rows(page, data["rows"])
    assert page.rows[0].name in {f"tests/test_a.py::{SLOWER}", "tests/test_a.py::test_broken"}
    assert data["sentence"] in page.text
    assert f"History of tests/test_a.py::{SLOWER}" in page.text
    assert "note: <i>note</i>" in page.text
    assert "not checked: nothing ran it again" in page.text


def test_axis_page_draws_the_numbers_of_json(benchdb: Call, sweep: Path) -> None:
    metrics = ("--metric", "wall_time,throughput")
    page, data = both(benchdb, "compare", "--axis", "batch_size", "--db", str(sweep), *metrics)

    values = {float(value) for row in page.data for value in row if value is not None}
    for compared in data["comparisons"]:
        for row in compared["rows"]:
            assert {row["baseline"], row["candidate"]} <= values
    assert "throughput against wall_time: tests/test_a.py::test_forward" in page.text
    # All sizes of the faster model, and none of the slower one.
    assert page.text.count("on the front") >= 4
    assert "4 of 8 choices are on the Pareto front" in page.text


def test_axis_page_has_throughput_where_it_was_measured_even_if_nobody_asked(benchdb: Call, sweep: Path) -> None:
    page = read_page(benchdb("compare", "--axis", "model", "--db", str(sweep), "-f", "html").out)

    assert len(page.plots) == 3
    assert "throughput over model" in page.text


@pytest.mark.parametrize("command", ["trend", "noise"])
def test_histories_have_the_numbers_of_json(benchdb: Call, history: Path, command: str) -> None:
    page, data = both(benchdb, command, "--db", str(history))

    series = data["series"] if command == "trend" else data["rows"]
    found = {row.name: row for row in page.rows}
    assert len(found) == len(series) == 5
    for one in series:
        row = found[one["fullname"].replace("\u2028", "\\u2028")]
        names = {"trend": {"level": "level", "noise": "noise", "sessions": "measured"}, "noise": {"noise": "noise"}}
        for label, key in names[command].items():
            assert (float(row.values[label]) if label in row.values else None) == one[key], label
    if command == "trend":
        values = {float(value) for row in page.data for value in row if value is not None}
        points = {point["value"] for one in series for point in one["points"] if point["value"] is not None}
        assert points <= values


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("compare", "--metric", "energy"), 2, "nothing here measured it"),
        (("compare", "latest", "latest"), 2, "latest is the candidate itself"),
        (("compare", "--axis", "nothing"), 2, "nothing here has it"),
        (("compare", "-o", "no/such/folder/x.html"), 2, "no/such/folder"),
        (("trend", "-o", "no/such/folder/x.html"), 2, "no/such/folder"),
        (("noise", "-o", "no/such/folder/x.html"), 2, "no/such/folder"),
        (("regress", "--confirm", "0", "-o", "no/such/folder/x.html"), 2, "no/such/folder"),
        (("trend", "--metric", "energy"), 2, "nothing here measured it"),
        (("compare", "--db", "nowhere"), 5, "nowhere"),
    ],
)
def test_what_cannot_be_shown_is_one_clear_line(
    benchdb: Call, history: Path, arguments: tuple[str, ...], status: int, words: str
) -> None:
    db = () if "--db" in arguments else ("--db", str(history))
    ended = benchdb(*arguments, *db, *(() if "-o" in arguments else ("-f", "html")))

    assert (ended.status, ended.out) == (status, "")
    assert words in ended.err
    assert len(ended.err.splitlines()) == 1


def test_one_session_has_a_page_that_says_so(benchdb: Call, tmp_path: Path, new_session: Call, new_run: Call) -> None:
    new_session(tmp_path / "one", [new_run("tests/test_a.py::test_a", [1e-3])])
    one = str(tmp_path / "one")

    trend, noise = (benchdb(command, "--db", one, "-f", "html") for command in ("trend", "noise"))

    assert "Fewer than two sessions" in read_page(trend.out).text
    assert "too few sessions" in read_page(noise.out).text


def test_suffix_of_the_file_chooses_the_page(benchdb: Call, history: Path, tmp_path: Path) -> None:
    file = tmp_path / "page.html"

    ended = benchdb("compare", "--db", str(history), "-o", str(file))

    assert (ended.status, ended.out) == (0, "")
    assert len(read_page(file.read_text(encoding="utf-8")).rows) == 5
