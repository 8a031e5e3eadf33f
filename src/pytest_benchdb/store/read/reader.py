"""Reads a history: runs the queries under ``sql/queries/`` and returns rows of the model.

Every report, list and comparison reads through it, so the same question gets the same answer everywhere.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_benchdb.errors import StoreMissingError
from pytest_benchdb.model.annotation import Acceptance, Baseline
from pytest_benchdb.model.compatibility.matrix import MatrixRun
from pytest_benchdb.model.report import ReportRow, RunDetail, SessionRow
from pytest_benchdb.model.series import SeriesKey, SessionValue
from pytest_benchdb.store.attachments import attachment_folders, find_attachment
from pytest_benchdb.store.cache import snapshot
from pytest_benchdb.store.file_errors import translated
from pytest_benchdb.store.read.query_process import QueryProcess
from pytest_benchdb.store.read.sandbox import Answer, Limits
from pytest_benchdb.store.statement import Value, fetch, literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


LABELS = (
    "model",
    "version",
    "precision",
    "implementation",
    "workload",
    "batch_size",
    "sequence_length",
    "framework",
    "use_case",
)
"""Columns of a run that become labels of its values, unless they are NULL."""

SERIES_BINS = 16
"""Equal spans of time, for whose means a sampled series is summarised; the store keeps every reading."""

_KEY = ("fullname", "metric", "phase", "backend", "device")
_JSON_COLUMNS = ("params", "extra_info", "details")


def values_of(rows: Iterable[dict[str, Any]]) -> list[SessionValue]:
    """Return the rows of ``queries/session_values.sql`` as session values, in their order."""
    keys: dict[tuple[Any, ...], SeriesKey] = {}
    params: dict[str, Mapping[str, object]] = {}
    labelled: dict[tuple[Any, ...], dict[str, str]] = {}
    values = []
    for row in rows:
        parts = tuple(row.pop(name) for name in _KEY)
        if parts not in keys:
            keys[parts] = SeriesKey(**dict(zip(_KEY, parts, strict=True)))
        text = row.pop("params")
        if text is not None and text not in params:
            params[text] = json.loads(text)
        named = tuple(row.pop(name) for name in LABELS)
        if named not in labelled:
            labelled[named] = {name: str(label) for name, label in zip(LABELS, named, strict=True) if label is not None}
        parsed = None if text is None else params[text]
        values.append(SessionValue(key=keys[parts], labels=labelled[named], params=parsed, **row))
    return values


class Reader:
    """An open history; get one from `history.open_history`.

    Attributes:
        paths: the opened files and folders, as messages show them.
        warnings: one line for each session that could not be read or is not folded yet.
    """

    def __init__(
        self,
        connection: "DuckDBPyConnection",
        queries: QueryProcess,
        paths: Sequence[str],
        warnings: Sequence[str] = (),
    ) -> None:
        """Read from `connection`, whose current database is the history; `queries` opens the same file."""
        self._connection = connection
        self._queries = queries
        self.paths = tuple(paths)
        self.warnings = tuple(warnings)

    def sessions(self) -> list[SessionRow]:
        """Return every session, oldest first."""
        return [SessionRow(**row) for row in self._rows("sessions")]

    def report(self, session_ids: Sequence[str], *, limit: int | None = None) -> dict[str, list[ReportRow]]:
        """Return the runs of sessions as reports show them, by session id; at most `limit` runs."""
        if not session_ids:
            return {}
        runs: dict[str, list[ReportRow]] = {session_id: [] for session_id in session_ids}
        bounds = {"first_id": min(session_ids), "last_id": max(session_ids)}
        for row in self._rows("report_rows", session_ids=list(session_ids), limit=limit, **bounds):
            runs[row["session_id"]].append(ReportRow(**_decoded(row)))
        return runs

    def work_rates(self, session_ids: Sequence[str]) -> list[dict[str, Any]]:
        """Return the rates of the work of runs: rows of ``work_rates.sql``."""
        return self._rows("work_rates", session_ids=list(session_ids)) if session_ids else []

    def power_rows(self, session_ids: Sequence[str]) -> list[dict[str, Any]]:
        """Return the runs that measured power or energy: rows of ``power_rows.sql``."""
        return self._rows("power_rows", session_ids=list(session_ids)) if session_ids else []

    def peaks(self) -> list[dict[str, Any]]:
        """Return the newest peaks of each machine's devices: rows of ``peaks.sql``."""
        return self._rows("peaks")

    def benchmark_names(self) -> list[str]:
        """Return the full names of all benchmarks, sorted."""
        with translated(", ".join(self.paths)):
            rows = self._connection.execute("SELECT DISTINCT fullname FROM benchmark ORDER BY fullname").fetchall()
        return [name for (name,) in rows]

    def session_values(
        self,
        session_ids: Sequence[str],
        *,
        metrics: Sequence[str] | None = None,
        names: Sequence[str] | None = None,
        keep: int | None = None,
    ) -> list[SessionValue]:
        """Return one value per series and session, by series and then oldest first.

        The last attempt at a benchmark counts. A run that did not pass appears once, as a ``wall_time`` without
        values but with its outcome and reason, whichever metrics are requested. Values that must not be compared are
        None. Simulated values, values of single ranks, and series sampled over time are left out.

        Args:
            session_ids: full ids.
            metrics: names of metrics; None takes every metric that has a direction.
            names: full names of benchmarks; None takes all.
            keep: how many of the newest sessions of each series; None takes all.
        """
        if not session_ids:
            return []
        rows = self._rows(
            "session_values",
            session_ids=list(session_ids),
            metrics=None if metrics is None else list(metrics),
            names=None if names is None else list(names),
            keep=keep,
            first_id=min(session_ids),
            last_id=max(session_ids),
        )
        return values_of(rows)

    def matrix_runs(
        self,
        session_ids: Sequence[str],
        *,
        metrics: Sequence[str],
        names: Sequence[str] | None = None,
        rows: str | None = None,
        columns: str | None = None,
    ) -> list[MatrixRun]:
        """Return the newest run of each benchmark, configuration, place and outcome, simulated ones included.

        Args:
            session_ids: full ids.
            metrics: in order of preference; each run shows the first that it has.
            names: full names of benchmarks; None takes all.
            rows: a dimension of whole sessions, for `MatrixRun.session_row`: ``python``, ``branch``, ``tag:NAME``.
            columns: as `rows`, for `MatrixRun.session_column`.
        """
        if not session_ids:
            return []
        found = self._rows(
            "matrix_runs",
            session_ids=list(session_ids),
            metrics=list(metrics),
            names=None if names is None else list(names),
            rows=rows,
            columns=columns,
            row_tag=(rows or "").removeprefix("tag:"),
            column_tag=(columns or "").removeprefix("tag:"),
            first_id=min(session_ids),
            last_id=max(session_ids),
        )
        return [MatrixRun(**_decoded(row)) for row in found]

    def commands(self, session_ids: Sequence[str]) -> dict[str, str | None]:
        """Return the command line of each session that pytest or `benchdb run` recorded, secrets masked."""
        rows = self._rows("session_commands", session_ids=list(session_ids))
        return {row["session_id"]: row["command"] for row in rows}

    def benchmarks_of(self, session_ids: Sequence[str]) -> dict[str, list[str]]:
        """Return the full names of the benchmarks that sessions have a run of, by session."""
        rows = self._rows("session_benchmarks", session_ids=list(session_ids))
        return {row["session_id"]: row["names"] for row in rows}

    def find_runs(self, prefix: str) -> dict[str, str]:
        """Map the id of each run that begins with `prefix` to the id of its session."""
        return {row["run_id"]: row["session_id"] for row in self._rows("find_runs", prefix=prefix.lower())}

    def runs(self, session_ids: Sequence[str] | None = None, *, limit: int | None = None) -> list[dict[str, Any]]:
        """Return runs with their benchmark, device and model, in the order they ran; None takes every session."""
        ids = None if session_ids is None else list(session_ids)
        return [_decoded(row) for row in self._rows("run_rows", run_id=None, session_ids=ids, limit=limit)]

    def main_rounds(self, session_ids: Sequence[str], metrics: Sequence[str]) -> list[dict[str, Any]]:
        """Return the rounds of the times that reports show: rows of ``main_rounds.sql``."""
        return self._rows("main_rounds", session_ids=list(session_ids), metrics=list(metrics)) if metrics else []

    def measurements(
        self, session_ids: Sequence[str] | None = None, *, run_id: str | None = None
    ) -> list[dict[str, Any]]:
        """Return measurements in long form, one row per metric of a run."""
        ids = None if session_ids is None else list(session_ids)
        return self._rows("measurements", run_id=run_id, session_ids=ids)

    def samples(
        self,
        session_ids: Sequence[str] | None = None,
        *,
        run_id: str | None = None,
        metric: str | None = None,
    ) -> list[dict[str, Any]]:
        """Return rounds in run order, one row per measurement; time per iteration in seconds."""
        ids = None if session_ids is None else list(session_ids)
        return self._rows("samples", run_id=run_id, session_ids=ids, metric=metric)

    def environments(self, environment_id: str | None = None) -> list[dict[str, Any]]:
        """Return environments, that of the latest session first."""
        return [_decoded(row) for row in self._rows("environments", environment_id=environment_id)]

    def notes(self, session_id: str | None = None) -> list[dict[str, Any]]:
        """Return the notes about sessions, oldest first."""
        return self._rows("notes", session_id=session_id)

    def baselines(self) -> list[Baseline]:
        """Return the pinned baselines in force, ordered by project and name."""
        return [Baseline(**row) for row in self._rows("baselines")]

    def acceptances(self) -> list[Acceptance]:
        """Return every accepted change, oldest first, including expired ones."""
        return [Acceptance(**row) for row in self._rows("acceptances")]

    def exclusions(self) -> list[dict[str, Any]]:
        """Return the last decision about each session that was excluded: rows of ``exclusions.sql``."""
        return self._rows("exclusions")

    def imports(self) -> list[dict[str, Any]]:
        """Return the rows of ``queries/imports.sql``: the imported files by the checksum of their bytes."""
        return self._rows("imports")

    def run_detail(self, run_id: str) -> RunDetail:
        """Return everything about one run.

        Raises:
            StoreMissingError: there is no such run, or its session is missing.
        """
        rows = self._rows("run_rows", run_id=run_id, session_ids=None, limit=1)
        if not rows:
            message = f"there is no run {run_id} in {', '.join(self.paths)}; list them with: benchdb report"
            raise StoreMissingError(message)
        run = _decoded(rows[0])
        session = next((row for row in self.sessions() if row.session_id == run["session_id"]), None)
        if session is None:
            message = (
                f"run {run_id} in {', '.join(self.paths)} has no session; the file is not whole, see: benchdb doctor"
            )
            raise StoreMissingError(message)
        samples = {
            row["measurement_id"]: row["samples"]
            for row in self._rows("samples", run_id=run_id, session_ids=[session.session_id], metric=None)
        }
        measurements = self._rows("measurements", run_id=run_id, session_ids=[session.session_id])
        return RunDetail(
            session=session,
            run=run,
            environment=self.environment_of(session.session_id),
            measurements=tuple(map(_decoded, measurements)),
            samples=samples,
            notes=tuple(note for note in self.notes(session.session_id) if note["run_id"] in (None, run_id)),
            series=tuple(self.series(run_id)),
            requests=tuple(self._rows("request_summary", run_id=run_id)),
            attachments=tuple(self.attachments(run_id)),
        )

    def series(
        self, run_id: str | None = None, *, session_ids: Sequence[str] | None = None, spans: int = SERIES_BINS
    ) -> list[dict[str, Any]]:
        """Return the series sampled during a run, or the runs of sessions, by the means of so many spans of time.

        They are summarised as in `RunDetail`, with the `run_id` of each.
        """
        ids = None if session_ids is None else list(session_ids)
        rows = self._rows("series_summary", run_id=run_id, session_ids=ids, bins=spans)
        for row in rows:
            found = spans if row["end_s"] > row["begin_s"] else 1
            row["means"] = [row["means"].get(span) for span in range(found)]
        return rows

    def device_names(self) -> dict[str, str]:
        """Return the vendor's name of each device, by id."""
        with translated(", ".join(self.paths)):
            rows = self._connection.execute("SELECT CAST(device_id AS VARCHAR), name FROM device").fetchall()
        return dict(rows)

    def phases(self, session_ids: Sequence[str]) -> list[dict[str, Any]]:
        """Return what was measured of the named parts of runs: rows of ``run_phases.sql``."""
        return self._rows("run_phases", session_ids=list(session_ids))

    def requests(self, session_ids: Sequence[str], *, most: int) -> list[dict[str, Any]]:
        """Return the requests of token streams: rows of ``run_requests.sql``, each of at most `most` requests."""
        return self._rows("run_requests", session_ids=list(session_ids), most=most)

    def attachments(self, run_id: str) -> list[dict[str, Any]]:
        """Return the attachments of a run; `path` is None if the file is not beside an opened file or folder."""
        folders = [folder for path in self.paths for folder in attachment_folders(Path(path))]
        rows = self._rows("attachments", run_id=run_id)
        files = [find_attachment(row["checksum"], folders) for row in rows]
        return [{**row, "path": file and str(file)} for row, file in zip(rows, files, strict=True)]

    def run_files(self, session_ids: Sequence[str], names: Sequence[str]) -> list[dict[str, Any]]:
        """Return the attachments of these names of the runs of sessions, with `path` as in `attachments`."""
        folders = [folder for path in self.paths for folder in attachment_folders(Path(path))]
        rows = self._rows("run_files", session_ids=session_ids, names=names)
        return [{**row, "path": find_attachment(row["checksum"], folders)} for row in rows]

    def environment_of(self, session_id: str) -> dict[str, Any]:
        """Return the environment of a session; empty if it has none."""
        sql = f"SELECT CAST(environment_id AS VARCHAR) FROM session WHERE session_id = {literal(session_id)}"
        with translated(", ".join(self.paths)):
            row = self._connection.execute(sql).fetchone()
        return next(iter(self.environments(row[0]) if row and row[0] else []), {})

    def metric_names(self, session_ids: Sequence[str]) -> list[str]:
        """Return the metrics that sessions can be compared by, sorted."""
        return [row["metric"] for row in self._rows("metric_names", session_ids=session_ids)]

    def timing_options(self, session_ids: Sequence[str], names: Sequence[str]) -> list[dict[str, Any]]:
        """Return the options `names` with which sessions were timed: `session_id`, `name` and `value` as a text."""
        return self._rows("timing_options", session_ids=session_ids, names=names)

    def query(self, sql: str, limits: Limits | None = None) -> Answer:
        """Run one SELECT from the user in a process of its own, without access to anything else, within limits.

        Raises:
            QueryError: the statement was refused, failed, or ran past a limit.
        """
        return self._queries.ask(sql, limits or Limits())

    def snapshot(self) -> Path:
        """Return a copy of the history for other programs, which may keep it open or change it.

        Raises:
            StoreError: it cannot be written.
        """
        return snapshot(Path(self._queries.database), self.paths)

    def _rows(self, name: str, **values: Value) -> list[dict[str, Any]]:
        with translated(", ".join(self.paths)):
            return fetch(self._connection, f"queries/{name}", values)


def _decoded(row: dict[str, Any]) -> dict[str, Any]:
    for column in _JSON_COLUMNS:
        if isinstance(row.get(column), str):
            row[column] = json.loads(row[column])
    return row
