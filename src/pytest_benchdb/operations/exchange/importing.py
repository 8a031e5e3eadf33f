"""Brings results of other tools into a store, or opens them for the length of a block.

Finds the files of an import, chooses who reads them, and reads one of them whole.
"""

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pytest_benchdb.environment.git.checkout import read_commit
from pytest_benchdb.errors import BenchdbError, ConfigError, ForeignFileError, ImportFormatError
from pytest_benchdb.importers.file_content import head_of
from pytest_benchdb.interfaces import Importer
from pytest_benchdb.model.imported import ImportedSession, ImportProblem, SourceFile
from pytest_benchdb.operations.exchange.as_journal import Naming, is_known, journal_of, session_id_of, split_id
from pytest_benchdb.operations.exchange.feedback import SILENT, Feedback
from pytest_benchdb.operations.exchange.source_kind import holds_only_other_files, is_foreign
from pytest_benchdb.operations.record import project_name
from pytest_benchdb.registry import find_importers
from pytest_benchdb.store.history.history import open_history
from pytest_benchdb.store.history.staging import Staging, staging
from pytest_benchdb.store.target import SESSION_SUFFIX, Target, resolve

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


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRequest:
    """What to import, and how.

    Attributes:
        format: name of an importer, or ``auto``.
        paths: files and folders.
        target: file or folder, as ``--benchdb=PATH`` takes it.
        project: None takes what the files say, then the name of the working folder's project.
        label: for every session; None takes the files' own names.
        dry_run: read everything and write nothing.
        strict: take nothing of a file that has a problem.
    """

    format: str
    paths: tuple[Path, ...]
    target: str
    project: str | None = None
    label: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    dry_run: bool = False
    strict: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOutcome:
    """What became of one file.

    Attributes:
        importer: who read it; None if nobody could.
        sessions: how many came in, or would with a dry run.
        known: how many were left out, there already.
        runs: how many runs came in.
        refused: how many parts of the file were left out.
        problems: those and remarks, one by one; the first thousand.
        reason: why nothing came in; None if something did or was there already.
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
    """What an import did.

    Attributes:
        files: one for each file that was read, or that was named and could not be.
        passed_over: files in folders that are of no known format.
        left_out: why importers of other packages were not asked, by name.
    """

    files: tuple[FileOutcome, ...]
    passed_over: tuple[str, ...] = ()
    left_out: dict[str, str] = field(default_factory=dict)


def import_files(request: ImportRequest, feedback: Feedback = SILENT) -> Imported:
    """Import files, each whole or not at all but for the parts that are named in its outcome.

    Sessions that the target has are left out: importing twice adds nothing.

    Args:
        request: what and how.
        feedback: told how many of how many files are done.

    Raises:
        ConfigError: the format, a path or the target cannot be used.
        StoreError: the target cannot be read or written; files that were told as done are in it.
    """
    importers, left_out = find_importers()
    target = resolve(request.target, Path.cwd())
    found = list(find_files(request.paths))
    naming = Naming(
        project=request.project,
        otherwise="" if request.project else project_name(read_commit(Path.cwd(), os.environ), Path.cwd()),
        label=request.label,
        tags=request.tags,
    )
    known = _known(target)
    outcomes: list[FileOutcome] = []
    passed_over: list[str] = []
    with staging(target) as stage:
        for done, (path, named) in enumerate(found):
            feedback.progress(done, len(found))
            try:
                reader = reader_of(path, request.format, importers)
            except ImportFormatError as error:
                outcomes.append(FileOutcome(path=str(path), reason=str(error)))
                continue
            if reader is not None:
                outcomes.append(_take(read_file(path, *reader), known, naming, stage, request))
            elif named:
                outcomes.append(FileOutcome(path=str(path), reason=_no_reader(path, request.format, list(importers))))
            else:
                passed_over.append(str(path))
        stage.finish()
        feedback.progress(len(found), len(found))
    return Imported(files=tuple(outcomes), passed_over=tuple(passed_over), left_out=left_out)


@contextlib.contextmanager
def as_sources(paths: Sequence[Path], feedback: Feedback = SILENT) -> Iterator[tuple[Path, ...]]:
    """Give paths that `open_source` takes: files of other tools are stood for by a temporary folder each.

    Raises:
        ConfigError: nothing of such a file can be read.
        ForeignFileError: it is of no format that is known.
    """
    with contextlib.ExitStack() as stack:
        sources = []
        for path in paths:
            if not (is_foreign(path) or holds_only_other_files(path)):
                sources.append(path)
                continue
            scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="benchdb-file-"))) / "sessions"
            done = import_files(ImportRequest(format=AUTO, paths=(path,), target=str(scratch)), feedback)
            _tell(done, path, feedback)
            sources.append(scratch)
        yield tuple(sources)


def _take(
    content: FileContent, known: dict[str, list[int]], naming: Naming, stage: Staging, request: ImportRequest
) -> FileOutcome:
    """Store the sessions of one file that are new, all of them or none."""
    told = {"path": str(content.path), "importer": content.importer}
    problems = {"problems": content.problems, "refused": content.refused}
    if content.reason is not None:
        return FileOutcome(**told, **problems, reason=content.reason)  # type: ignore[arg-type]
    if request.strict and content.refused:
        reason = f"--strict: {content.refused} of its items cannot be taken"
        return FileOutcome(**told, **problems, reason=reason)  # type: ignore[arg-type]
    why = _first_problem(content)
    new: dict[str, list[int]] = {}
    sessions = runs = already = 0
    for session in content.sessions:
        session_id = session_id_of(session)
        ms, key = split_id(session_id)
        if is_known(session_id, known) or is_known(session_id, new):
            already += 1
            continue
        new.setdefault(key, []).append(ms)
        sessions, runs = sessions + 1, runs + len(session.runs)
        if not request.dry_run:
            source = SourceFile(
                path=str(content.path),
                checksum=content.checksum or "",
                importer=content.importer or "",
                rows=session.rows,
                reason=why,
            )
            stage.add(session_id, journal_of(session, session_id, source, naming))
    stage.publish()
    for key, times in new.items():
        known.setdefault(key, []).extend(times)
    return FileOutcome(**told, **problems, sessions=sessions, known=already, runs=runs)  # type: ignore[arg-type]


def _first_problem(content: FileContent) -> str | None:
    first = next((problem for problem in content.problems if problem.refused), None)
    return None if first is None else f"{content.refused} left out; the first: {first.place}: {first.text}"


def _known(target: Target) -> dict[str, list[int]]:
    """Return the sessions of the target: times in milliseconds by what follows them in an id."""
    known: dict[str, list[int]] = {}
    if _holds_sessions(target):
        with open_history((target.path,)) as reader:
            for session in reader.sessions():
                ms, key = split_id(session.session_id)
                known.setdefault(key, []).append(ms)
    return known


def _holds_sessions(target: Target) -> bool:
    if target.kind == "file":
        return target.path.exists()
    return target.path.is_dir() and any(target.path.glob(f"*{SESSION_SUFFIX}"))


def _no_reader(path: Path, name: str, importers: Sequence[str]) -> str:
    if not path.stat().st_size:
        return "it is empty: its writer died, or has not finished"
    if name == AUTO:
        return f"it is of no known format; known are {', '.join(importers)}"
    return f"it is no file of {name}; say auto to find out what it is"


def _tell(done: Imported, path: Path, feedback: Feedback) -> None:
    """Warn of what was left out of a file.

    Raises:
        ConfigError: all of it was.
        ForeignFileError: it is of no format that is known.
    """
    if not any(one.importer for one in done.files):
        raise ForeignFileError(
            f"{path} is of another kind: neither a pytest-benchdb database, nor of a format that benchdb import reads; "
            "name another path"
        )
    if not any(one.sessions for one in done.files):
        reasons = [f"{one.path}: {one.reason}" for one in done.files if one.reason]
        raise ConfigError(f"file:{path} has no results that can be read; {reasons[0] if reasons else 'it is empty'}")
    for one in done.files:
        if one.reason:
            feedback.warn(f"{one.path} is left out: {one.reason}")
        for problem in one.problems:
            feedback.warn(f"{one.path}: {problem.place}: {problem.text}")
