"""Text from outside on one line that every format can hold: names of tests may hold any character."""

import re
import unicodedata

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_KEEP = frozenset({"\u200c", "\u200d"})
"""Joiners: scripts and emoji need them."""


def plain_line(text: str, limit: int | None = None) -> str:
    r"""Remove what no one can read: controls, characters that reorder a line, halves of surrogate pairs.

    Args:
        text: any text.
        limit: most characters; what is too long loses its middle, because parameters stand at its end.

    >>> plain_line("a\r\nb\x1b[31m\ud800"), plain_line("abcdefghij", 5)
    ('a b[31m', 'ab…ij')
    """
    if not (text.isascii() and text.isprintable()):
        text = _CONTROL.sub(_space, text)
        text = "".join(char for char in text if _readable(char))
    if limit is not None and len(text) > limit:
        head = max(limit - 1, 0) // 2
        tail = max(limit - 1 - head, 0)
        text = text[:head] + "…" + (text[-tail:] if tail else "")
    return text


def _space(found: re.Match[str]) -> str:
    return " " if re.search(r"[\t-\r\x85\u2028\u2029]", found[0]) else ""


def _readable(char: str) -> bool:
    if char in _KEEP:
        return True
    # Cc controls, Cf reordering and the like, Cs half pairs, Co and Cn nothing that a font shows.
    return unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co", "Cn"}
