"""Import other tools' results: find the files, choose an importer for each, and store the sessions."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from pytest_benchdb.environment.git.checkout import read_commit
from pytest_benchdb.errors import BenchdbError, ConfigError, interruptible
from pytest_benchdb.importers.mapped.json_map import JsonMap
from pytest_benchdb.importers.mapped.mapped_json import JSON, MappedJson
from pytest_benchdb.importers.tables.table import CsvTable
from pytest_benchdb.interfaces import Importer
from pytest_benchdb.model.imported import ImportedSession, ImportProblem, SourceFile
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.operations.exchange.as_journal import is_known, journal_lines, session_id_of, split_id
from pytest_benchdb.operations.exchange.bulk import open_bulk
from pytest_benchdb.operations.exchange.machine_map import MachineMap
from pytest_benchdb.operations.exchange.missing_times import MissingTimes
from pytest_benchdb.operations.exchange.parallel import parsed_sources
from pytest_benchdb.operations.exchange.parsing import Parsed, archive, checksum_of
from pytest_benchdb.operations.exchange.recorded_twice import RecordedSessions
from pytest_benchdb.operations.exchange.sources import AUTO, Source, find_sources
from pytest_benchdb.operations.exchange.this_machine import ThisMachine
from pytest_benchdb.operations.record import project_name
from pytest_benchdb.registry import find_importers
from pytest_benchdb.store.history.open import open_history
from pytest_benchdb.store.history.staging import Staging, staging
from pytest_benchdb.store.target import SESSION_SUFFIX, Target, resolve


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
        machines: file that says which machine the sessions are of; None for what their files say.
        at: the time of sessions whose file has none: ``mtime``, ``commit``, or a time; None to refuse them.
        recursive: whether folders in folders are searched.
        json_map: where the values are in the files of FORMAT json: ``time=results[].ms:unit=ms``.
        archive: folder for copies of the files that are in the store afterwards; None for none.
        workers: processes that read files; 1 to read them in this one.
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
    machines: Path | None = None
    at: str | None = None
    recursive: bool = True
    json_map: tuple[str, ...] = ()
    archive: Path | None = None
    workers: int = 1


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
        problems: reasons for refused items, and remarks; only the first of many.
        reason: why nothing was imported; None if something was, or was stored already.
        is_no_result: whether it has no results by design.
    """

    path: str
    importer: str | None = None
    sessions: int = 0
    known: int = 0
    runs: int = 0
    refused: int = 0
    problems: tuple[ImportProblem, ...] = ()
    reason: str | None = None
    is_no_result: bool = False


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
    importers, left_out = importers_for(request)
    sources = list(find_sources(request.paths, request.format, importers, recursive=request.recursive))
    return replace(import_sources(request, sources, importers, progress), left_out=left_out)


def importers_for(request: ImportRequest) -> tuple[dict[str, Importer], dict[str, str]]:
    """Return the importers by name, and why others were left out.

    Raises:
        ConfigError: the format of the request is not among them.
    """
    importers, left_out = find_importers()
    if request.format == JSON or request.json_map:
        return {JSON: _mapped(request)}, left_out
    if request.format != AUTO and request.format not in importers:
        raise ConfigError(f"FORMAT {request.format!r} is unknown; write one of {', '.join((AUTO, *importers, JSON))}")
    return importers, left_out


def import_sources(
    request: ImportRequest,
    sources: Sequence[Source],
    importers: Mapping[str, Importer],
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Imported:
    """Import sources that were found, as `import_files` does.

    Raises:
        ConfigError: the target or the archive is not valid.
        StoreError: the target cannot be read or written.
    """
    target = resolve(request.target, Path.cwd())
    with staging(target) as stage:
        batch = _Import(request, stage, target)
        outcomes = dict(batch.take_all(sources, importers, progress))
        stage.finish()
        progress(len(sources), len(sources))
    if request.archive is not None and not request.dry_run:
        for source, outcome in outcomes.items():
            if outcome.sessions or outcome.known:
                archive(source, request.archive)
    files = tuple(outcomes[source] for source in sources if source in outcomes)
    return Imported(files=files, passed_over=tuple(str(source.path) for source in sources if source not in outcomes))


def _mapped(request: ImportRequest) -> MappedJson:
    if request.format != JSON:
        raise ConfigError(f"--map is for FORMAT {JSON}; FORMAT is {request.format}, which knows where its values are")
    if not request.json_map:
        raise ConfigError(f"FORMAT {JSON} needs --map: --map name=results[].name --map time=results[].ms:unit=ms")
    return MappedJson(JsonMap.of(request.json_map))


class _Import:
    """Stores what importers read."""

    def __init__(self, request: ImportRequest, stage: Staging, target: Target) -> None:
        self._request = request
        self._stage = stage
        stored = _stored_sessions(target)
        self._known: dict[str, list[int]] = {}
        for session in stored:
            ms, key = split_id(session.session_id)
            self._known.setdefault(key, []).append(ms)
        recorded = [session for session in stored if session.kind == "pytest"]
        self._recorded = RecordedSessions(target.path, recorded)
        self._times = MissingTimes.of(request.at)
        self._here = ThisMachine.read() if request.as_this_machine else None
        self._machines = MachineMap.read(request.machines) if request.machines else None
        self._own_project = "" if request.project else project_name(read_commit(Path.cwd(), os.environ), Path.cwd())

    def take_all(
        self, sources: Sequence[Source], importers: Mapping[str, Importer], progress: Callable[[int, int], None]
    ) -> Iterator[tuple[Source, FileOutcome]]:
        """Store the new sessions of sources, of each all of them or none; yield the outcomes."""
        rest = []
        done = 0
        for source in sources:
            importer = importers.get(source.importer or "")
            in_sets = None
            if source.importer is None:
                if source.reason is not None:
                    in_sets = FileOutcome(path=str(source.path), reason=source.reason)
            elif isinstance(importer, CsvTable) and self._here is None and self._machines is None:
                in_sets = self._guarded(source, partial(self._take_table, source=source))
            if in_sets is not None:
                yield source, in_sets
                done += 1
                progress(done, len(sources))
            elif source.importer is not None:
                rest.append(source)
        done = len(sources) - len(rest)
        # A map is of this request: other processes know only the importers that have a name.
        workers = 1 if self._request.json_map else self._request.workers
        for source, parsed in parsed_sources(rest, importers, workers):
            progress(done, len(sources))
            done += 1
            taken = self._guarded(source, partial(self._take, source=source, parsed=parsed))
            if taken is not None:
                yield source, taken

    def _guarded(self, source: Source, take: Callable[[FileOutcome], FileOutcome | None]) -> FileOutcome | None:
        """Return the outcome of a source; what is wrong with it becomes the reason."""
        outcome = FileOutcome(path=str(source.path), importer=source.importer)
        try:
            with interruptible():
                return take(outcome)
        except BenchdbError as error:
            return replace(outcome, reason=" ".join(str(error).split()))
        except OSError as error:
            return replace(outcome, reason=f"it cannot be read: {error.strerror or error}")

    def _take(self, outcome: FileOutcome, source: Source, parsed: Parsed) -> FileOutcome:
        if parsed.reason is not None:
            return replace(outcome, reason=parsed.reason, is_no_result=parsed.is_no_result)
        sessions, problems, refused = list(parsed.sessions), list(parsed.problems), parsed.refused
        adopted = [self._adopted(session, source.path) for session in sessions]
        sessions = [session for session, _ in adopted]
        problems += dict.fromkeys(remark for _, remark in adopted if remark is not None)
        outcome = replace(outcome, problems=tuple(problems), refused=refused)
        if not sessions:
            reason = f"none of its {refused} items can be read" if refused else "it has no session"
            return replace(outcome, reason=reason)
        if self._request.strict and refused:
            return replace(outcome, reason=f"--strict: {refused} of its items cannot be read")
        first = next((problem for problem in problems if problem.refused), None)
        why = None if first is None else f"{refused} left out; the first: {first.place}: {first.text}"
        new: dict[str, list[int]] = {}
        runs = added = 0
        for untimed in sessions:
            session = self._times.complete(untimed, source.path)
            is_timed = untimed.started_unix_us is not None or not self._times.is_of_copy
            session_id = session_id_of(session, is_timed=is_timed)
            known_ids = [(session_id, is_timed), (session.recorded_as, True)]
            if any(
                each is not None and is_known(each, stored, is_timed=timed)
                for each, timed in known_ids
                for stored in (self._known, new)
            ):
                continue
            if self._recorded.twin_of(session) is not None:
                continue
            ms, key = split_id(session_id)
            new.setdefault(key, []).append(ms)
            runs += len(session.runs)
            added += 1
            if not self._request.dry_run:
                file = SourceFile(
                    path=str(source.path),
                    checksum=parsed.checksum,
                    importer=outcome.importer or "",
                    rows=session.rows,
                    reason=why,
                )
                self._stage.add(session_id, self._journal_of(session, session_id, file))
        self._stage.publish()
        for key, times in new.items():
            self._known.setdefault(key, []).extend(times)
        return replace(outcome, sessions=added, known=len(sessions) - added, runs=runs)

    def _take_table(self, outcome: FileOutcome, source: Source) -> FileOutcome | None:
        """Store the new sessions of a text table in sets; None if it must be read row by row."""
        path, checksum = source.path, checksum_of(source.files)
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
                file = SourceFile(path=str(path), checksum=checksum, importer=outcome.importer or "", rows=0)
                table.store(chosen, self._stage, self._named, file, self._request.tags)
            runs = sum(len(one.session.runs) for one in chosen)
            known = len(table.sessions) - len(chosen)
        self._stage.publish()
        for key, times in new.items():
            self._known.setdefault(key, []).extend(times)
        return replace(outcome, sessions=len(chosen), known=known, runs=runs)

    def _adopted(self, session: ImportedSession, path: Path) -> tuple[ImportedSession, ImportProblem | None]:
        """Return a session as one of the machine that the user says it is of, and what was done about that."""
        if self._machines is not None:
            session, remark = self._machines.adopt(session, path)
            if remark is not None:
                return session, remark
        return (session, None) if self._here is None else self._here.adopt(session)

    def _journal_of(self, session: ImportedSession, session_id: str, source: SourceFile) -> Iterator[bytes]:
        return journal_lines(self._named(session), session_id, source, self._request.tags)

    def _named(self, session: ImportedSession) -> ImportedSession:
        """Return a session with its project and label."""
        request = self._request
        project = request.project or session.project or self._own_project
        return replace(session, project=project, label=request.label or session.label)


def _stored_sessions(target: Target) -> list[SessionRow]:
    """Return the sessions of the target; none if it is not there yet."""
    is_folder = target.path.is_dir() and any(target.path.glob(f"*{SESSION_SUFFIX}"))
    if not (target.path.exists() if target.kind == "file" else is_folder):
        return []
    with open_history((target.path,)) as reader:
        return reader.sessions()
