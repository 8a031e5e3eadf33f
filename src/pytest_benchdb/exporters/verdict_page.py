"""The Markdown page of a gate or a comparison, within a number of characters or bytes, whatever comes in."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from pytest_benchdb.exporters.comment_html import (
    TABLE_END,
    TABLE_START,
    bullets,
    code,
    fold,
    prose,
    table_row,
)
from pytest_benchdb.exporters.decision import Decided, Decision, FigureWriter, counts, share
from pytest_benchdb.model.comparison import Gate, Side

Item = TypeVar("Item")

_JUDGED = frozenset({"regressed", "improved", "unchanged"})

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
    decision: Decision,
    figure: FigureWriter,
    *,
    size: int,
    measure: Callable[[str], int] = len,
    marker: str = "",
) -> str:
    """Write the page: the outcome, the rows that changed, the others folded.

    Args:
        decision: what was decided.
        figure: how to write a figure.
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

    add(marker + _heading(decision))
    add(_sides(decision))
    add(_warnings(decision))
    changed = [decided for decided in decision.rows if decided.changed]
    others = [decided for decided in decision.rows if not decided.changed]
    left_out = _table(changed, figure, room, parts, folded=None)
    left_out += _table(others, figure, room, parts, folded=f"{len(others)} others")
    add(_means(decision))
    add(_differences(decision))
    if left_out:
        parts.append(f"<p>{left_out} rows are not shown: there is no room for them.</p>\n")
    return "\n".join(parts)


def _heading(decision: Decision) -> str:
    gate = decision.gate
    if gate is None:
        return f"### Benchmarks: {counts(decision.comparison)}\n"
    text = f"### {_title(gate)}\n\n<p>{prose(gate.sentence)}</p>\n\n<p>{counts(decision.comparison)}</p>\n"
    if gate.shift is not None:
        text += (
            f"\n<p>The whole suite moved by {share(gate.shift.change)}: {gate.shift.agreeing * 100:.0f} % of the "
            "benchmarks changed in the same direction.</p>\n"
        )
    return text


def _title(gate: Gate) -> str:
    if gate.exit_status == 1:
        return "❌ Benchmarks failed"
    if gate.shift is not None:
        return "⚠️ Benchmarks are unstable"
    judgements = [row.judgement for row in gate.comparison.rows]
    judged = any(one.verdict in _JUDGED and one.state not in {"learning", "unstable"} for one in judgements)
    # A gate that could judge nothing lets pass, but nobody should read that as a result.
    return "✅ Benchmarks passed" if gate.exit_status == 0 and judged else "⚠️ Benchmarks were not judged"


def _sides(decision: Decision) -> str:
    comparison = decision.comparison
    return f"<p>baseline {_side(comparison.baseline)} · candidate {_side(comparison.candidate)}</p>\n"


def _side(side: Side) -> str:
    number = len(side.sessions)
    facts = [f"{number} session" + ("" if number == 1 else "s")]
    commits = {session.commit_sha[:12] for session in side.sessions if session.commit_sha}
    if len(commits) == 1:
        facts.append("commit " + code(commits.pop()))
    return f"{code(side.name)} ({', '.join(facts)})"


def _warnings(decision: Decision) -> str:
    return _list(decision.comparison.warnings, lambda text: f"⚠️ {prose(text)}")


def _differences(decision: Decision) -> str:
    body = _list(
        decision.comparison.differences,
        lambda one: f"{code(one.name, 60)}: {code(one.baseline or '-')} → {code(one.candidate or '-')}",
    )
    return fold("Differences of the environments", body) if body else ""


def _means(decision: Decision) -> str:
    body = _list(
        decision.comparison.means,
        lambda mean: (
            f"{code(mean.metric, 60)} of {code(mean.group) if mean.group is not None else 'all'}: "
            f"{share(mean.ratio - 1)} over {mean.rows} rows"
        ),
    )
    return fold("Geometric means", body) if body else ""


def _list(items: Sequence[Item], write: Callable[[Item], str]) -> str:
    lines = [write(item) for item in items[:_MOST_LINES]]
    left = len(items) - _MOST_LINES
    return bullets([*lines, f"{left} more"] if left > 0 else lines)


def _table(rows: Sequence[Decided], figure: FigureWriter, room: _Room, parts: list[str], *, folded: str | None) -> int:
    """Add a table of as many rows as there is room for; return how many are left out."""
    if not rows:
        return 0
    frame = fold(folded, "") if folded is not None else ""
    if not room.take(TABLE_START + TABLE_END + frame + "\n"):
        return len(rows)
    shown = []
    for decided in rows:
        text = table_row(decided, figure)
        if not room.take(text):
            break
        shown.append(text)
    body = TABLE_START + "".join(shown) + TABLE_END
    parts.append(fold(folded, body) if folded is not None else body)
    return len(rows) - len(shown)
