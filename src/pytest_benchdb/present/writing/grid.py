"""Lines for a terminal: tables and facts that fit its width, coloured by rich.

Tables that are too wide lose columns by priority, then texts are shortened. No line is ever wider than the width.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TextIO

from pytest_benchdb.present.writing.text import clip, pad, sanitize, shorten, width, wrap

Style = Literal["", "head", "dim", "good", "bad", "warn"]

GAP = 2
"""Spaces between two columns."""

_NAME_SHARE = 0.4
_SIDE_TEXT = 18
_SENTENCE = 18
_RICH_STYLES = {"head": "bold", "dim": "dim", "good": "green", "bad": "bold red", "warn": "yellow"}
_OUTCOME_STYLES: dict[str, Style] = {
    "passed": "good",
    "failed": "bad",
    "error": "bad",
    "crashed": "bad",
    "timeout": "bad",
    "oom": "bad",
    "xpassed": "warn",
    "skipped": "dim",
    "xfailed": "dim",
    "unsupported": "dim",
}


@dataclass(frozen=True, slots=True)
class Span:
    """Part of a line in one style; styles only repeat what the words say."""

    text: str
    style: Style = ""


Line = tuple[Span, ...]
Fact = tuple[str, str]
"""A label and its text."""
FACT_SEPARATOR = " · "


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """The head of a column.

    Attributes:
        unit: the second line of the head.
        priority: columns with the largest priority are left out first; those with 0 never.
        flexible: whether cells may be shortened; never for figures: a shortened figure is wrong.
    """

    title: str
    unit: str = ""
    align: Literal["left", "right"] = "left"
    priority: int = 0
    flexible: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One row: a span for each heading.

    Attributes:
        suffix: appended to one cell and never shortened: a mark such as ``(simulated)``.
        suffix_at: index of that cell.
        message: shown across the columns of figures, instead of them.
    """

    cells: tuple[Span, ...]
    suffix: str = ""
    suffix_at: int = 0
    message: Span | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Rows under one title; None for rows that are not grouped."""

    title: str | None
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table that fits its width; `left_out` has the titles of the columns that did not fit."""

    lines: tuple[Line, ...]
    left_out: tuple[str, ...]
    ascii_only: bool = False

    def plain(self) -> str:
        """Return the text without styles."""
        return plain_text(self.lines)

    def said(self, total: int) -> tuple[Line, ...]:
        """Return the lines, and one that names the columns that did not fit."""
        if not self.left_out:
            return self.lines
        text = f"hidden (too narrow): {', '.join(self.left_out)}; --width N shows them"
        return (*self.lines, *((Span(line, "dim"),) for line in wrap(text, max(total, 1), ascii_only=self.ascii_only)))


@dataclass(frozen=True, slots=True)
class _Layout:
    """Which columns are shown and how wide each is."""

    shown: tuple[int, ...]
    widths: tuple[int, ...]
    indent: int
    total: int
    ascii_only: bool

    def start(self, position: int) -> int:
        return self.indent + sum(self.widths[:position]) + GAP * position


def fit(headings: Sequence[Heading], sections: Sequence[Section], total: int, *, ascii_only: bool = False) -> Table:
    """Lay the sections out in at most `total` columns of the terminal.

    The first column is the main one: it keeps most of its text if there is little room.
    """
    total = max(total, 1)
    indent = 2 if any(section.title for section in sections) else 0
    natural = [_natural(headings, sections, index) for index in range(len(headings))]
    shown = _choose(headings, natural, total - indent)
    widths = _widths(headings, natural, shown, total - indent)
    layout = _Layout(tuple(shown), tuple(widths), indent, total, ascii_only)
    lines = _head(headings, layout)
    for number, section in enumerate(sections):
        if section.title is not None:
            lines += [(Span(""),)] if number else []
            lines.append((Span(section.title, "head"),))
        for entry in section.entries:
            lines += _entry(headings, entry, layout)
    left_out = tuple(heading.title for index, heading in enumerate(headings) if index not in shown)
    return Table(lines=tuple(_crop(line, total) for line in lines), left_out=left_out, ascii_only=ascii_only)


def _natural(headings: Sequence[Heading], sections: Sequence[Section], index: int) -> int:
    heading = headings[index]
    most = max(width(heading.title), width(heading.unit))
    for section in sections:
        for entry in section.entries:
            suffix = width(entry.suffix) if index == entry.suffix_at else 0
            most = max(most, width(entry.cells[index].text) + suffix)
    return most


def _needed(headings: Sequence[Heading], natural: Sequence[int], index: int, total: int) -> int:
    """Return the width that a column must get; other columns are left out for it."""
    if not headings[index].flexible:
        return natural[index]
    most = max(int(total * _NAME_SHARE), 8) if index == 0 else _SIDE_TEXT
    return min(natural[index], most)


def _choose(headings: Sequence[Heading], natural: Sequence[int], total: int) -> list[int]:
    shown = list(range(len(headings)))
    while len(shown) > 1:
        needed = sum(_needed(headings, natural, index, total) for index in shown) + GAP * (len(shown) - 1)
        droppable = [index for index in shown if headings[index].priority > 0]
        if needed <= total or not droppable:
            break
        shown.remove(max(droppable, key=lambda index: (headings[index].priority, index)))
    return shown


def _widths(headings: Sequence[Heading], natural: Sequence[int], shown: Sequence[int], total: int) -> list[int]:
    widths = {index: _needed(headings, natural, index, total) for index in shown}
    spare = total - sum(widths.values()) - GAP * (len(shown) - 1)
    for index in shown:
        if headings[index].flexible:
            # A negative spare means that there is less room than needed: then texts are shortened further.
            change = max(min(spare, natural[index] - widths[index]), 1 - widths[index])
            widths[index] += change
            spare -= change
    return [widths[index] for index in shown]


def _head(headings: Sequence[Heading], layout: _Layout) -> list[Line]:
    units = any(headings[index].unit for index in layout.shown)
    lines = [_head_line(headings, layout, "title", "head")]
    if units:
        lines.append(_head_line(headings, layout, "unit", "dim"))
    rule = layout.start(len(layout.shown)) - GAP
    lines.append((Span(("-" if layout.ascii_only else "─") * rule, "dim"),))
    return lines


def _head_line(headings: Sequence[Heading], layout: _Layout, field: Literal["title", "unit"], style: Style) -> Line:
    parts = []
    for index, columns in zip(layout.shown, layout.widths, strict=True):
        text = clip(getattr(headings[index], field), columns, ascii_only=layout.ascii_only)
        parts.append(pad(text, columns, right=headings[index].align == "right"))
    return (Span((" " * GAP).join(parts).rstrip(), style),)


def _entry(headings: Sequence[Heading], entry: Entry, layout: _Layout) -> list[Line]:
    first, stop = _figure_block(headings, layout) if entry.message else (len(layout.shown), len(layout.shown))
    spans: list[Span] = [Span(" " * layout.indent)]
    for position, index in enumerate(layout.shown):
        if first < position < stop:
            continue
        if position:
            spans.append(Span(" " * GAP))
        if position == first and entry.message:
            room = layout.total - layout.start(first)
            if stop < len(layout.shown):
                room = layout.start(stop) - GAP - layout.start(first)
            if room < min(_SENTENCE, width(entry.message.text)):
                return [tuple(spans), _own_line(entry.message, layout)]
            text = clip(entry.message.text, room, ascii_only=layout.ascii_only)
            spans.append(Span(pad(text, room) if stop < len(layout.shown) else text, entry.message.style))
        else:
            spans.append(_cell(headings[index], entry, index, layout.widths[position], ascii_only=layout.ascii_only))
    if entry.message and first == len(layout.shown):
        return [tuple(spans), _own_line(entry.message, layout)]
    return [tuple(spans)]


def _figure_block(headings: Sequence[Heading], layout: _Layout) -> tuple[int, int]:
    """Return start and stop of the first run of figure columns, where a message may be shown."""
    figures = [not headings[index].flexible for index in layout.shown]
    if True not in figures:
        return len(figures), len(figures)
    first = figures.index(True)
    stop = figures.index(False, first) if False in figures[first:] else len(figures)
    return first, stop


def _own_line(message: Span, layout: _Layout) -> Line:
    lead = " " * (layout.indent + 2)
    return (Span(lead), Span(clip(message.text, layout.total - len(lead), ascii_only=layout.ascii_only), message.style))


def _cell(heading: Heading, entry: Entry, index: int, columns: int, *, ascii_only: bool) -> Span:
    span = entry.cells[index]
    suffix = entry.suffix if index == entry.suffix_at else ""
    text = shorten(span.text, columns - width(suffix), ascii_only=ascii_only) + suffix
    return Span(pad(text, columns, right=heading.align == "right"), span.style)


def _crop(line: Line, total: int) -> Line:
    """Cut what is still too wide, in a terminal narrower than its only figure column."""
    spans: list[Span] = []
    left = total
    for span in line:
        text = span.text if width(span.text) <= left else clip(span.text, left, ascii_only=span.text.isascii())
        left -= width(text)
        spans.append(Span(text, span.style))
    return tuple(spans)


def plain_text(lines: Iterable[Line]) -> str:
    """Return the lines without styles."""
    return "".join("".join(span.text for span in line).rstrip() + "\n" for line in lines)


def write_lines(lines: Iterable[Line], stream: TextIO, *, color: bool) -> None:
    """Write lines to a stream; `color` uses the terminal's own 16 colours."""
    if not color:
        stream.write(plain_text(lines))
        return
    # Late import: it takes 50 ms, which a pipe does not need.
    from rich.console import Console
    from rich.text import Text

    console = Console(file=stream, force_terminal=True, color_system="standard", highlight=False, soft_wrap=True)
    for line in lines:
        text = Text(no_wrap=True, overflow="ignore", end="")
        for span in line:
            text.append(span.text, _RICH_STYLES.get(span.style, ""))
        text.rstrip()
        console.print(text, crop=False)


def fact_lines(facts: Sequence[Fact], total: int, *, ascii_only: bool = False) -> list[Line]:
    """Return lines of labels and texts; a long text continues below itself."""
    indent = min(max((width(label) for label, _ in facts), default=0) + 2, total // 2)
    lines: list[Line] = []
    for label, text in facts:
        safe = sanitize(text, ascii_only=False)
        if ascii_only:
            safe = sanitize(safe.replace(FACT_SEPARATOR, ", "), ascii_only=True)
        style = outcome_style(text.partition(":")[0]) if label == "outcome" else ""
        for number, line in enumerate(wrap(safe, total - indent, ascii_only=ascii_only)):
            head = clip(label, indent, ascii_only=ascii_only) if number == 0 else ""
            lines.append((Span(head.ljust(indent), "dim"), Span(line, style)))
    return lines


def outcome_style(outcome: str) -> Style:
    """Return the style of an outcome."""
    return _OUTCOME_STYLES.get(outcome, "")
