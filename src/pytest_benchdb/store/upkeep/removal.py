"""Removes sessions, or only their raw rounds, from a store."""

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pytest_benchdb.errors import StoreError
from pytest_benchdb.store.file_errors import translated
from pytest_benchdb.store.history.session_folder import journals
from pytest_benchdb.store.target import Target
from pytest_benchdb.store.upkeep.files import Content, content_of, files_of, held
from pytest_benchdb.store.upkeep.rewrite import Removal, rewrite


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """The outcome of a removal.

    Attributes:
        files: number of files that were removed or written anew.
        bytes_before: size of the store's files before it, attachments included.
        bytes_after: their size after it.
        problems: one line for each file that stayed as it was.
    """

    files: int
    bytes_before: int
    bytes_after: int
    problems: tuple[str, ...]


def remove(
    target: Target, removal: Removal, *, progress: Callable[[int, int], None] = lambda _done, _total: None
) -> Removed:
    """Remove what `removal` names from an existing folder or file, each file all or nothing.

    Raises:
        StoreLockedError: other processes use the store.
        StoreError: it cannot be written.
    """
    with held(target) as problems:
        before = stored_bytes(target)
        files = files_of(target)
        contents: list[Content] = []
        changed = 0
        for done, file in enumerate(files):
            progress(done, len(files))
            try:
                content = content_of(file)
                contents.append(content)
                changed += _remove_from(content, removal, target)
            except StoreError as error:
                problems.append(str(error))
        if removal.sessions and not problems:
            _remove_attachments(target, contents)
        return Removed(
            files=changed,
            bytes_before=before,
            bytes_after=stored_bytes(target),
            problems=tuple(dict.fromkeys(problems)),
        )


def stored_bytes(target: Target) -> int:
    """Return the size of a store: its files and attachments, without the history that can be made again."""
    sizes = 0
    for path in [*files_of(target), *_attachments(target)]:
        with contextlib.suppress(OSError):
            sizes += path.stat().st_size
    return sizes


def _remove_from(content: Content, removal: Removal, target: Target) -> bool:
    own = set(content.sessions)
    if own.isdisjoint({*removal.sessions, *removal.rounds}):
        return False
    if target.kind == "folder" and own <= set(removal.sessions) and not content.annotations:
        with translated(os.fspath(content.path)):
            content.path.unlink()
    else:
        rewrite(content.path, content.path, removal)
    return True


def _attachments(target: Target) -> list[Path]:
    try:
        return [path for path in target.attachments.iterdir() if path.is_file() and not path.is_symlink()]
    except OSError:
        return []


def _remove_attachments(target: Target, before: list[Content]) -> None:
    """Remove the attachments that a removed session had, unless a remaining or running one may have them too."""
    if journals(target.spool):
        return
    used = {checksum for content in before for checksum in content.attachments}
    try:
        for file in files_of(target):
            used -= content_of(file).attachments
    except StoreError:
        return
    for path in _attachments(target):
        if path.name in used:
            with contextlib.suppress(OSError):
                path.unlink()
