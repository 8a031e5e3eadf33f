"""The gate of a duet: run its suspects in turn again, and correct for the number of benchmarks.

A verdict that is wrong once in a hundred fails a suite of thirty benchmarks every fourth time. So what looks worse has
to look worse in a second duet of the suspects alone, and the p-values of both together, corrected for all benchmarks,
have to be small. What each is worth is in docs/explanation/regression-quality.md.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from pytest_benchdb.analysis.statistics.false_discovery import q_values
from pytest_benchdb.model.comparison import Comparison, ComparisonRow
from pytest_benchdb.model.series import SeriesKey
from pytest_benchdb.model.verdict import Judgement
from pytest_benchdb.model.wording import counted, percent_text

MOST_Q = 0.05
"""Largest q-value of a regression: of those that a gate reports, so many are false on average."""


Repeat = Callable[[Sequence[str]], Comparison]
"""Runs benchmarks, given their full names, in a further duet, and compares its sides."""


def confirm_duet(comparison: Comparison, times: int, repeat: Repeat, say: Callable[[str], None]) -> Comparison:
    """Run the benchmarks of a duet that regressed in further duets, and return the comparison with what they show.

    Args:
        comparison: of the first duet.
        times: how many further duets must repeat a regression; 0 only corrects for the number of benchmarks.
        repeat: runs a further duet.
        say: called with a line for each duet.
    """
    rows = list(comparison.rows)
    for turn in range(1, times + 1):
        names = list(dict.fromkeys(row.key.fullname for row in rows if row.judgement.verdict == "regressed"))
        if not names:
            break
        say(f"duet {turn + 1} of {times + 1}: {counted(len(names), 'suspect')} in turn again")
        rows = with_repeat(rows, repeat(names).rows)
    return replace(comparison, rows=tuple(corrected(rows)))


def with_repeat(rows: Sequence[ComparisonRow], again: Sequence[ComparisonRow]) -> list[ComparisonRow]:
    """Return rows with what a further duet found of those that regressed: one that it does not repeat is a suspect."""
    repeats = {row.key: row.judgement for row in again}
    return [_repeated(row, repeats) if row.judgement.verdict == "regressed" else row for row in rows]


def _repeated(row: ComparisonRow, repeats: Mapping[SeriesKey, Judgement]) -> ComparisonRow:
    repeat = repeats.get(row.key, Judgement(verdict="missing", reason="it was not there"))
    row = replace(row, confirmations=(*row.confirmations, repeat))
    if repeat.verdict == "regressed":
        return row
    change = "" if repeat.change is None else f" ({percent_text(repeat.change)})"
    reason = f"duet {len(row.confirmations) + 1} did not repeat it{change}"
    return replace(row, judgement=replace(row.judgement, verdict="inconclusive", state="suspect", reason=reason))


def corrected(rows: Sequence[ComparisonRow]) -> list[ComparisonRow]:
    """Return rows with q-values; a regression that chance explains among so many benchmarks is a suspect.

    What is judged without a test, because it repeats exactly, stays as it is.
    """
    p_values = {row.key: p_value for row in rows if (p_value := _combined(row)) is not None}
    by_key = dict(zip(p_values, q_values(list(p_values.values())), strict=True))
    adjusted = []
    for row in rows:
        q_value, judgement = by_key.get(row.key), row.judgement
        if q_value is not None and q_value > MOST_Q and judgement.verdict == "regressed":
            reason = f"chance explains it among {counted(len(by_key), 'result')}: q-value {q_value:.2g}"
            judgement = replace(judgement, verdict="inconclusive", state="suspect", reason=reason)
        adjusted.append(replace(row, q_value=q_value, judgement=judgement))
    return adjusted


def _combined(row: ComparisonRow) -> float | None:
    """Return the p-value of a row and its repeats together, by Fisher's method; None without a test."""
    p_values = [judgement.p_value for judgement in (row.judgement, *row.confirmations)]
    known = [max(p_value, 1e-300) for p_value in p_values if p_value is not None]
    if len(known) < len(p_values):
        return None
    half = -math.fsum(map(math.log, known))  # half of the statistic, which has 2n degrees of freedom
    return min(1.0, math.exp(-half) * math.fsum(half**i / math.factorial(i) for i in range(len(known))))
