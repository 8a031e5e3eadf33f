"""Resolves `--benchdb=PATH` to a folder of session files, or to one file that grows."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pytest_benchdb.errors import ConfigError

SESSION_SUFFIX = ".duckdb"
JOURNAL_SUFFIX = ".journal.jsonl"
HISTORY_NAME = "history.duckdb"
INBOX_SUFFIX = ".inbox"
ATTACHMENTS_NAME = "attachments"
ATTACHMENTS_SUFFIX = ".attachments"
FILE_SUFFIXES = (".duckdb", ".db")
_OUR_ENDINGS = (SESSION_SUFFIX, ".duckdb.wal", JOURNAL_SUFFIX, ".lock")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where sessions are stored.

    Attributes:
        path: the folder or the file, absolute.
        kind: `folder` for one file per session, `file` for one file with every session.
    """

    path: Path
    kind: Literal["folder", "file"]

    @property
    def spool(self) -> Path:
        """The folder for journals and new session files."""
        if self.kind == "folder":
            return self.path
        return self.path.with_name(self.path.name + INBOX_SUFFIX)

    @property
    def attachments(self) -> Path:
        """The folder for attachments of runs."""
        if self.kind == "folder":
            return self.path / ATTACHMENTS_NAME
        return self.path.with_name(self.path.name + ATTACHMENTS_SUFFIX)


def resolve(text: str, base: Path) -> Target:
    """Return the target that PATH names, relative to `base`, without opening a database.

    Raises:
        ConfigError: PATH is a test file, a node id or a folder with other files in it, or has a character that DuckDB
            refuses.
    """
    if not text.strip():
        message = "--benchdb= has an empty PATH; give a folder or a .duckdb file, or leave '=' out for .benchdb/"
        raise ConfigError(message)
    path = Path(os.path.expandvars(text)).expanduser()
    path = path if path.is_absolute() else base / path
    path = Path(os.path.normpath(path))
    if "?" in str(path):
        message = f"--benchdb={text}: DuckDB cannot open a path that has a '?'; give another PATH"
        raise ConfigError(message)
    if "::" in text or path.suffix == ".py":
        raise ConfigError(_not_a_target(text, "is a test, not a database"))
    if path.is_dir():
        foreign = _foreign_name(path)
        if foreign is not None:
            raise ConfigError(_not_a_target(text, f"holds {foreign!r}, so it is not a folder of sessions"))
        return Target(path=path, kind="folder")
    if path.suffix.lower() in FILE_SUFFIXES:
        return Target(path=path, kind="file")
    if path.exists() and not path.is_dir():  # another session may have made the folder meanwhile
        advice = "name a folder or a new .duckdb file"
        raise ConfigError(f"--benchdb={text}: an existing file that is not a .duckdb or .db file; {advice}")
    return Target(path=path, kind="folder")


def _not_a_target(text: str, why: str) -> str:
    return (
        f"--benchdb={text}: {text} {why}. To run it and record into .benchdb/, type: pytest --benchdb=.benchdb {text}"
    )


def _foreign_name(folder: Path) -> str | None:
    """Return a name that does not belong in a folder of sessions; None if there is none, or if there is a session."""
    foreign = None
    with os.scandir(folder) as entries:
        for entry in entries:
            name = entry.name
            if name.endswith((SESSION_SUFFIX, JOURNAL_SUFFIX)):
                return None
            if not name.startswith(".") and not name.endswith(_OUR_ENDINGS) and name != ATTACHMENTS_NAME:
                foreign = foreign or name
    return foreign
