"""The Markdown page of a gate or a comparison, for a job summary or a pull request, within a limited size.

GitHub and GitLab expand mentions, issues, commits and emoji everywhere except in ``<code>``, even in HTML; in Markdown
tables, they also read Markdown inside ``<code>``. So tables are HTML blocks, which have neither Markdown nor links, and
names from users are in ``<code>``. A block must not have a blank line, which would end it.
"""

import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from pytest_benchdb.model import exit_status
from pytest_benchdb.model.comparison import Comparison, Gate, Side
from pytest_benchdb.model.verdict import DECIDED
from pytest_benchdb.model.wording import counted, percent_text
from pytest_benchdb.present.verdicts.findings import Finding, Findings, weigh
from pytest_benchdb.present.verdicts.words import (
    change_text,
    conclusion,
    full_interval_text,
    limit_text,
    repeated_text,
    series_name,
)
from pytest_benchdb.present.writing.text import sanitize
from pytest_benchdb.present.writing.units import one_quantity

MOST_BYTES = 1024 * 1024
MOST_CHARACTERS = 65_000
LONGEST_NAME = 200
LONGEST_SENTENCE = 400
_LONGEST_MARKER = 60
_MOST_LINES = 20
"""Number of warnings and differences that are listed; the others are only counted."""

_TAIL = 300
"""Room that is kept for the line about left-out rows."""

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
# Words of a sentence that cannot become links: letters, digits and punctuation.
_HARMLESS = re.compile(r"[(\"']?[\w.%+,;=\u2026-]*[)\"':,;.]*")
_LINKED = re.compile(r"www\.|[a-z]-\d|[0-9a-f]{7}", re.IGNORECASE)
"""Hosts, issues such as GH-1, commits."""

_HEADS = ("Benchmark", "Metric", "Baseline", "Candidate", "Change", "Interval", "Limit", "Verdict")
TABLE_START = "<table>\n<tr>" + "".join(f"<th>{head}</th>" for head in _HEADS) + "</tr>\n"
TABLE_END = "</table>\n"


Item = TypeVar("Item")


def escape(text: str) -> str:
    """Escape text for HTML, including every character that could start Markdown, a mention or an issue.

    >>> escape("<b>@user #1")
    '&lt;b&gt;&commat;user &num;1'
    """
    return text.translate(_ENTITIES)


def code(text: str, limit: int = LONGEST_NAME) -> str:
    """Return a name from a user as code, so that it is shown literally and links to nothing."""
    return f"<code>{escape(sanitize(text, limit=limit)) or '-'}</code>"


def prose(text: str, limit: int = LONGEST_SENTENCE) -> str:
    """Return a sentence; words that could become links are code.

    >>> prose("5 % slower than @user")
    '5 % slower than <code>&commat;user</code>'
    """
    return " ".join(_word(word) for word in sanitize(text, limit=limit).split())


def table_row(finding: Finding) -> str:
    """Return a row of the table, on one line."""
    row = finding.row
    judgement = row.judgement
    sign = {"error": "❌ ", "warning": "⚠️ ", "note": "", "fine": ""}[finding.level]
    again = f", {repeated_text(row)}" if row.confirmations else ""
    reason = f"<br>{prose(judgement.reason)}" if judgement.reason else ""
    cells = [
        code(row.key.fullname),
        code(series_name(row), 120),
        prose(one_quantity(judgement.baseline, row.unit), 60),
        prose(one_quantity(judgement.candidate, row.unit), 60),
        prose(change_text(row), 60),
        full_interval_text(judgement.interval),
        prose(limit_text(row), 60),
        sign + judgement.text + again + reason,
    ]
    right = (2, 3, 4, 6)
    written = (f'<td align="right">{cell}</td>' if n in right else f"<td>{cell}</td>" for n, cell in enumerate(cells))
    return f"<tr>{''.join(written)}</tr>\n"


def fold(summary: str, body: str) -> str:
    """Return a part that readers can open; `summary` must be safe, `body` one HTML block."""
    return f"<details>\n<summary>{summary}</summary>\n{body}</details>\n"


def bullets(items: Sequence[str]) -> str:
    """Return a list of HTML items; empty without items."""
    return "<ul>\n" + "".join(f"<li>{item}</li>\n" for item in items) + "</ul>\n" if items else ""


def _word(word: str) -> str:
    harmless = _HARMLESS.fullmatch(word) and not _LINKED.search(word)
    return escape(word) if harmless else code(word)


class _Room:
    """The remaining room on the page."""

    def __init__(self, size: int, measure: Callable[[str], int]) -> None:
        self._left = size
        self._measure = measure

    def take(self, text: str) -> bool:
        """Take room for a text and return True, or return False if there is not enough."""
        needed = self._measure(text)
        if needed > self._left:
            return False
        self._left -= needed
        return True


def page(
    findings: Findings,
    *,
    size: int,
    measure: Callable[[str], int] = len,
    marker: str = "",
) -> str:
    """Return the page: the outcome, the rows that changed, the others folded.

    Args:
        findings: the rows with their levels.
        size: maximum size of the page, as `measure` counts it.
        measure: returns the size of a text.
        marker: first line, with its line end; empty for none.

    Returns:
        The page; empty if there is no room even for the line about left-out rows.
    """
    if size < _TAIL:
        return ""
    room = _Room(size - _TAIL, measure)
    parts: list[str] = []

    def add(text: str) -> None:
        if text and room.take(text + "\n"):
            parts.append(text)

    add(marker + _heading(findings))
    add(_sides(findings))
    add(_warnings(findings))
    changed = [finding for finding in findings.rows if finding.changed]
    others = [finding for finding in findings.rows if not finding.changed]
    left_out = _table(changed, room, parts, folded=None)
    left_out += _table(others, room, parts, folded=f"{len(others)} others")
    add(_means(findings))
    add(_differences(findings))
    if left_out:
        parts.append(f"<p>{left_out} rows are not shown: there is no room for them.</p>\n")
    return "\n".join(parts)


def _heading(findings: Findings) -> str:
    gate = findings.gate
    if gate is None:
        return f"### Benchmarks: {conclusion(findings.comparison)}\n"
    text = f"### {_title(gate)}\n\n<p>{prose(gate.sentence)}</p>\n\n<p>{conclusion(findings.comparison)}</p>\n"
    if gate.shift is not None:
        text += (
            f"\n<p>The whole suite moved alike: {gate.shift.agreeing * 100:.0f} % of the benchmarks, by "
            f"{percent_text(gate.shift.change)} in the median.</p>\n"
        )
    return text


def _title(gate: Gate) -> str:
    if gate.exit_status == exit_status.GATE_FAILED:
        return "❌ Benchmarks failed"
    if gate.exit_status == exit_status.UNDECIDED or gate.shift is not None:
        return "⚠️ Benchmarks are undecided"
    judged = any(
        (row.is_quiet or row.judgement.verdict in DECIDED) and row.judgement.state not in {"learning", "unstable"}
        for row in gate.comparison.rows
    )
    # A gate that could not judge anything passes, but must not look like a result.
    return "✅ Benchmarks passed" if gate.exit_status == exit_status.FINE and judged else "⚠️ Benchmarks were not judged"


def _sides(findings: Findings) -> str:
    comparison = findings.comparison
    return f"<p>baseline {_side(comparison.baseline)} · candidate {_side(comparison.candidate)}</p>\n"


def _side(side: Side) -> str:
    facts = [counted(len(side.sessions), "session")]
    commits = {session.commit_sha[:12] for session in side.sessions if session.commit_sha}
    if len(commits) == 1:
        facts.append("commit " + code(commits.pop()))
    return f"{code(side.name)} ({', '.join(facts)})"


def _warnings(findings: Findings) -> str:
    return _list(findings.comparison.warnings, lambda text: f"⚠️ {prose(text)}")


def _differences(findings: Findings) -> str:
    body = _list(
        findings.comparison.differences,
        lambda one: f"{code(one.name, 60)}: {code(one.baseline or '-')} → {code(one.candidate or '-')}",
    )
    return fold("Differences of the environments", body) if body else ""


def _means(findings: Findings) -> str:
    body = _list(
        findings.comparison.means,
        lambda mean: (
            f"{code(mean.metric, 60)} of {code(mean.group) if mean.group is not None else 'all'}: "
            f"{percent_text(mean.ratio - 1)} over {mean.rows} rows"
        ),
    )
    return fold("Geometric means", body) if body else ""


def _list(items: Sequence[Item], write: Callable[[Item], str]) -> str:
    lines = [write(item) for item in items[:_MOST_LINES]]
    left = len(items) - _MOST_LINES
    return bullets([*lines, f"{left} more"] if left > 0 else lines)


def _table(rows: Sequence[Finding], room: _Room, parts: list[str], *, folded: str | None) -> int:
    """Add a table of as many rows as fit; return how many are left out."""
    if not rows:
        return 0
    frame = fold(folded, "") if folded is not None else ""
    if not room.take(TABLE_START + TABLE_END + frame + "\n"):
        return len(rows)
    shown = []
    for finding in rows:
        text = table_row(finding)
        if not room.take(text):
            break
        shown.append(text)
    body = TABLE_START + "".join(shown) + TABLE_END
    parts.append(fold(folded, body) if folded is not None else body)
    return len(rows) - len(shown)


def job_summary(result: Gate | Comparison, *, size: int = MOST_BYTES) -> str:
    """Return a job summary of at most `size` bytes in UTF-8, because GitHub keeps 1 MiB per step."""
    return page(weigh(result), size=size, measure=lambda text: len(text.encode("utf-8")))


def pull_request_comment(result: Gate | Comparison, *, name: str = "benchmarks") -> str:
    """Return a comment in Markdown of at most 65,000 characters; GitHub accepts 65,536.

    Args:
        result: a gate or a comparison.
        name: hidden in the first line, so that the job that posts the comment can find and replace it.
    """
    return page(weigh(result), size=MOST_CHARACTERS, measure=_characters, marker=marker(name) + "\n")


def marker(name: str) -> str:
    """Return the hidden first line; characters that could end the HTML comment are replaced.

    >>> marker("linux"), marker("a --> b")
    ('<!-- benchdb:linux -->', '<!-- benchdb:a-b -->')
    """
    safe = re.sub(r"-{2,}", "-", re.sub(r"[^A-Za-z0-9._/-]+", "-", name)).strip("-")
    return f"<!-- benchdb:{safe[:_LONGEST_MARKER].rstrip('-') or 'benchmarks'} -->"


def _characters(text: str) -> int:
    """Return the number of UTF-16 code units, which JavaScript and some databases count."""
    return len(text.encode("utf-16-le")) // 2
