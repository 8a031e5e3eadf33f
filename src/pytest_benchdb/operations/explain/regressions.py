"""Explains what a gate or a duet found: the benchmarks that regressed, by running both commits once more."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from pytest_benchdb.errors import BenchdbError
from pytest_benchdb.model.answer.explanation import Explanations
from pytest_benchdb.model.comparison import Comparison, Gate
from pytest_benchdb.operations.duet.plan import Duet
from pytest_benchdb.operations.exchange.open import SILENT, Feedback
from pytest_benchdb.operations.explain.run import INSTRUCTIONS, PASSES, ExplainRequest, explain_by_running
from pytest_benchdb.operations.gate.history import GateSides
from pytest_benchdb.operations.gate.request import GateRequest
from pytest_benchdb.operations.gate.side_by_side import plan_duet

_RESIDENT = frozenset({"rss_growth", "peak_rss", "uss", "tree_peak"})


def explain_gate(decided: Gate, request: GateRequest, database: Path, feedback: Feedback) -> Explanations | None:
    """Return why the benchmarks that a gate failed became slower or larger; None without any, or without their code.

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
    """Return why the benchmarks that regressed became slower or larger; None if none did, or their sides cannot be run.

    Args:
        comparison: with the verdicts.
        plan: returns how to run both sides.
        folder: the user's working folder.
        environ: environment variables of the processes.
        feedback: receives progress, and why there is no explanation.
    """
    found: list[Explanations] = []
    for metric, names in regressions_of(comparison).items():
        with _verdict_kept(feedback):
            request = ExplainRequest(metric=metric, names=names)
            found.append(explain_by_running(plan(), request, folder, environ, feedback))
    if not found:
        return None
    notes = tuple(dict.fromkeys(note for one in found for note in one.notes))
    return replace(found[0], benchmarks=[one for each in found for one in each.benchmarks], notes=notes)


@contextlib.contextmanager
def _verdict_kept(feedback: Feedback) -> Iterator[None]:
    """Say why there is no explanation, rather than end: the verdict stays what it is."""
    try:
        yield
    except BenchdbError as error:
        feedback.warn(f"not explained: {error}")


def regressions_of(comparison: Comparison) -> dict[str, tuple[str, ...]]:
    """Return the full names of the benchmarks that regressed, each once, by the metric that explains it.

    What a process needs of the machine's memory is explained by what Python holds.
    """
    found: dict[str, dict[str, None]] = {}
    for row in comparison.rows:
        if row.judgement.verdict == "regressed":
            found.setdefault(_explained_by(row.key.metric), {})[row.key.fullname] = None
    return {metric: tuple(names) for metric, names in found.items()}


def _explained_by(metric: str) -> str:
    if metric in PASSES:
        return metric
    return "python_peak" if metric in _RESIDENT else INSTRUCTIONS
