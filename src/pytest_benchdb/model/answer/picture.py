"""What charts of a report draw: the rounds of its runs, and the history of each benchmark."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pytest_benchdb.model.answer.trend import LevelBand, Trend
from pytest_benchdb.model.report import Row, SessionRow


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
        command: shell command that repeats the run; None if it was not recorded by pytest.
    """

    rounds: Rounds | None = None
    before: Rounds | None = None
    trend: Trend | None = None
    bands: tuple[LevelBand, ...] = ()
    command: str | None = None


NO_PICTURE = RunPicture()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPictures:
    """What there is to draw of a report.

    Attributes:
        runs: by run id; runs without anything to draw may be missing.
        sessions: those of the histories, in their order.
        order_reason: why they are ordered by time; None if they are ordered by commit.
        environments: columns of `environment` of each session of the report, by session id.
    """

    runs: Mapping[str, RunPicture] = field(default_factory=dict)
    sessions: tuple[SessionRow, ...] = ()
    order_reason: str | None = None
    environments: Mapping[str, Row] = field(default_factory=dict)

    def of(self, run_id: str) -> RunPicture:
        """Return what there is to draw of a run."""
        return self.runs.get(run_id, NO_PICTURE)


NO_PICTURES = ReportPictures()
