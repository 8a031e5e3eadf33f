"""What pages draw: the runs and histories of a report, and those of a site with its sessions."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pytest_benchdb.model.annotation import Baseline
from pytest_benchdb.model.answer.trend import LevelBand, SessionMark, Trend
from pytest_benchdb.model.report import ReportRow, Row, SessionReport, SessionRow
from pytest_benchdb.model.verdict import Judgement


@dataclass(frozen=True, slots=True, kw_only=True)
class Rounds:
    """The rounds of one run.

    Attributes:
        session_id: the session of the run.
        n: number of rounds.
        values_s: seconds per iteration: every round in run order, or `quantiles` of them, from the smallest.
        quantiles: whether there were too many rounds, so that `values_s` are as many evenly spaced quantiles.
    """

    session_id: str
    n: int
    values_s: tuple[float, ...]
    quantiles: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPicture:
    """What there is to draw of one run.

    Attributes:
        rounds: of the run's main time; None if they were not kept.
        before: those of the newest earlier run of its history; None without one.
        trend: its history up to the report; None if there is none.
        bands: the levels of the history, one for each, the earliest first.
        others: the histories of its other metrics with their levels.
        phases: what was measured of its named parts: rows of ``run_phases.sql``.
        courses: what sensors read while it lasted, as in `RunDetail.series`, with the name of the device.
        requests: those of a token stream: rows of ``run_requests.sql``.
        judgement: how its time compares with the baseline's; None if that was not asked for.
        command: shell command that repeats the run; None if it was not recorded by pytest.
    """

    rounds: Rounds | None = None
    before: Rounds | None = None
    trend: Trend | None = None
    bands: tuple[LevelBand, ...] = ()
    others: tuple[tuple[Trend, tuple[LevelBand, ...]], ...] = ()
    phases: tuple[Row, ...] = ()
    courses: tuple[Row, ...] = ()
    requests: tuple[Row, ...] = ()
    judgement: Judgement | None = None
    command: str | None = None


NO_PICTURE = RunPicture()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPictures:
    """What there is to draw of a report.

    Attributes:
        runs: by run id; runs without anything to draw may be missing.
        sessions: those of the histories, in their order.
        order_reason: why they are ordered by time; None if they are ordered by commit.
        baseline: what the runs are compared with, as the user named it; None if they are not.
        doubts: reasons to doubt that comparison, one line each.
        marks: what people said about sessions, by id.
        environments: columns of `environment` of each session of the report, by session id.
    """

    runs: Mapping[str, RunPicture] = field(default_factory=dict)
    sessions: tuple[SessionRow, ...] = ()
    order_reason: str | None = None
    baseline: str | None = None
    doubts: tuple[str, ...] = ()
    marks: Mapping[str, SessionMark] = field(default_factory=dict)
    environments: Mapping[str, Row] = field(default_factory=dict)

    def of(self, run_id: str) -> RunPicture:
        """Return what there is to draw of a run."""
        return self.runs.get(run_id, NO_PICTURE)


NO_PICTURES = ReportPictures()


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPages:
    """What a site has already.

    Attributes:
        benchmarks: digest of what each benchmark's page was made of, by full name.
        sessions: digest of what each session's page was made of, by session id.
        matrix: digest of what the page of the compatibility matrix was made of; None if there is none.
    """

    benchmarks: Mapping[str, str]
    sessions: Mapping[str, str]
    matrix: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """A history and its levels, the earliest first."""

    trend: Trend
    bands: tuple[LevelBand, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkHistory:
    """A benchmark whose page is to be written.

    Attributes:
        runs: its newest run on each machine and device, that of the newest session first.
        courses: the histories of its main times, one for each machine, device and phase.
        notes: about it, its runs or their sessions: rows of ``queries/notes.sql``.
    """

    fullname: str
    runs: tuple[ReportRow, ...]
    courses: tuple[Course, ...]
    notes: tuple[Row, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteContent:
    """What the pages of a site show.

    Attributes:
        sources: the files and folders that were read, as the user wrote them.
        sessions: those of the site, in the order of its histories.
        excluded: sessions that were taken out of the history, the oldest first.
        in_all: number of sessions that there are.
        order_reason: why sessions are ordered by time; None if they are ordered by commit.
        machines: name of the processor of each fingerprint, where it is known.
        baselines: those in force.
        marks: what people said about sessions, by id.
        benchmarks: digest of every benchmark by full name, changed or not.
        changed: the benchmarks that the site does not have in this form yet.
        pictures: what there is to draw of their newest runs.
        session_pages: digest of every session that has a page, by id.
        changed_sessions: the sessions whose page the site does not have in this form yet, with all their runs.
        matrix_page: digest of the page of the compatibility matrix; None if no run has a place in it.
    """

    sources: tuple[str, ...]
    sessions: tuple[SessionRow, ...]
    excluded: tuple[SessionRow, ...]
    in_all: int
    order_reason: str | None
    machines: Mapping[str, str]
    baselines: tuple[Baseline, ...]
    marks: Mapping[str, SessionMark]
    benchmarks: Mapping[str, str]
    changed: tuple[BenchmarkHistory, ...]
    pictures: ReportPictures
    session_pages: Mapping[str, str]
    changed_sessions: tuple[SessionReport, ...]
    matrix_page: str | None
