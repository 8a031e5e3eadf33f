"""Import other tools' results: find the files, choose an importer for each, and store the sessions."""

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pytest_benchdb.environment.git.checkout import read_commit
from pytest_benchdb.errors import BenchdbError, ConfigError, ImportFormatError, interruptible
from pytest_benchdb.importers.source import LATEST_US, head_of
from pytest_benchdb.importers.table import CsvTable
from pytest_benchdb.interfaces import Importer
from pytest_benchdb.model.imported import ImportedSession, ImportProblem, SourceFile
from pytest_benchdb.operations.exchange.as_journal import is_known, journal_lines, session_id_of, split_id
from pytest_benchdb.operations.exchange.bulk import open_bulk
from pytest_benchdb.operations.exchange.this_machine import ThisMachine
from pytest_benchdb.operations.record import project_name
from pytest_benchdb.registry import find_importers
from pytest_benchdb.store.history.open import open_history
from pytest_benchdb.store.history.staging import Staging, staging
from pytest_benchdb.store.target import SESSION_SUFFIX, Target, resolve

AUTO = "auto"
MOST_PROBLEMS = 1000
"""Most problems of a file to keep; the rest are only counted."""

_HEAD_BYTES = 65_536
_MOST_FILES = 100_000
_YEAR_US = 31_556_952_000_000
_PIECE = 1 << 20
_LONGEST_NAME = 200
_SAVED = ".benchmarks"
"""Where pytest-benchmark saves: the only hidden folder that we search."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRequest:
    """What to import, and how.

    Attributes:
        format: name of an importer, or ``auto``.
        paths: files and folders.
        target: file or folder, as for ``--benchdb=PATH``.
        project: None for the name in the files, else the working folder's project.
        label: for every session; None for the names in the files.
        dry_run: read everything and write nothing.
        strict: import nothing from a file that has a problem.
        as_this_machine: take the sessions for sessions of this machine, unless their file contradicts that.
    """

    format: str
    paths: tuple[Path, ...]
    target: str
    project: str | None = None
    label: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    dry_run: bool = False
    strict: bool = False
    as_this_machine: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOutcome:
    """The outcome of importing one file.

    Attributes:
        path: as named by the user, or found in a named folder.
        importer: name of the importer; None if none can read the file.
        sessions: number imported, or that a dry run would import.
        known: number left out because they are stored already.
        runs: number of imported runs.
        refused: number of items of the file that were left out.
        problems: reasons for refused items, and remarks; at most `MOST_PROBLEMS`.
        reason: why nothing was imported; None if something was, or was stored already.
    """

    path: str
    importer: str | None = None
    sessions: int = 0
    known: int = 0
    runs: int = 0
    refused: int = 0
    problems: tuple[ImportProblem, ...] = ()
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """The outcome of an import.

    Attributes:
        files: one for each file that was read, or named but not readable.
        passed_over: files in folders whose format is unknown.
        left_out: why other packages' importers were not used, by name.
    """

    files: tuple[FileOutcome, ...]
    passed_over: tuple[str, ...] = ()
    left_out: dict[str, str] = field(default_factory=dict)


def import_files(request: ImportRequest, progress: Callable[[int, int], None] = lambda _done, _total: None) -> Imported:
    """Import files, each completely except for the items refused in its outcome.

    Sessions already in the target are left out: importing twice adds nothing.

    Args:
        request: what to import, and how.
        progress: called with the numbers of files done and in total.

    Raises:
        ConfigError: the format, a path or the target is not valid.
        StoreError: the target cannot be read or written; files reported as done are in it.
    """
    importers, left_out = find_importers()
    if request.format != AUTO and request.format not in importers:
        raise ConfigError(f"FORMAT {request.format!r} is unknown; write one of {', '.join((AUTO, *importers))}")
    target = resolve(request.target, Path.cwd())
    files = list(_find_files(request.paths))
    outcomes: list[FileOutcome] = []
    passed_over: list[str] = []
    with staging(target) as stage:
        batch = _Import(request, stage, _stored_times(target))
        for done, (path, is_named) in enumerate(files):
            progress(done, len(files))
            try:
                importer = _importer_of(path, request.format, importers)
            except ImportFormatError as error:
                outcomes.append(FileOutcome(path=str(path), reason=str(error)))
                continue
            if importer is not None:
                outcomes.append(batch.take(path, *importer))
            elif is_named:
                outcomes.append(FileOutcome(path=str(path), reason=_no_importer(path, request.format, importers)))
            else:
                passed_over.append(str(path))
        stage.finish()
        progress(len(files), len(files))
    return Imported(files=tuple(outcomes), passed_over=tuple(passed_over), left_out=left_out)


class _Import:
    """Stores what importers read; `known` has the times of the target's sessions by the rest of their ids."""

    def __init__(self, request: ImportRequest, stage: Staging, known: dict[str, list[int]]) -> None:
        self._request = request
        self._stage = stage
        self._known = known
        self._here = ThisMachine.read() if request.as_this_machine else None
        self._own_project = "" if request.project else project_name(read_commit(Path.cwd(), os.environ), Path.cwd())

    def take(self, path: Path, name: str, importer: Importer) -> FileOutcome:
        """Store the new sessions of one file, all of them or none."""
        outcome = FileOutcome(path=str(path), importer=name)
        try:
            with interruptible():
                return self._take(outcome, path, importer)
        except BenchdbError as error:
            return replace(outcome, reason=" ".join(str(error).split()))
        except OSError as error:
            return replace(outcome, reason=f"it cannot be read: {error.strerror or error}")
        except Exception as error:  # noqa: BLE001 - an importer of another package must not end the import of other files
            return replace(outcome, reason=f"the importer {name} failed with {type(error).__name__}: {error}"[:300])

    def _take(self, outcome: FileOutcome, path: Path, importer: Importer) -> FileOutcome:
        checksum = _checksum(path)
        in_sets = None
        if isinstance(importer, CsvTable) and self._here is None:
            in_sets = self._take_table(outcome, path, checksum)
        if in_sets is not None:
            return in_sets
        sessions, problems, refused = _read(path, importer)
        if self._here is not None:
            adopted = [self._here.adopt(session) for session in sessions]
            sessions = [session for session, _ in adopted]
            problems += dict.fromkeys(remark for _, remark in adopted)
        outcome = replace(outcome, problems=tuple(problems), refused=refused)
        if not sessions:
            reason = f"none of its {refused} items can be read" if refused else "it has no session"
            return replace(outcome, reason=reason)
        if self._request.strict and refused:
            return replace(outcome, reason=f"--strict: {refused} of its items cannot be read")
        first = next((problem for problem in problems if problem.refused), None)
        why = None if first is None else f"{refused} left out; the first: {first.place}: {first.text}"
        new: dict[str, list[int]] = {}
        runs = 0
        for session in sessions:
            session_id = session_id_of(session)
            if is_known(session_id, self._known) or is_known(session_id, new):
                continue
            ms, key = split_id(session_id)
            new.setdefault(key, []).append(ms)
            runs += len(session.runs)
            if not self._request.dry_run:
                source = SourceFile(
                    path=str(path), checksum=checksum, importer=outcome.importer or "", rows=session.rows, reason=why
                )
                self._stage.add(session_id, self._journal_of(session, session_id, source))
        self._stage.publish()
        for key, times in new.items():
            self._known.setdefault(key, []).extend(times)
        added = sum(map(len, new.values()))
        return replace(outcome, sessions=added, known=len(sessions) - added, runs=runs)

    def _take_table(self, outcome: FileOutcome, path: Path, checksum: str) -> FileOutcome | None:
        """Store the new sessions of a text table in sets; None if it must be read row by row."""
        with open_bulk(path) as table:
            if table is None:
                return None
            new: dict[str, list[int]] = {}
            chosen = []
            for one in table.sessions:
                if not (is_known(one.session_id, self._known) or is_known(one.session_id, new)):
                    ms, key = split_id(one.session_id)
                    new.setdefault(key, []).append(ms)
                    chosen.append(one)
            if chosen and not self._request.dry_run:
                source = SourceFile(path=str(path), checksum=checksum, importer=outcome.importer or "", rows=0)
                table.store(chosen, self._stage, self._named, source, self._request.tags)
            runs = sum(len(one.session.runs) for one in chosen)
            known = len(table.sessions) - len(chosen)
        self._stage.publish()
        for key, times in new.items():
            self._known.setdefault(key, []).extend(times)
        return replace(outcome, sessions=len(chosen), known=known, runs=runs)

    def _journal_of(self, session: ImportedSession, session_id: str, source: SourceFile) -> Iterator[bytes]:
        return journal_lines(self._named(session), session_id, source, self._request.tags)

    def _named(self, session: ImportedSession) -> ImportedSession:
        """Return a session with its project and label."""
        request = self._request
        project = request.project or session.project or self._own_project
        return replace(session, project=project, label=request.label or session.label)


def _find_files(paths: Sequence[Path]) -> Iterator[tuple[Path, bool]]:
    """Yield the named files and those in named folders, and whether each was itself named.

    Hidden files and folders in a folder are skipped, except ``.benchmarks``; links to folders are not followed.
    """
    for path in paths:
        if path.is_dir():
            count = 0
            for folder, folders, names in os.walk(path):
                folders[:] = sorted(name for name in folders if not name.startswith(".") or name == _SAVED)
                for name in sorted(name for name in names if not name.startswith(".")):
                    count += 1
                    if count > _MOST_FILES:
                        raise ConfigError(f"{path} holds more than {_MOST_FILES} files; name one of its folders")
                    if Path(folder, name).is_file():  # reading from a pipe would wait forever
                        yield Path(folder, name), False
        elif path.is_file():
            yield path, True
        elif path.exists():
            raise ConfigError(f"{path} is neither a file nor a folder; save its output to a file")
        else:
            raise ConfigError(f"{path} does not exist; name a file or a folder to import")


def _importer_of(path: Path, format_name: str, importers: Mapping[str, Importer]) -> tuple[str, Importer] | None:
    """Return the named importer, or the first that can read the file; None if none can."""
    head = head_of(path, _HEAD_BYTES)
    for name, importer in importers.items():
        if format_name in {AUTO, name} and _can_read(importer, path, head):
            return name, importer
    return None


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
    return f"it is not a {format_name} file; use FORMAT auto to detect its format"


def _read(path: Path, importer: Importer) -> tuple[list[ImportedSession], list[ImportProblem], int]:
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
    return sessions, problems, refused


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
    if not 0 <= session.started_unix_us <= LATEST_US:
        year = 1970 + session.started_unix_us // _YEAR_US
        return ImportProblem(place=place, text=f"it started about the year {year}; a time is from 1970 to 9999")
    if not session.runs:
        return ImportProblem(place=place, text="it has no runs")
    return None


def _checksum(path: Path) -> str:
    digest = hashlib.blake2b()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def _stored_times(target: Target) -> dict[str, list[int]]:
    """Return the times in milliseconds of the target's sessions, by the rest of their ids."""
    times: dict[str, list[int]] = {}
    is_folder = target.path.is_dir() and any(target.path.glob(f"*{SESSION_SUFFIX}"))
    if target.path.exists() if target.kind == "file" else is_folder:
        with open_history((target.path,)) as reader:
            for session in reader.sessions():
                ms, key = split_id(session.session_id)
                times.setdefault(key, []).append(ms)
    return times
