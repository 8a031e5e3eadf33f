"""Export stored sessions in other tools' formats."""

import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from sys import maxsize

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.exporters.pytest_benchmark import PytestBenchmark
from pytest_benchdb.interfaces import Exporter
from pytest_benchdb.model.exchange.exported import ExportFile, StoredRun, StoredSession
from pytest_benchdb.model.metric import metrics_of
from pytest_benchdb.model.report import ReportRow, SessionRow
from pytest_benchdb.model.wording import did_you_mean
from pytest_benchdb.operations.exchange.open import SILENT, Feedback, open_source
from pytest_benchdb.operations.exchange.output_file import why_not_written, write_file
from pytest_benchdb.operations.export.stored import Wanted, stored_sessions
from pytest_benchdb.operations.select.filters.keyword import parse_expression
from pytest_benchdb.operations.select.filters.where import parse_where
from pytest_benchdb.operations.select.selection import Selection, open_selection
from pytest_benchdb.registry import find_exporters
from pytest_benchdb.store.parquet import ParquetTable
from pytest_benchdb.store.read.reader import Reader

_DAY, _SHORT_ID = 10, 8


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRequest:
    """What to export, and where to.

    Attributes:
        format: name of an exporter.
        selection: the sessions and runs; without names, times or a number, all sessions if the format holds a history,
            else the newest.
        target: file or folder; None for the standard output.
        by_date: write Parquet in a folder with a file for each day.
    """

    format: str
    selection: Selection
    target: Path | None = None
    by_date: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """The outcome of an export.

    Attributes:
        sessions: number of sessions that were selected.
        runs: number of runs that the files hold.
        left_out: number of selected runs that the format cannot hold, by reason.
        files: the written files.
        not_used: why other packages' exporters were not used, by name.
    """

    sessions: int
    runs: int
    left_out: Mapping[str, int]
    files: tuple[Path, ...]
    not_used: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Count:
    """Counts runs while they are exported."""

    runs: int = 0
    left_out: Counter[str] = field(default_factory=Counter)

    def takes(self, exporter: Exporter) -> Callable[[StoredRun], bool]:
        """Return the exporter's answer about a run, and count those that it takes."""

        def takes(run: StoredRun) -> bool:
            taken = exporter.takes(run)
            self.runs += taken
            return taken

        return takes

    def leave_out(self, run: StoredRun) -> None:
        """Count a run that the format cannot hold."""
        if run.outcome not in {"passed", "xpassed"}:
            self.left_out["did not pass"] += 1
        elif run.provenance == "simulated":
            self.left_out["simulated"] += 1
        else:
            self.left_out["without figures that the format can hold"] += 1


def export_results(request: ExportRequest, write: Callable[[bytes], None], feedback: Feedback = SILENT) -> Exported:
    """Export sessions to a file, a folder or the standard output.

    Args:
        request: what to export, and where to.
        write: takes the content if there is no target.
        feedback: receives progress, and warnings about unreadable sessions.

    Raises:
        ConfigError: the format, a filter or a name is not valid, or the target cannot be written.
        MissingExtraError: a package that writes this format is not installed.
        StoreError: a file cannot be read, or there is no session.
    """
    exporters, not_used = find_exporters()
    exporter = _exporter_of(request, exporters)
    _check_target(exporter, request.target)
    newest = maxsize if exporter.holds == "history" else None
    with open_selection(request.selection, feedback, newest=newest) as selected:
        count, reader = _Count(), selected.reader
        wanted = _wanted(exporter, request.selection, selected.sessions, reader, count)
        groups = [selected.sessions] if exporter.holds == "history" else [[each] for each in selected.sessions]
        if len(groups) > 1 and request.target is None:
            raise ConfigError(
                f"{exporter.name} holds one session, and {len(groups)} are selected; name one, or a folder: -o FOLDER"
            )
        files = _files(exporter, groups, lambda chosen: stored_sessions(reader, chosen, wanted), feedback)
        if request.target is None:
            _write_out(files, write)
            written = []
        elif exporter.suffix and len(groups) == 1:
            written = _write_one(files, request.target)
        else:
            written = _write_folder(files, request.target)
    return Exported(
        sessions=len(selected.sessions),
        runs=count.runs,
        left_out=dict(count.left_out),
        files=tuple(written),
        not_used=not_used,
    )


def export_pytest_benchmark(source: Path, session_id: str, target: Path) -> Exported:
    """Write one session, stored in `source`, to a file in the JSON shape of pytest-benchmark.

    Raises:
        ConfigError: the session does not exist, or the file cannot be written.
        StoreError: the source cannot be read.
    """
    exporter, count = PytestBenchmark(), _Count()
    with open_source((source,)) as reader:
        session = next((row for row in reader.sessions() if row.session_id == session_id), None)
        if session is None:
            raise ConfigError(f"{source} has no session {session_id}")
        wanted = _wanted(exporter, Selection(paths=(source,)), [session], reader, count)
        files = _write_one(exporter.export(stored_sessions(reader, [session], wanted)), target)
    return Exported(sessions=1, runs=count.runs, left_out=dict(count.left_out), files=tuple(files))


def _exporter_of(request: ExportRequest, exporters: Mapping[str, Exporter]) -> Exporter:
    exporter = exporters.get(request.format)
    if exporter is None:
        question = did_you_mean(request.format, exporters)
        raise ConfigError(f"FORMAT {request.format!r} is unknown{question or ';'} there are {', '.join(exporters)}")
    if not request.by_date:
        return exporter
    if exporter.name != ParquetTable.name:
        raise ConfigError(f"--partition-by date is for parquet; {exporter.name} is not written in partitions")
    return ParquetTable(by_date=True)


def _check_target(exporter: Exporter, target: Path | None) -> None:
    if target is None and not exporter.suffix:
        raise ConfigError(f"{exporter.name} makes several files; name a folder for them: -o FOLDER")
    if target is None and not exporter.is_text:
        raise ConfigError(f"{exporter.name} is not text; name a file for it: -o results{exporter.suffix}")


def _wanted(
    exporter: Exporter, selection: Selection, sessions: Sequence[SessionRow], reader: Reader, count: _Count
) -> Wanted:
    matches, where = parse_expression(selection.keyword or ""), parse_where(selection.where or "")
    runs: Callable[[str], bool] | None = None
    if selection.keyword or where.terms:

        def is_wanted(row: ReportRow) -> bool:
            return matches(row.fullname) and where.matches(row)

        rows = reader.report([session.session_id for session in sessions])
        runs = {row.run_id for found in rows.values() for row in found if is_wanted(row)}.__contains__
    return Wanted(
        rounds=exporter.rounds,
        runs=runs,
        metrics=frozenset(name for word in where.metrics for name in metrics_of(word)),
        takes=count.takes(exporter),
        left_out=count.leave_out,
    )


def _write_out(files: Iterable[ExportFile], write: Callable[[bytes], None]) -> None:
    for file in files:
        for piece in file.pieces:
            write(piece)


def _write_one(files: Iterable[ExportFile], target: Path) -> list[Path]:
    for file in files:
        write_file(target, file.pieces)
    return [target]


def _write_folder(files: Iterable[ExportFile], folder: Path) -> list[Path]:
    """Write files into a folder, which may hold only files of these names before; they appear once all are complete."""
    beside = folder if folder.is_dir() else folder.parent
    try:
        with tempfile.TemporaryDirectory(prefix=".benchdb-export-", dir=beside) as staged:
            names = [_stage(file, Path(staged)) for file in files]
            _check_folder(folder, names)
            for name in names:
                target = folder.joinpath(*name.parts)
                target.parent.mkdir(parents=True, exist_ok=True)
                Path(staged, *name.parts).replace(target)
    except OSError as error:
        raise ConfigError(f"{folder} {why_not_written(error)}") from error
    return [folder.joinpath(*name.parts) for name in names]


def _stage(file: ExportFile, folder: Path) -> PurePosixPath:
    name = PurePosixPath(file.name)
    if name.is_absolute() or ".." in name.parts or not name.parts:
        raise ConfigError(f"the exporter named a file {file.name!r}, which is not in the folder")
    path = folder.joinpath(*name.parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_file(path, file.pieces)
    return name


def _check_folder(folder: Path, names: Iterable[PurePosixPath]) -> None:
    """Refuse a folder with other files: a tool that reads the folder would take them for part of the export."""
    ours = set(map(str, names))
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        name = path.relative_to(folder)
        if path.is_file() and name.as_posix() not in ours and not name.parts[0].startswith("."):
            raise ConfigError(f"{folder} has {name}, which is not part of this export; name a new or empty folder")


def _files(
    exporter: Exporter,
    groups: Sequence[Sequence[SessionRow]],
    read: Callable[[Sequence[SessionRow]], Iterator[StoredSession]],
    feedback: Feedback,
) -> Iterator[ExportFile]:
    """Yield the files of each group of sessions; of several groups, under names of their own."""
    for done, sessions in enumerate(groups):
        feedback.progress(done, len(groups))
        files = exporter.export(read(sessions))
        yield from files if len(groups) == 1 else _placed(files, sessions[0], exporter)


def _placed(files: Iterable[ExportFile], session: SessionRow, exporter: Exporter) -> Iterator[ExportFile]:
    """Yield the files of one of several sessions under a name of its own, which sorts by time."""
    at = session.started_at[:19].replace("-", "").replace(":", "") + "Z"
    own = f"{at}-{session.session_id[-_SHORT_ID:]}"
    for file in files:
        yield replace(file, name=f"{own}{exporter.suffix}" if exporter.suffix else f"{own}/{file.name}")
