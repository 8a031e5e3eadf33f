"""Which figure stands for a session, and whether it can be used at all."""

import math
from collections.abc import Iterable

from pytest_benchdb.model.judgement import Statistic, Verdict
from pytest_benchdb.model.run import Outcome
from pytest_benchdb.model.series import SessionValue

_PASSED: frozenset[Outcome] = frozenset({"passed", "xpassed"})
_NOT_RUN: frozenset[Outcome] = frozenset({"skipped", "unsupported"})


def figure_of(value: SessionValue, statistic: Statistic) -> float | None:
    """Return the figure that stands for a session.

    A single reading is its own minimum, mean and median.

    Returns:
        In the metric's unit; None if the run did not pass, its figures may not be compared, it lacks this one,
        or it is no finite number.
    """
    if defect_of(value, statistic) is not None:
        return None
    return _stored(value, statistic)


def figures_of(values: Iterable[SessionValue], statistic: Statistic) -> list[float]:
    """Return the figures of those sessions that have one, in their order."""
    return [figure for value in values if (figure := figure_of(value, statistic)) is not None]


def defect_of(value: SessionValue, statistic: Statistic) -> tuple[Verdict, str] | None:
    """Return what a session without a usable figure means for its side, with the reason; None if all is well."""
    because = f": {value.reason}" if value.reason else ""
    if value.outcome in _NOT_RUN:
        return "missing", f"{value.outcome}{because}"
    if value.outcome not in _PASSED:
        return "error", f"{value.outcome}{because}"
    if not value.valid:
        return "inconclusive", value.reason or f"{value.key.metric} was recorded as not comparable"
    figure = _stored(value, statistic)
    if figure is None:
        return "missing", f"{value.key.metric} was not measured{because}"
    if not math.isfinite(figure):
        return "inconclusive", f"{value.key.metric} is {figure}, which is no measurement"
    return None


def shared_statistic(values: Iterable[SessionValue], statistic: Statistic) -> Statistic:
    """Return the statistic, or ``value`` where one session's summary lacks it: minima are not held against medians."""
    return statistic if all(_stored(value, statistic) is not None for value in values) else "value"


def _stored(value: SessionValue, statistic: Statistic) -> float | None:
    figure: float | None = getattr(value, statistic)
    if figure is None and (value.n is None or value.n == 1):
        return value.value
    return figure
