"""Reads small text files such as those in ``/proc`` and ``/sys``."""

from pathlib import Path

_LIMIT_BYTES = 65_536


def read_text(path: Path, limit_bytes: int = _LIMIT_BYTES) -> str | None:
    """Return the stripped beginning of a file; None if it is empty or cannot be read."""
    try:
        with path.open("rb", buffering=0) as file:
            data = file.read(limit_bytes)
    except OSError:
        return None
    return (data or b"").decode("utf-8", "replace").strip("\0 \t\r\n") or None


def read_int(path: Path) -> int | None:
    """Return the integer in a file; None if there is none."""
    text = read_text(path)
    try:
        return None if text is None else int(text)
    except ValueError:
        return None


def count_list(text: str | None) -> int | None:
    """Count the numbers in a kernel list such as ``0-3,8``; None if the text is not a list.

    >>> count_list("0-3,8")
    5
    """
    try:
        ranges = [part.split("-") for part in (text or "").split(",")]
        return sum(int(ends[-1]) - int(ends[0]) + 1 for ends in ranges)
    except ValueError:
        return None


def drop_missing(**values: object) -> dict[str, object]:
    """Return the values that are neither None nor empty."""
    return {name: value for name, value in values.items() if value is not None and value not in ({}, [], "")}
