"""The page of a compatibility matrix in a real Chromium, from a file: it works, fits and loads nothing."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_benchdb.model.benchmark import Labels
from pytest_benchdb.model.environment import Device
from pytest_benchdb.model.identity import content_id

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Dialog, Page, Request

pytest.importorskip("jinja2")
pytestmark = pytest.mark.long

HOSTILE = "x\"><img src=x onerror=alert(1)>'</script>\u2028`|[1]"
BACKENDS = ("cpu", "cuda", "mps", "rocm", "xpu", "openvino", "onnxruntime", "webgpu")


@pytest.fixture(scope="module")
def page_file(
    tmp_path_factory: pytest.TempPathFactory,
    new_session: Callable[..., Any],
    new_run: Callable[..., Any],
    benchdb_process: Callable[..., Any],
) -> Path:
    """Return the page of four models on many backends, one of them with a name that is an attack."""
    folder = tmp_path_factory.mktemp("matrix")
    devices = [Device(device_id=content_id("device", name), backend=name, name=name) for name in BACKENDS]
    outcomes = ("passed", "failed", "oom", "timeout", "unsupported", "skipped")
    for at in range(2):
        runs = [
            new_run(
                f"tests/test_a.py::test_{HOSTILE}[{number}]",
                [0.001] * 3 if outcome == "passed" else None,
                labels=Labels(model=model, precision="fp16"),
                device_id=device.device_id,
                outcome=outcome,
                reason=None if outcome == "passed" else f"{HOSTILE}\nsecond line",
            )
            for number, model in enumerate(("bert", "llama", "n" * 200, HOSTILE))
            for place, device in enumerate(devices)
            if (number + place) % 7
            for outcome in [outcomes[(number * 3 + place + at) % len(outcomes)]]
        ]
        new_session(folder / "results", runs, at=at, devices=tuple(devices))
    ended = benchdb_process("matrix", "results", "--diff", "latest~1", "-o", "page.html", cwd=folder)
    assert ended.status == 0, ended.err
    return folder / "page.html"


@pytest.fixture
def open_page(chromium: "Browser", page_file: Path) -> "Iterator[Callable[..., Page]]":
    """Return a function that opens the page; afterwards, nothing may have complained or left the machine."""
    complaints: list[str] = []
    contexts = []

    def refuse(dialog: "Dialog") -> None:
        complaints.append(dialog.message)
        dialog.dismiss()

    def watch(request: "Request") -> None:
        if not request.url.startswith("file:"):
            complaints.append(request.url)

    def open_it(**options: Any) -> "Page":
        context = chromium.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", refuse)
        page.on("request", watch)
        page.goto(page_file.as_uri())
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_page_fits_its_window_with_every_cell_open(open_page: "Callable[..., Page]", width: int, theme: str) -> None:
    page = open_page(viewport={"width": width, "height": 900}, color_scheme=theme)

    page.locator(".cell details").evaluate_all("all => all.forEach(one => one.open = true)")

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator(".evidence pre").count() > 0


def test_without_javascript_a_cell_opens_into_its_error(open_page: "Callable[..., Page]") -> None:
    page = open_page(java_script_enabled=False)

    assert page.locator(".tools").is_hidden()
    cell = page.locator(".cell.is-bad").first
    assert cell.locator("pre").is_hidden()
    cell.locator("summary").click()
    assert cell.locator("pre").inner_text() == HOSTILE.replace("\u2028", "\\u2028") + "\nsecond line"


def test_every_cell_has_a_sentence_and_every_head_a_scope(open_page: "Callable[..., Page]") -> None:
    page = open_page()

    cells = page.locator("td.cell")
    labels = cells.evaluate_all(
        "all => all.map(one => (one.querySelector('summary') ?? one).getAttribute('aria-label'))"
    )
    assert len(labels) == 4 * len(BACKENDS)
    assert all(label.endswith(".") and " on " in label for label in labels)
    assert set(page.locator(".matrix th").evaluate_all("all => all.map(one => one.scope)")) == {"row", "col"}


def test_rows_are_searched_and_columns_hidden(open_page: "Callable[..., Page]") -> None:
    page = open_page()

    page.get_by_role("searchbox").fill("llama fp16")
    assert page.locator(".line:visible th").all_inner_texts() == ["llama"]
    assert page.locator("output").inner_text() == "1 of 4"
    page.get_by_role("searchbox").fill("")
    page.get_by_label("cuda", exact=True).uncheck()
    assert page.locator("[data-column='1']:visible").count() == page.locator(".columns [data-column='1']").count()
    page.locator(".count[data-tag=oom]").click()
    assert page.locator(".line:visible").count() == page.locator(".line[data-tags~=oom]").count()


def test_a_cell_is_opened_by_the_keyboard(open_page: "Callable[..., Page]") -> None:
    page = open_page()

    page.locator(".cell summary").first.focus()
    page.keyboard.press("Enter")

    assert page.locator(".cell details").first.evaluate("one => one.open")
