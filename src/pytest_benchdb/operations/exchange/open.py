"""Open what the user named, and tell the caller what goes on meanwhile."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from pytest_benchdb.operations.exchange.feedback import SILENT, Feedback
from pytest_benchdb.operations.exchange.source_kind import is_foreign
from pytest_benchdb.store.history.history import open_history
from pytest_benchdb.store.read.reader import Reader

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
