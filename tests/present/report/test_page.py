"""The HTML page: runs nothing from outside, fetches nothing, and shows the same as the terminal."""

import base64
import hashlib
import importlib.util
import json
import re
import zlib
from collections.abc import Callable, Iterable
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_benchdb.errors import MissingExtraError
from pytest_benchdb.present.report.columns import RenderOptions, columns_named
from pytest_benchdb.present.report.formats import REPORT_SUFFIXES, format_of, report_markdown, report_text
from pytest_benchdb.present.report.page import report_html
from pytest_benchdb.present.report.session import facts_of
from pytest_benchdb.present.writing.text import sanitize

pytest.importorskip("jinja2")

Make = Callable[..., Any]


def ungrouped(columns: Iterable[str]) -> RenderOptions:
    return RenderOptions(columns=columns_named(columns), group_by="none")


HOSTILE = (
    "<script>alert(1)</script>\"'`\n\N{GRINNING FACE}\u202e</style></title><img src=x onerror=alert(2)>"
    "{{ 7*7 }}{% raw %}<!-- --> javascript:alert(3) &lt; \ud800"
)
ALLOWED = set(
    re.findall(
        r"\w+",
        "html head meta title style script body main header section footer h1 h2 p strong dl div dt dd label input "
        "output table caption thead tbody tr th td span wbr details summary ul li button svg path rect circle a "
        "noscript code",
    )
)
PIECES = [
    "<script>",
    "</script>",
    "<b onclick=x>",
    "</td>",
    "<!--",
    "]]>",
    "<",
    ">",
    "&",
    "&lt;",
    '"',
    "'",
    " ",
    "=",
    "{{",
]
VOID = {"meta", "input", "wbr"}
ADDRESSES = {"src", "href", "srcset", "style", "action", "formaction", "data", "srcdoc", "background"}


class Page(HTMLParser):
    """A parsed page: its elements with their attributes, and the text within them."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self._open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)
            self.texts.setdefault(tag, []).append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        for tag in self._open:
            self.texts[tag][-1] += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    def attributes(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def assert_inert(text: str) -> Page:
    """Assert that nothing runs but our own script, and that nothing is fetched."""
    page = Page(text)
    assert {tag for tag, _ in page.elements} <= ALLOWED
    names = {name for _, attributes in page.elements for name in attributes}
    assert not [name for name in names if name.startswith("on")]
    assert names & ADDRESSES <= {"href"}
    links = [attributes for tag, attributes in page.elements if "href" in attributes]
    assert all(tag == "a" for tag, attributes in page.elements if "href" in attributes)
    assert all(str(link["href"]).startswith(("https://", "http://")) for link in links)
    (policy,) = [tag["content"] or "" for tag in page.attributes("meta") if "http-equiv" in tag]
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert directives["default-src"] == "'none'"
    for kind, tag in (("style-src", "style"), ("script-src", "script")):
        *data, content = page.texts[tag]
        assert all(json.loads(text) for text in data)
        assert directives[kind] == f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"
    assert directives.keys() == {"default-src", "style-src", "script-src", "img-src", "base-uri", "form-action"}
    assert directives["img-src"] == "blob:"  # what the script itself draws, to save it as a picture
    assert "url(" not in page.texts["style"][0]
    assert "@import" not in page.texts["style"][0]
    return page


def data_of(page: Page) -> Any:
    return json.loads(page.texts["script"][0])


def hostile_report(run: Make, report: Make, text: str) -> Any:
    rows = [
        run(f"{text}.py::{text}", group=text, name=text),
        run("t.py::test_b", None, outcome="failed", reason=text, valid=False, group=text),
        run("t.py::test_c", group=None, backend=text, implementation=text, provenance="simulated"),
    ]
    return report(*rows, project=text, label=text, note=text, branch=text, ci_url=text, tags={text: text}, python=text)


def test_page_of_hostile_names_runs_nothing_and_shows_them(run: Make, report: Make) -> None:
    page = assert_inert(report_html(hostile_report(run, report, HOSTILE)))

    assert page.texts["title"] == [f"Benchmarks of {sanitize(HOSTILE)}"]
    assert page.texts["h1"] == page.texts["title"]
    assert sum(sanitize(HOSTILE) in text for text in page.texts["th"]) == 2
    assert f"failed: {sanitize(HOSTILE)}" in page.texts["td"]
    data = data_of(page)
    details = [one for text in data["details"] for one in json.loads(zlib.decompress(base64.b64decode(text)))]
    names = [details[place]["values"]["fullname"] for place in data["positions"]]
    assert names[0] == f"{HOSTILE}.py::{HOSTILE}"


@pytest.mark.long
@given(text=st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=12).map("".join))
def test_page_of_any_text_runs_nothing(run: Make, report: Make, text: str) -> None:
    page = assert_inert(report_html(hostile_report(run, report, text)))

    assert page.texts["h1"] == [f"Benchmarks of {sanitize(text)}"]


def test_page_has_the_header_of_the_terminal(run: Make, report: Make) -> None:
    shown = report(run(), label="nightly", complete=False, dirty=True, selection="-k sort")

    page = assert_inert(report_html(shown))

    facts = facts_of(shown.sessions[0], shown)
    assert len(facts) > 5
    assert list(zip(page.texts["dt"], page.texts["dd"], strict=True))[: len(facts)] == facts
    assert any("incomplete" in text for text in page.texts["p"])


def test_page_figures_are_those_of_markdown(run: Make, report: Make) -> None:
    shown = report(run("t.py::test_a", 1.25e-3), run("t.py::test_b", 12.5e-3), run("t.py::test_c", 0.5e-3))
    columns = columns_named(["benchmark", "median", "p99", "memory", "rounds"])

    texts = Page(report_html(shown, RenderOptions(columns=columns, group_by="none"))).texts["td"]
    cells = [text.strip() for text in texts if text]

    lines = report_markdown(shown, RenderOptions(columns=columns, group_by="none")).splitlines()[-3:]
    assert cells == [cell.strip() for line in lines for cell in line.split("|")[2:-1]]
    assert cells[:2] == ["1.250", "1.500"]


def test_page_aligns_decimal_points(run: Make, report: Make) -> None:
    shown = report(run("t.py::test_a", 1.25e-3), run("t.py::test_b", 12.5e-3), run("t.py::test_c", 1250e-3))

    texts = [text for text in Page(report_html(shown, ungrouped(["benchmark", "median"]))).texts["td"] if text]

    wide = "\N{FIGURE SPACE}"
    assert texts == ["1.250", f"12.50{wide}", f"1250\N{PUNCTUATION SPACE}{wide * 3}"]


@pytest.mark.parametrize("outcome", ["failed", "error", "skipped", "xfailed", "timeout", "crashed", "unsupported"])
def test_page_of_a_run_that_did_not_pass_has_its_reason_and_no_number(run: Make, report: Make, outcome: str) -> None:
    # The run has figures, like a test that fails after timing: they must not be shown.
    row = run("t.py::test_a", 1.25e-3, outcome=outcome, valid=False, reason="no device")

    page = Page(report_html(report(row)))

    (cell,) = page.attributes("td")
    assert page.texts["td"] == [f"{outcome}: no device"]
    assert "svg" not in page.texts
    assert cell["colspan"] == str(len(page.attributes("th")) - 2)
    assert not any("data-value" in attributes for attributes in page.attributes("td"))


def test_page_of_a_run_without_columns_of_figures_has_its_reason_beside_the_name(run: Make, report: Make) -> None:
    row = run("t.py::test_a", None, outcome="skipped", valid=False, reason="no device")

    page = Page(report_html(report(row), ungrouped(["benchmark", "outcome"])))

    assert page.texts["th"][-1].split() == ["test_a", "skipped:", "no", "device"]
    assert page.texts["td"] == ["skipped"]


def test_page_of_passed_without_figures_reports_it(run: Make, report: Make) -> None:
    row = run("t.py::test_a", None, valid=False, reason="pytest-benchmark was disabled")

    assert Page(report_html(report(row), RenderOptions(group_by="none"))).texts["td"] == [
        "passed, no figures: pytest-benchmark was disabled"
    ]


def test_page_marks_simulated_runs_and_reruns(run: Make, report: Make) -> None:
    rows = [run("t.py::test_a", provenance="simulated"), run("t.py::test_b", attempt=3), run("t.py::test_c")]

    page = Page(report_html(report(*rows), RenderOptions(group_by="none")))

    assert [text for text in page.texts["th"] if text.startswith("test_")] == [
        "test_a (simulated)",
        "test_b (attempt 3)",
        "test_c",
    ]
    assert any("not measured" in text for text in page.texts["p"])


def test_page_table_has_caption_scopes_and_labels(run: Make, report: Make) -> None:
    page = Page(report_html(report(run("a.py::test_a"), run("b.py::test_b"))))

    assert [head["scope"] for head in page.attributes("th")[:3]] == ["col", "col", "col"]
    assert [head["scope"] for head in page.attributes("th")].count("rowgroup") == 2
    assert [head["scope"] for head in page.attributes("th")].count("row") == 2
    assert page.texts["caption"] == ["2 runs; times are for one iteration"]
    heads = page.texts["th"][: len(page.attributes("th")) - 4]
    assert [cell["data-label"] for cell in page.attributes("td")] == heads[1:] * 2
    assert heads[-1] == "spread of the rounds"
    assert page.attributes("html") == [{"lang": "en"}]


def test_page_of_a_filter_without_matches_reports_it(report: Make) -> None:
    page = assert_inert(report_html(report(selection="-k nothing")))

    assert "No run to show." in page.texts["p"]
    assert "table" not in page.texts


def themes(style: str) -> dict[str, dict[str, str]]:
    """Return the colours of the light and the dark page, by name; paper has the light ones."""
    found = re.findall(r"--([a-z]+): light-dark\((#[0-9a-f]+), (#[0-9a-f]+)\);", style)
    return {"light": {name: light for name, light, _ in found}, "dark": {name: dark for name, _, dark in found}}


def luminance(color: str) -> float:
    digits = color[1:] if len(color) == 7 else "".join(digit * 2 for digit in color[1:])
    channels = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", ["text", "muted", "accent", "bad", "good", "warn", "before"])
def test_page_texts_have_a_contrast_of_four_and_a_half(run: Make, report: Make, theme: str, name: str) -> None:
    # WCAG 2.2, success criterion 1.4.3
    colors = themes(Page(report_html(report(run()))).texts["style"][0])[theme]

    assert all(contrast(colors[name], colors[ground]) >= 4.5 for ground in ("page", "band"))


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", ["edge", "accent", "bad", "good", "warn", "before"])
def test_page_graphics_have_a_contrast_of_three(run: Make, report: Make, theme: str, name: str) -> None:
    # WCAG 2.2, success criterion 1.4.11: lines, marks and the borders of controls.
    colors = themes(Page(report_html(report(run()))).texts["style"][0])[theme]

    assert all(contrast(colors[name], colors[ground]) >= 3 for ground in ("page", "band", "haze"))


def test_page_without_jinja_names_the_extra(run: Make, report: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(
        "pytest_benchdb.present.html.shell.find_spec", lambda name: None if name == "jinja2" else real(name)
    )

    with pytest.raises(MissingExtraError, match=re.escape("pip install 'pytest-benchdb[html]'")):
        report_html(report(run()))


@pytest.mark.parametrize(("suffix", "name"), REPORT_SUFFIXES.items())
def test_report_text_of_each_ending_is_of_its_format(run: Make, report: Make, suffix: str, name: str) -> None:
    begins = {"md": "## Benchmarks", "json": "{", "csv": '"run_id"', "html": "<!doctype html>"}

    assert format_of("a.b" + suffix.upper()) == name
    assert report_text(report(run()), name).startswith(begins[name])
