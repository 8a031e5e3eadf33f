"""The pages for decisions in a real Chromium, from files: they fit, can be read and used, and ask nothing of anyone."""

import csv
import random
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_benchdb.model.benchmark import Labels
from pytest_benchdb.model.environment import Commit
from pytest_benchdb.model.run import Measurement

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytest.importorskip("jinja2")
pytestmark = pytest.mark.long

HOSTILE = "test_\"><img src=x onerror=alert(1)>'</script>\u2028`|[1]"
NAMES = ("test_parse", "test_sort[1000]", "test_hash", "test_tokenize[a sentence of several words]", HOSTILE)
SESSIONS = 20
PAGES = ("compare", "regress", "trend", "noise", "axis")
Open = Callable[..., "Page"]


@pytest.fixture(scope="module")
def pages(
    tmp_path_factory: pytest.TempPathFactory,
    new_session: Callable[..., Any],
    new_run: Callable[..., Any],
    benchdb_process: Callable[..., Any],
) -> dict[str, Path]:
    """Return the page of each command over a history in which ``test_parse`` became slower twice."""
    chance = random.Random(11)  # noqa: S311
    folder = tmp_path_factory.mktemp("decisions")
    for at in range(SESSIONS):
        runs = []
        for place, name in enumerate(NAMES):
            level = 10.0 ** -(place + 2)
            level *= (1.3 if at > 12 else 1) * (1.5 if at == SESSIONS - 1 else 1) if name == "test_parse" else 1
            runs.append(new_run(f"tests/test_a.py::{name}", [level * chance.uniform(1, 1.02) for _ in range(5)]))
        runs.append(new_run("tests/test_a.py::test_broken", None, outcome="failed", reason="AssertionError: <b>no</b>"))
        commit = Commit(sha=f"{at + 1:040x}", branch="main", dirty=False)
        new_session(folder / "results", runs, at=at, commit=commit, note="<i>note</i>" if at == 3 else None)
    new_session(folder / "sweep", [sweep_run(new_run, model, size) for model in ("bert", "gpt") for size in (1, 4, 16)])
    commands = {
        "compare": ("compare", "latest~1", "latest", "--db", "results"),
        "regress": ("regress", "--db", "results", "--confirm", "0"),
        "trend": ("trend", "--db", "results"),
        "noise": ("noise", "--db", "results"),
        "axis": ("compare", "--axis", "batch_size", "--db", "sweep"),
    }
    for name, words in commands.items():
        ended = benchdb_process(*words, "-o", f"{name}.html", cwd=folder)
        assert ended.status == (1 if name == "regress" else 0), ended.err
    return {name: folder / f"{name}.html" for name in PAGES}


def sweep_run(new_run: Callable[..., Any], model: str, size: int) -> Any:
    rounds = [{"bert": 4e-3, "gpt": 9e-3}[model] * (1 + 0.1 * size) * (1 + 0.01 * n) for n in range(5)]
    time = Measurement.of("wall_time", round_ns=[round(each * 1e9) for each in rounds])
    rate = Measurement.of("throughput", samples=tuple(size / each for each in rounds))
    return new_run(
        f"tests/test_a.py::test_forward[{model}-{size}]",
        rounds,
        measurements=(time, rate),
        params={"model": model, "batch_size": size},
        labels=Labels(model=model, batch_size=size),
    )


def open_everything(page: "Page") -> None:
    page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true; })")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 768, 1920])
@pytest.mark.parametrize("name", PAGES)
def test_page_fits_its_window(pages: dict[str, Path], open_file: Open, name: str, width: int, theme: str) -> None:
    page = open_file(pages[name], viewport={"width": width, "height": 900}, color_scheme=theme)
    open_everything(page)

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(255, 255, 255)") is (theme == "light")
    # WCAG 2.2, success criterion 2.5.8: 24 pixels, but for links within a text.
    sizes = "all => all.filter(one => one.checkVisibility()).map(one => [one.textContent, one.clientHeight])"
    small = [
        text for text, height in page.locator("button, summary, input, a.title").evaluate_all(sizes) if 0 < height < 24
    ]
    assert small == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_page_obeys_the_guidelines_for_accessibility(
    pages: dict[str, Path], open_file: Open, violations: Callable[..., Any], name: str, theme: str
) -> None:
    page = open_file(pages[name], color_scheme=theme, bypass_csp=True)
    open_everything(page)

    assert violations(page) == []


@pytest.mark.parametrize("name", PAGES)
def test_page_without_javascript_has_every_row_and_chart(pages: dict[str, Path], open_file: Open, name: str) -> None:
    page = open_file(pages[name], java_script_enabled=False)

    assert page.locator(".run").count() >= len(NAMES)
    assert page.locator(".tools").is_hidden()
    if name in {"trend", "axis"}:
        chart = page.locator("figure > svg.plot:visible").first
        box = chart.bounding_box()
        assert box is not None
        assert box["width"] > 200
    else:
        assert page.locator("svg.forest:visible").count() > len(NAMES)


def test_link_of_a_row_opens_its_details(pages: dict[str, Path], open_file: Open) -> None:
    page = open_file(pages["compare"])
    page.locator("a.title", has_text="img src").focus()

    page.keyboard.press("Enter")

    opened = page.locator("details.row-detail[open]", has_text="img src")
    assert opened.locator(".row-body").is_visible()
    again = open_file(pages["compare"], page.url.rpartition("/")[2].partition(".html")[2])
    assert again.locator("details.row-detail[open]", has_text="img src").count() == 1


def test_search_counts_and_sorting_work_by_keyboard(pages: dict[str, Path], open_file: Open) -> None:
    page = open_file(pages["regress"])
    visible = page.locator(".run:visible")

    page.locator("input").focus()
    page.keyboard.type("TOKENIZE words")
    assert visible.count() == 1
    page.locator("input").fill("")
    page.get_by_role("button", name="1 regressed").focus()
    page.keyboard.press("Space")
    assert visible.count() == 1
    assert "test_parse" in visible.inner_text()
    page.keyboard.press("Space")
    before = page.locator(".run .name").all_inner_texts()
    head = page.locator("thead").get_by_role("button", name="baseline")
    head.focus()
    page.keyboard.press("Enter")
    slowest = page.locator(".run .name").first.inner_text()
    assert slowest.startswith("test_parse")
    assert page.locator(".run .name").last.inner_text().startswith("test_broken")  # not measured is last
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    assert page.locator(".run .name").all_inner_texts() == before


def test_rows_that_are_shown_can_be_saved(pages: dict[str, Path], open_file: Open) -> None:
    page = open_file(pages["trend"])
    page.locator("input").fill("test_parse")

    with page.expect_download() as saved:
        page.get_by_role("button", name="Download CSV").click()

    lines = list(csv.reader(saved.value.path().read_text(encoding="utf-8").splitlines()))
    assert lines[0][0] == "benchmark"
    assert [line[0] for line in lines[1:]] == ["tests/test_a.py::test_parse"]


def test_theme_can_be_chosen_and_print_is_light(pages: dict[str, Path], open_file: Open) -> None:
    page = open_file(pages["noise"], color_scheme="dark")
    ground = "getComputedStyle(document.body).backgroundColor"

    assert page.evaluate(ground) != "rgb(255, 255, 255)"
    page.emulate_media(media="print")
    assert page.evaluate(ground) == "rgb(255, 255, 255)"
    assert page.locator(".tools").is_hidden()
    page.emulate_media(media="screen")
    page.get_by_role("button", name="Theme").click()
    assert page.evaluate(ground) == "rgb(255, 255, 255)"


def test_drawing_is_where_its_numbers_say(pages: dict[str, Path], open_file: Open) -> None:
    """The point of what became slower is right of the axis' zero, in the forest and for those who see it."""
    page = open_file(pages["compare"])
    row = page.locator(".run", has_text="test_parse").locator("svg.forest")

    point, zero = row.locator(".point").bounding_box(), row.locator(".zero").bounding_box()

    assert point is not None
    assert zero is not None
    assert point["x"] > zero["x"] + 20
