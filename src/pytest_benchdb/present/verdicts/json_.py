"""Comparisons and gates as JSON and CSV: SI values and shares, unrounded; null for unknown values."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from pytest_benchdb.analysis.decide import Decision
from pytest_benchdb.analysis.rules.suite import group_of, speedup_of
from pytest_benchdb.model.comparison import Comparison, ComparisonRow, Gate, Side
from pytest_benchdb.model.report import DataTable
from pytest_benchdb.model.verdict import VERDICTS
from pytest_benchdb.present.verdicts.gate import summary_lines
from pytest_benchdb.present.verdicts.words import conclusion
from pytest_benchdb.present.writing.values import object_json, table_csv

COMPARISON_SCHEMA = "benchdb.comparison/1"
GATE_SCHEMA = "benchdb.gate/1"

_SESSION = ("session_id", "started_at", "label", "branch", "commit_sha", "dirty", "fingerprint", "tags")
_JUDGED = (
    "verdict",
    "state",
    "change",
    "test",
    "statistic",
    "p_value",
    "baseline",
    "candidate",
    "baseline_sessions",
    "candidate_sessions",
    "sessions_needed",
    "reason",
)
_CSV_COLUMNS = (
    "baseline_side",
    "candidate_side",
    "group",
    "benchmark",
    "metric",
    "phase",
    "backend",
    "device",
    "unit",
    "better",
    "baseline",
    "candidate",
    "change",
    "interval_low",
    "interval_high",
    "interval_level",
    "limit",
    "speedup",
    "verdict",
    "state",
    "test",
    "p_value",
    "baseline_sessions",
    "candidate_sessions",
    "reason",
    "command",
)


def comparisons_json(
    comparisons: Sequence[Comparison],
    rows: Sequence[Sequence[ComparisonRow]],
    decisions: Sequence[Decision] = (),
    more: Mapping[str, object] | None = None,
) -> str:
    """Return comparisons as one JSON object with a line end.

    Args:
        comparisons: one, or one for each value of an axis.
        rows: for each comparison the rows to show, in order.
        decisions: one for each comparison; empty without rules.
        more: what the command adds, such as explanations.
    """
    documents = [comparison_values(item, shown) for item, shown in zip(comparisons, rows, strict=True)]
    for document, decision in zip(documents, decisions, strict=False):
        document["decision"] = _decision(decision)
    return object_json(COMPARISON_SCHEMA, {"comparisons": documents, **(more or {})})


def comparison_values(comparison: Comparison, rows: Sequence[ComparisonRow] | None = None) -> dict[str, object]:
    """Return the JSON object of a comparison.

    Args:
        comparison: counts and means are of all its rows.
        rows: the rows to show; None for all.
    """
    verdicts = [row.judgement.verdict for row in comparison.rows]
    return {
        "baseline": _side(comparison.baseline),
        "candidate": _side(comparison.candidate),
        "conclusion": conclusion(comparison),
        "verdicts": {verdict: verdicts.count(verdict) for verdict in VERDICTS if verdict in verdicts},
        "means": [asdict(mean) for mean in comparison.means],
        "differences": [asdict(difference) for difference in comparison.differences],
        "warnings": list(comparison.warnings),
        "rows": [row_values(row) for row in (comparison.rows if rows is None else rows)],
    }


def row_values(row: ComparisonRow) -> dict[str, object]:
    """Return the JSON object of a row; figures in the metric's SI unit, changes as shares."""
    judgement = row.judgement
    return {
        "benchmark": row.key.fullname,
        "group": group_of(row),
        "metric": row.key.metric,
        "phase": row.key.phase,
        "backend": row.key.backend,
        "device": row.key.device,
        "labels": dict(row.labels),
        "params": row.params,
        "unit": row.unit,
        "better": row.better,
        **{name: getattr(judgement, name) for name in _JUDGED},
        "interval": None if judgement.interval is None else asdict(judgement.interval),
        "speedup": speedup_of(row.judgement, row.better),
        "limit": row.limit,
        "q_value": row.q_value,
        "policy": None if row.policy is None else asdict(row.policy),
        "confirmed_by": row.confirmed_by,
        "confirmations": [{name: getattr(again, name) for name in _JUDGED} for again in row.confirmations],
        "command": row.command,
    }


def comparisons_csv(comparisons: Sequence[Comparison], rows: Sequence[Sequence[ComparisonRow]]) -> str:
    """Return the rows of comparisons as CSV, one per line."""
    lines = [_line(comparison, row) for comparison, shown in zip(comparisons, rows, strict=True) for row in shown]
    table = DataTable(schema=COMPARISON_SCHEMA, columns=_CSV_COLUMNS, rows=lines)
    return table_csv(table)


def _line(comparison: Comparison, row: ComparisonRow) -> list[object]:
    values: dict[str, object] = {
        **row_values(row),
        "baseline_side": comparison.baseline.name,
        "candidate_side": comparison.candidate.name,
    }
    interval = row.judgement.interval
    if interval is not None:
        values |= {
            "interval_low": interval.low,
            "interval_high": interval.high,
            "interval_level": interval.level,
        }
    return [values.get(name) for name in _CSV_COLUMNS]


def _side(side: Side) -> dict[str, object]:
    sessions = [{name: getattr(session, name) for name in _SESSION} for session in side.sessions]
    return {"name": side.name, "sessions": sessions}


def _decision(decision: Decision) -> Mapping[str, object]:
    return {
        "verdict": decision.verdict,
        "range": None if decision.range is None else decision.range.text,
        "speedup": decision.speedup,
        "rows": decision.rows,
        "unsure": decision.unsure,
        "targets": [
            {
                "name": outcome.target.name,
                "range": outcome.target.range.text,
                "match": outcome.target.match,
                "metric": outcome.target.metric,
                "speedup": outcome.speedup,
                "rows": outcome.rows,
                "met": outcome.met,
                "reason": outcome.reason,
            }
            for outcome in decision.targets
        ],
        "left_out": [{"benchmark": name, "why": why} for name, why in decision.left_out],
    }


def gate_json(gate: Gate, more: Mapping[str, object] | None = None) -> str:
    """Return a gate as one JSON object with a line end; figures in SI units, changes as shares, null if unknown.

    `more` is what the command adds, such as explanations.
    """
    failures, notes = summary_lines(gate)
    content = {
        "exit_status": gate.exit_status,
        "sentence": gate.sentence,
        "text": {"failures": failures, "notes": notes},
        "shift": None if gate.shift is None else asdict(gate.shift),
        "failures": [row_values(row) for row in gate.failures],
        **comparison_values(gate.comparison),
        **(more or {}),
    }
    return object_json(GATE_SCHEMA, content)
