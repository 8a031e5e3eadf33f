"""Comparisons and gates as GitHub-flavoured Markdown, to paste into a pull request or a report."""

from collections.abc import Sequence
from functools import partial

from pytest_benchdb.analysis.decide import Decision
from pytest_benchdb.analysis.rules.suite import group_of
from pytest_benchdb.model.comparison import Comparison, ComparisonRow, Gate
from pytest_benchdb.model.wording import percent_text
from pytest_benchdb.present.verdicts.decision import decision_facts
from pytest_benchdb.present.verdicts.gate import GATE_COLUMNS
from pytest_benchdb.present.verdicts.rows import folded_text, gate_rows
from pytest_benchdb.present.verdicts.words import (
    change_text,
    conclusion,
    difference_text,
    factor_text,
    interval_text,
    is_main_difference,
    limit_text,
    metric_text,
    notes_of,
    row_names,
    side_text,
    times_text,
)
from pytest_benchdb.present.writing.units import quantity, row_units, unit_for
from pytest_benchdb.present.writing.values import escape, markdown_table

_HEADS = ("benchmark", "baseline", "candidate", "change", "interval", "limit", "speedup", "verdict", "sessions", "test")
_RIGHT = (False, True, True, True, True, True, True, False, False, False)


def comparisons_markdown(
    comparisons: Sequence[Comparison],
    rows: Sequence[Sequence[ComparisonRow]],
    decisions: Sequence[Decision] = (),
    *,
    verbose: bool = False,
) -> str:
    """Return comparisons, each under its own heading.

    Args:
        comparisons: one, or one for each value of an axis.
        rows: for each comparison the rows to show, in order.
        decisions: one for each comparison; empty without rules.
        verbose: include every difference, and the commands that repeat the rows.
    """
    parts = []
    for number, (comparison, shown) in enumerate(zip(comparisons, rows, strict=True)):
        decision = decisions[number] if number < len(decisions) else None
        parts.append(_comparison(comparison, shown, decision, verbose=verbose))
    return "\n".join(parts)


def _comparison(
    comparison: Comparison, rows: Sequence[ComparisonRow], decision: Decision | None, *, verbose: bool
) -> str:
    title = f"{escape(comparison.candidate.name)} against {escape(comparison.baseline.name)}"
    lines = [*_head(title, conclusion(comparison), comparison, verbose=verbose), ""]
    for metric, unit in dict.fromkeys((row.key.metric, row.unit) for row in rows):
        of_metric = [row for row in rows if (row.key.metric, row.unit) == (metric, unit)]
        lines += [f"### {escape(metric_text(of_metric))}", "", _table(comparison, of_metric)]
    notes = [f"- {escape(note.subject)}: {escape(note.text)}" for note in notes_of(rows)]
    lines += [*notes, ""] if notes else []
    if decision is not None:
        lines += ["### Decision", ""]
        lines += [f"- **{escape(label)}:** {escape(text)}" for label, text in decision_facts(decision)]
        lines.append("")
    commands = list(dict.fromkeys(row.command for row in rows if row.command)) if verbose else []
    if commands:
        lines += ["To repeat, in the project's root:", "", *_fenced(commands)]
    return "\n".join(lines).rstrip("\n") + "\n"


def _head(title: str, outcome: str, comparison: Comparison, *, verbose: bool) -> list[str]:
    differences = [difference for difference in comparison.differences if verbose or is_main_difference(difference)]
    return [
        f"## {title}",
        "",
        f"**{escape(outcome)}**",
        "",
        f"- **baseline:** {escape(side_text(comparison.baseline))}",
        f"- **candidate:** {escape(side_text(comparison.candidate))}",
        *(f"- **differs:** {escape(difference_text(difference))}" for difference in differences),
        *(f"- **warning:** {escape(warning)}" for warning in comparison.warnings),
    ]


def _table(comparison: Comparison, rows: Sequence[ComparisonRow]) -> str:
    metric = rows[0].key.metric
    means = {mean.group: mean for mean in comparison.means if mean.metric == metric}
    groups: dict[str, list[tuple[str, ComparisonRow]]] = {}
    for row, name in zip(rows, row_names(rows), strict=True):
        groups.setdefault(group_of(row), []).append((name, row))
    lines: list[Sequence[str]] = []
    figures = [(row.judgement.baseline, row.judgement.candidate) for row in rows]
    units = dict(
        zip([row.key for row in rows], row_units(figures, partial(unit_for, rows[0].unit)).of_rows, strict=True)
    )
    for group, members in groups.items():
        for name, row in members:
            judgement = row.judgement
            cells = (
                escape(f"{group} / {name}" if len(groups) > 1 else name),
                quantity(judgement.baseline, units[row.key]),
                quantity(judgement.candidate, units[row.key]),
                change_text(row),
                escape(interval_text(judgement.interval) + (" %" if judgement.interval else "")),
                limit_text(row),
                factor_text(row),
                judgement.text,
                f"{judgement.baseline_sessions} + {judgement.candidate_sessions}",
                judgement.test or "",
            )
            lines.append(cells)
        if group in means:
            lines.append(_mean(f"{group} / geometric mean", means[group].ratio, rows[0]))
    if None in means:
        lines.append(_mean("geometric mean" + (" of all" if len(groups) > 1 else ""), means[None].ratio, rows[0]))
    return markdown_table(_HEADS, _RIGHT, lines)


def _mean(label: str, ratio: float, row: ComparisonRow) -> list[str]:
    factor = ratio if row.better == "higher" else 1 / ratio
    return [f"**{escape(label)}**", "", "", f"**{percent_text(ratio - 1)}**", "", "", times_text(factor), "", "", ""]


def _fenced(commands: Sequence[str]) -> list[str]:
    """Return a code block; its fence is longer than any run of backticks inside."""
    fence = "```"
    while any(fence in command for command in commands):
        fence += "`"
    return [f"{fence}sh", *(command.replace("\n", "\\n") for command in commands), fence]


def gate_markdown(gate: Gate, *, everything: bool = False) -> str:
    """Return a gate: the outcome, both sides, and the rows that need review, or all rows."""
    rows = gate_rows(gate, everything=everything)
    lines = _head("Benchmark gate", gate.sentence, gate.comparison, verbose=False)
    if rows:
        heads = ["benchmark", *(column.title for column in GATE_COLUMNS)]
        right = [False, *(column.align == "right" for column in GATE_COLUMNS)]
        cells = [[escape(text) for text in (_full_name(row), *(c.text(row) for c in GATE_COLUMNS))] for row in rows]
        lines += ["", markdown_table(heads, right, cells).rstrip("\n")]
    notes = [f"- {escape(note.subject)}: {escape(note.text)}" for note in notes_of(rows)]
    lines += ["", *notes] if notes else []
    folded = folded_text(gate, rows)
    lines += ["", f"{'And ' if rows else ''}{escape(folded)}."] if folded else []
    return "\n".join(lines) + "\n"


def _full_name(row: ComparisonRow) -> str:
    return f"{row.key.fullname} ({row.key.phase})" if row.key.phase else row.key.fullname
