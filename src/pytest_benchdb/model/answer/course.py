"""What sensors said over time, while runs were measured."""

from dataclasses import dataclass

from pytest_benchdb.model.metric import Provenance
from pytest_benchdb.model.report import ReportRow, SessionRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """One metric of one sensor during a run, in SI units.

    Attributes:
        domain: the sensor, or the part of the machine that it is about; None if it does not say.
        n: number of readings.
        mean: of all readings.
        begin_s: time of the first reading, in seconds since the start of the run.
        end_s: time of the last.
        means: of the readings in as many equal spans of that time; None for a span without one.
    """

    row: ReportRow
    session: SessionRow
    metric: str
    unit: str
    phase: str | None
    domain: str | None
    provenance: Provenance
    n: int
    min: float
    mean: float
    max: float
    begin_s: float
    end_s: float
    means: tuple[float | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Courses:
    """The readings of sensors during the runs of a report.

    Attributes:
        metrics: those that were asked for.
        available: the metrics that these runs have over time.
    """

    courses: tuple[Course, ...]
    metrics: tuple[str, ...]
    available: tuple[str, ...]
    selection: str | None = None
