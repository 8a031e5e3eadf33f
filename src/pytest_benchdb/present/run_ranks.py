"""What each rank of a distributed run took, side by side, and which was the slowest."""

from collections.abc import Mapping, Sequence

from pytest_benchdb.present.document import Row
from pytest_benchdb.present.grid import Entry, Heading, Line, Section, Span, Style, fit
from pytest_benchdb.present.quantity import unit_for
from pytest_benchdb.present.run_rows import NOT_VALID, figure, is_shown_invalid, leading_metric, title_lines
from pytest_benchdb.present.text import sanitize
from pytest_benchdb.present.units import NOT_MEASURED

_SLOWEST = " (slowest)"


def rank_lines(rows: Sequence[Row], total: int, *, ascii_only: bool = False) -> list[Line]:
    """Return a table for each phase that ranks measured: a row for each rank, a column for each metric.

    Args:
        rows: measurements with a rank.
        total: columns of the terminal.
        ascii_only: whether the terminal can show ASCII only.
    """
    lines: list[Line] = []
    phases = {row["phase"]: None for row in rows}
    for phase in phases:
        own = [row for row in rows if row["phase"] == phase]
        lines += title_lines("ranks" if phase is None else f"ranks of {phase}", total, ascii_only=ascii_only)
        lines += _table(own, total, ascii_only=ascii_only)
    return lines


def _table(rows: Sequence[Row], total: int, *, ascii_only: bool) -> Sequence[Line]:
    metrics = list({row["metric"]: None for row in rows})
    leading = leading_metric(rows)
    if leading is not None:
        metrics = [leading, *(metric for metric in metrics if metric != leading)]
    headings = [Heading(title="rank")]
    headings += [
        Heading(title=sanitize(metric, ascii_only=ascii_only), align="right", flexible=False, priority=place)
        for place, metric in enumerate(metrics)
    ]
    by_rank: dict[int, dict[str, Row]] = {}
    for row in rows:
        by_rank.setdefault(row["rank"], {})[row["metric"]] = row
    slowest = _slowest(by_rank, leading)
    units = {metric: unit_for(own[0]["unit"], [row["value"] for row in own]) for metric, own in _of(rows).items()}
    entries = []
    for rank, own in sorted(by_rank.items()):
        texts = [
            figure(own[metric]["value"], units[metric], ascii_only=ascii_only) if metric in own else NOT_MEASURED
            for metric in metrics
        ]
        style: Style = "warn" if rank == slowest else ""
        invalid = any(is_shown_invalid(row) for row in own.values())
        entries.append(
            Entry(
                cells=(Span(str(rank), style), *(Span(text, style) for text in texts)),
                suffix=(_SLOWEST if rank == slowest else "") + (NOT_VALID if invalid else ""),
            )
        )
    return fit(headings, [Section(title=None, entries=tuple(entries))], total, ascii_only=ascii_only).lines


def _of(rows: Sequence[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["metric"], []).append(row)
    return found


def _slowest(by_rank: Mapping[int, Mapping[str, Row]], metric: str | None) -> int | None:
    """Return the rank that took longest by its mean; None where that cannot be told of every rank."""
    times = {rank: _mean(own.get(metric)) for rank, own in by_rank.items()} if metric is not None else {}
    known = {rank: time_s for rank, time_s in times.items() if time_s is not None}
    if len(known) < max(len(times), 2):
        return None
    return max(known, key=lambda rank: (known[rank], -rank))


def _mean(row: Row | None) -> float | None:
    if row is None:
        return None
    mean: float | None = row.get("mean")
    value: float | None = row["value"]
    return value if mean is None else mean
