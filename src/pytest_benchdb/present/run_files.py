"""The files that belong to one run, and where they are."""

from collections.abc import Iterator, Sequence

from pytest_benchdb.present.document import Row
from pytest_benchdb.present.grid import Line, Span
from pytest_benchdb.present.quantity import one_quantity
from pytest_benchdb.present.run_rows import indent_within, title_lines
from pytest_benchdb.present.session_header import wrap
from pytest_benchdb.present.text import sanitize, width


def attachment_lines(rows: Sequence[Row], total: int, *, ascii_only: bool = False) -> list[Line]:
    """Return each file's name and type, with its path below it, whole, to be copied; empty without any."""
    lines = title_lines("attachments", total, ascii_only=ascii_only) if rows else []
    indent = indent_within(total)
    for row in rows:
        parts = [row["name"], row["media_type"], one_quantity(float(row["size_bytes"]), "B")]
        text = sanitize("  ".join(str(part) for part in parts if part), ascii_only=ascii_only)
        lines += [(Span(part),) for part in wrap(text, total, ascii_only=ascii_only)]
        if row["path"] is None:
            missing = f"{row['checksum']} is not beside the data"
            lines += [(Span(indent), Span(part, "warn")) for part in _pieces(missing, total - len(indent))]
        else:
            path = sanitize(row["path"], ascii_only=ascii_only)
            lines += [(Span(indent), Span(part, "dim")) for part in _pieces(path, total - len(indent))]
    return lines


def _pieces(text: str, total: int) -> Iterator[str]:
    """Break a text anywhere: half a path with a sign for the rest would be of no use."""
    piece = ""
    for char in text:
        if piece and width(piece + char) > max(total, 1):
            yield piece
            piece = ""
        piece += char
    yield piece
