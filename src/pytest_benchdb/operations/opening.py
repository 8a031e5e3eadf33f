"""Open what the user named, and tell the caller what goes on meanwhile."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_benchdb.store.history import open_history
from pytest_benchdb.store.reader import Reader


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


@contextlib.contextmanager
def open_source(paths: Sequence[Path], feedback: Feedback = SILENT) -> Iterator[Reader]:
    """Open files and folders for reading, for the length of a block.

    Raises:
        StoreError: a path is missing, foreign, damaged, locked or newer.
    """
    with open_history(paths, progress=feedback.progress) as reader:
        for warning in reader.warnings:
            feedback.warn(warning)
        yield reader
