"""How an operation talks to its caller while it works."""

from collections.abc import Callable
from dataclasses import dataclass


def _no_progress(_done: int, _total: int) -> None:
    """Show nothing."""


def _no_warning(_text: str) -> None:
    """Say nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """How an operation talks to its caller while it works.

    Attributes:
        progress: told how many of how many session files have been read.
        warn: told one line for each session that could not be read.
    """

    progress: Callable[[int, int], None] = _no_progress
    warn: Callable[[str], None] = _no_warning


SILENT = Feedback()
