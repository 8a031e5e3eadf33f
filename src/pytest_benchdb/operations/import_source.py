"""Finds the files of an import, chooses who reads them, and reads one of them whole."""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_benchdb.errors import BenchdbError, ConfigError, ImportFormatError
from pytest_benchdb.importers.file_content import head_of
from pytest_benchdb.interfaces import Importer
from pytest_benchdb.model.imported import ImportedSession, ImportProblem

AUTO = "auto"
MOST_PROBLEMS = 1000
"""Problems of one file that are kept one by one; the rest is counted."""

_HEAD_BYTES = 65_536
_MOST_FILES = 100_000
_LATEST_US = 253_402_300_799_000_000  # the end of the year 9999, beyond which neither Python nor people tell times
_PIECE = 1 << 20
_SAVED = ".benchmarks"
"""Where pytest-benchmark saves: the one hidden folder that is looked into."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileContent:
    """What was read from one file.

    Attributes:
        path: as the user gave it, or found below what the user gave.
        importer: who read it; None if nobody could.
        checksum: BLAKE2b of its bytes; None if it could not be read.
        problems: what was left out or remarked, at most `MOST_PROBLEMS`.
        refused: how many parts of it were left out.
        reason: why nothing of it can be taken; None if something can.
    """

    path: Path
    importer: str | None = None
    checksum: str | None = None
    sessions: tuple[ImportedSession, ...] = ()
    problems: tuple[ImportProblem, ...] = ()
    refused: int = 0
    reason: str | None = None


def find_files(paths: Sequence[Path]) -> Iterator[tuple[Path, bool]]:
    """Yield the files that a user named, and those in the folders; and whether each was named itself.

    Hidden files and folders below a folder are passed over, but for ``.benchmarks``; links to folders are not followed.

    Raises:
        ConfigError: a path does not exist, or a folder holds too many files.
    """
    for path in paths:
        if path.is_dir():
            found = 0
            for folder, folders, names in os.walk(path):
                folders[:] = sorted(name for name in folders if not name.startswith(".") or name == _SAVED)
                for name in sorted(name for name in names if not name.startswith(".")):
                    found += 1
                    if found > _MOST_FILES:
                        raise ConfigError(f"{path} holds more than {_MOST_FILES} files; name one of its folders")
                    if Path(folder, name).is_file():  # to read from a pipe would be to wait for ever
                        yield Path(folder, name), False
        elif path.is_file():
            yield path, True
        elif path.exists():
            raise ConfigError(f"{path} is neither a file nor a folder; save what it gives to a file")
        else:
            raise ConfigError(f"{path} does not exist; name a file or a folder to import")


def reader_of(path: Path, name: str, importers: Mapping[str, Importer]) -> tuple[str, Importer] | None:
    """Return who reads a file: the importer that was named, or the first that can; None if nobody can.

    Raises:
        ImportFormatError: the file cannot be opened.
        ConfigError: there is no importer of that name.
    """
    if name != AUTO and name not in importers:
        raise ConfigError(f"FORMAT {name!r} is unknown; write one of {', '.join((AUTO, *importers))}")
    head = head_of(path, _HEAD_BYTES)
    for known, importer in importers.items():
        if name in {AUTO, known} and _can_read(importer, path, head):
            return known, importer
    return None


def read_file(path: Path, name: str, importer: Importer) -> FileContent:
    """Read a file to its end; nothing of it is taken if that fails."""
    sessions: list[ImportedSession] = []
    problems: list[ImportProblem] = []
    refused = 0
    nothing = FileContent(path=path, importer=name)
    try:
        checksum = _checksum(path)
        for item in importer.read(path):
            told = item if isinstance(item, ImportProblem) else _problem_of(item)
            if told is None:
                sessions.append(item)  # type: ignore[arg-type]
                continue
            refused += told.refused
            if len(problems) < MOST_PROBLEMS:
                problems.append(told)
    except BenchdbError as error:
        return replace(nothing, reason=" ".join(str(error).split()))
    except OSError as error:
        return replace(nothing, reason=f"it cannot be read: {error.strerror or error}")
    except Exception as error:  # noqa: BLE001 - an importer of another package must not end the import of other files
        return replace(nothing, reason=f"the importer {name} failed with {type(error).__name__}: {error}"[:300])
    reason = None
    if not sessions:
        reason = f"none of its {refused} items can be taken" if refused else "it has no session"
    return FileContent(
        path=path,
        importer=name,
        checksum=checksum,
        sessions=tuple(sessions),
        problems=tuple(problems),
        refused=refused,
        reason=reason,
    )


def _can_read(importer: Importer, path: Path, head: bytes) -> bool:
    try:
        return bool(importer.can_read(path, head))
    except Exception:  # noqa: BLE001 - of another package: it cannot read this file, then
        return False


def _problem_of(session: object) -> ImportProblem | None:
    """Return what is wrong with a session that an importer made; None if nothing is."""
    if not isinstance(session, ImportedSession):
        return ImportProblem(place="file", text=f"the importer gave a {type(session).__name__}, not a session")
    place = f"session {session.source_key or session.started_unix_us}"
    if not 0 <= session.started_unix_us <= _LATEST_US:
        return ImportProblem(place=place, text=f"it started at {session.started_unix_us} us since 1970")
    if not session.runs:
        return ImportProblem(place=place, text="it has no runs")
    return None


def _checksum(path: Path) -> str:
    digest = hashlib.blake2b()
    try:
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
    except OSError as error:
        raise ImportFormatError(f"it cannot be read: {error.strerror or error}") from error
    return digest.hexdigest()
