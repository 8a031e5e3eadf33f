"""Make text from outside safe to print, and measure and shorten it in terminal columns."""

import unicodedata

SIGNS = "…─·\N{MULTIPLICATION SIGN}\N{MICRO SIGN}"
"""Non-ASCII characters that tables use, except on terminals that show ASCII only."""

SHORT_ID = 13
"""Number of leading characters of a UUIDv7 that encode its millisecond: enough to tell sessions of a machine apart."""

_ZERO_WIDTH_JOINER = "\u200d"
_JOINERS = frozenset({"\u200c", _ZERO_WIDTH_JOINER})
"""Some scripts and emoji need them."""
_EMOJI_STYLE = "\ufe0f"


def ellipsis(*, ascii_only: bool) -> str:
    """Return the mark for omitted text."""
    return "..." if ascii_only else "…"


def sanitize(text: str, *, ascii_only: bool = False, limit: int | None = None) -> str:
    r"""Make text from outside safe to print on one line.

    Control characters, newlines, bidirectional marks, lone surrogates and unassigned characters are escaped.

    Args:
        text: any text.
        ascii_only: also escape every non-ASCII character.
        limit: maximum length; longer text loses its middle, because parameters are at the end.

    >>> sanitize("a\nb\x1b[31m"), sanitize("abcdefghij", limit=5)
    ('a\\nb\\x1b[31m', 'ab…ij')
    """
    if not (text.isascii() and text.isprintable()):
        text = "".join(map(_visible, text))
    if ascii_only and not text.isascii():
        text = text.encode("ascii", "backslashreplace").decode("ascii")
    if limit is not None and len(text) > limit:
        head = max(limit - 1, 0) // 2
        tail = max(limit - 1 - head, 0)
        text = text[:head] + "…" + (text[-tail:] if tail else "")
    return text


def _visible(char: str) -> str:
    if char in _JOINERS:
        return char
    # Zs: unusual spaces. Co: private use, which no font shows.
    category = unicodedata.category(char)
    if category == "Zs":
        return " "
    if char.isprintable() and category != "Co":
        return char
    return char.encode("unicode_escape").decode("ascii")


def width(text: str) -> int:
    """Return the number of terminal columns that sanitized text takes.

    Wide characters take two, combining marks none (Unicode Standard Annex 11). Joined emoji are counted
    separately, because some terminals do not join them: the result is never too small.
    """
    if text.isascii():
        return len(text)
    return sum(_cells(text))


def _cells(text: str) -> list[int]:
    cells: list[int] = []
    for char in text:
        if char == _EMOJI_STYLE:
            cells.append(1 if cells and cells[-1] == 1 else 0)
        else:
            cells.append(_char_width(char))
    return cells


def _char_width(char: str) -> int:
    if char.isascii():
        return 1
    if char in _JOINERS or "\u1160" <= char <= "\u11ff":
        return 0
    if unicodedata.category(char) in {"Mn", "Me"}:
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def shorten(text: str, limit: int, *, ascii_only: bool = False) -> str:
    """Shorten text in the middle, because test names have their parameters at the end.

    >>> shorten("test_sort_a_long_list[numpy-1000]", 20)
    'test_sort…umpy-1000]'
    """
    if width(text) <= limit:
        return text
    mark = ellipsis(ascii_only=ascii_only)
    room = limit - len(mark)
    if room <= 1:
        return clip(text, limit, ascii_only=ascii_only)
    tail = (room + 1) // 2
    return _head(text, room - tail) + mark + _tail(text, tail)


def clip(text: str, limit: int, *, ascii_only: bool = False) -> str:
    """Shorten text at the end, for sentences."""
    if width(text) <= limit:
        return text
    mark = ellipsis(ascii_only=ascii_only)
    if limit <= len(mark):
        return _head(text, max(limit, 0))
    return _head(text, limit - len(mark)) + mark


def _head(text: str, limit: int) -> str:
    used = 0
    for index, cells in enumerate(_cells(text)):
        used += cells
        if used > limit:
            return text[:index]
    return text


def _tail(text: str, limit: int) -> str:
    used = 0
    cells = _cells(text)
    for index in range(len(text) - 1, -1, -1):
        used += cells[index]
        if used > limit:
            return text[index + 1 :]
    return text


def pad(text: str, columns: int, *, right: bool = False) -> str:
    """Pad text with spaces to `columns`; `right` aligns it to the right."""
    fill = " " * max(0, columns - width(text))
    return fill + text if right else text + fill


def wrap(text: str, total: int, *, ascii_only: bool = False) -> list[str]:
    """Wrap sanitized text into lines of at most `total` columns; longer words are cut."""
    lines = [""]
    for word in text.split(" "):
        candidate = f"{lines[-1]} {word}" if lines[-1] else word
        if width(candidate) <= total:
            lines[-1] = candidate
        elif lines[-1]:
            lines.append(clip(word, total, ascii_only=ascii_only))
        else:
            lines[-1] = clip(word, total, ascii_only=ascii_only)
    return lines
