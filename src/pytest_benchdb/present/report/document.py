"""What a report shows, before a format is chosen: sessions with their runs, and plain tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pytest_benchdb.model.report import ReportRow, SessionRow


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionReport:
    """A session with the runs that were asked for.

    Attributes:
        rows: the runs to show, filtered and sorted.
        outcomes: how many runs of the whole session had which outcome, filtered or not.
    """

    session: SessionRow
    rows: tuple[ReportRow, ...]
    outcomes: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One or more sessions, oldest first.

    Attributes:
        sources: the files and folders that were read, as the user wrote them.
        sessions_in_all: how many sessions are there, shown or not.
        selection: the filters in force, as the user wrote them; None without.
    """

    sources: tuple[str, ...]
    sessions: tuple[SessionReport, ...]
    sessions_in_all: int
    selection: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DataTable:
    """Named columns of plain values, such as the answer to a query.

    Attributes:
        schema: name of the shape in JSON: ``benchdb.query/1``.
        types: DuckDB's type of each column; empty where it is not known.
        more: whether rows were left out because of a limit.
        facts: what JSON says beside the rows.
    """

    schema: str
    columns: tuple[str, ...]
    rows: Sequence[Sequence[object]]
    types: tuple[str, ...] = ()
    more: bool = False
    facts: Mapping[str, object] = field(default_factory=dict)


Row = Mapping[str, Any]
"""A row of a query, by the names of its columns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDocument:
    """One run with everything that is known about it, as `store.reader.RunDetail` holds it.

    Attributes:
        run: columns of the run.
        measurements: one row each.
        samples: rounds in run order, by the id of their measurement.
        series: summaries of what was sampled over time.
        requests: summaries of the requests of a token stream, one row per phase.
        attachments: files, with where they are.
    """

    run: Row
    measurements: Sequence[Row]
    samples: Mapping[str, Sequence[float]] = field(default_factory=dict)
    series: Sequence[Row] = ()
    requests: Sequence[Row] = ()
    attachments: Sequence[Row] = ()
