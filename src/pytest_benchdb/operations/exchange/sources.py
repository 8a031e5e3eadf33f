"""Find what can be imported in files and folders, and choose an importer for each."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_benchdb.errors import ConfigError, ImportFormatError
from pytest_benchdb.importers.reading.files import head_of
from pytest_benchdb.interfaces import Importer, ReadsFolders

AUTO = "auto"
_HEAD_BYTES = 65_536
_MOST_FILES = 1_000_000
_SAVED = frozenset({".benchmarks", ".codspeed", ".asv"})
"""Where tools save their results: the only hidden folders that we search."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file, or a folder of results that belong together.

    Attributes:
        path: as named by the user, or found in a named folder.
        files: the files that it consists of.
        base: the folder that the user named, or that holds the named file.
        importer: name of the importer; None if none can read it.
        reason: why it cannot be read.
        is_named: whether the user named it, rather than a folder that holds it.
    """

    path: Path
    files: tuple[Path, ...]
    base: Path = Path()
    importer: str | None = None
    reason: str | None = None
    is_named: bool = False


def find_sources(
    paths: Sequence[Path], format_name: str, importers: Mapping[str, Importer], *, recursive: bool = True
) -> Iterator[Source]:
    """Yield what is to be imported, in the order of the paths; of a folder that a tool wrote, once as a whole.

    Hidden files and folders in a folder are skipped, except those in which tools save; links to folders are not
    followed.

    Raises:
        ConfigError: a path does not exist, or is neither a file nor a folder.
    """
    allowed = {name: each for name, each in importers.items() if format_name in {AUTO, name}}
    of_files = {name: each for name, each in allowed.items() if not isinstance(each, ReadsFolders)}
    trees = {name: each for name, each in allowed.items() if isinstance(each, ReadsFolders)}
    for path in paths:
        if path.is_dir():
            yield from _in_folder(path, format_name, of_files, trees, recursive=recursive)
        elif path.is_file():
            yield replace(_of_file(path, format_name, of_files, is_named=True), base=path.parent)
        elif path.exists():
            raise ConfigError(f"{path} is neither a file nor a folder; save its output to a file")
        else:
            raise ConfigError(f"{path} does not exist; name a file or a folder to import")


def _in_folder(
    path: Path,
    format_name: str,
    importers: Mapping[str, Importer],
    trees: Mapping[str, ReadsFolders],
    *,
    recursive: bool,
) -> Iterator[Source]:
    roots: dict[tuple[str, Path], list[Path]] = {}
    for file in files_in(path, recursive=recursive):
        root = next(((name, root) for name, tree in trees.items() if (root := tree.root_of(file, path))), None)
        if root is not None:
            roots.setdefault(root, []).append(file)
        else:
            yield replace(_of_file(file, format_name, importers, is_named=False), base=path)
    for (name, folder), files in roots.items():
        yield Source(path=folder, files=tuple(files), base=path, importer=name)


def files_in(path: Path, *, recursive: bool) -> Iterator[Path]:
    """Yield the files of a folder that an import looks at, by name.

    Raises:
        ConfigError: there are too many.
    """
    found = 0
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith(".") or name in _SAVED) if recursive else []
        for name in sorted(name for name in names if not name.startswith(".")):
            found += 1
            if found > _MOST_FILES:
                raise ConfigError(f"{path} holds more than {_MOST_FILES:,} files; name one of its folders")
            file = Path(folder, name)
            if file.is_file():  # reading from a pipe would wait forever
                yield file


def _of_file(path: Path, format_name: str, importers: Mapping[str, Importer], *, is_named: bool) -> Source:
    """Return a file with the named importer, or the first that can read it; or why none can."""
    try:
        head = head_of(path, _HEAD_BYTES)
    except ImportFormatError as error:
        return Source(path=path, files=(path,), reason=str(error), is_named=is_named)
    for name, importer in importers.items():
        if _can_read(importer, path, head):
            return Source(path=path, files=(path,), importer=name, is_named=is_named)
    reason = _no_importer(path, format_name, importers) if is_named else None
    return Source(path=path, files=(path,), reason=reason, is_named=is_named)


def _can_read(importer: Importer, path: Path, head: bytes) -> bool:
    try:
        return bool(importer.can_read(path, head))
    except Exception:  # noqa: BLE001 - an importer of another package that fails cannot read the file
        return False


def _no_importer(path: Path, format_name: str, importers: Mapping[str, Importer]) -> str:
    if not path.stat().st_size:
        return "it is empty: its writer died, or has not finished"
    if format_name == AUTO:
        return f"its format is unknown; known formats: {', '.join(importers)}"
    if not importers:
        return f"{format_name} results are a folder; name that"
    return f"it is not a {format_name} file; use FORMAT auto to detect its format"
