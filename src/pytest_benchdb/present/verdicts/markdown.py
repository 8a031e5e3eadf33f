"""Comparisons as GitHub-flavoured Markdown: what people paste into a pull request or a report.

What rules say of a candidate, in words.
"""

from collections.abc import Sequence

from pytest_benchdb.analysis.decide import Decision, TargetOutcome
from pytest_benchdb.analysis.rules.suite import group_of
from pytest_benchdb.model.comparison import Comparison, ComparisonRow
from pytest_benchdb.model.wording import counted
from pytest_benchdb.present.verdicts.words import (
    conclusion,
    difference_text,
    factor_text,
    interval_text,
    is_main_difference,
    metric_text,
    notes_of,
    row_names,
    share_text,
    side_text,
    times_text,
)
from pytest_benchdb.present.writing.grid import Fact, Line, Span, Style, fact_lines
from pytest_benchdb.present.writing.markdown import escape
from pytest_benchdb.present.writing.units import quantity, unit_for

_MOST_NAMED = 5


def decision_facts(decision: Decision) -> list[Fact]:
    """Return the decision as pairs of label and text: the targets, what was left out, the verdict last."""
    facts = [(f"target {one.target.name}", _target(one)) for one in decision.targets]
    if decision.left_out:
        named = [f"{name} ({why})" for name, why in decision.left_out[:_MOST_NAMED]]
        rest = len(decision.left_out) - len(named)
        more = f" and {rest} more" if rest else ""
        facts.append(("left out", ", ".join(named) + more))
    if decision.unsure:
        facts.append(("unsure", f"{decision.unsure} of {counted(decision.rows, 'row')} show no sure change"))
    facts.append(("decision", _verdict(decision)))
    return facts


def decision_lines(decision: Decision, total: int, *, ascii_only: bool = False) -> list[Line]:
    """Return the decision as lines of at most `total` columns."""
    facts = decision_facts(decision)
    met = {f"target {one.target.name}": one.met for one in decision.targets}
    lines: list[Line] = [(Span(""),)]
    for line in fact_lines(facts, total, ascii_only=ascii_only):
        label, text = line
        known = met.get(label.text.strip())
        style: Style = (
            "head" if label.text.strip() == "decision" else "good" if known else "bad" if known is False else ""
        )
        lines.append((label, Span(text.text, style)))
    return lines


def _target(outcome: TargetOutcome) -> str:
    asked = outcome.target.range.text
    if outcome.speedup is None:
        return f"asked {asked}, not known: {outcome.reason}"
    word = "met" if outcome.met else "missed"
    return f"{word}: {times_text(outcome.speedup)} over {counted(outcome.rows, 'row')}, asked {asked}"


def _verdict(decision: Decision) -> str:
    if decision.speedup is None or decision.range is None:
        return "none: no row can be compared"
    rows = counted(decision.rows, "row")
    return (
        f"{decision.verdict}: geometric mean of the speedups {times_text(decision.speedup)} over {rows} "
        f"lies in {decision.range.text}"
    )


_HEADS = ("benchmark", "baseline", "candidate", "change", "interval", "speedup", "verdict", "sessions", "test")
_RULES = (":---", "---:", "---:", "---:", "---:", "---:", ":---", ":---", ":---")


def comparisons_markdown(
    comparisons: Sequence[Comparison],
    rows: Sequence[Sequence[ComparisonRow]],
    decisions: Sequence[Decision] = (),
    *,
    verbose: bool = False,
) -> str:
    """Write comparisons, each under a heading of its own.

    Args:
        comparisons: one, or one for each value of an axis.
        rows: the rows of each that are to be shown, in their order.
        decisions: what rules say of each; empty without rules.
        verbose: write every difference, and the commands that repeat the rows.
    """
    parts = []
    for number, (one, shown) in enumerate(zip(comparisons, rows, strict=True)):
        decision = decisions[number] if number < len(decisions) else None
        parts.append(_comparison(one, shown, decision, verbose=verbose))
    return "\n".join(parts)


def _comparison(
    comparison: Comparison, rows: Sequence[ComparisonRow], decision: Decision | None, *, verbose: bool
) -> str:
    lines = [f"## {escape(comparison.candidate.name)} against {escape(comparison.baseline.name)}", ""]
    lines += [f"**{escape(conclusion(comparison))}**", ""]
    lines += [f"- **baseline:** {escape(side_text(comparison.baseline))}"]
    lines += [f"- **candidate:** {escape(side_text(comparison.candidate))}"]
    differences = [one for one in comparison.differences if verbose or is_main_difference(one)]
    lines += [f"- **differs:** {escape(difference_text(one))}" for one in differences]
    lines += [f"- **warning:** {escape(warning)}" for warning in comparison.warnings]
    lines.append("")
    for metric, unit in dict.fromkeys((row.key.metric, row.unit) for row in rows):
        chosen = [row for row in rows if (row.key.metric, row.unit) == (metric, unit)]
        lines += [f"### {escape(metric_text(chosen))}", "", *_table(comparison, chosen), ""]
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


def _table(comparison: Comparison, rows: Sequence[ComparisonRow]) -> list[str]:
    metric = rows[0].key.metric
    means = {mean.group: mean for mean in comparison.means if mean.metric == metric}
    groups: dict[str, list[tuple[str, ComparisonRow]]] = {}
    for row, name in zip(rows, row_names(rows), strict=True):
        groups.setdefault(group_of(row), []).append((name, row))
    lines = [_line(_HEADS), _line(_RULES)]
    unit = unit_for(rows[0].unit, [one for row in rows for one in (row.judgement.baseline, row.judgement.candidate)])
    for group, members in groups.items():
        for name, row in members:
            judgement = row.judgement
            change = share_text(judgement.change)
            word = f"{judgement.verdict} ({judgement.state})" if judgement.state else judgement.verdict
            cells = (
                escape(f"{group} / {name}" if len(groups) > 1 else name),
                quantity(judgement.baseline, unit),
                quantity(judgement.candidate, unit),
                change if judgement.change is None else f"{change} %",
                escape(interval_text(judgement.interval) + (" %" if judgement.interval else "")),
                factor_text(row),
                word,
                f"{judgement.baseline_sessions} + {judgement.candidate_sessions}",
                judgement.test or "",
            )
            lines.append(_line(cells))
        if group in means:
            lines.append(_mean(f"{group} / geometric mean", means[group].ratio, rows[0]))
    if None in means:
        lines.append(_mean("geometric mean" + (" of all" if len(groups) > 1 else ""), means[None].ratio, rows[0]))
    return lines


def _mean(label: str, ratio: float, row: ComparisonRow) -> str:
    factor = ratio if row.better == "higher" else 1 / ratio
    cells = [f"**{escape(label)}**", "", "", f"**{share_text(ratio - 1)} %**", "", times_text(factor), "", "", ""]
    return _line(cells)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _fenced(commands: Sequence[str]) -> list[str]:
    """Return lines of a code block, whose fence is longer than any run of backticks within it."""
    fence = "```"
    while any(fence in command for command in commands):
        fence += "`"
    return [f"{fence}sh", *(command.replace("\n", "\\n") for command in commands), fence]
