"""Comparisons and gates as a page: a forest plot of the changes, sorted by harm, and all that a decision takes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from pytest_benchdb.analysis.decide import Decision
from pytest_benchdb.model.answer.explanation import Explanations
from pytest_benchdb.model.answer.trend import Trends
from pytest_benchdb.model.comparison import AxisChart, Comparison, ComparisonRow, Gate, Shift, Side, TradeOff
from pytest_benchdb.model.verdict import VERDICT_STYLES, VERDICTS, Level
from pytest_benchdb.model.wording import counted, percent_text
from pytest_benchdb.present.decisions.axis_plots import axis_drawings, trade_off_drawings
from pytest_benchdb.present.decisions.explained import explained_parts
from pytest_benchdb.present.decisions.forest_table import Forest, Look, forest_of
from pytest_benchdb.present.decisions.history_plot import WORDS, marked_sessions
from pytest_benchdb.present.decisions.parts import (
    LONGEST_NAME,
    MOST_ROWS,
    Count,
    Fact,
    Rest,
    commit_fact,
    counts_of,
    decision_page,
    rest_of,
    text_of,
)
from pytest_benchdb.present.decisions.row_details import details_of
from pytest_benchdb.present.html.forest import HEIGHT, WIDTH
from pytest_benchdb.present.verdicts.decision import decision_facts
from pytest_benchdb.present.verdicts.findings import Finding, weigh
from pytest_benchdb.present.verdicts.rows import gate_style
from pytest_benchdb.present.verdicts.words import change_text, is_main_difference, metric_text, notes_of, side_text
from pytest_benchdb.present.writing.grid import Style

MOST_DETAILS = 60
_MOST_COMMANDS = 60
_MOST_LINES = 200
_MOST_NAMES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A comparison with the rows of it that a command shows.

    Attributes:
        ordered: whether the rows are in an order that the user chose; else the page puts the most harmful first.
    """

    comparison: Comparison
    rows: Sequence[ComparisonRow]
    ordered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One comparison: its sides, what differs between them, its forests."""

    title: str
    facts: Sequence[Fact]
    warnings: Sequence[str]
    differences: Sequence[tuple[str, str, str]]
    main_differences: bool
    means: Sequence[tuple[str, str, str]]
    forests: Sequence[Forest]
    rest: Rest | None
    notes: Sequence[tuple[str, str]]
    decision: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Extras:
    """What a page shows beside the verdicts.

    Attributes:
        decisions: one for each comparison; empty without rules.
        trends: histories of the rows that need review; None without any.
        explanations: why benchmarks regressed; None if that was not asked for.
        charts: a comparison of an axis as curves.
        trade_offs: throughput against latency on that axis.
    """

    decisions: Sequence[Decision] = ()
    trends: Trends | None = None
    explanations: Explanations | None = None
    charts: Sequence[AxisChart] = ()
    trade_offs: Sequence[TradeOff] = ()


NO_EXTRAS = Extras()


def comparison_html(shown: Sequence[Shown], extras: Extras = NO_EXTRAS) -> str:
    """Return the page of one comparison, or of several: those of the values of an axis.

    Raises:
        MissingExtraError: Jinja is not installed.
    """
    if len(shown) == 1:
        compared = shown[0].comparison
        title, outcome = f"{compared.candidate.name} compared with {compared.baseline.name}", compared.conclusion
    elif shown:
        axis, _, reference = shown[0].comparison.baseline.name.partition("=")
        title = f"Values of {axis} compared with {reference}"
        outcome = "; ".join(f"{one.comparison.candidate.name}: {one.comparison.conclusion}" for one in shown)
    else:
        title, outcome = "Nothing was compared", "there is only one value"
    return _page(shown, extras, title=title, outcome=outcome)


def gate_html(gate: Gate, extras: Extras = NO_EXTRAS) -> str:
    """Return the page of a gate.

    Raises:
        MissingExtraError: Jinja is not installed.
    """
    compared = gate.comparison
    title = f"Gate of {compared.candidate.name} against {compared.baseline.name}"
    shown = [Shown(comparison=compared, rows=compared.rows)]
    return _page(shown, extras, title=title, outcome=gate.sentence, gate=gate)


def _page(shown: Sequence[Shown], extras: Extras, *, title: str, outcome: str, gate: Gate | None = None) -> str:
    findings = [_findings(one, gate) for one in shown]
    numbers, left = [], MOST_ROWS
    for found in findings:
        numbers.append(min(len(found), left))
        left -= numbers[-1]
    detailed = _detailed([row for found, number in zip(findings, numbers, strict=True) for row in found[:number]])
    look = Look(
        keys={id(row): f"row-{place}" for place, row in enumerate(detailed, start=1)},
        failed=None if gate is None else frozenset(row.key for row in gate.failures),
    )
    decisions = [*extras.decisions, *[None] * (len(shown) - len(extras.decisions))]
    rows = [row for one in shown for row in one.rows]
    return decision_page(
        "comparison.html.jinja",
        title=text_of(title, LONGEST_NAME),
        outcome=text_of(outcome),
        outcome_style="" if gate is None else gate_style(gate),
        exit_status=None if gate is None else gate.exit_status,
        warnings=[] if gate is None or gate.shift is None else [_shift_text(gate.shift)],
        counts=_counts(rows),
        sections=[
            _section(one, found, number, look, decision)
            for one, found, number, decision in zip(shown, findings, numbers, decisions, strict=True)
        ],
        charts=[*axis_drawings(extras.charts), *trade_off_drawings(extras.trade_offs)],
        details=[details_of(row, look.key(row), extras.trends, look.style(row)) for row in detailed],
        commands=_commands(rows),
        explained=None if extras.explanations is None else explained_parts(extras.explanations),
        forest_size=(WIDTH, HEIGHT),
        has_rough=any(row.judgement.interval and row.judgement.interval.within_session for row in rows),
        is_gate=gate is not None,
        words=WORDS,
        marked=[] if extras.trends is None else marked_sessions(extras.trends.series, extras.trends.marks),
        order_reason=None if extras.trends is None else text_of(extras.trends.order_reason),
    )


def _shift_text(shift: Shift) -> str:
    agreeing = f"{shift.agreeing * 100:.0f} % of the benchmarks"
    return f"the whole suite moved alike: {agreeing}, by {percent_text(shift.change)} in the median"


def _counts(rows: Sequence[ComparisonRow]) -> list[Count]:
    verdicts = counts_of((row.judgement.verdict for row in rows), _verdict_style, VERDICTS)
    states = (row.judgement.state for row in rows if row.judgement.state is not None)
    return [*verdicts, *counts_of(states, lambda _tag: "warn")]


def _verdict_style(tag: str) -> Style:
    return next((style for verdict, style in VERDICT_STYLES.items() if verdict == tag), "")


def _findings(shown: Shown, gate: Gate | None) -> list[Finding]:
    """Return the rows to show: as the user ordered them, else by severity and harm."""
    findings = {id(found.row): found for found in weigh(gate or shown.comparison).rows}
    kept = {id(row) for row in shown.rows}
    if shown.ordered:
        return [findings[id(row)] for row in shown.rows]
    return sorted((found for key, found in findings.items() if key in kept), key=_most_harmful)


def _most_harmful(finding: Finding) -> tuple[int, float, str]:
    return get_args(Level).index(finding.level), -finding.row.harm, finding.row.key.fullname


def _detailed(findings: Sequence[Finding]) -> list[ComparisonRow]:
    """Return the rows with details: all if they are few, else those that changed or were checked."""
    chosen = [found for found in findings if found.changed or found.row.confirmations]
    return [found.row for found in (findings if len(findings) <= MOST_DETAILS else chosen)[:MOST_DETAILS]]


def _section(shown: Shown, findings: Sequence[Finding], number: int, look: Look, decision: Decision | None) -> Section:
    """Return a comparison; its first `number` rows are drawn."""
    comparison = shown.comparison
    rows = [found.row for found in findings]
    metrics = list(dict.fromkeys((row.key.metric, row.unit) for row in rows))
    facts = [*_side_facts("baseline", comparison.baseline), *_side_facts("candidate", comparison.candidate)]
    if len(metrics) == 1:
        facts.append(Fact(label="compared", text=text_of(metric_text(rows))))
    of_metrics = [[row for row in rows[:number] if (row.key.metric, row.unit) == metric] for metric in metrics]
    return Section(
        title=text_of(f"{comparison.candidate.name} against {comparison.baseline.name}", LONGEST_NAME),
        facts=facts,
        warnings=[text_of(warning) for warning in comparison.warnings],
        differences=[
            (text_of(one.name, LONGEST_NAME), text_of(one.baseline or "unknown"), text_of(one.candidate or "unknown"))
            for one in comparison.differences[:_MOST_LINES]
        ],
        main_differences=any(map(is_main_difference, comparison.differences)),
        means=[
            (
                text_of(mean.group, LONGEST_NAME) if mean.group is not None else "all",
                text_of(mean.metric, LONGEST_NAME),
                f"{percent_text(mean.ratio - 1)} over {counted(mean.rows, 'row')}",
            )
            for mean in comparison.means[:_MOST_LINES]
        ],
        forests=[forest_of(of_metric, look) for of_metric in of_metrics if of_metric],
        rest=rest_of(
            rows[number:],
            lambda row: (text_of(row.key.fullname, LONGEST_NAME), f"{row.judgement.text}, {change_text(row)}"),
            "row",
            "-f csv and -f json have them",
        ),
        notes=_notes(rows),
        decision=[]
        if decision is None
        else [(text_of(label), text_of(text)) for label, text in decision_facts(decision)],
    )


def _side_facts(label: str, side: Side) -> list[Fact]:
    facts = [Fact(label=label, text=text_of(side_text(side)))]
    commits = {session.commit_sha for session in side.sessions}
    commit = commit_fact(side.sessions[-1]) if len(commits) == 1 else None
    return [*facts, commit] if commit is not None else facts


def _notes(rows: Sequence[ComparisonRow]) -> list[tuple[str, str]]:
    notes = []
    for note in notes_of(rows):
        names = note.names if len(note.names) <= _MOST_NAMES else ()
        prefix = f"{', '.join(names)}: " if names and len(names) < len(rows) else ""
        notes.append((text_of(note.subject), text_of(prefix + note.text)))
    return notes[:_MOST_LINES]


def _commands(rows: Sequence[ComparisonRow]) -> list[str]:
    """Return the commands that repeat rows, each once, those of rows that changed first."""
    changed = [row for row in rows if not row.is_quiet]
    commands = list(dict.fromkeys(row.command for row in (*changed, *rows) if row.command))
    return [text_of(command, 2000) for command in commands[:_MOST_COMMANDS]]
