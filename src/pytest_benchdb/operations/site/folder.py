"""The folder of a site: it knows its own files, writes those that changed, and leaves everything else alone.

A list of the site's own files lies in the folder itself. It is written before the first page, so that a site that was
interrupted half-way still knows its files, and again at the end, with what each page was made of.
"""

import errno
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.answer.picture import KnownPages
from pytest_benchdb.operations.exchange.output_file import why_not_written, write_file

LIST = "benchdb-site.json"
"""Name of the list of the site's own files."""

SITE_SCHEMA = "benchdb.site/1"

_OWN_NAME = re.compile(r"(?:(?:benchmarks|sessions|data|assets)/)?[\w.~-]{1,160}\.(?:html|js|css|xml|svg)", re.ASCII)
_MOST_BYTES = 256 << 20
_NOTHING = KnownPages(benchmarks={}, sessions={})


@dataclass(frozen=True, slots=True, kw_only=True)
class PageMark:
    """A file as it was written: its digest, and its size in bytes."""

    digest: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFolder:
    """A folder as its list describes it.

    Attributes:
        path: the folder; it need not exist.
        files: the site's own files by name; None for one that may be incomplete.
        known: digests of the pages that are there and complete.
        rows: what the site keeps of each benchmark for its tables, by full name, as `present.site` wrote it.
    """

    path: Path
    files: Mapping[str, PageMark | None] = field(default_factory=dict)
    known: KnownPages = _NOTHING
    rows: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenSite:
    """What was done to a folder: numbers of files."""

    written: int
    unchanged: int
    removed: int


def open_folder(path: Path) -> SiteFolder:
    """Return what a folder has of a site; nothing of one that does not exist.

    Raises:
        ConfigError: it is not a folder, or it cannot be read.
    """
    try:
        if not path.exists():
            return SiteFolder(path=path)
        if not path.is_dir():
            raise ConfigError(f"-o {path} is not a folder; name a folder for the site")
        listed = path / LIST
        if listed.is_symlink() or not listed.is_file() or listed.stat().st_size > _MOST_BYTES:
            return SiteFolder(path=path)
        found = json.loads(listed.read_bytes())
    except (OSError, ValueError) as error:
        if isinstance(error, OSError):
            reason = error.strerror or str(error)
            raise ConfigError(f"-o {path} cannot be read: {reason}; name another folder") from error
        return SiteFolder(path=path)
    return _from_list(path, found)


def _from_list(path: Path, found: Any) -> SiteFolder:
    """Return a folder from its list, which anyone may have changed: what is not as we write it is left out."""
    if not isinstance(found, dict) or found.get("schema") != SITE_SCHEMA:
        return SiteFolder(path=path)
    files = {name: _mark(mark) for name, mark in _table(found, "files").items() if _OWN_NAME.fullmatch(name)}
    is_there = {name for name, mark in files.items() if mark is not None and _has_size(path / name, mark.size)}

    def digests(kind: str) -> dict[str, str]:
        return {
            key: entry["digest"]
            for key, entry in _table(found, kind).items()
            if isinstance(entry, dict)
            and isinstance(entry.get("digest"), str)
            and isinstance(entry.get("files"), list)
            and is_there.issuperset(filter(_is_text, entry["files"]))
        }

    known = KnownPages(
        benchmarks=digests("benchmarks"), sessions=digests("sessions"), matrix=digests("pages").get("matrix")
    )
    rows = {key: entry.get("row") for key, entry in _table(found, "benchmarks").items() if key in known.benchmarks}
    return SiteFolder(path=path, files=files, known=known, rows=rows)


def _table(found: dict[str, Any], key: str) -> dict[str, Any]:
    value = found.get(key)
    return value if isinstance(value, dict) else {}


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _mark(value: Any) -> PageMark | None:
    if isinstance(value, dict) and isinstance(value.get("digest"), str) and isinstance(value.get("size"), int):
        return PageMark(digest=value["digest"], size=value["size"])
    return None


def _has_size(path: Path, size: int) -> bool:
    try:
        return not path.is_symlink() and path.stat().st_size == size
    except OSError:
        return False


def write_site(
    folder: SiteFolder, files: Mapping[str, bytes], kept: Iterable[str], entries: Mapping[str, object]
) -> WrittenSite:
    """Write the files that differ from those in the folder, and remove those of the site that are no longer part of it.

    Each file is replaced as a whole. Files that the site did not write are neither replaced nor removed.

    Args:
        folder: what the folder has.
        files: the new files by name, in the order in which they are to be written: what pages load goes before them.
        kept: names of files that stay as they are.
        entries: what goes into the list besides the files.

    Raises:
        ConfigError: a file cannot be written, is a link, or is not the site's own.
    """
    path = folder.path
    kept = [name for name in kept if name in folder.files]
    _check_free(path, LIST, own=True)
    for name in files:
        _check_free(path, name, own=name in folder.files)
    _make_folders(path, {(path / name).parent for name in files})
    marks: dict[str, PageMark | None] = {name: folder.files[name] for name in kept}
    fresh = {name: PageMark(digest=_digest(content), size=len(content)) for name, content in files.items()}
    written = [name for name in files if _content_digest(path / name) != fresh[name].digest]
    if written:
        planned: dict[str, PageMark | None] = {**folder.files, **dict.fromkeys(written)}
        _write_list(path, planned, entries)
    for name in written:
        write_file(path / name, [files[name]])
    marks.update(fresh)
    removed = [name for name, mark in folder.files.items() if name not in marks and _remove(path / name, mark)]
    _write_list(path, marks, entries)
    return WrittenSite(written=len(written), unchanged=len(marks) - len(written), removed=len(removed))


def _check_free(path: Path, name: str, *, own: bool) -> None:
    target = path / name
    place = next((part for part in (target, *target.parents[: name.count("/") + 1]) if part.is_symlink()), None)
    if place is not None and place != path:
        raise ConfigError(f"{place} is a link, which benchdb site does not follow; remove it, or name another folder")
    if not own and target.exists():
        raise ConfigError(
            f"{target} is there already, and benchdb site did not write it; name another folder with -o, or remove it"
        )


def _make_folders(path: Path, folders: Iterable[Path]) -> None:
    try:
        for folder in sorted(folders):
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        if error.errno == errno.EEXIST:
            raise ConfigError(f"{error.filename} is a file; name another folder with -o, or remove it") from error
        raise ConfigError(f"-o {path} {why_not_written(error)}") from error


def _content_digest(path: Path) -> str | None:
    try:
        return _digest(path.read_bytes())
    except OSError:
        return None


def _remove(path: Path, mark: PageMark | None) -> bool:
    """Remove a file that is as the site wrote it; return whether it was."""
    if mark is None or path.is_symlink() or _content_digest(path) != mark.digest:
        return False
    try:
        path.unlink()
    except OSError:
        return False
    return True


def _write_list(path: Path, files: Mapping[str, PageMark | None], entries: Mapping[str, object]) -> None:
    marks = {name: None if mark is None else asdict(mark) for name, mark in sorted(files.items())}
    text = json.dumps({"schema": SITE_SCHEMA, "files": marks, **entries}, separators=(",", ":"), sort_keys=True)
    content = text.encode() + b"\n"
    if _content_digest(path / LIST) != _digest(content):
        write_file(path / LIST, [content])


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()
