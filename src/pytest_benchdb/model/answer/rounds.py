"""Runs with every round that was kept of them."""

from dataclasses import dataclass

from pytest_benchdb.model.report import ReportRow, SessionRow


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRounds:
    """One run, and its rounds.

    Attributes:
        values_s: seconds per iteration of the main time, one per round in run order; empty if they were not kept or
            may not be shown.
    """

    row: ReportRow
    session: SessionRow
    values_s: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsWithRounds:
    """The runs of a report with their rounds.

    Attributes:
        selection: the filters in force, as the user wrote them; None without.
    """

    runs: tuple[RunRounds, ...]
    selection: str | None = None
