"""Keeps the attachments of runs beside the database, each file named by the hash of its bytes.

They are in ``attachments/`` within a folder of sessions, in ``<file>.attachments/`` beside a single file. Equal files
are kept once, and a file gets its name only when it is complete.
"""

import contextlib
import hashlib
import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pytest_benchdb.errors import StoreError
from pytest_benchdb.model.identity import uuid7
from pytest_benchdb.model.run import Attachment
from pytest_benchdb.store.cache import spool_folder
from pytest_benchdb.store.target import ATTACHMENTS_NAME, INBOX_SUFFIX, Target

_DIGEST_BYTES = 20
"""As long as git's names; ``b2sum -l 160`` prints the same."""
_PIECE_BYTES = 1 << 20
_PART_SUFFIX = ".part"
_STALE_S = 3600.0
_ENCODED = {
    "gzip": "application/gzip",
    "bzip2": "application/x-bzip2",
    "xz": "application/x-xz",
    "compress": "application/x-compress",
    "br": "application/x-brotli",
}
"""Types of compressed files; the type of the content would mislead a program that opens one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptFile:
    """A stored attachment, as in the table `attachment`.

    Attributes:
        media_type: by the file name's ending; None if unknown.
        checksum: BLAKE2b of its bytes, 160 bits, hexadecimal; the name under which it is kept.
        created_us: when it was stored, microseconds since the epoch, UTC.
    """

    attachment_id: str
    name: str
    media_type: str | None
    checksum: str
    size_bytes: int
    created_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAttachments:
    """The stored attachments of a run, and one line for each that could not be stored."""

    files: tuple[KeptFile, ...] = ()
    lost: tuple[str, ...] = ()


def spool_attachments() -> Path:
    """Return the fallback folder for attachments whose own folder cannot be written.

    Raises:
        OSError: it cannot be made.
    """
    return spool_folder() / ATTACHMENTS_NAME


def attachment_folders(path: Path) -> tuple[Path, ...]:
    """Return the folders that may hold the attachments of a file or folder of sessions, most probable first.

    A session file may be in a folder of sessions or in the inbox of a single file.
    """
    if path.is_dir():
        folders = [attachments_of_spool(path)]
    else:
        folders = [Target(path=path, kind="file").attachments, attachments_of_spool(path.parent)]
    with contextlib.suppress(OSError):
        folders.append(spool_attachments())
    return tuple(folders)


def attachments_of_spool(spool: Path) -> Path:
    """Return the folder for the attachments of a spool, which is a folder of sessions or an inbox."""
    if not spool.name.endswith(INBOX_SUFFIX):
        return Target(path=spool, kind="folder").attachments
    return Target(path=spool.with_name(spool.name.removesuffix(INBOX_SUFFIX)), kind="file").attachments


def find_attachment(checksum: str, folders: Iterable[Path]) -> Path | None:
    """Return the path of an attachment; None if no folder has it."""
    if not checksum.isalnum():  # it came from a database: never a path
        return None
    return next((folder / checksum for folder in folders if (folder / checksum).is_file()), None)


def keep_attachments(
    attachments: Sequence[Attachment], folder: Path, *, spare: Callable[[], Path] = spool_attachments
) -> KeptAttachments:
    """Copy the attachments of a run into a folder; a failure does not affect the others.

    Args:
        attachments: the files of the run.
        folder: where to keep them; created with the first file.
        spare: returns the folder to use if `folder` cannot be written.
    """
    files: list[KeptFile] = []
    lost: list[str] = []
    for attachment in attachments:
        try:
            checksum, size_bytes = _copied(Path(attachment.path), _folders(folder, spare))
        except StoreError as error:
            lost.append(f"{attachment.name}: {error}")
            continue
        files.append(
            KeptFile(
                attachment_id=uuid7(),
                name=attachment.name,
                media_type=_media_type(attachment),
                checksum=checksum,
                size_bytes=size_bytes,
                created_us=time.time_ns() // 1000,
            )
        )
    return KeptAttachments(files=tuple(files), lost=tuple(lost))


def copy_attachments(checksums: Mapping[str, str], source: Path, target: Path) -> list[str]:
    """Copy attachments of another store that `target` lacks; return one line for each failure.

    Args:
        checksums: names of the files by checksum.
        source: the session file or history that they belong to.
        target: folder to copy into.
    """
    problems = []
    for checksum, name in sorted(checksums.items()):
        if find_attachment(checksum, [target]) is not None:
            continue
        kept = find_attachment(checksum, attachment_folders(source))
        if kept is None:
            problems.append(f"{name} ({checksum}) is not beside {source}")
            continue
        try:
            _copied(kept, [target], expected=checksum)
        except StoreError as error:
            problems.append(f"{name}: {error}")
    return problems


def remove_stale_copies(folder: Path, *, older_than_s: float = _STALE_S) -> None:
    """Remove unfinished copies that dead processes left in a folder of attachments."""
    with contextlib.suppress(OSError):
        for path in folder.iterdir():
            if path.name.startswith(".") and path.name.endswith(_PART_SUFFIX):
                with contextlib.suppress(OSError):
                    if time.time() - path.stat().st_mtime > older_than_s:
                        path.unlink()


def _folders(folder: Path, spare: Callable[[], Path]) -> Iterator[Path]:
    yield folder
    try:
        other = spare()
    except OSError:
        return
    yield other


def _copied(path: Path, folders: Iterable[Path], *, expected: str | None = None) -> tuple[str, int]:
    """Copy a file into the first folder that can be written; return its checksum and size."""
    problem = ""
    for folder in folders:
        part = folder / f".{uuid7()}{_PART_SUFFIX}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with open(part, "xb") as target:
                checksum, size_bytes = _copy(path, target)
            if checksum != (expected or checksum):
                raise StoreError(f"{path} has changed since it was attached")
            os.replace(part, folder / checksum)
        except OSError as error:
            problem = problem or f"{folder} cannot be written: {error.strerror or error}"
        else:
            return checksum, size_bytes
        finally:
            with contextlib.suppress(OSError):
                part.unlink()
    raise StoreError(problem)


def _copy(path: Path, target: BinaryIO) -> tuple[str, int]:
    """Copy a file, hashing the bytes written: another process may change the file meanwhile."""
    digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
    size_bytes = 0
    for piece in _pieces(path):
        target.write(piece)
        digest.update(piece)
        size_bytes += len(piece)
    return digest.hexdigest(), size_bytes


def _pieces(path: Path) -> Iterator[bytes]:
    try:
        # Reading a pipe that has replaced the file would block.
        if not stat.S_ISREG(path.stat().st_mode):
            raise StoreError(f"{path} is not a regular file")
        with open(path, "rb") as source:
            while piece := source.read(_PIECE_BYTES):
                yield piece
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror or error}") from error


def _media_type(attachment: Attachment) -> str | None:
    import mimetypes

    # A new object has only the standard library's types, which are the same on every machine.
    types = mimetypes.MimeTypes()
    for name in (attachment.name, attachment.path):
        kind, encoding = types.guess_type(name)
        if kind or encoding:
            return _ENCODED.get(encoding, kind) if encoding else kind
    return None
