"""What the pages for decisions share: cells, facts, counts to filter by, links to commits, and how much is shown.

Everything that comes from outside is sanitised here or where it is read; the templates escape it.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.present.html.plot import SYMBOLS
from pytest_benchdb.present.html.shell import render_page
from pytest_benchdb.present.writing.grid import Style
from pytest_benchdb.present.writing.links import commit_url
from pytest_benchdb.present.writing.text import sanitize

MOST_ROWS = 500
"""Rows of a page that are drawn; of the others, the name and the outcome are listed."""

MOST_LISTED = 5_000
"""Further rows that are listed; the others are only counted."""

LONGEST_NAME = 300
LONGEST_UNIT = 40
LONGEST_TEXT = 600
SHORT_COMMIT = 10

_SCRIPTS = ("decision.js",)
_STYLES = ("decision.css",)

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A cell of a table.

    Attributes:
        label: title of its column, which narrow screens show beside it.
        value: value to sort by, figures in SI units and shares; None without one.
        kind: ``figure`` is aligned to the right.
    """

    label: str
    text: str
    value: str | float | None = None
    style: Style = ""
    kind: str = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A fact; `url` is where its text leads, None if nowhere."""

    label: str
    text: str
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """A number of rows to filter by.

    Attributes:
        tag: what such rows have among their tags.
    """

    tag: str
    text: str
    style: Style


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """Rows that are not drawn.

    Attributes:
        title: how many they are.
        listed: their names and outcomes.
        more: what is not even listed; empty if all are.
    """

    title: str
    listed: Sequence[tuple[str, str]]
    more: str


def decision_page(template: str, *, title: str, **values: object) -> str:
    """Return a page for a decision.

    Raises:
        MissingExtraError: Jinja is not installed.
    """
    return render_page(template, scripts=_SCRIPTS, styles=_STYLES, data=None, title=title, symbols=SYMBOLS, **values)


def text_of(text: str | None, limit: int = LONGEST_TEXT) -> str:
    """Return a text from outside that is safe to show, and not endless."""
    return sanitize(text or "", limit=limit)


def figure_cell(label: str, text: str, value: float | None, style: Style = "") -> Cell:
    """Return a cell with a figure."""
    return Cell(label=label, text=text, value=value, style=style, kind="figure")


def counts_of(tags: Iterable[str], style_of: Callable[[str], Style], order: Sequence[str] = ()) -> list[Count]:
    """Return how many rows have each tag, in the order of `order`, then of the tags."""
    numbers = Counter(tags)
    tagged = [*(tag for tag in order if tag in numbers), *(tag for tag in numbers if tag not in order)]
    return [Count(tag=tag, text=f"{numbers[tag]} {tag}", style=style_of(tag)) for tag in tagged]


def rest_of(items: Sequence[Item], describe: Callable[[Item], tuple[str, str]], noun: str, how: str) -> Rest | None:
    """Return what is not drawn; None if there is nothing.

    Args:
        items: the rows that are not drawn.
        describe: returns name and outcome of one.
        noun: what they are.
        how: where all of them are: ``-f csv has them``.
    """
    if not items:
        return None
    left = len(items) - MOST_LISTED
    plural = noun if noun.endswith("s") else f"{noun}s"
    return Rest(
        title=f"{len(items)} more {noun if len(items) == 1 else plural}, without a chart",
        listed=[describe(item) for item in items[:MOST_LISTED]],
        more=f"{left} more {noun if left == 1 else plural} not listed: {how}" if left > 0 else "",
    )


def commit_fact(session: SessionRow | None) -> Fact | None:
    """Return the commit of a session, with its subject and a link; None if neither is known."""
    if session is None or session.commit_sha is None:
        return None
    url = commit_url(session.remote_url, session.commit_sha)
    if url is None and not session.commit_subject:
        return None
    text = f"{session.commit_sha[:SHORT_COMMIT]} {session.commit_subject or ''}".rstrip()
    return Fact(label="commit", text=text_of(text, LONGEST_NAME), url=url)
