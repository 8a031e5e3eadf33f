"""A gate as JSON, and as GitHub-flavoured Markdown."""

from collections.abc import Sequence
from dataclasses import asdict

from pytest_benchdb.model.comparison import ComparisonRow, Gate
from pytest_benchdb.present.comparison_json import comparison_values, row_values
from pytest_benchdb.present.comparison_words import (
    difference_text,
    interval_text,
    is_main_difference,
    notes_of,
    side_text,
)
from pytest_benchdb.present.gate_words import (
    baseline_text,
    change_text,
    confirms_text,
    folded_text,
    limit_text,
    shown_rows,
    word_of,
)
from pytest_benchdb.present.json_ import object_json
from pytest_benchdb.present.markdown import escape
from pytest_benchdb.present.quantity import one_quantity

GATE_SCHEMA = "benchdb.gate/1"

_HEADS = ("benchmark", "metric", "baseline (n)", "candidate", "change", "limit", "95 % interval", "confirms", "verdict")
_RULES = (":---", ":---", "---:", "---:", "---:", "---:", "---:", "---:", ":---")


def gate_json(gate: Gate) -> str:
    """Write a gate as one JSON object with a line end; figures in SI units, changes as shares, null for unknown."""
    content = {
        "exit_status": gate.exit_status,
        "sentence": gate.sentence,
        "shift": None if gate.shift is None else asdict(gate.shift),
        "failures": [row_values(row) for row in gate.failures],
        **comparison_values(gate.comparison),
    }
    return object_json(GATE_SCHEMA, content)


def gate_markdown(gate: Gate, *, everything: bool = False) -> str:
    """Write a gate as Markdown: the outcome, both sides, and the rows that want eyes.

    Args:
        gate: what was decided.
        everything: write every row.
    """
    comparison = gate.comparison
    rows = shown_rows(gate, everything=everything)
    lines = ["## Benchmark gate", "", f"**{escape(gate.sentence)}**", ""]
    lines += [f"- **baseline:** {escape(side_text(comparison.baseline))}"]
    lines += [f"- **candidate:** {escape(side_text(comparison.candidate))}"]
    lines += [
        f"- **differs:** {escape(difference_text(one))}" for one in comparison.differences if is_main_difference(one)
    ]
    lines += [f"- **warning:** {escape(warning)}" for warning in comparison.warnings]
    if rows:
        lines += ["", _line(_HEADS), _line(_RULES), *(_row(row) for row in rows)]
    notes = notes_of(rows)
    lines += ["", *(f"- {escape(note.subject)}: {escape(note.text)}" for note in notes)] if notes else []
    folded = folded_text(gate, rows)
    lines += ["", f"{'And ' if rows else ''}{escape(folded)}."] if folded else []
    return "\n".join(lines) + "\n"


def _row(row: ComparisonRow) -> str:
    interval = row.judgement.interval
    name = f"{row.key.fullname} ({row.key.phase})" if row.key.phase else row.key.fullname
    cells = (
        name,
        row.key.metric,
        baseline_text(row),
        one_quantity(row.judgement.candidate, row.unit),
        change_text(row),
        limit_text(row),
        interval_text(interval) + (" %" if interval else ""),
        confirms_text(row),
        word_of(row),
    )
    return _line([escape(cell) for cell in cells])


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
