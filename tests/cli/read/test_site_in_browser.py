"""A site in a real Chromium, from files: it works, it is legible, and it asks nothing of anyone."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_benchdb.model.environment import Commit
from pytest_benchdb.present.site.rows import page_name

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytest.importorskip("jinja2")
pytestmark = pytest.mark.long

HOSTILE = "test_\"><img src=x onerror=alert(1)>'</script>\u2028`|[1]"
NAMES = ("test_sort[100]", "test_sort[1000]", "test_parse", HOSTILE)
SESSIONS = 24
PARSE = f"benchmarks/{page_name('tests/test_a.py::test_parse')}.html"
PAGES = ("index.html", PARSE, "changes.html", "matrix.html", "sessions.html", "about.html")


@pytest.fixture(scope="module")
def site(
    tmp_path_factory: pytest.TempPathFactory,
    new_session: Callable[..., Any],
    new_run: Callable[..., Any],
    benchdb_process: Callable[..., Any],
) -> Path:
    """Return a site in whose history ``test_parse`` became slower."""
    chance = random.Random(5)  # noqa: S311
    folder = tmp_path_factory.mktemp("site")
    for at in range(SESSIONS):
        runs = []
        for place, name in enumerate(NAMES):
            level = 10.0 ** -(place + 2) * (1.3 if name == "test_parse" and at > 13 else 1)
            samples = [level * chance.uniform(1, 1.03) for _ in range(8)]
            runs.append(new_run(f"tests/test_a.py::{name}", samples, params={"n": place}))
        runs.append(new_run("tests/test_a.py::test_broken", None, outcome="failed", reason="AssertionError: <b>no</b>"))
        commit = Commit(sha=f"{at + 1:040x}", branch="main", dirty=False, subject="<b>subject</b>")
        new_session(folder / "results", runs, at=at, commit=commit, note="<i>note</i>")
    ended = benchdb_process("site", "results", "-o", "site", "--title", "<b>Ours</b>", cwd=folder)
    assert ended.status == 0, ended.err
    return folder / "site"


@pytest.fixture
def open_page(open_file: "Callable[..., Page]", site: Path) -> "Callable[..., Page]":
    """Return a function that opens a page of the site; it takes the name, and what `open_file` takes."""
    return lambda name, *link, **options: open_file(site / name, *link, **options)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280, 1920])
def test_pages_fit_their_window(open_page: "Callable[..., Page]", site: Path, width: int, theme: str) -> None:
    sessions = [f"sessions/{path.name}" for path in sorted((site / "sessions").iterdir())[-1:]]
    hostile = [f"benchmarks/{page_name(f'tests/test_a.py::{HOSTILE}')}.html"]
    for name in (*PAGES, *sessions, *hostile):
        page = open_page(name, viewport={"width": width, "height": 900}, color_scheme=theme)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (ground == "rgb(255, 255, 255)") is (theme == "light")
        assert page.locator("nav .brand").inner_text() == "<b>Ours</b>"


def test_page_of_a_benchmark_draws_what_its_script_brought(open_page: "Callable[..., Page]") -> None:
    page = open_page(PARSE)

    assert page.locator(".details .chart svg").count() == 2
    assert page.locator(".details svg.wide").count() == 0
    assert "+30" in (page.locator(".details .chart text.worse").first.text_content() or "")
    slider = page.get_by_role("slider")
    slider.focus()
    page.keyboard.press("ArrowLeft")
    assert page.locator(".reading").first.inner_text().startswith(f"{SESSIONS - 1} of {SESSIONS}")


@pytest.mark.parametrize("name", PAGES)
def test_page_says_all_without_javascript(open_page: "Callable[..., Page]", name: str) -> None:
    page = open_page(name, java_script_enabled=False)

    assert page.locator("h1").is_visible()
    assert page.locator("button:visible").count() == 0
    if name == "index.html":
        assert page.locator(".run").count() == len(NAMES) + 1
        assert page.locator(".run svg.history").count() == len(NAMES)
        assert page.get_by_text("failed: AssertionError: <b>no</b>").is_visible()
    if name == PARSE:
        assert page.locator("svg.wide").is_visible()
        assert page.locator(".changes td.worse").is_visible()
    if name == "matrix.html":
        assert page.locator(".line").count() == len(NAMES) + 1
        page.locator(".cell.is-bad summary").click()
        assert page.locator(".cell.is-bad pre").inner_text() == "AssertionError: <b>no</b>"


def test_table_is_found_sorted_and_linked_to_by_keyboard(open_page: "Callable[..., Page]", site: Path) -> None:
    page = open_page("index.html")

    page.locator("input").focus()
    page.keyboard.type("sort 1000")
    assert page.locator(".run:visible").count() == 1
    assert page.locator("output").inner_text() == f"1 of {len(NAMES) + 1}"
    page.locator("input").fill("")
    head = page.locator("thead").get_by_role("button", name="median")
    head.focus()
    page.keyboard.press("Enter")
    first = page.locator(".run .name").first.inner_text()
    assert "test_sort[100]" in first
    assert page.url.endswith("#sort=-1")

    again = open_page("index.html", "#sort=-1&show=passed")
    assert again.locator(".run:visible .name").first.inner_text() == first
    assert again.locator(".run:visible").count() == len(NAMES)
    again.locator(".run:visible .name a").first.focus()
    again.keyboard.press("Enter")
    again.wait_for_url("**/benchmarks/*.html")
    assert again.locator("h1").inner_text() == "tests/test_a.py::test_sort[100]"


def test_theme_goes_with_the_reader_from_page_to_page(open_page: "Callable[..., Page]") -> None:
    page = open_page("index.html", color_scheme="light")
    press = page.locator("[data-action=theme]")
    press.click()
    press.click()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"

    page.get_by_role("link", name="Changes", exact=True).click()

    assert page.locator("[data-action=theme]").inner_text() == "Theme: dark"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"


def test_matrix_is_searched_opened_and_left_for_a_benchmark(open_page: "Callable[..., Page]") -> None:
    page = open_page("index.html", viewport={"width": 1280, "height": 900})
    page.get_by_role("link", name="What works where").click()
    assert page.locator("nav [aria-current]").inner_text() == "What works where"

    page.get_by_role("searchbox").fill("test_ img alert")
    assert page.locator(".line:visible").count() == 1
    assert page.locator("output").inner_text() == f"1 of {len(NAMES) + 1}"
    page.locator(".line:visible summary").focus()
    page.keyboard.press("Enter")
    assert page.locator(".line:visible .evidence").is_visible()
    page.get_by_role("searchbox").fill("")
    page.get_by_label("cpu", exact=True).uncheck()
    assert page.locator(".line .cell:visible").count() == 0
    page.locator(".line .name a", has_text="test_sort[n=1]").click()
    page.wait_for_url("**/benchmarks/*.html")

    assert page.locator("h1").inner_text() == "tests/test_a.py::test_sort[1000]"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", ["index.html", PARSE, "matrix.html"])
def test_page_obeys_the_guidelines_for_accessibility(
    open_page: "Callable[..., Page]", violations: Callable[..., Any], name: str, theme: str
) -> None:
    page = open_page(name, color_scheme=theme, bypass_csp=True)
    page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true; })")

    assert violations(page) == []
