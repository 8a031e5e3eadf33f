"""Backs a store up into a folder of content-addressed files, and restores it from there.

``files/`` has each stored file and attachment once, named by the BLAKE2b of its bytes; ``backup-<utc>.json`` lists the
files of one backup, so that every backup is whole and costs only what is new. Everything is read back before its list
is written: a backup that was interrupted has no list, and the next one goes on with its files.
"""

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from pytest_benchdb.errors import ConfigError, CorruptFileError, ForeignFileError, StoreError, StoreMissingError
from pytest_benchdb.store.file_errors import translated
from pytest_benchdb.store.history.session_folder import journals
from pytest_benchdb.store.history.single_file import open_for_writing
from pytest_benchdb.store.journal.fold import sync_file
from pytest_benchdb.store.lock import file_lock
from pytest_benchdb.store.target import ATTACHMENTS_NAME, Target, make_folder
from pytest_benchdb.store.upkeep.files import WAIT_S, content_of, files_of, held

SCHEMA = "benchdb.backup/1"
_FILES = "files"
_LOCK = "backup.lock"
_LIST = "backup-{}.json"
_STAMP = "%Y%m%dT%H%M%S.%fZ"
_PIECE_BYTES = 1 << 20
_LIST_BYTES = 256_000_000
_DIGEST_BYTES = 32

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A file of a backup.

    Attributes:
        name: in the store, relative; that of an attachment begins with its folder.
        checksum: BLAKE2b of its bytes, 256 bits, hexadecimal; its name in the backup.
    """

    name: str
    checksum: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """One backup.

    Attributes:
        path: its list.
        created_at: UTC.
        kind: of the store.
        files: what the store consisted of.
    """

    path: Path
    created_at: datetime
    kind: Literal["folder", "file"]
    files: tuple[Entry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BackedUp:
    """The outcome of backing up.

    Attributes:
        copied: number of files that the backup folder did not have.
        copied_bytes: their size.
        expired: earlier backups that were removed.
        problems: one line for each session that is not in it.
    """

    backup: Backup
    copied: int
    copied_bytes: int
    expired: tuple[Path, ...]
    problems: tuple[str, ...]


def back_up(
    target: Target,
    folder: Path,
    *,
    now: datetime,
    full: bool = False,
    retain: timedelta | None = None,
    progress: Progress = lambda _done, _total: None,
) -> BackedUp:
    """Back an existing store up into `folder`.

    Args:
        target: the store.
        folder: of backups; created if it is missing.
        now: the time of the backup, UTC.
        full: copy every file anew; else only those that no earlier backup has.
        retain: remove backups that are older, once this one is complete; None removes none.
        progress: called with the numbers of files done and in total.

    Raises:
        ConfigError: the folder is the store or lies within it, or has other files in it.
        StoreLockedError: other processes use the store, or make a backup.
        StoreError: something cannot be read or written; there is no new backup then.
    """
    folder = folder.absolute()
    inside = target.path.resolve() if target.kind == "folder" else None
    if inside is not None and (inside == folder.resolve() or inside in folder.resolve().parents):
        raise ConfigError(f"{folder} is within {target.path}, which is to be backed up; name a folder outside of it")
    _require_backups(folder, may_be_new=True)
    with translated(os.fspath(folder)):
        (folder / _FILES).mkdir(parents=True, exist_ok=True)
    with translated(os.fspath(folder)), file_lock(folder / _LOCK, timeout_s=WAIT_S):
        earlier = backups_in(folder)
        entries, copied, copied_bytes, problems = _copy_store(target, folder / _FILES, full, progress)
        backup = Backup(
            path=folder / _LIST.format(now.strftime(_STAMP)), created_at=now, kind=target.kind, files=tuple(entries)
        )
        _write_list(backup)
        expired = [old for old in earlier if retain is not None and old.created_at < now - retain]
        _expire(folder, expired, [backup, *(old for old in earlier if old not in expired)])
    return BackedUp(
        backup=backup,
        copied=copied,
        copied_bytes=copied_bytes,
        expired=tuple(old.path for old in expired),
        problems=tuple(problems),
    )


def restore(backup: Backup, target: Target, *, progress: Progress = lambda _done, _total: None) -> None:
    """Write the store of a backup to a place where there is none; every file is compared with its checksum.

    Raises:
        ConfigError: there is something already, or the target is a file and the backup of a folder, or the reverse.
        CorruptFileError: a file of the backup is missing or damaged; nothing is written then.
        StoreError: the target cannot be written.
    """
    if backup.kind != target.kind:
        what = "a folder" if backup.kind == "folder" else "a single file"
        raise ConfigError(
            f"{target.path}: the backup is of {what}; restore it as such, and copy it with: benchdb merge"
        )
    if target.path.exists() and (target.kind == "file" or any(target.path.iterdir())):
        raise ConfigError(
            f"{target.path} exists, and a backup never replaces what is there; restore to another place, and take "
            f"over its sessions with: benchdb merge, or move {target.path} away"
        )
    source = backup.path.parent / _FILES
    with translated(os.fspath(target.path)):
        target.path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".restore-", dir=target.path.parent) as scratch:
            parts = []
            for done, entry in enumerate(backup.files):
                progress(done, len(backup.files))
                part = Path(scratch) / f"{done}"
                _copy_checked(source / entry.checksum, part, entry.checksum)
                parts.append((part, _place(target, entry.name)))
            make_folder(target.path if target.kind == "folder" else target.path.parent)
            # Attachments first: a session never lacks them. `reversed`, because they come last in a list.
            for part, place in reversed(parts):
                place.parent.mkdir(exist_ok=True)
                os.replace(part, place)


def backups_in(folder: Path) -> list[Backup]:
    """Return the backups of a folder, oldest first.

    Raises:
        StoreMissingError: the folder does not exist.
        StoreError: a list is damaged.
    """
    if not folder.is_dir():
        raise StoreMissingError(f"{folder} is not a folder of backups; make one with: benchdb backup {folder}")
    return sorted((_read_list(path) for path in folder.glob(_LIST.format("*"))), key=lambda backup: backup.created_at)


def _require_backups(folder: Path, *, may_be_new: bool) -> None:
    if folder.is_dir():
        names = os.listdir(folder)
        if names and _FILES not in names and _LOCK not in names:
            raise ConfigError(f"{folder} holds {min(names)!r}, so it is not a folder of backups; name a new folder")
    elif folder.exists() or not may_be_new:
        raise ConfigError(f"{folder} is not a folder; name a folder for backups")


def _copy_store(target: Target, files: Path, full: bool, progress: Progress) -> tuple[list[Entry], int, int, list[str]]:
    """Copy the files of a store; return all of them, the number and size of the copied ones, and problems."""
    entries: list[Entry] = []
    copied = copied_bytes = 0
    with held(target) as problems:
        if target.kind == "file" and os.path.exists(f"{target.path}.wal"):
            with open_for_writing(os.fspath(target.path), wait_s=WAIT_S):
                pass  # opening it takes the log in
        problems += [f"{journal} is not in the backup: its session still runs" for journal in journals(target.spool)]
        stored = _stored_files(target)
        for done, (path, name) in enumerate(stored):
            progress(done, len(stored))
            checksum, is_new = _keep(path, files, full=full)
            if is_new and "/" not in name and (damage := _damage(path)):
                problems.append(f"{damage}; it is in the backup as it is")
            size = path.stat().st_size
            copied += is_new
            copied_bytes += size if is_new else 0
            entries.append(Entry(name=name, checksum=checksum, size_bytes=size))
    return entries, copied, copied_bytes, problems


def _stored_files(target: Target) -> list[tuple[Path, str]]:
    """Return the files of a store with their names in its backup, attachments last."""
    stored = [(path, path.name) for path in files_of(target)]
    with contextlib.suppress(OSError):
        stored += [
            (path, f"{ATTACHMENTS_NAME}/{path.name}")
            for path in sorted(target.attachments.iterdir())
            if path.is_file() and not path.is_symlink() and not path.name.startswith(".")
        ]
    return stored


def _keep(path: Path, files: Path, *, full: bool) -> tuple[str, bool]:
    """Copy a file into a backup unless it is there; return its checksum, and whether it was copied."""
    checksum = _checksum(path)
    kept = files / checksum
    if kept.exists() and not full and kept.stat().st_size == path.stat().st_size:
        return checksum, False
    part = files / f".{checksum}.part"
    try:
        _copy_checked(path, part, checksum)
        os.replace(part, kept)
    finally:
        part.unlink(missing_ok=True)
    return checksum, True


def _damage(path: Path) -> str | None:
    try:
        content_of(path)
    except StoreError as error:
        return str(error)
    return None


def _copy_checked(source: Path, target: Path, checksum: str) -> None:
    """Copy a file and read the copy back.

    Raises:
        CorruptFileError: the copy is not what it should be.
    """
    if not source.is_file():
        raise CorruptFileError(f"{source} is missing from the backup; restore an earlier one with --at")
    shutil.copyfile(source, target)
    sync_file(os.fspath(target))
    if _checksum(target) != checksum:
        raise CorruptFileError(f"{source} is damaged, or changed while it was copied; make or restore another backup")


def _checksum(path: Path) -> str:
    digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            digest.update(piece)
    return digest.hexdigest()


def _write_list(backup: Backup) -> None:
    content = {
        "schema": SCHEMA,
        "created_at": backup.created_at.isoformat(),
        "kind": backup.kind,
        "files": [asdict(entry) for entry in backup.files],
    }
    part = backup.path.with_name(f".{backup.path.name}.part")
    part.write_text(json.dumps(content, indent=1), encoding="utf-8")
    sync_file(os.fspath(part))
    os.replace(part, backup.path)


def _read_list(path: Path) -> Backup:
    """Read the list of a backup, which may come from elsewhere: its names must be those of files in a store."""
    try:
        content = json.loads(path.read_text(encoding="utf-8")) if path.stat().st_size <= _LIST_BYTES else {}
        backup = Backup(
            path=path,
            created_at=datetime.fromisoformat(content["created_at"]),
            kind=content["kind"],
            files=tuple(Entry(**entry) for entry in content["files"]),
        )
        is_ours = content["schema"] == SCHEMA and backup.kind in ("folder", "file") and all(map(_is_safe, backup.files))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ForeignFileError(f"{path} is not the list of a backup: {error}; move it away") from error
    if not is_ours:
        raise ForeignFileError(f"{path} is not the list of a backup, or of a newer version; move it away")
    return backup


def _is_safe(entry: Entry) -> bool:
    """Return whether the names of an entry are those of a file within a store, and within a backup."""
    folder, _, name = entry.name.rpartition("/")
    is_name = name not in ("", ".", "..") and not {os.sep, "\\", "\0"} & set(name)
    return folder in ("", ATTACHMENTS_NAME) and is_name and entry.checksum.isalnum()


def _place(target: Target, name: str) -> Path:
    folder, _, own = name.rpartition("/")
    if folder:
        return target.attachments / own
    return target.path / own if target.kind == "folder" else target.path


def _expire(folder: Path, expired: Sequence[Backup], kept: Sequence[Backup]) -> None:
    """Remove lists, then the files that no remaining list has."""
    for backup in expired:
        backup.path.unlink()
    used = {entry.checksum for backup in kept for entry in backup.files}
    if expired:
        for path in (folder / _FILES).iterdir():
            if path.name not in used:
                path.unlink()
