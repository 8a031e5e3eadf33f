"""Open what the user named, and tell the caller what goes on meanwhile.

Tells what is ours from the files of other tools, without reading them.
"""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from pytest_benchdb.operations.exchange.feedback import SILENT, Feedback
from pytest_benchdb.store.history.history import open_history
from pytest_benchdb.store.read.reader import Reader
from pytest_benchdb.store.target import FILE_SUFFIXES, JOURNAL_SUFFIX, SESSION_SUFFIX

_DATABASE_MAGIC = b"DUCK"
_MAGIC_OFFSET = 8
_SAVED = ".benchmarks"


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


def holds_only_other_files(path: Path) -> bool:
    """Tell whether a path is a folder of files, none of which is a session or a journal of ours."""
    names = [entry.name for entry in path.iterdir()] if path.is_dir() else []
    return bool(names) and not any(name.endswith((SESSION_SUFFIX, JOURNAL_SUFFIX)) for name in names)


__all__ = ["SILENT", "Feedback", "open_source"]


@contextlib.contextmanager
def open_source(paths: Sequence[Path], feedback: Feedback = SILENT) -> Iterator[Reader]:
    """Open files and folders for reading, for the length of a block; files of other tools as if they were imported.

    Raises:
        ConfigError: nothing of a file of another tool can be read.
        StoreError: a path is missing, foreign, damaged, locked or newer.
    """
    with contextlib.ExitStack() as stack:
        if any(map(is_foreign, paths)):
            from pytest_benchdb.operations.exchange.importing import as_sources

            paths = stack.enter_context(as_sources(paths, feedback))
        reader = stack.enter_context(open_history(paths, progress=feedback.progress))
        for warning in reader.warnings:
            feedback.warn(warning)
        yield reader
