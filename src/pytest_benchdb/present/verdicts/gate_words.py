"""The words of a gate that its formats share: which rows are shown, limits, confirmations."""

from collections import Counter
from collections.abc import Sequence

from pytest_benchdb.model import exit_status
from pytest_benchdb.model.comparison import ComparisonRow, Gate
from pytest_benchdb.model.verdict import VERDICT_STYLES
from pytest_benchdb.present.verdicts.words import share_text
from pytest_benchdb.present.writing.grid import Style
from pytest_benchdb.present.writing.units import NOT_MEASURED, one_quantity

_FINE = frozenset({"unchanged", "new"})


def shown_rows(gate: Gate, *, everything: bool = False) -> list[ComparisonRow]:
    """Return the rows that want eyes, in their order; the others are only counted unless everything is asked for."""
    return [row for row in gate.comparison.rows if everything or _stands_out(row)]


def folded_text(gate: Gate, shown: Sequence[ComparisonRow]) -> str | None:
    """Count the rows that are not shown: ``28 unchanged, 2 new (learning)``; None if all are.

    Args:
        gate: what was decided.
        shown: the rows that are shown.
    """
    keys = {row.key for row in shown}
    counts = Counter(word_of(row) for row in gate.comparison.rows if row.key not in keys)
    return ", ".join(f"{number} {word}" for word, number in counts.most_common()) or None


def word_of(row: ComparisonRow) -> str:
    """Name the verdict with what limits it: ``regressed (accepted)``."""
    judgement = row.judgement
    return judgement.verdict if judgement.state is None else f"{judgement.verdict} ({judgement.state})"


def style_of(row: ComparisonRow, gate: Gate) -> Style:
    """Return the style of a row's verdict: red for what failed the gate only."""
    if row in gate.failures:
        return "bad"
    style = VERDICT_STYLES[row.judgement.verdict]
    return "warn" if style == "bad" else style


def sentence_style(gate: Gate) -> Style:
    """Return the style of the outcome."""
    if gate.exit_status == exit_status.FINE:
        return "good" if gate.sentence.startswith("passed") and ";" not in gate.sentence else "warn"
    return "bad" if gate.failures else "warn"


def confirms_text(row: ComparisonRow) -> str:
    """Write how many re-runs repeated a regression: ``2/2``.

    A dash stands for a row that was not run again.
    """
    if not row.confirmations:
        return NOT_MEASURED
    repeated = sum(again.verdict == "regressed" for again in row.confirmations)
    return f"{repeated}/{len(row.confirmations)}"


def limit_text(row: ComparisonRow) -> str:
    """Write the change that a row may show: of a share and a quantity the larger one, for both must be passed."""
    policy = row.policy
    if policy is None or not policy.gated:
        return NOT_MEASURED
    return limit_words(policy.relative, policy.absolute, row.judgement.baseline, row.unit)


def limit_words(relative: float, absolute: float, baseline: float | None, unit: str) -> str:
    """Write a limit as `limit_text` does.

    >>> limit_words(0.055, 5e-8, 1e-3, "s"), limit_words(0.05, 5e-8, 1e-7, "s"), limit_words(0.0, 0.0, 1.0, "s")
    ('5.5 %', '50.00 ns', 'any')
    """
    share = f"{relative * 100:.4g} %"
    if not absolute:
        return share if relative else "any"
    return share if relative * abs(baseline or 0.0) >= absolute else one_quantity(absolute, unit)


def change_text(row: ComparisonRow) -> str:
    """Write the change in percent with its sign; a change from zero as the difference itself."""
    judgement = row.judgement
    if judgement.change is not None:
        return f"{share_text(judgement.change)} %"
    if judgement.baseline is None or judgement.candidate is None or judgement.verdict == "incomparable":
        return NOT_MEASURED
    difference = judgement.candidate - judgement.baseline
    return ("+" if difference > 0 else "") + one_quantity(difference, row.unit)


def baseline_text(row: ComparisonRow) -> str:
    """Write the baseline's median and how many sessions it stands on: ``1.234 ms (20)``."""
    judgement = row.judgement
    if judgement.baseline is None:
        return NOT_MEASURED
    return f"{one_quantity(judgement.baseline, row.unit)} ({judgement.baseline_sessions})"


def _stands_out(row: ComparisonRow) -> bool:
    judgement = row.judgement
    if judgement.state in {"learning", "not gated"} and judgement.verdict not in {"error", "missing"}:
        return False
    return judgement.verdict not in _FINE
