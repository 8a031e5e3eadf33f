"""Read a source with its importer: its sessions, what is wrong with it, and a checksum; copy it into an archive.

A copy is compared with what was imported before it counts.
"""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_benchdb.errors import BenchdbError, ConfigError, NotResultsError, interruptible
from pytest_benchdb.importers.reading.files import LATEST_US
from pytest_benchdb.interfaces import Importer
from pytest_benchdb.model.imported import ImportedSession, ImportProblem
from pytest_benchdb.operations.exchange.sources import Source

MOST_PROBLEMS = 1000
"""Most problems of a file to keep; the rest are only counted."""
_YEAR_US = 31_556_952_000_000
_PIECE = 1 << 20
_LONGEST_NAME = 200
_SHOWN_OF_A_HASH = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """What an importer read.

    Attributes:
        sessions: those that can be stored.
        problems: the first of them, remarks included.
        refused: number of items that were left out.
        checksum: of the bytes; empty if they could not be read.
        reason: why nothing can be imported; None if something can.
        is_no_result: whether it has no results by design.
    """

    sessions: tuple[ImportedSession, ...] = ()
    problems: tuple[ImportProblem, ...] = ()
    refused: int = 0
    checksum: str = ""
    reason: str | None = None
    is_no_result: bool = False


def parse(source: Source, name: str, importer: Importer) -> Parsed:
    """Read a source; whatever its importer raises becomes the reason."""
    try:
        before = _states(source.files)
        checksum = checksum_of(source.files)
        with interruptible():
            parsed = _read(source.path, importer, checksum)
        if _states(source.files) != before:
            return Parsed(reason="it changed while it was read; import it again once its writer has finished")
    except NotResultsError as error:
        return Parsed(reason=_line(error), is_no_result=True)
    except BenchdbError as error:
        return Parsed(reason=_line(error))
    except OSError as error:
        return Parsed(reason=f"it cannot be read: {error.strerror or error}")
    except (Exception, RecursionError) as error:  # noqa: BLE001 - an importer of another package must not end the import
        return Parsed(reason=f"the importer {name} failed with {type(error).__name__}: {error}"[:300])
    return parsed


def checksum_of(files: Sequence[Path]) -> str:
    """Return the BLAKE2b of a file, or of the files of a folder one after another."""
    digest = hashlib.blake2b()
    for path in files:
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
    return digest.hexdigest()


def archive(source: Source, folder: Path) -> None:
    """Copy the files of a source into a folder, under their paths below what the user named.

    A copy that is there already stays. A file of other content under its name gets the hash of its content in it.

    Raises:
        ConfigError: a file cannot be copied, or changed meanwhile.
    """
    for file in source.files:
        target = folder / file.relative_to(source.base)
        try:
            checksum = checksum_of((file,))
            if target.exists() and checksum_of((target,)) != checksum:
                target = target.with_name(f"{checksum[:_SHOWN_OF_A_HASH]}-{target.name}")
            if not target.exists():
                _copy(file, target, checksum)
        except OSError as error:
            raise ConfigError(f"--archive {folder}: {file} cannot be copied: {error.strerror or error}") from error


def _copy(file: Path, target: Path, checksum: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    with file.open("rb") as source, part.open("wb") as copy:
        while piece := source.read(_PIECE):
            copy.write(piece)
        copy.flush()
        os.fsync(copy.fileno())
    if checksum_of((part,)) != checksum:
        part.unlink()
        raise ConfigError(f"--archive: {file} changed while it was copied; import it again")
    Path(part).replace(target)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())


def _states(files: Sequence[Path]) -> list[tuple[int, int, int]]:
    return [(state.st_ino, state.st_size, state.st_mtime_ns) for state in (path.stat() for path in files)]


def _read(path: Path, importer: Importer, checksum: str) -> Parsed:
    """Return a file's sessions, its first problems, and the number of refused items."""
    sessions: list[ImportedSession] = []
    problems: list[ImportProblem] = []
    refused = 0
    for item in importer.read(path):
        found = [item] if isinstance(item, ImportProblem) else _problems_of(item)
        if isinstance(item, ImportedSession) and not any(problem.refused for problem in found):
            sessions.append(item)
        refused += sum(problem.refused for problem in found)
        problems += found[: MOST_PROBLEMS - len(problems)]
    return Parsed(sessions=tuple(sessions), problems=tuple(problems), refused=refused, checksum=checksum)


def _problems_of(item: object) -> list[ImportProblem]:
    """Return the problems of what an importer made: that of a session that cannot be stored, or its remarks."""
    problem = _problem_of(item)
    if problem is not None or not isinstance(item, ImportedSession):
        return [] if problem is None else [problem]
    return [
        ImportProblem(place=run.fullname[:_LONGEST_NAME], text=f"{text}; stored as not valid", refused=False)
        for run in item.runs
        for measurement in run.measurements
        if measurement.valid and (text := measurement.objection())
    ]


def _problem_of(session: object) -> ImportProblem | None:
    """Return the problem of a session that an importer made; None if it is valid."""
    if not isinstance(session, ImportedSession):
        return ImportProblem(place="file", text=f"the importer gave a {type(session).__name__}, not a session")
    place = f"session {session.source_key}" if session.source_key else "session"
    start = session.started_unix_us
    if start is not None and not 0 <= start <= LATEST_US:
        year = 1970 + start // _YEAR_US
        return ImportProblem(place=place, text=f"it started about the year {year}; a time is from 1970 to 9999")
    if not session.runs:
        return ImportProblem(place=place, text="it has no runs")
    return None
