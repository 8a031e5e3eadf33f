"""Explains what a gate or a duet found: the benchmarks that regressed, by running both commits once more."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from pytest_benchdb.errors import BenchdbError
from pytest_benchdb.model.answer.explanation import Explanations
from pytest_benchdb.model.comparison import Comparison, Gate
from pytest_benchdb.operations.duet.plan import Duet
from pytest_benchdb.operations.exchange.open import SILENT, Feedback
from pytest_benchdb.operations.explain.run import ExplainRequest, explain_by_running
from pytest_benchdb.operations.gate.history import GateSides
from pytest_benchdb.operations.gate.request import GateRequest
from pytest_benchdb.operations.gate.side_by_side import plan_duet


def explain_gate(decided: Gate, request: GateRequest, database: Path, feedback: Feedback) -> Explanations | None:
    """Return why the benchmarks that a gate failed became slower; None if it failed none, or their code is not there.

    Args:
        decided: the gate.
        request: what it was asked for, which has the user's command.
        database: folder that takes the sessions of both sides.
        feedback: receives progress, and why there is no explanation.
    """
    comparison = decided.comparison
    baseline, candidates = comparison.baseline.sessions, comparison.candidate.sessions
    if not regressions_of(comparison) or not baseline or not candidates:
        return None
    sides = GateSides(candidate=tuple(candidates), baseline=tuple(baseline), history=tuple(baseline))

    def plan() -> Duet:
        return replace(plan_duet(sides, request), database=database)

    return explain_comparison(comparison, plan, request.folder, request.environ, feedback)


def explain_comparison(
    comparison: Comparison,
    plan: Callable[[], Duet],
    folder: Path,
    environ: Mapping[str, str],
    feedback: Feedback = SILENT,
) -> Explanations | None:
    """Return why the benchmarks that regressed became slower; None if none did, or their sides cannot be run.

    Args:
        comparison: with the verdicts.
        plan: returns how to run both sides.
        folder: the user's working folder.
        environ: environment variables of the processes.
        feedback: receives progress, and why there is no explanation.
    """
    names = regressions_of(comparison)
    if not names:
        return None
    try:
        return explain_by_running(plan(), ExplainRequest(names=names), folder, environ, feedback)
    except BenchdbError as error:  # the verdict stays what it is
        feedback.warn(f"not explained: {error}")
        return None


def regressions_of(comparison: Comparison) -> tuple[str, ...]:
    """Return the full names of the benchmarks that regressed, each once."""
    rows = (row for row in comparison.rows if row.judgement.verdict == "regressed")
    return tuple(dict.fromkeys(row.key.fullname for row in rows))
