"""Resolves `--benchdb=PATH` to a folder of session files or to one file that grows, and says how to record there."""

import contextlib
import errno
import os
import re
import shlex
import stat
from collections.abc import Sequence
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
DEFAULT_FOLDERS = (".benchdb", ".benchdb-duet")
"""What pytest and duets record into when no PATH is given."""
_OTHER_SUFFIX = re.compile(r"\.(csv|gz|html?|ini|jsonl?|log|md|parquet|sqlite3?|toml|txt|xml|ya?ml|zip)", re.IGNORECASE)
_ADDRESS = re.compile(
    r"[a-z][a-z0-9+.-]+://|:(?!:)|(duckdb|file|md|motherduck|mysql|postgres(ql)?|sqlite):", re.IGNORECASE
)
_ADVICE = "give a folder or a .duckdb file"
_LONGEST_NAME = "x" * 64
"""As long as the names of our files within a folder."""
_SHOWN = 80
_IGNORED = "# Written by pytest-benchdb once, when it made this folder. Delete it to commit the results.\n*\n"
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
        ConfigError: PATH is a test, a URL, another kind of file or a folder with other files in it, or cannot be the
            name of a file.
    """
    if not text.strip():
        message = "--benchdb= has an empty PATH; give a folder or a .duckdb file, or leave '=' out for .benchdb/"
        raise ConfigError(message)
    expanded = os.path.expanduser(os.path.expandvars(text))
    path = Path(os.path.normpath(base / expanded))
    reason = _why_no_name(text, expanded, path)
    if reason is not None:
        raise ConfigError(f"--benchdb={text if len(text) <= _SHOWN else text[: _SHOWN - 3] + '...'}: {reason}")
    if "::" in text or path.suffix == ".py":
        raise ConfigError(_not_a_target(text, "is a test, not a database"))
    kind = _kind_of(path)
    if kind == "folder":
        foreign = _foreign_name(path)
        if foreign is not None:
            raise ConfigError(_not_a_target(text, f"holds {foreign!r}, so it is not a folder of sessions"))
        return Target(path=path, kind="folder")
    if kind in {"link", "other"}:
        what = "a link to nothing" if kind == "link" else "a pipe, a socket or a device"
        raise ConfigError(f"--benchdb={text}: {what}; {_ADVICE}")
    if path.suffix.lower() in FILE_SUFFIXES:
        return Target(path=path, kind="file")
    if kind == "file" and _kind_of(path) != "folder":  # another session may have made the folder meanwhile
        raise ConfigError(f"--benchdb={text}: an existing file that is not a .duckdb or .db file; {_ADVICE}")
    if _OTHER_SUFFIX.fullmatch(path.suffix):
        raise ConfigError(f"--benchdb={text}: not a folder but the name of a {path.suffix} file; {_ADVICE}")
    return Target(path=path, kind="folder")


def _kind_of(path: Path) -> Literal["folder", "file", "link", "other"] | None:
    """Return what is at a path; None if there is nothing, or it cannot be seen, or a link to a file yet to be made."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        # Without permission, the journal goes elsewhere and says why: the tests run all the same.
        is_link = error.errno in {errno.ENOENT, errno.ELOOP} and path.is_symlink()
        return "link" if is_link and path.suffix.lower() not in FILE_SUFFIXES else None
    if stat.S_ISDIR(mode):
        return "folder"
    return "file" if stat.S_ISREG(mode) else "other"


def _why_no_name(text: str, expanded: str, path: Path) -> str | None:
    """Return why PATH cannot be the name of a folder or a file; None if it can."""
    if _ADDRESS.match(text):
        return f"not a folder but the address of something else; {_ADVICE}"
    if expanded.startswith("~"):
        return f"this machine knows no user {expanded.partition('/')[0][1:]!r}; {_ADVICE}"
    if (character := unusable_character(str(path))) is not None:
        return f"DuckDB cannot open a path that has {character}; give another PATH"
    try:
        os.stat(os.path.join(f"{path}{INBOX_SUFFIX}", _LONGEST_NAME))
    except (OSError, ValueError) as error:
        if not isinstance(error, OSError):
            return "it has a null byte; give another PATH"
        if error.errno == errno.ENAMETOOLONG:
            return f"{error.strerror}; give another PATH"
    return None


def unusable_character(path: str) -> str | None:
    """Return the character of a path that DuckDB does not open as it is; None if it opens the path."""
    if "?" in path:
        return "a '?'"
    if os.name != "nt" and "\\" in path:  # it would open a folder of another name
        return "a backslash"
    try:
        path.encode()
    except UnicodeEncodeError:
        return "characters that are not UTF-8"
    return None


def _not_a_target(text: str, why: str) -> str:
    return (
        f"--benchdb={text}: {text} {why}. To run it and record into .benchdb/, type: pytest --benchdb=.benchdb {text}"
    )


def _foreign_name(folder: Path) -> str | None:
    """Return a name that does not belong in a folder of sessions; None if there is none, or if there is a session."""
    foreign = None
    with contextlib.suppress(PermissionError), os.scandir(folder) as entries:
        for entry in entries:
            name = entry.name
            if name.endswith((SESSION_SUFFIX, JOURNAL_SUFFIX)) and name != HISTORY_NAME:
                return None
            if not name.startswith(".") and not name.endswith(_OUR_ENDINGS) and name != ATTACHMENTS_NAME:
                foreign = foreign or name
    return foreign


def make_folder(folder: Path) -> None:
    """Create a folder of sessions if it is missing; one that the user did not name keeps itself out of git.

    Raises:
        OSError: it cannot be created.
    """
    try:
        folder.mkdir(parents=True)
    except OSError:  # a folder that exists may give any of several errors
        folder.mkdir(parents=True, exist_ok=True)
        return
    if folder.name in DEFAULT_FOLDERS:
        with contextlib.suppress(OSError), open(folder / ".gitignore", "x", encoding="utf-8") as file:
            file.write(_IGNORED)


def how_to_record(path: Path) -> str:
    """Return the command that records into a path, or into the default folder if the path would be refused."""
    try:
        resolve(os.fspath(path), Path.cwd())
    except ConfigError:
        return "pytest --benchdb"
    return (
        "pytest --benchdb" if path == Path(DEFAULT_FOLDERS[0]) else f"pytest --benchdb={shlex.quote(os.fspath(path))}"
    )


def missing_text(path: Path) -> str:
    """Return the message for a path that does not exist."""
    return f"{path} does not exist; record into it with: {how_to_record(path)}, or name another path"


def no_session_text(paths: Sequence[Path]) -> str:
    """Return the message for files and folders without a session."""
    here = Path.cwd()
    shown = [path.relative_to(here) if here in path.parents else path for path in paths]
    return f"{', '.join(map(str, shown))} contains no session; record one with: {how_to_record(shown[0])}"
