"""The Markdown page of a gate or a comparison, for a job's summary or a pull request, within a limited size.

GitHub and GitLab read mentions, issues, commits and emoji everywhere but in ``<code>``, also in HTML; and Markdown in
tables of the Markdown kind even within ``<code>``. So tables are HTML blocks, in which neither Markdown nor links are
read, and what users named is in ``<code>``. No blank line may be in a block: it would end it.
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
    repeated_text,
    series_name,
)
from pytest_benchdb.present.writing.text import sanitize
from pytest_benchdb.present.writing.units import one_quantity

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
# Words of a sentence that can be no link: letters, digits and what stands between them in numbers.
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
    return f"<code>{escape(sanitize(text, limit=limit)) or '-'}</code>"


def prose(text: str, limit: int = LONGEST_SENTENCE) -> str:
    """Write a sentence; words that could become links stand as code.

    >>> prose("5 % slower than @user")
    '5 % slower than <code>&commat;user</code>'
    """
    return " ".join(_word(word) for word in sanitize(text, limit=limit).split())


def table_row(finding: Finding) -> str:
    """Write a row of the table, on one line."""
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
        sign + judgement.text + again + reason,
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


Item = TypeVar("Item")

_MOST_LINES = 20
"""Warnings and differences that are listed; more are counted."""

_TAIL = 300
"""Characters that the lines about what was left out may take."""


class _Room:
    """What is left of the size."""

    def __init__(self, size: int, measure: Callable[[str], int]) -> None:
        self._left = size
        self._measure = measure

    def take(self, text: str) -> bool:
        """Take room for a text, if there is enough."""
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
    """Write the page: the outcome, the rows that changed, the others folded.

    Args:
        findings: the rows with their weight.
        size: how large the page may be, by `measure`.
        measure: tells the size of a text.
        marker: first line, with its end; empty for none.

    Returns:
        The page; nothing where there is not even room to say what was left out.
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
            f"\n<p>The whole suite moved by {percent_text(gate.shift.change)}: "
            f"{gate.shift.agreeing * 100:.0f} % of the benchmarks changed in the same direction.</p>\n"
        )
    return text


def _title(gate: Gate) -> str:
    if gate.exit_status == exit_status.GATE_FAILED:
        return "❌ Benchmarks failed"
    if gate.shift is not None:
        return "⚠️ Benchmarks are unstable"
    judgements = [row.judgement for row in gate.comparison.rows]
    judged = any(one.verdict in DECIDED and one.state not in {"learning", "unstable"} for one in judgements)
    # A gate that could judge nothing lets pass, but that must not be read as a result.
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
    """Add a table of as many rows as there is room for; return how many are left out."""
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


MOST_BYTES = 1024 * 1024


def job_summary(result: Gate | Comparison, *, size: int = MOST_BYTES) -> str:
    """Write the summary of a job: at most `size` bytes in UTF-8, because GitHub keeps 1 MiB a step."""
    return page(weigh(result), size=size, measure=lambda text: len(text.encode("utf-8")))


MOST_CHARACTERS = 65_000
_LONGEST_MARKER = 60


def pull_request_comment(result: Gate | Comparison, *, name: str = "benchmarks") -> str:
    """Write the body of a comment in Markdown: at most 65,000 characters, of the 65,536 that GitHub takes.

    Args:
        result: the rows with their verdicts.
        name: hidden in the first line, so that the job that posts the comment finds the one to replace.
    """
    return page(weigh(result), size=MOST_CHARACTERS, measure=_characters, marker=marker(name) + "\n")


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
