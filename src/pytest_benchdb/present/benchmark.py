"""One benchmark for people and as data: its history, then its newest run; or a list of several to choose from."""

from collections.abc import Sequence
from dataclasses import asdict
from itertools import pairwise

from pytest_benchdb.model.answer.benchmark import BenchmarkChoice, BenchmarkDetail, HistoryPoint
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.model.series import SessionValue
from pytest_benchdb.model.wording import counted, percent_text
from pytest_benchdb.present.run import run_json, run_lines
from pytest_benchdb.present.writing.grid import Entry, Heading, Line, Section, Span, Style, fact_lines, fit
from pytest_benchdb.present.writing.sparkline import sparkline
from pytest_benchdb.present.writing.text import sanitize, wrap
from pytest_benchdb.present.writing.times import local_minute, zones_text
from pytest_benchdb.present.writing.units import NOT_MEASURED, Unit, one_quantity, quantity, unit_for
from pytest_benchdb.present.writing.values import object_json

BENCHMARK_SCHEMA = "benchdb.benchmark/1"
CHOICE_SCHEMA = "benchdb.benchmarks/1"

_MOST_LISTED = 10
_MOST_BARS = 40
_SHORT_COMMIT = 8
_STATISTICS = {"min": "smallest round of each", "value": "median of each"}


def benchmark_lines(detail: BenchmarkDetail, total: int, *, ascii_only: bool = False, verbose: bool) -> list[Line]:
    """Return lines about a benchmark, at most `total` columns wide; all its sessions if `verbose`."""
    title, *rest = run_lines(detail.newest, total, ascii_only=ascii_only)
    history = _history_lines(detail, total, ascii_only=ascii_only, verbose=verbose)
    return [title, *history, (Span(""),), (Span("newest run", "head"),), *rest]


def _history_lines(detail: BenchmarkDetail, total: int, *, ascii_only: bool, verbose: bool) -> list[Line]:
    figures = [point.figure for point in detail.history]
    unit = unit_for(detail.unit, figures)
    unit = unit.ascii() if ascii_only else unit
    bars = sparkline(figures[-_MOST_BARS:], ascii_only=ascii_only)
    metric = detail.key.metric if detail.key.phase is None else f"{detail.key.metric} of {detail.key.phase}"
    of_each = _STATISTICS.get(detail.statistic, detail.statistic)
    facts = [
        ("metric", f"{metric}, {of_each} session"),
        ("history", f"{counted(len(detail.history), 'session')}{_span(figures, unit)}  {bars}"),
        ("device", detail.key.device or ""),
        ("also on", ", ".join(detail.elsewhere)),
        ("left out", counted(detail.machines, "other machine or Python") if detail.machines else ""),
    ]
    lines = fact_lines([fact for fact in facts if fact[1]], total, ascii_only=ascii_only)
    shown = detail.history if verbose else detail.history[-_MOST_LISTED:]
    lines += [(Span(""),), *_table(detail, shown, unit, total, ascii_only=ascii_only)]
    older = len(detail.history) - len(shown)
    return [*lines, (Span(f"{counted(older, 'older session')} not shown: -v shows all", "dim"),)] if older else lines


def _span(figures: Sequence[float | None], unit: Unit) -> str:
    known = [figure for figure in figures if figure is not None]
    return f", {quantity(min(known), unit)} to {quantity(max(known), unit)}" if known else ""


def _table(
    detail: BenchmarkDetail, shown: Sequence[HistoryPoint], unit: Unit, total: int, *, ascii_only: bool
) -> Sequence[Line]:
    changes = _changes(detail.history)
    headings = [
        Heading(title=f"recorded ({zones_text(point.session.started_at for point in shown)})", flexible=False),
        Heading(title="value", align="right", flexible=False),
        Heading(title="change", align="right", flexible=False),
        Heading(title="commit", flexible=False, priority=1),
        Heading(title="branch", priority=3),
        Heading(title="label", priority=4),
        Heading(title="outcome", priority=2),
    ]
    entries = []
    for point in reversed(shown):
        change = changes.get(point.value.run_id)
        session = point.session
        texts: list[tuple[str | None, Style]] = [
            (local_minute(session.started_at), ""),
            (NOT_MEASURED if point.figure is None else quantity(point.figure, unit), ""),
            (None if change is None else percent_text(change), ""),
            (_commit(session), ""),
            (session.branch, "dim"),
            (session.label, "dim"),
            (_outcome(point), "" if point.value.outcome == "passed" else "warn"),
        ]
        cells = (Span(sanitize(text or NOT_MEASURED, ascii_only=ascii_only), style) for text, style in texts)
        entries.append(Entry(cells=tuple(cells)))
    return fit(headings, [Section(title=None, entries=tuple(entries))], total, ascii_only=ascii_only).said(total)


def _changes(history: Sequence[HistoryPoint]) -> dict[str, float]:
    """Return the change against the session before that has a figure, by run."""
    measured = [(point.value.run_id, point.figure) for point in history if point.figure is not None]
    return {run_id: after / before - 1 for (_, before), (run_id, after) in pairwise(measured) if before > 0}


def _commit(session: SessionRow) -> str | None:
    return session.commit_sha and session.commit_sha[:_SHORT_COMMIT] + ("+" if session.dirty else "")


def _outcome(point: HistoryPoint) -> str:
    reason = point.value.reason
    return f"{point.value.outcome}: {reason}" if reason else point.value.outcome


def benchmark_json(detail: BenchmarkDetail) -> str:
    """Return a benchmark with every session of its history as JSON."""
    points = [
        {
            "session_id": point.session.session_id,
            "run_id": point.value.run_id,
            "started_at": point.session.started_at,
            "commit_sha": point.session.commit_sha,
            "branch": point.session.branch,
            "label": point.session.label,
            "outcome": point.value.outcome,
            "reason": point.value.reason,
            "figure": point.figure,
            **{name: getattr(point.value, name) for name in ("min", "max", "mean", "median", "stddev", "n")},
        }
        for point in detail.history
    ]
    about = {"unit": detail.unit, "statistic": detail.statistic, "elsewhere": list(detail.elsewhere)}
    return object_json(
        BENCHMARK_SCHEMA, {**asdict(detail.key), **about, "history": points, "newest": run_json(detail.newest)}
    )


def choice_lines(choice: BenchmarkChoice, total: int, *, ascii_only: bool = False) -> list[Line]:
    """Return the benchmarks that a name may mean, with their newest values."""
    text = f"{choice.name} is the name of {counted(len(choice.values), 'benchmark')}; benchdb show NAME shows one:"
    entries = [
        Entry(
            cells=(
                Span(sanitize(value.key.fullname, ascii_only=ascii_only)),
                Span(sanitize(_newest(value), ascii_only=ascii_only)),
                Span(local_minute(value.started_at), "dim"),
            )
        )
        for value in choice.values
    ]
    zones = zones_text(value.started_at for value in choice.values)
    headings = [
        Heading(title="benchmark"),
        Heading(title="newest", align="right", flexible=False),
        Heading(title=f"recorded ({zones})", flexible=False, priority=1),
    ]
    lines: list[Line] = [(Span(part),) for part in wrap(sanitize(text, ascii_only=ascii_only), total)]
    return [*lines, (Span(""),), *fit(headings, [Section(title=None, entries=tuple(entries))], total).said(total)]


def _newest(value: SessionValue) -> str:
    return value.outcome if value.value is None else one_quantity(value.value, value.unit)


def choice_json(choice: BenchmarkChoice) -> str:
    """Return the benchmarks that a name may mean as JSON."""
    rows = [
        {**asdict(value.key), "session_id": value.session_id, "run_id": value.run_id, "value": value.value}
        for value in choice.values
    ]
    return object_json(CHOICE_SCHEMA, {"name": choice.name, "benchmarks": rows})
