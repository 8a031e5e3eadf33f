"""Tells what is ours from the files of other tools, without reading them."""

from pathlib import Path

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
