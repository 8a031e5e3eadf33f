"""The page of a report in a real Chromium, from a file: it works, it is legible, and it asks nothing of anyone."""

import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_benchdb.model.environment import Commit
from pytest_benchdb.model.reading import Series
from pytest_benchdb.model.run import Measurement, Request
from pytest_benchdb.present.writing.units import quantity, unit_for

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytest.importorskip("jinja2")
pytestmark = pytest.mark.long

HOSTILE = "test_\"><img src=x onerror=alert(1)>'</script>\u2028`|[1]"
NAMES = ("test_sort[100]", "test_sort[1000]", "test_parse", HOSTILE)
SESSIONS = 24
CHARTS = 2 + 3 * 4
"""A history and rounds; of all but ``test_parse``, a sensor and requests as well."""


@pytest.fixture(scope="module")
def project(
    tmp_path_factory: pytest.TempPathFactory,
    new_session: Callable[..., Any],
    new_run: Callable[..., Any],
    benchdb_process: Callable[..., Any],
) -> Path:
    """Return a folder with a database in which ``test_parse`` became slower, and the page of its newest session."""
    chance = random.Random(5)  # noqa: S311
    folder = tmp_path_factory.mktemp("pictures")
    for at in range(SESSIONS):
        runs = []
        for place, name in enumerate(NAMES):
            level = 10.0 ** -(place + 2) * (1.3 if name == "test_parse" and at > 13 else 1)
            samples = [level * chance.uniform(1, 1.03) for _ in range(8)]
            changes = {} if name == "test_parse" else {"measurements": rich_measurements(samples), **rich_parts()}
            runs.append(new_run(f"tests/test_a.py::{name}", samples, params={"n": 1}, **changes))
        runs.append(new_run("tests/test_a.py::test_broken", None, outcome="failed", reason="AssertionError: <b>no</b>"))
        commit = Commit(sha=f"{at + 1:040x}", branch="main", dirty=False)
        new_session(folder / "results", runs, at=at, commit=commit, note="<i>note</i>")
    for command in (
        ("baseline", "set", "pinned", f"latest~{SESSIONS - 3}", "-d", "results"),
        ("accept", "*parse", "--reason", HOSTILE, "--since", f"latest~{SESSIONS - 15}", "-d", "results"),
    ):
        ended = benchdb_process(*command, cwd=folder)
        assert ended.status == 0, ended.err
    return folder


def rich_measurements(samples: Sequence[float]) -> tuple[Measurement, ...]:
    return (
        Measurement.of("wall_time", round_ns=[round(seconds * 1e9) for seconds in samples]),
        Measurement.of("python_peak", value=2.0**20),
        Measurement.of("wall_time", samples=[samples[0] / 2], phase="load"),
    )


def rich_parts() -> dict[str, Any]:
    requests = [
        Request(
            index=number,
            due_s=None,
            sent_s=0.1 * number,
            chunk_s=[0.1 * number + 0.02, 0.1 * number + 0.05] if number else [],
            tokens_in=3,
            tokens_out=5 if number else None,
            ok=bool(number),
            slo_ok=None,
            error=None if number else HOSTILE,
        )
        for number in range(4)
    ]
    times = [0.1 * step for step in range(30)]
    values = [20.0 + step for step in range(30)]
    power = Series(metric="power", unit="W", domain="<b>package</b>", device_id=None, t_s=times, values=values)
    return {"series": (power,), "requests": tuple(requests)}


@pytest.fixture(scope="module")
def page_file(project: Path, benchdb_process: Callable[..., Any]) -> Path:
    ended = benchdb_process("report", "results", "-o", "page.html", cwd=project)
    assert ended.status == 0, ended.err
    return project / "page.html"


@pytest.fixture
def open_page(page_file: Path, open_file: "Callable[..., Page]") -> "Callable[..., Page]":
    """Return a function that opens the page, given the end of its address."""
    return lambda link="", **options: open_file(page_file, link, **options)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1920])
def test_page_fits_its_window_and_opens_details(open_page: "Callable[..., Page]", width: int, theme: str) -> None:
    page = open_page(viewport={"width": width, "height": 900}, color_scheme=theme)

    for opener in page.locator(".name button").all():
        opener.click()

    page.locator(".detail").nth(len(NAMES)).wait_for()
    page.locator(".detail .chart svg").nth(CHARTS - 1).wait_for()
    assert page.locator(".detail").count() == len(NAMES) + 1
    assert page.locator(".detail .chart svg").count() == CHARTS
    for summary in page.locator(".detail figure summary").all():
        summary.click()
    labels = page.locator("[role=region]").evaluate_all("all => all.map(one => one.getAttribute('aria-label'))")
    assert len(set(labels)) == len(labels) == CHARTS + 3 + 1  # and tables of phases and of changes
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(255, 255, 255)") is (theme == "light")


def test_page_without_javascript_has_every_figure_and_chart(open_page: "Callable[..., Page]") -> None:
    page = open_page(java_script_enabled=False)

    assert page.locator(".run").count() == len(NAMES) + 1
    assert page.locator(".run svg.strip").count() == len(NAMES)
    assert page.locator(".run svg.history").count() == len(NAMES)
    assert page.locator(".tools").is_hidden()
    assert page.get_by_text("failed: AssertionError: <b>no</b>").is_visible()
    assert any("+30" in text and "worse" in text for text in page.locator("td.change").all_inner_texts())
    details = page.locator("noscript details")
    assert details.count() == len(NAMES) + 1
    (place,) = (at for at, text in enumerate(details.locator("summary").all_inner_texts()) if "test_parse" in text)
    details.nth(place).locator("summary").click()
    tables = details.nth(place).locator("table")
    assert tables.locator("caption").all_inner_texts()[0] == "History: wall_time"
    assert tables.first.locator("tbody tr").count() == SESSIONS
    assert "baseline pinned" in tables.first.locator("tbody tr").nth(2).inner_text()
    assert "<i>note</i>" in tables.first.locator("tbody tr").first.inner_text()


def test_verdicts_against_a_baseline_are_counted_and_filter(
    open_file: "Callable[..., Page]", project: Path, benchdb_process: Callable[..., Any]
) -> None:
    ended = benchdb_process("report", "results", "-o", "compared.html", "--baseline", "pinned", cwd=project)
    assert ended.status == 0, ended.err
    ended = benchdb_process("compare", "pinned", "latest", "-d", "results", "-f", "json", cwd=project)
    verdicts = {row["benchmark"]: row["verdict"] for row in json.loads(ended.out)["comparisons"][0]["rows"]}
    page = open_file(project / "compared.html", "#tests/test_a.py::test_parse")
    visible = page.locator(".run:visible")

    verdict = verdicts["tests/test_a.py::test_parse"]
    page.get_by_role("button", name=f"{verdict} against pinned").click()

    alike = [name for name, other in verdicts.items() if other == verdict]
    assert visible.count() == len(alike)
    assert f"Against pinned: {verdict}" in page.locator(".detail").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280


def test_search_and_counts_narrow_the_table(open_page: "Callable[..., Page]") -> None:
    page = open_page()
    visible = page.locator(".run:visible")

    page.locator("input").fill("SORT 1000")
    assert visible.count() == 1
    page.locator("input").fill("")
    page.get_by_role("button", name="changed for the worse").click()

    assert visible.count() == 1
    assert "test_parse" in visible.inner_text()
    assert page.locator("output").inner_text() == f"1 of {len(NAMES) + 1}"


def test_sorting_finds_the_slowest_and_returns_to_the_order_of_the_report(open_page: "Callable[..., Page]") -> None:
    page = open_page()
    names = page.locator(".run .name")
    before = names.all_inner_texts()
    head = page.locator("thead").get_by_role("button", name="median")

    head.click()
    assert names.first.inner_text() == "test_sort[100]"
    assert names.last.inner_text() == "test_broken"  # not measured comes last, not first
    head.click()
    assert names.first.inner_text().startswith('test_">')
    head.click()

    assert names.all_inner_texts() == before


def test_keyboard_alone_opens_a_run_and_reads_its_history(open_page: "Callable[..., Page]") -> None:
    page = open_page(viewport={"width": 1280, "height": 900})
    page.locator(".name button", has_text="test_parse").focus()
    page.keyboard.press("Enter")
    slider = page.get_by_role("slider")
    slider.wait_for()

    for _ in range(6):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.getAttribute('role')") == "slider":
            break
    page.keyboard.press("Home")
    first = slider.get_attribute("aria-valuetext")
    page.keyboard.press("ArrowRight")
    second = slider.get_attribute("aria-valuetext")
    for _ in range(3):
        page.keyboard.press("+")
    page.keyboard.press("End")

    assert first is not None
    assert second is not None
    assert first.startswith(f"1 of {SESSIONS} ")
    assert second.startswith(f"2 of {SESSIONS} ")
    assert page.locator(".chart .dot").count() < 2 * SESSIONS
    assert not (slider.get_attribute("aria-valuetext") or "").startswith(f"{SESSIONS} of")
    page.keyboard.press("0")
    page.keyboard.press("End")
    assert "this report" in (slider.get_attribute("aria-valuetext") or "")


def test_details_have_all_that_was_recorded(open_page: "Callable[..., Page]") -> None:
    page = open_page("#tests/test_a.py::test_sort[100]")
    titles = page.locator(".detail figcaption")
    titles.first.wait_for()

    assert titles.all_inner_texts() == [
        "History: wall_time, lower is better",
        "Power of <b>package</b>",
        "Requests",
        "Distribution of the rounds",
        "Phases",
    ]
    page.get_by_label("Metric").select_option(label="python peak")
    assert titles.first.inner_text() == "History: python_peak, lower is better"
    assert "4 requests, 1 failed" in page.locator(".detail").inner_text()
    page.get_by_role("button", name="Histogram").click()
    assert page.locator(".chart .bars").count() == 2


def test_history_names_baselines_notes_and_accepted_changes(open_page: "Callable[..., Page]") -> None:
    page = open_page("#tests/test_a.py::test_parse")
    drawing = page.get_by_role("slider")
    drawing.wait_for()

    assert "baseline pinned" in drawing.inner_html()
    assert "accepted" in drawing.inner_html()
    assert drawing.locator(".noted").count() == SESSIONS
    drawing.focus()
    page.keyboard.press("Home")
    assert "note: <i>note</i>" in (drawing.get_attribute("aria-valuetext") or "")


def test_link_to_a_benchmark_opens_it(open_page: "Callable[..., Page]") -> None:
    first = open_page()
    key = first.locator(".run", has_text="img src").get_attribute("id")

    page = open_page(f"#{key}")

    assert page.locator(".detail h3").inner_text() == f"tests/test_a.py::{HOSTILE}"
    assert page.locator(".run").filter(has_text="img src").evaluate("row => row === document.querySelector(':target')")


def test_numbers_in_details_are_those_of_the_terminal(
    open_page: "Callable[..., Page]", project: Path, benchdb_process: Callable[..., Any]
) -> None:
    ended = benchdb_process("trend", "results", "--last", "100", "-f", "json", cwd=project)
    (series,) = (one for one in json.loads(ended.out)["series"] if one["fullname"].endswith("::test_parse"))
    page = open_page("#tests/test_a.py::test_parse")

    page.locator(".detail details.data summary").first.click()

    values = [point["value"] for point in series["points"]]
    unit = unit_for("s", values)
    rows = page.locator(".detail details.data table").first.locator("tbody tr")
    assert rows.locator("td:nth-child(4)").all_inner_texts() == [quantity(value, unit) for value in values]
    levels = [quantity(point["level"], unit) for point in series["points"]]
    assert rows.locator("td:nth-child(5)").all_inner_texts() == levels
    assert "+30" in page.locator(".changes").inner_text()


def test_figures_are_written_as_the_terminal_writes_them(open_page: "Callable[..., Page]") -> None:
    chance = random.Random(7)  # noqa: S311
    page = open_page()
    units = ("s", "B", "1/s", "J", "W", "Hz", "B/s", "kg", "1", "points")
    cases = [
        (chance.choice(units), [chance.choice([1, -1]) * 10 ** chance.uniform(-14, 14) for _ in range(3)])
        for _ in range(400)
    ]
    cases += [(unit, [value, value, value]) for unit in units for value in (0.0, 0.5, 1.125, 2.5, 999.95, 1e-3, 12.5)]

    script = "cases => cases.map(([unit, values]) => values.map((value) => quantity(value, unitFor(unit, values))))"
    texts = page.evaluate(script, cases)

    for (unit, values), shown in zip(cases, texts, strict=True):
        assert shown == [quantity(value, unit_for(unit, values)) for value in values], (unit, values)


def test_downloads_and_copies_are_what_the_table_shows(
    open_page: "Callable[..., Page]", project: Path, benchdb_process: Callable[..., Any]
) -> None:
    page = open_page("#tests/test_a.py::test_parse", permissions=["clipboard-read", "clipboard-write"])

    with page.expect_download() as csv:
        page.get_by_role("button", name="Download CSV").click()
    with page.expect_download() as drawing:
        page.get_by_role("button", name="Download SVG").first.click()
    with page.expect_download() as picture:
        page.get_by_role("button", name="Download PNG").first.click()
    page.get_by_role("button", name="Copy as Markdown").click()
    page.get_by_text("Copied").wait_for()
    markdown = page.evaluate("navigator.clipboard.readText()")

    ended = benchdb_process("report", "results", "-f", "csv", cwd=project)
    assert len(csv.value.path().read_text(encoding="utf-8").splitlines()) == len(ended.out.splitlines())
    assert drawing.value.path().read_text(encoding="utf-8").startswith("<svg")
    assert picture.value.path().read_bytes().startswith(b"\x89PNG")
    assert len(markdown.splitlines()) == len(NAMES) + 3
    assert "| test_parse | " in markdown
    assert "<img" not in markdown


def test_controls_are_large_enough_to_be_hit(open_page: "Callable[..., Page]") -> None:
    # WCAG 2.2, success criterion 2.5.8: 24 pixels, but for links within a text.
    page = open_page("#tests/test_a.py::test_parse", viewport={"width": 360, "height": 800})

    sizes = "all => all.filter(one => one.checkVisibility()).map(one => [one.textContent, one.clientHeight])"
    found = page.locator("button, summary, input").evaluate_all(sizes)

    assert len(found) > 10
    assert [name for name, height in found if height < 24] == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_page_is_accessible(
    open_page: "Callable[..., Page]", violations: "Callable[[Page], list[tuple[str, str]]]", theme: str
) -> None:
    page = open_page("#tests/test_a.py::test_parse", color_scheme=theme)
    page.locator(".detail .chart svg").nth(1).wait_for()
    page.locator(".name button", has_text="test_sort[100]").click()
    page.locator(".detail .chart svg").nth(5).wait_for()
    for summary in page.locator("summary").all():
        summary.click()

    assert violations(page) == []


def test_theme_can_be_chosen(open_page: "Callable[..., Page]") -> None:
    page = open_page(color_scheme="dark")

    page.get_by_role("button", name="Theme").click()

    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_printed_page_is_light_and_has_no_controls(open_page: "Callable[..., Page]") -> None:
    page = open_page(color_scheme="dark")

    page.emulate_media(media="print")

    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.locator(".tools").is_hidden()
    assert page.locator(".run").first.is_visible()
