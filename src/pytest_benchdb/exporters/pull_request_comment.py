"""Writes the body of a pull-request comment: what changed, the rest folded.

A hidden marker lets the job that posts it find and replace its comment. GitHub takes 65,536 characters.
"""

import re

from pytest_benchdb.exporters.decision import FigureWriter, decide, plain_figure
from pytest_benchdb.exporters.verdict_page import page
from pytest_benchdb.model.comparison import Comparison, Gate

MOST_CHARACTERS = 65_000
_LONGEST_MARKER = 60


def pull_request_comment(
    result: Gate | Comparison, *, name: str = "benchmarks", figure: FigureWriter = plain_figure
) -> str:
    """Write the body in Markdown: at most 65,000 characters, whatever comes in.

    Args:
        result: what was decided.
        name: tells this comment from others of the same pull request.
        figure: how to write a figure for people.
    """
    return page(decide(result), figure, size=MOST_CHARACTERS, measure=_characters, marker=marker(name) + "\n")


def marker(name: str) -> str:
    """Return the hidden first line; what could end the comment in HTML is replaced.

    >>> marker("linux"), marker("a --> b")
    ('<!-- benchdb:linux -->', '<!-- benchdb:a-b -->')
    """
    safe = re.sub(r"-{2,}", "-", re.sub(r"[^A-Za-z0-9._/-]+", "-", name)).strip("-")
    return f"<!-- benchdb:{safe[:_LONGEST_MARKER].rstrip('-') or 'benchmarks'} -->"


def _characters(text: str) -> int:
    """Count as JavaScript and databases may: what lies outside the basic plane is two."""
    return len(text.encode("utf-16-le")) // 2
