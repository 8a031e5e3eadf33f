"""The comment's body, parsed like a browser: possible links and tags."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.present.verdicts.results import HOSTILE, comparison, gate, hostile, many, row, session

from pytest_benchdb.model.comparison import Comparison, Gate, Shift, Side
from pytest_benchdb.present.verdicts.page import MOST_CHARACTERS, marker, pull_request_comment
from pytest_benchdb.present.writing.text import sanitize

TAGS = {"p", "table", "tr", "th", "td", "ul", "li", "details", "summary", "code", "br"}
# Text that GitHub turns into links outside of <code>.
LINKS = re.compile(r"@\w|#\d|GH-\d|://|www\.|[0-9a-f]{7,40}\b", re.IGNORECASE)


class Page(HTMLParser):
    """Parses a body; fails on a tag that is not ours or not closed."""

    def __init__(self, body: str) -> None:
        super().__init__(convert_charrefs=True)
        self.comments: list[str] = []
        self.codes: list[str] = []
        self.rows: list[list[str]] = []
        self.free = ""
        self._open: list[str] = []
        self.feed(body)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS
        assert attrs in ([], [("align", "right")])
        if tag == "tr":
            self.rows.append([])
        if tag in {"td", "th"}:
            self.rows[-1].append("")
        if tag == "code":
            self.codes.append("")
        if tag == "br":
            self.free += "\n"
        else:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "code" in self._open:
            self.codes[-1] += data
        else:
            self.free += data
        if {"td", "th"} & set(self._open):
            self.rows[-1][-1] += data

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)


def page(result: Gate | Comparison, name: str = "n") -> Page:
    return Page(pull_request_comment(result, name=name))


def names(table: str) -> list[str]:
    return re.findall(r"<tr><td><code>(.*?)</code>", table)


def test_comment_begins_with_its_marker() -> None:
    body = pull_request_comment(gate([row()]), name="linux")

    assert body.splitlines()[0] == "<!-- benchdb:linux -->"


@given(st.text())
def test_marker_of_any_name_is_one_comment(name: str) -> None:
    parsed = Page(marker(name))

    assert len(parsed.comments) == 1
    assert parsed.free == ""
    assert "--" not in parsed.comments[0].strip(" -")


def test_comment_shows_changed_rows_and_folds_the_others() -> None:
    rows = [
        row("unchanged", "t.py::same"),
        row("improved", "t.py::faster", change=-0.2),
        row("regressed", "t.py::slower"),
        row("inconclusive", "t.py::noisy"),
        row("new", "t.py::fresh"),
    ]

    shown, _, folded = pull_request_comment(gate(rows)).partition("<details>")

    assert names(shown) == ["t.py::slower", "t.py::fresh", "t.py::faster"]
    assert names(folded) == ["t.py::noisy", "t.py::same"]
    assert "<summary>2 others</summary>" in folded


@pytest.mark.parametrize(
    ("status", "title"),
    [(0, "### ✅ Benchmarks passed"), (1, "### ❌ Benchmarks failed"), (4, "### ⚠️ Benchmarks are undecided")],
)
def test_comment_of_a_gate_has_its_outcome(status: int, title: str) -> None:
    assert pull_request_comment(gate([row()], exit_status=status)).splitlines()[1] == title


@pytest.mark.parametrize(
    ("status", "title"),
    [(4, "### ⚠️ Benchmarks are undecided"), (1, "### ❌ Benchmarks failed")],
    ids=["undecided", "failed"],
)
def test_comment_of_a_shifted_suite_never_says_passed(status: int, title: str) -> None:
    body = pull_request_comment(gate([row()], exit_status=status, shift=Shift(change=0.07, agreeing=0.9)))

    assert body.splitlines()[1] == title
    assert "The whole suite moved alike: 90 % of the benchmarks, by +7.0 % in the median" in body


@pytest.mark.parametrize("state", ["learning", "unstable"])
def test_comment_of_a_gate_that_judged_nothing_does_not_say_passed(state: Any) -> None:
    body = pull_request_comment(gate([row(state=state), row("new", "t.py::b")], sentence="nothing was judged"))

    assert body.splitlines()[1] == "### ⚠️ Benchmarks were not judged"


def test_comment_of_a_confirmed_regression_has_its_reruns() -> None:
    again = (row("regressed").judgement, row("unchanged").judgement)

    table = page(gate([row("regressed", confirmations=again, reason="100 % (limit 5 %), sure")])).rows

    assert table[1][-1] == "❌ regressed, repeated in 1 of 2 re-runs100 % (limit 5 %), sure"


def test_comment_of_an_unmeasured_row_shows_no_figure() -> None:
    table = page(comparison([row("missing", "t.py::a", baseline=None)])).rows

    assert table[1] == ["t.py::a", "wall_time", "-", "-", "-", "-", "-", "⚠️ missing"]


def test_comment_of_hostile_texts_holds_no_tag_and_no_link_of_theirs() -> None:
    body = pull_request_comment(hostile(), name=HOSTILE)
    parsed = Page(body)

    assert len(parsed.comments) == 1
    assert not LINKS.search(parsed.free), LINKS.search(parsed.free)
    assert not re.search(r"@octocat|#\d", body)
    assert any("test_@octocat#1" in text for text in parsed.codes)


@given(st.text(min_size=1, max_size=100))
def test_comment_of_any_name_shows_it_as_code(name: str) -> None:
    parsed = page(comparison([row("regressed", name, reason=name)]))

    assert parsed.rows[1][0] == (sanitize(name) or "-")
    assert not LINKS.search(parsed.free.replace("0123456789ab", ""))


def test_comment_has_no_blank_line_within_a_block() -> None:
    body = pull_request_comment(hostile())

    for block in body.split("\n\n"):
        assert block.count("<table>") == block.count("</table>")
        assert block.count("<ul>") == block.count("</ul>")
        assert block.count("<details>") == block.count("</details>")


@pytest.mark.parametrize(
    "name",
    [
        "tests/test_{file}.py::test_{n}",
        "t.py::" + "&<>@#|`\"'" * 300 + "{n}",
        "t.py::" + "\N{MICROSCOPE}" * 400 + "{n}",
    ],
    ids=["plain", "escaped", "astral"],
)
def test_comment_of_ten_thousand_rows_fits_and_counts_left_out_rows(name: str) -> None:
    body = pull_request_comment(many(10_000, name, reason=name))

    assert len(body.encode("utf-16-le")) // 2 <= MOST_CHARACTERS
    shown = len(re.findall("<tr><td>", body))
    assert shown > 10
    assert f"{10_000 - shown} rows are not shown" in body
    Page(body)


def test_comment_of_long_texts_everywhere_fits() -> None:
    long = "word @user " * 100_000
    side = Side(name=long, sessions=(session(commit_sha=long),))
    rows = [row("regressed", long, reason=long, metric=long, unit=long)]
    compared = comparison(rows, baseline=side, candidate=side, warnings=(long,) * 1_000)

    body = pull_request_comment(gate(rows, comparison=compared, sentence=long), name=long)

    assert len(body) <= MOST_CHARACTERS
    assert "980 more" in body
    Page(body)
