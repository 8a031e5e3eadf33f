"""What one run took: its clocks, memory and own metrics, then those of its phases, indented by how they nest.

What each rank of a distributed run took, side by side, and which was the slowest.

What became of the requests of a token stream: how many, why some failed, and percentiles of their latencies.

What sensors said of one run: energy and power with what they cover, and series over time.
"""

from collections.abc import Iterator, Mapping, Sequence

from pytest_benchdb.model.answer.run import Row
from pytest_benchdb.present.run.rows import (
    NOT_VALID,
    figure,
    indent_within,
    is_shown_invalid,
    leading_metric,
    name_of,
    title_lines,
)
from pytest_benchdb.present.writing.grid import Entry, Fact, Heading, Line, Section, Span, Style, fact_lines, fit
from pytest_benchdb.present.writing.sparkline import sparkline
from pytest_benchdb.present.writing.text import counted, sanitize, wrap
from pytest_benchdb.present.writing.units import NOT_MEASURED, choose_unit, unit_for

_HEADINGS = (
    Heading(title="metric"),
    Heading(title="value", align="right", flexible=False),
    Heading(title="min", align="right", flexible=False, priority=3),
    Heading(title="max", align="right", flexible=False, priority=4),
    Heading(title="n", align="right", flexible=False, priority=5),
    Heading(title="how", priority=7),
    Heading(title="note", priority=6),
)
_NAMED_TOGETHER = 3


def measurement_lines(rows: Sequence[Row], total: int, *, ascii_only: bool = False) -> list[Line]:
    """Return the table of a run's measurements; empty without any.

    Args:
        rows: sorted by phase, those of the whole run first.
        total: columns of the terminal.
        ascii_only: whether the terminal can show ASCII only.
    """
    if not rows:
        return []
    noted = any(_note(row) for row in rows)
    headings = _HEADINGS if noted else _HEADINGS[:-1]
    entries = tuple(_entries(rows, len(headings), ascii_only=ascii_only))
    return list(fit(headings, [Section(title=None, entries=entries)], total, ascii_only=ascii_only).lines)


def reason_lines(rows: Sequence[Row], total: int, *, ascii_only: bool = False) -> list[Line]:
    """Return why figures are missing or may not be compared, each reason once; empty if all hold."""
    named: dict[str, list[str]] = {}
    for row in rows:
        if row["reason"]:
            named.setdefault(row["reason"], []).append(name_of(row))
    lines = title_lines("not measured, or not to be compared", total, ascii_only=ascii_only) if named else []
    indent = indent_within(total)
    for reason, names in named.items():
        more = len(names) - _NAMED_TOGETHER
        which = ", ".join(names[:_NAMED_TOGETHER]) + (f" and {more} more" if more > 0 else "")
        text = sanitize(f"{which}: {reason}", ascii_only=ascii_only)
        for number, part in enumerate(wrap(text, total - len(indent), ascii_only=ascii_only)):
            lines.append((Span(indent if number else ""), Span(part, "warn")))
    return lines


def _entries(rows: Sequence[Row], columns: int, *, ascii_only: bool) -> Iterator[Entry]:
    shown: list[str] = []
    for row in rows:
        path = row["phase"].split("/") if row["phase"] else []
        common = 0
        while common < min(len(path), len(shown)) and path[common] == shown[common]:
            common += 1
        # A phase around this one may have no figures of its own; its name is needed all the same.
        for depth in range(common, len(path)):
            yield _title(path[depth], depth, columns, ascii_only=ascii_only)
        shown = path
        yield _entry(row, len(path), columns, ascii_only=ascii_only)


def _title(name: str, depth: int, columns: int, *, ascii_only: bool) -> Entry:
    text = "  " * depth + "phase " + sanitize(name, ascii_only=ascii_only)
    return Entry(cells=(Span(text, "head"), *(Span("") for _ in range(columns - 1))))


def _entry(row: Row, depth: int, columns: int, *, ascii_only: bool) -> Entry:
    unit = unit_for(row["unit"], [row[name] for name in ("value", "min", "max")])
    figures = [figure(row[name], unit, ascii_only=ascii_only) for name in ("value", "min", "max")]
    texts = (
        "  " * depth + str(row["metric"]),
        *figures,
        NOT_MEASURED if row["n"] is None else str(row["n"]),
        str(row["method"] or row["pass"]),
        _note(row),
    )
    style: Style = "" if row["valid"] else "dim"
    return Entry(
        cells=tuple(Span(sanitize(text, ascii_only=ascii_only), style) for text in texts[:columns]),
        suffix=NOT_VALID if is_shown_invalid(row) else "",
    )


def _note(row: Row) -> str:
    return "" if row["provenance"] == "measured" else str(row["provenance"])


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


_FIGURES = ("median", "p90", "p95", "p99", "max")
_REQUEST_HEADINGS = (
    Heading(title="latency"),
    Heading(title="p50", align="right", flexible=False),
    Heading(title="p90", align="right", flexible=False, priority=2),
    Heading(title="p95", align="right", flexible=False, priority=3),
    Heading(title="p99", align="right", flexible=False, priority=1),
    Heading(title="max", align="right", flexible=False, priority=4),
    Heading(title="n", align="right", flexible=False, priority=5),
    Heading(title="how", priority=6),
)
_MOST_ERRORS = 5


def request_lines(
    summaries: Sequence[Row], latencies: Sequence[Row], total: int, *, ascii_only: bool = False
) -> list[Line]:
    """Return for each part of a run that sent requests what became of them; empty without any.

    Args:
        summaries: one row per phase.
        latencies: measurements of times of requests.
        total: columns of the terminal.
        ascii_only: whether the terminal can show ASCII only.
    """
    lines: list[Line] = []
    for summary in summaries:
        phase = summary["phase"]
        title = "requests" if phase is None else f"requests of {phase}"
        title += " (simulated)" if summary["provenance"] == "simulated" else ""
        lines += title_lines(title, total, ascii_only=ascii_only)
        lines += fact_lines(request_facts(summary), total, ascii_only=ascii_only)
        entries = tuple(_request_entry(row, ascii_only=ascii_only) for row in latencies if row["phase"] == phase)
        if entries:
            lines.append((Span(""),))
            lines += fit(_REQUEST_HEADINGS, [Section(title=None, entries=entries)], total, ascii_only=ascii_only).lines
    return lines


def request_facts(summary: Row) -> list[Fact]:
    """Return what became of requests as pairs of label and text; what was not told is left out."""
    sent, failed = summary["requests"], summary["failed"]
    facts = [("sent", f"{counted(sent, 'request')}: {sent - failed} answered whole, {failed} failed")]
    errors = list(summary["errors"].items())
    facts += [("failed", f"{count} by {error}") for error, count in errors[:_MOST_ERRORS]]
    if len(errors) > _MOST_ERRORS:
        rest = sum(count for _, count in errors[_MOST_ERRORS:])
        facts.append(("failed", f"{rest} for {len(errors) - _MOST_ERRORS} other reasons"))
    if summary["judged"]:
        facts.append(("objectives", f"{summary['met']} of {summary['judged']} met all of them"))
    tokens = [
        f"{summary[name]} {word}"
        for name, word in (("tokens_in", "in"), ("tokens_out", "out"))
        if summary[name] is not None
    ]
    return [*facts, ("tokens", ", ".join(tokens))] if tokens else facts


def _request_entry(row: Row, *, ascii_only: bool) -> Entry:
    values = [row.get(name) for name in _FIGURES]
    unit = unit_for(row["unit"], values)
    texts = (
        str(row["metric"]),
        *(figure(value, unit, ascii_only=ascii_only) for value in values),
        NOT_MEASURED if row["n"] is None else str(row["n"]),
        str(row["method"] or row["pass"]),
    )
    style: Style = "" if row["valid"] else "dim"
    return Entry(
        cells=tuple(Span(sanitize(text, ascii_only=ascii_only), style) for text in texts),
        suffix=NOT_VALID if is_shown_invalid(row) else "",
    )


_SENSOR_HEADINGS = (
    Heading(title="metric"),
    Heading(title="sensor", priority=3),
    Heading(title="covers", priority=2),
    Heading(title="value", align="right", flexible=False),
    Heading(title="window", align="right", flexible=False, priority=4),
    Heading(title="ticks", align="right", flexible=False, priority=5),
    Heading(title="how", priority=6),
)
_SERIES_HEADINGS = (
    Heading(title="metric"),
    Heading(title="sensor", priority=1),
    Heading(title="n", align="right", flexible=False, priority=5),
    Heading(title="min", align="right", flexible=False, priority=4),
    Heading(title="mean", align="right", flexible=False),
    Heading(title="max", align="right", flexible=False, priority=2),
    Heading(title="time", align="right", flexible=False, priority=6),
    Heading(title="course", flexible=False, priority=3),
)


def sensor_lines(rows: Sequence[Row], total: int, *, ascii_only: bool = False) -> list[Line]:
    """Return the table of figures that sensors gave, with what says how far they can be trusted; empty without any."""
    if not rows:
        return []
    entries = tuple(_sensor_entry(row, ascii_only=ascii_only) for row in rows)
    return _titled("sensors (energy of one iteration)", _SENSOR_HEADINGS, entries, total, ascii_only=ascii_only)


def series_lines(rows: Sequence[Row], total: int, *, ascii_only: bool = False) -> list[Line]:
    """Return the table of what was sampled over time; empty without any."""
    if not rows:
        return []
    entries = tuple(_series_entry(row, ascii_only=ascii_only) for row in rows)
    return _titled("series", _SERIES_HEADINGS, entries, total, ascii_only=ascii_only)


def _sensor_entry(row: Row, *, ascii_only: bool) -> Entry:
    details = row.get("details") or {}
    ticks = details.get("ticks") if isinstance(details, dict) else None
    texts = (
        _metric(row),
        str(row.get("domain") or NOT_MEASURED),
        str(row.get("scope") or NOT_MEASURED),
        figure(row["value"], unit_for(row["unit"], [row["value"]]), ascii_only=ascii_only),
        _time(row.get("window_s"), ascii_only=ascii_only),
        NOT_MEASURED if ticks is None else str(ticks),
        str(row["method"] or row["pass"]),
    )
    style: Style = "" if row["valid"] else "dim"
    suffix = (" (simulated)" if row["provenance"] == "simulated" else "") + (NOT_VALID if is_shown_invalid(row) else "")
    return Entry(cells=tuple(Span(sanitize(text, ascii_only=ascii_only), style) for text in texts), suffix=suffix)


def _series_entry(row: Row, *, ascii_only: bool) -> Entry:
    unit = unit_for(row["unit"], [row[name] for name in ("min", "mean", "max")])
    figures = [figure(row[name], unit, ascii_only=ascii_only) for name in ("min", "mean", "max")]
    texts = (
        _metric(row),
        str(row["domain"] or NOT_MEASURED),
        str(row["n"]),
        *figures,
        _time(row["end_s"] - row["begin_s"], ascii_only=ascii_only),
        sparkline(row["means"], ascii_only=ascii_only),
    )
    return Entry(
        cells=tuple(Span(sanitize(text, ascii_only=ascii_only)) for text in texts),
        suffix=" (simulated)" if row["provenance"] == "simulated" else "",
    )


def _metric(row: Row) -> str:
    return str(row["metric"]) if row["phase"] is None else f"{row['metric']} of {row['phase']}"


def _time(seconds: float | None, *, ascii_only: bool) -> str:
    return figure(seconds, choose_unit("time", [seconds]), ascii_only=ascii_only)


def _titled(
    title: str, headings: Sequence[Heading], entries: tuple[Entry, ...], total: int, *, ascii_only: bool
) -> list[Line]:
    table = fit(headings, [Section(title=None, entries=entries)], total, ascii_only=ascii_only)
    return [*title_lines(title, total, ascii_only=ascii_only), *table.lines]
