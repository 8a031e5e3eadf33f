"""The Python API: recorded results as tables, and the answers of the commands."""

import contextlib
import datetime as dt
import os
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from types import TracebackType, UnionType
from typing import TYPE_CHECKING, Any

from pytest_benchdb.errors import StoreMissingError
from pytest_benchdb.model.answer.noise import NoiseScore
from pytest_benchdb.model.answer.notebook import Notebook
from pytest_benchdb.model.answer.trend import Trends
from pytest_benchdb.model.comparison import Comparison, Gate
from pytest_benchdb.model.compatibility.matrix import Matrix
from pytest_benchdb.model.report import ReportRow, SessionRow
from pytest_benchdb.model.wording import counted
from pytest_benchdb.operations.compare.run import CompareRequest, compare_named, parse_limits
from pytest_benchdb.operations.exchange.open import open_source
from pytest_benchdb.operations.gate.policy import Rules
from pytest_benchdb.operations.gate.request import AUTO, GateRequest
from pytest_benchdb.operations.gate.run import gate
from pytest_benchdb.operations.history.noise import score_noise
from pytest_benchdb.operations.history.trend import TrendRequest, build_trends
from pytest_benchdb.operations.matrix.build import MatrixRequest, build_matrix
from pytest_benchdb.operations.plots import Plots
from pytest_benchdb.operations.read.query import TIMEOUT_S
from pytest_benchdb.operations.read.table import (
    INTEGER,
    LABELS,
    MOMENT,
    NUMBER,
    NUMBERS,
    OBJECT,
    TEXT,
    TRUTH,
    Table,
)
from pytest_benchdb.operations.select.filters.keyword import parse_expression
from pytest_benchdb.operations.select.filters.threshold import parse_thresholds
from pytest_benchdb.operations.select.filters.where import parse_where
from pytest_benchdb.operations.select.selection import Selection, find_sessions
from pytest_benchdb.operations.select.series import parse_metrics
from pytest_benchdb.operations.select.spec.context import spec_context
from pytest_benchdb.present.report.columns import default_grouping, with_relative
from pytest_benchdb.present.writing.values import unique_names
from pytest_benchdb.store.connection import connect_to_file
from pytest_benchdb.store.read.sandbox import Limits
from pytest_benchdb.store.target import missing_text

if TYPE_CHECKING:
    from typing_extensions import Self

    from pytest_benchdb.store.connection import Connection


PathLike = str | os.PathLike[str]


_TIMES = ("started_at", "finished_at", "commit_at")
_OF_SESSION = {
    "started_at": MOMENT,
    "commit": TEXT,
    "commit_subject": TEXT,
    "branch": TEXT,
    "label": TEXT,
    "machine": TEXT,
}
_TYPES = {bool: TRUTH, int: INTEGER, float: NUMBER, dict[str, str]: LABELS}


class History(Plots, Notebook):
    """Recorded sessions, open for reading; see `pytest_benchdb.open`.

    Tables become frames by ``.to_pandas()`` and ``.to_polars()``. Times are in seconds per iteration, sizes in bytes,
    times of day in UTC, and None means not measured.

    Attributes:
        paths: the opened files and folders.
        warnings: one line for each session that could not be read.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        """Open files and folders; use `pytest_benchdb.open`."""
        self.paths = tuple(path.absolute() for path in paths)
        self._stack = contextlib.ExitStack()
        self._reader = self._stack.enter_context(open_source(self.paths))
        self.warnings = self._reader.warnings

    @property
    def path(self) -> Path:
        """One DuckDB file with everything, for any client: an up-to-date copy, as `benchdb sql` makes it.

        Raises:
            StoreError: the copy cannot be written.
        """
        return self._reader.snapshot()

    @property
    def _place(self) -> Path:
        return self.paths[0] if len(self.paths) == 1 else self.path

    def connection(self) -> "Connection":
        """Return a DuckDB connection of your own to `path`, read-only, without the limits of `sql`; close it yourself.

        Raises:
            StoreError: the copy cannot be written.
        """
        return connect_to_file(self.path)

    def summary(self) -> str:
        """Return the paths and the number of sessions in one line."""
        return f"{counted(len(self._reader.sessions()), 'session')} of {', '.join(map(str, self.paths))}"

    def table(self) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
        """Return the sessions, the newest first, for notebooks."""
        heads = ("session_id", "started_at", "outcome", "runs", "label", "branch", "commit_sha", "commit_subject")
        return heads, [[getattr(row, name) for name in heads] for row in reversed(self._reader.sessions())]

    def __enter__(self) -> "Self":
        """Return the history."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the files; returned tables stay valid."""
        self._stack.close()

    def sessions(self) -> Table:
        """Return one row per session, oldest first: project, time, outcome, commit, machine, numbers of runs.

        Raises:
            StoreError: the files cannot be read.
        """
        rows = self._reader.sessions()
        types = {**_types_of(SessionRow), **dict.fromkeys(_TIMES, MOMENT)}
        return Table({name: [_timed(name, getattr(row, name)) for row in rows] for name in types}, types)

    def runs(
        self, *, k: str | None = None, where: str | None = None, session: str | Sequence[str] | None = None
    ) -> Table:
        """Return one row per run: its figures, and what they can be plotted over.

        Beside the columns of `benchdb report` there are ``started_at`` of the session, ``commit``,
        ``commit_subject``, ``branch``, ``label``, ``machine``, the parameters as a dictionary ``params``, and each of
        them as a column of its own, ``param:NAME``. The figures of a run that did not pass are None.

        Args:
            k: expression over full names, as `-k`: ``"sort and not slow"``.
            where: filter, as `-w`: ``"backend=cuda model=bert*"``.
            session: names of sessions, as for `benchdb report`: ``"latest"``, a label, an id; None for all.

        Raises:
            ConfigError: a filter or a name is not valid.
            StoreError: the files cannot be read.
        """
        rows = self._runs(k, where, session)
        facts = {row.session_id: _facts(row) for row in self._reader.sessions()}
        params = [row.params or {} for row in rows]
        shown = [row.values() for row in rows]
        columns: dict[str, list[object]] = {name: [row[name] for row in shown] for name in _types_of(ReportRow)}
        columns |= {name: [facts[row.session_id][name] for row in rows] for name in _OF_SESSION}
        columns["params"] = list(params)
        types = {**_types_of(ReportRow), **_OF_SESSION, "params": OBJECT}
        for name in sorted({name for entry in params for name in entry}):
            values = [entry.get(name) for entry in params]
            types[f"param:{name}"], columns[f"param:{name}"] = _parameter(values)
        return Table(columns, types)

    def samples(
        self,
        *,
        metric: str | None = "wall_time",
        k: str | None = None,
        where: str | None = None,
        session: str | Sequence[str] | None = None,
    ) -> Table:
        """Return the raw rounds: one row per measurement, with a list of its values in the order the rounds ran.

        Times are in seconds per iteration; warm-up rounds are not included. Runs that did not pass are included, so
        check ``outcome``.

        Args:
            metric: name of a metric; None for every metric with rounds.
            k: as in `runs`.
            where: as in `runs`.
            session: as in `runs`.

        Raises:
            ConfigError: a filter or a name is not valid.
            MissingExtraError: pyarrow is not installed.
            StoreError: the files cannot be read.
        """
        runs = {row.run_id: row for row in self._runs(k, where, session)}
        sessions = sorted({row.session_id for row in runs.values()})
        rows = [row for row in self._reader.samples(sessions, metric=metric) if row["run_id"] in runs]
        names = ("run_id", "session_id", "phase", "pass", "metric", "unit")
        columns: dict[str, list[object]] = {name: [row[name] for row in rows] for name in names}
        columns["fullname"] = [runs[row["run_id"]].fullname for row in rows]
        columns["outcome"] = [runs[row["run_id"]].outcome for row in rows]
        columns["samples"] = [row["samples"] for row in rows]
        return Table(columns, {**dict.fromkeys(columns, TEXT), "samples": NUMBERS})

    def compare(  # noqa: PLR0913 - the options of the command
        self,
        baseline: str = "latest~1",
        candidate: str = "latest",
        *,
        metrics: Sequence[str] = (),
        k: str | None = None,
        where: str | None = None,
        thresholds: Sequence[str] = (),
        allow_cross: bool = False,
    ) -> Comparison:
        """Compare two sides, as `benchdb compare` does.

        Args:
            baseline: names the sessions to compare with: ``"latest~1"``, a label, a commit, ``"branch:main"``.
            candidate: names the sessions to judge.
            metrics: as `--metric`; none for wall time.
            k: as in `runs`.
            where: as in `runs`.
            thresholds: the changes that count, as `--threshold`: ``["5%"]``, ``["peak_rss:10%"]``.
            allow_cross: whether machines, Pythons and the benchmarks' code may differ.

        Raises:
            NoBaselineError: a name matches no session.
            ConfigError: a name, a filter or a threshold is not valid.
            StoreError: the files cannot be read.
        """
        share, limits = parse_limits(thresholds)
        request = CompareRequest(
            metrics=parse_metrics(metrics),
            keyword=k,
            where=where,
            share=share,
            thresholds=limits,
            allow_cross=allow_cross,
        )
        (comparison,) = compare_named((baseline, candidate), self._place, request)
        return comparison

    def regress(
        self,
        candidate: str | None = None,
        *,
        baseline: str = AUTO,
        k: str | None = None,
        where: str | None = None,
        thresholds: Sequence[str] = (),
        allow_cross: bool = False,
    ) -> Gate:
        """Judge a session by its history, as `benchdb regress --confirm 0` does: nothing is run again.

        Args:
            candidate: names the session; None for the newest.
            baseline: names the sessions to compare with.
            k: as in `runs`.
            where: as in `runs`.
            thresholds: as `--threshold`: ``["time:5%"]``.
            allow_cross: whether the history may include other machines.

        Raises:
            ConfigError: a name, a filter or a threshold is not valid.
            StoreError: the files cannot be read.
        """
        request = GateRequest(
            candidate=candidate,
            baseline=baseline,
            keyword=k,
            where=where,
            rules=Rules(thresholds=parse_thresholds(thresholds)),
            confirms=0,
            allow_cross=allow_cross,
            folder=Path.cwd(),
            environ=os.environ,
        )
        return gate(self.paths, request)

    def trend(  # noqa: PLR0913 - the options of the command
        self,
        *,
        metrics: Sequence[str] = (),
        k: str | None = None,
        where: str | None = None,
        branch: str | None = None,
        last: int | None = None,
        baseline: str | None = None,
        change: float = 0.03,
    ) -> Trends:
        """Follow each benchmark over the sessions, as `benchdb trend` does.

        Args:
            metrics: as `--metric`; none for the main time of each benchmark.
            k: as in `runs`.
            where: as in `runs`.
            branch: only sessions of this branch.
            last: how many of the newest sessions; None for the command's default.
            baseline: names the sessions against which creep is measured; None for the baseline pinned last.
            change: the smallest change of level to find, as a share.

        Raises:
            ConfigError: a name or a filter is not valid.
            StoreError: the files cannot be read.
        """
        request = TrendRequest(
            branch=branch, baseline=baseline, least_change=change, root=Path.cwd(), environ=os.environ
        )
        return build_trends(self._selection(metrics, k, where, last), request)

    def noise(
        self,
        *,
        metrics: Sequence[str] = (),
        k: str | None = None,
        where: str | None = None,
        last: int | None = None,
        change: float = 0.05,
    ) -> NoiseScore:
        """Score the machine of the newest session, as `benchdb noise` does.

        Args:
            metrics: as `--metric`; none for the main time of each benchmark.
            k: as in `runs`.
            where: as in `runs`.
            last: how many of the newest sessions; None for the command's default.
            change: the increase to detect, as a share.

        Raises:
            ConfigError: a filter is not valid.
            StoreError: the files cannot be read.
        """
        return score_noise(self._selection(metrics, k, where, last), change=change)

    def matrix(  # noqa: PLR0913 - the options of the command
        self,
        *,
        rows: str | None = None,
        cols: str | None = None,
        metric: str | None = None,
        k: str | None = None,
        where: str | None = None,
        session: str | Sequence[str] | None = None,
        diff: str | None = None,
    ) -> Matrix:
        """Return what works where, as `benchdb matrix` does; ``matrix["bert", "cuda"]`` is one cell.

        Args:
            rows: dimension of the rows; None for the model.
            cols: dimension of the columns; None for the backend.
            metric: name of the metric in the cells; None for the main time of each benchmark.
            k: as in `runs`.
            where: as in `runs`; also ``family`` and ``modality``.
            session: names of sessions: a label, a commit, an id; None for the newest of all.
            diff: names the sessions to compare with.

        Raises:
            NoBaselineError: a name matches no session.
            ConfigError: a dimension, a filter or a name is not valid.
            StoreError: the files cannot be read.
        """
        named = () if session is None else (session,) if isinstance(session, str) else tuple(session)
        selection = self._selection(() if metric is None else (metric,), k, where, None)
        request = MatrixRequest(rows=rows, columns=cols, compared_with=diff)
        return build_matrix(replace(selection, specs=named), request)

    def sql(self, statement: str, *, timeout_s: float = TIMEOUT_S, rows: int | None = Limits().rows) -> Table:
        """Return the answer to one SELECT statement, which has no access to files or the network.

        `benchdb schema` prints the tables and views.

        Args:
            statement: the statement.
            timeout_s: time limit in seconds.
            rows: the most rows allowed; None for no limit.

        Raises:
            QueryError: the statement was refused, failed, or ran past a limit.
            StoreError: the files cannot be read.
        """
        # On a connection of its own, because the sandbox locks it down.
        with open_source(self.paths) as reader:
            answer = reader.query(statement, Limits(seconds=timeout_s, rows=rows))
        names = unique_names(answer.columns)
        values = zip(*answer.rows, strict=True) if answer.rows else ((),) * len(names)
        return Table(
            {name: list(column) for name, column in zip(names, values, strict=True)},
            dict(zip(names, answer.types, strict=True)),
        )

    def _selection(self, metrics: Sequence[str], k: str | None, where: str | None, last: int | None) -> Selection:
        return Selection(paths=self.paths, keyword=k, where=where, metrics=parse_metrics(metrics), last=last)

    def _runs(self, k: str | None, where: str | None, session: str | Sequence[str] | None) -> list[ReportRow]:
        matches, condition = parse_expression(k or ""), parse_where(where or "")
        sessions = self._reader.sessions()
        if session is not None:
            names = [session] if isinstance(session, str) else session
            sessions = find_sessions(names, sessions, spec_context(self._reader))
        report = self._reader.report([row.session_id for row in sessions])
        chosen = [[row for row in rows if matches(row.fullname) and condition.matches(row)] for rows in report.values()]
        return [row for rows in chosen for row in with_relative(rows, default_grouping(rows))]


def open_history(path: PathLike, *more: PathLike) -> History:
    """Open recorded results for reading: a folder of sessions, a file, or several of either.

    Args:
        path: the PATH of `pytest --benchdb=PATH`, or a session file.
        more: further paths; a session found in several is read once.

    Returns:
        The history; use it in a ``with`` statement, or close it.

    Raises:
        StoreMissingError: a path does not exist, or contains no session.
        StoreError: a path is foreign, damaged, locked or newer.

    Example:
        >>> import pytest_benchdb
        >>> with pytest_benchdb.open("results") as history:  # doctest: +SKIP
        ...     runs = history.runs(k="sort", session="latest").to_pandas()
        ...     slow = history.sql("SELECT name, max(median_s) FROM report GROUP BY name")
    """
    paths = [Path(source) for source in (path, *more)]
    for source in paths:
        if not source.exists():
            raise StoreMissingError(missing_text(source))
    return History(paths)


def _types_of(kind: type[Any]) -> dict[str, str]:
    """Return the type of each field of a dataclass, so that columns without a value keep theirs."""
    hints = typing.get_type_hints(kind)
    return {field.name: _type_of(hints[field.name]) for field in fields(kind) if field.name != "percentiles"}


def _type_of(hint: Any) -> str:
    if isinstance(hint, UnionType):
        hint = next(part for part in typing.get_args(hint) if part is not type(None))
    return _TYPES.get(hint, TEXT)


def _timed(name: str, value: Any) -> object:
    return _moment(value) if name in _TIMES else value


def _moment(iso: str | None) -> dt.datetime | None:
    """Return a stored time, aware, in UTC."""
    if iso is None:
        return None
    return dt.datetime.fromisoformat(iso.removesuffix("Z")).replace(tzinfo=dt.timezone.utc)


def _facts(session: SessionRow) -> Mapping[str, object]:
    return {
        "started_at": _moment(session.started_at),
        "commit": session.commit_sha,
        "commit_subject": session.commit_subject,
        "branch": session.branch,
        "label": session.label,
        "machine": session.cpu_model,
    }


def _parameter(values: Iterable[object]) -> tuple[str, list[object]]:
    """Return the type of a parameter's column, and its values: texts if they have several types."""
    values = list(values)
    kinds = {type(value) for value in values if value is not None}
    if kinds == {int, float}:
        return NUMBER, [None if value is None else float(value) for value in values]  # type: ignore[arg-type]
    if len(kinds) == 1 and (kind := _TYPES.get(kinds.pop())) is not None:
        return kind, values
    return TEXT, [value if value is None or isinstance(value, str) else str(value) for value in values]
