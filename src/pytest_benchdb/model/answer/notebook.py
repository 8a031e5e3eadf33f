"""How results show themselves in consoles and notebooks: one line, and a table in HTML with everything escaped."""

from collections.abc import Iterable, Sequence
from html import escape

MOST_ROWS = 50


class Notebook:
    """A result with a one-line `repr`, and a table for notebooks; a subclass says both."""

    __slots__ = ()

    def summary(self) -> str:
        """Return the result in one line."""
        raise NotImplementedError

    def table(self) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
        """Return the heads and the rows of the table that notebooks show."""
        raise NotImplementedError

    def __repr__(self) -> str:
        """Return the class and the result in one line."""
        return f"<{type(self).__name__}: {_printable(' '.join(self.summary().split()))}>"

    def _repr_html_(self) -> str:
        """Return the result as HTML, which notebooks show."""
        heads, rows = self.table()
        return f"<p>{escape(_printable(self.summary()))}</p>" + html_table(heads, rows)


def html_table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return the first rows as a table in HTML, and how many more there are."""
    body = "".join(f"<tr>{_cells('td', row)}</tr>" for row in rows[:MOST_ROWS])
    more = f"<p>and {len(rows) - MOST_ROWS} more rows</p>" if len(rows) > MOST_ROWS else ""
    return f"<table><thead><tr>{_cells('th', heads)}</tr></thead><tbody>{body}</tbody></table>{more}"


def _cells(tag: str, values: Iterable[object]) -> str:
    return "".join(f"<{tag}>{escape(_printable(_text(value)))}</{tag}>" for value in values)


def _printable(text: str) -> str:
    """Return text with control characters and lone surrogates as escapes."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)


def _text(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
