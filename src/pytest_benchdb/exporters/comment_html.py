"""Pieces of Markdown that hold text from outside: HTML blocks, in which neither Markdown nor links are read.

GitHub and GitLab read mentions, issues, commits and emoji everywhere but in ``<code>``, also in HTML; and Markdown in
tables of the Markdown kind even within ``<code>``. So tables are HTML, and what users named stands in ``<code>``.
No blank line may stand in a block: it would end it.
"""

import re
from collections.abc import Sequence

from pytest_benchdb.exporters.decision import (
    Decided,
    FigureWriter,
    figures,
    interval,
    repeated,
    series_name,
    share,
    verdict_name,
)
from pytest_benchdb.exporters.plain_line import plain_line

LONGEST_NAME = 200
LONGEST_SENTENCE = 400
_ENTITIES = str.maketrans(
    {
        "&": "&amp;",
        "<": "&lt;",
        ">": "&gt;",
        '"': "&quot;",
        "'": "&apos;",
        "@": "&commat;",
        "#": "&num;",
        "`": "&grave;",
        "|": "&vert;",
    }
)
# Words of a sentence that can be no link: letters, digits and what stands between them in figures.
_HARMLESS = re.compile(r"[(\"']?[\w.%+,;=\u2026-]*[)\"':,;.]*")
_LINKED = re.compile(r"www\.|[a-z]-\d|[0-9a-f]{7}", re.IGNORECASE)
"""Hosts, GH-1 and what other trackers use, commits."""

_HEADS = ("Benchmark", "Metric", "Baseline", "Candidate", "Change", "Interval", "Verdict")
TABLE_START = "<table>\n<tr>" + "".join(f"<th>{head}</th>" for head in _HEADS) + "</tr>\n"
TABLE_END = "</table>\n"


def escape(text: str) -> str:
    """Write text for HTML, with no character left that Markdown, a mention or an issue could begin with.

    >>> escape("<b>@user #1")
    '&lt;b&gt;&commat;user &num;1'
    """
    return text.translate(_ENTITIES)


def code(text: str, limit: int = LONGEST_NAME) -> str:
    """Write what a user named, so that it is shown as it is and links to nothing."""
    return f"<code>{escape(plain_line(text, limit)) or '-'}</code>"


def prose(text: str, limit: int = LONGEST_SENTENCE) -> str:
    """Write a sentence; words that could become links stand as code.

    >>> prose("5 % slower than @user")
    '5 % slower than <code>&commat;user</code>'
    """
    return " ".join(_word(word) for word in plain_line(text, limit).split())


def table_row(decided: Decided, figure: FigureWriter) -> str:
    """Write a row of the table, on one line."""
    row = decided.row
    sign = {"error": "❌ ", "warning": "⚠️ ", "note": "", "fine": ""}[decided.level]
    again = f", {repeated(row)}" if row.confirmations else ""
    reason = f"<br>{prose(row.judgement.reason)}" if row.judgement.reason else ""
    baseline, candidate = figures(row, figure)
    cells = [
        code(row.key.fullname),
        code(series_name(row), 120),
        prose(baseline, 60),
        prose(candidate, 60),
        share(row.judgement.change),
        interval(row),
        sign + verdict_name(row) + again + reason,
    ]
    right = (2, 3, 4)
    written = (f'<td align="right">{cell}</td>' if n in right else f"<td>{cell}</td>" for n, cell in enumerate(cells))
    return f"<tr>{''.join(written)}</tr>\n"


def fold(summary: str, body: str) -> str:
    """Write a part that readers open; `summary` is ours, `body` one HTML block."""
    return f"<details>\n<summary>{summary}</summary>\n{body}</details>\n"


def bullets(items: Sequence[str]) -> str:
    """Write a list of HTML pieces, or nothing."""
    return "<ul>\n" + "".join(f"<li>{item}</li>\n" for item in items) + "</ul>\n" if items else ""


def _word(word: str) -> str:
    harmless = _HARMLESS.fullmatch(word) and not _LINKED.search(word)
    return escape(word) if harmless else code(word)
