"""Open sources for reading; other tools' files appear as if they had been imported."""

import contextlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_benchdb.errors import ConfigError, ForeignFileError
from pytest_benchdb.store.history.open import open_history
from pytest_benchdb.store.read.reader import Reader
from pytest_benchdb.store.target import FILE_SUFFIXES, JOURNAL_SUFFIX, SESSION_SUFFIX

_DATABASE_MAGIC = b"DUCK"
_MAGIC_OFFSET = 8
_SAVED = ".benchmarks"


def _ignore(*_news: object) -> None:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """How an operation reports to its caller while it works.

    Attributes:
        progress: called with the numbers of session files read and in total.
        warn: called with one line for each session that could not be read.
    """

    progress: Callable[[int, int], None] = _ignore
    warn: Callable[[str], None] = _ignore


SILENT = Feedback()


@contextlib.contextmanager
def open_source(paths: Sequence[Path], feedback: Feedback = SILENT) -> Iterator[Reader]:
    """Open files and folders for reading; they close with the block.

    Raises:
        ConfigError: nothing in a file of another tool can be read.
        StoreError: a path is missing, foreign, damaged, locked or newer.
    """
    with contextlib.ExitStack() as stack:
        if any(map(_is_foreign, paths)):
            paths = stack.enter_context(as_sources(paths, feedback))
        reader = stack.enter_context(open_history(paths, progress=feedback.progress))
        for warning in reader.warnings:
            feedback.warn(warning)
        yield reader


@contextlib.contextmanager
def as_sources(paths: Sequence[Path], feedback: Feedback = SILENT) -> Iterator[tuple[Path, ...]]:
    """Replace other tools' files by temporary folders with their sessions, removed with the block.

    Raises:
        ConfigError: nothing in such a file can be read.
        ForeignFileError: its format is unknown.
    """
    with contextlib.ExitStack() as stack:
        sources = []
        for path in paths:
            if _is_foreign(path) or _holds_only_other_files(path):
                folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="benchdb-file-"))
                sources.append(Path(folder) / "sessions")
                _import(path, sources[-1], feedback)
            else:
                sources.append(path)
        yield tuple(sources)


def _is_foreign(path: Path) -> bool:
    """Return whether a path is a file but not a database, or a folder that pytest-benchmark saved."""
    if path.is_dir():
        return _SAVED in path.resolve().parts
    if not path.is_file():
        return False  # opening a FIFO would wait for ever
    try:
        with path.open("rb") as file:
            head = file.read(_MAGIC_OFFSET + len(_DATABASE_MAGIC))
    except OSError:
        return False  # opening it as a database reports the problem
    return bool(head) and head[_MAGIC_OFFSET:] != _DATABASE_MAGIC and path.suffix.lower() not in FILE_SUFFIXES


def _holds_only_other_files(path: Path) -> bool:
    names = [entry.name for entry in path.iterdir() if entry.name != ".gitignore"] if path.is_dir() else []
    return bool(names) and not any(name.endswith((SESSION_SUFFIX, JOURNAL_SUFFIX)) for name in names)


def _import(path: Path, folder: Path, feedback: Feedback) -> None:
    # Imported late: importers take 50 ms that our own files do not need.
    from pytest_benchdb.operations.exchange.importing import ImportRequest, import_files
    from pytest_benchdb.operations.exchange.missing_times import MTIME
    from pytest_benchdb.operations.exchange.sources import AUTO

    # Nothing of it is kept, so the file's own time is good enough where the tool wrote none.
    imported = import_files(ImportRequest(format=AUTO, paths=(path,), target=str(folder), at=MTIME), feedback.progress)
    if not any(file.importer for file in imported.files):
        raise ForeignFileError(
            f"{path} is neither a pytest-benchdb database nor a file that benchdb import can read; name another path"
        )
    if not any(file.sessions for file in imported.files):
        reasons = [f"{file.path}: {file.reason}" for file in imported.files if file.reason]
        raise ConfigError(f"file:{path} has no results that can be read; {reasons[0] if reasons else 'it is empty'}")
    for file in imported.files:
        if file.reason:
            feedback.warn(f"{file.path} is left out: {file.reason}")
        for problem in file.problems:
            feedback.warn(f"{file.path}: {problem.place}: {problem.text}")
