"""What one run took: its clocks, memory and own metrics, then those of its phases, indented by how they nest."""

from collections.abc import Iterator, Sequence

from pytest_benchdb.present.document import Row
from pytest_benchdb.present.grid import Entry, Heading, Line, Section, Span, Style, fit
from pytest_benchdb.present.quantity import unit_for
from pytest_benchdb.present.run_rows import (
    NOT_VALID,
    figure,
    indent_within,
    is_shown_invalid,
    name_of,
    title_lines,
)
from pytest_benchdb.present.session_header import wrap
from pytest_benchdb.present.text import sanitize
from pytest_benchdb.present.units import NOT_MEASURED

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
