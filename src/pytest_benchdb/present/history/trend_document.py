"""What a trend shows, before a format is chosen."""

from dataclasses import dataclass
from typing import Literal

from pytest_benchdb.analysis.series.trend import Trend


@dataclass(frozen=True, slots=True, kw_only=True)
class Trends:
    """Series over sessions.

    Attributes:
        sources: the files and folders that were read, as the user wrote them.
        series: those that changed or crept for the worse first.
        order: what put the sessions in order: the ancestry of their commits, or the time of their start.
        order_reason: why not ancestry; None if it is.
        sessions: how many sessions were looked at.
        sessions_in_all: how many there are.
        baseline: name of the pinned baseline; None without one.
        selection: the filters in force, as the user wrote them; None without.
    """

    sources: tuple[str, ...]
    series: tuple[Trend, ...]
    order: Literal["ancestry", "time"]
    order_reason: str | None
    sessions: int
    sessions_in_all: int
    baseline: str | None = None
    selection: str | None = None
