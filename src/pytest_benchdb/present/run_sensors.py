"""What sensors said of one run: energy and power with what they cover, and series over time."""

from collections.abc import Sequence

from pytest_benchdb.present.document import Row
from pytest_benchdb.present.grid import Entry, Heading, Line, Section, Span, Style, fit
from pytest_benchdb.present.quantity import unit_for
from pytest_benchdb.present.run_rows import NOT_VALID, figure, is_shown_invalid, title_lines
from pytest_benchdb.present.sparkline import sparkline
from pytest_benchdb.present.text import sanitize
from pytest_benchdb.present.units import NOT_MEASURED, choose_unit

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
