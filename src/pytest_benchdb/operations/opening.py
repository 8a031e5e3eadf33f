"""Open what the user named, and tell the caller what goes on meanwhile."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_benchdb.store.history import open_history
from pytest_benchdb.store.reader import Reader
from pytest_benchdb.store.target import FILE_SUFFIXES

_DATABASE_MAGIC = b"DUCK"
_MAGIC_OFFSET = 8
_SAVED = ".benchmarks"


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
    """Open files and folders for reading, for the length of a block; files of other tools as if they were imported.

    Raises:
        ConfigError: nothing of a file of another tool can be read.
        StoreError: a path is missing, foreign, damaged, locked or newer.
    """
    with contextlib.ExitStack() as stack:
        if any(map(is_foreign, paths)):
            from pytest_benchdb.operations.exchange import as_sources

            paths = stack.enter_context(as_sources(paths, feedback))
        reader = stack.enter_context(open_history(paths, progress=feedback.progress))
        for warning in reader.warnings:
            feedback.warn(warning)
        yield reader


def is_foreign(path: Path) -> bool:
    """Tell whether a path is a file that is no database, or a folder of pytest-benchmark's."""
    if path.is_dir():
        return _SAVED in path.resolve().parts
    try:
        with path.open("rb") as file:
            head = file.read(_MAGIC_OFFSET + len(_DATABASE_MAGIC))
    except OSError:
        return False  # whoever opens it says what is wrong
    return bool(head) and head[_MAGIC_OFFSET:] != _DATABASE_MAGIC and path.suffix.lower() not in FILE_SUFFIXES
