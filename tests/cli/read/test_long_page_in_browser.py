"""The page of a report with more runs than a browser could lay out at once."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_benchdb.present.report.page import MOST_ROWS

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytest.importorskip("jinja2")
pytestmark = pytest.mark.long

RUNS = MOST_ROWS + 30


@pytest.fixture(scope="module")
def long_page(
    tmp_path_factory: pytest.TempPathFactory,
    new_session: Callable[..., Any],
    new_run: Callable[..., Any],
    benchdb_process: Callable[..., Any],
) -> Path:
    """Return the page of two files of tests, the last of which is the slowest and has an odd name."""
    folder = tmp_path_factory.mktemp("long")
    names = [f"tests/test_{'ab'[at % 2]}.py::test_call[{at}]" for at in range(RUNS - 1)]
    runs = [new_run(name, [1e-6 * (at + 1), 1.1e-6 * (at + 1)]) for at, name in enumerate(names)]
    runs.append(new_run("tests/test_b.py::test_<b>odd</b>", [1.0, 2.0]))
    new_session(folder / "results", runs)
    ended = benchdb_process("report", "results", "-o", "page.html", cwd=folder)
    assert ended.status == 0, ended.err
    return folder / "page.html"


def test_long_table_shows_a_part_and_finds_everything(long_page: Path, open_file: "Callable[..., Page]") -> None:
    page = open_file(long_page)
    rows = page.locator(".run")

    assert rows.count() == 200
    page.get_by_role("button", name="Show 200 more").click()
    rows.nth(399).wait_for()
    page.get_by_role("button", name="median").click()
    page.locator("thead th[aria-sort=descending]").wait_for()
    assert "<b>odd</b>" in rows.first.inner_text()
    assert rows.first.locator("svg.strip").count() == 1
    page.locator("input").fill("odd")
    page.wait_for_function("document.querySelectorAll('.run').length === 1")
    assert page.locator("output").inner_text() == f"1 of {RUNS}"
    page.locator(".name button").click()
    page.locator(".detail .chart svg").wait_for()
    assert page.locator(".detail h3").inner_text() == "tests/test_b.py::test_<b>odd</b>"


def test_link_opens_a_run_far_down_a_long_table(long_page: Path, open_file: "Callable[..., Page]") -> None:
    page = open_file(long_page, f"#tests/test_b.py::test_call[{MOST_ROWS + 27}]")

    page.locator(".detail h3").wait_for()

    assert page.locator(".run").count() > 200


def test_long_table_is_downloaded_whole(
    long_page: Path, open_file: "Callable[..., Page]", benchdb_process: Callable[..., Any]
) -> None:
    page = open_file(long_page)

    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV").click()

    with download.value.path().open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    ended = benchdb_process("report", "results", "-f", "json", cwd=long_page.parent)
    expected = {row["fullname"]: row["median_s"] for row in json.loads(ended.out)["sessions"][0]["rows"]}
    assert {row["fullname"]: float(row["median_s"]) for row in rows} == expected
    assert len(rows) == RUNS


def test_long_table_is_whole_without_javascript(long_page: Path, open_file: "Callable[..., Page]") -> None:
    page = open_file(long_page, java_script_enabled=False)

    assert page.locator("table.runs tbody tr:not(.group)").count() == RUNS
    assert "test_<b>odd</b>" in page.locator("table.plain tbody th").all_inner_texts()
    assert page.locator("table.plain").is_visible()
