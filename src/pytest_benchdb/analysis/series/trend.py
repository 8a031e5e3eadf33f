"""One series over its sessions: its level, where that changed, and two things that change points do not show.

An anomaly is a single session that stands out and did not last, so it is of the machine rather than of the code. Creep
is a level that moved away from a pinned baseline in steps too small to be found one by one.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import median

from pytest_benchdb.analysis.rules.policy import statistic_of
from pytest_benchdb.analysis.rules.session_figures import defect_of, figure_of, shared_statistic
from pytest_benchdb.analysis.series.change_points import LEAST_VALUES, change_points, levels
from pytest_benchdb.analysis.statistics.spread import robust_deviation
from pytest_benchdb.model.answer.trend import Anomaly, ChangePoint, Creep, LevelChange, Trend, TrendPoint
from pytest_benchdb.model.metric import Better
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.model.series import SessionValue
from pytest_benchdb.model.verdict import Statistic

LEAST_SHARE = 0.05
"""Smallest distance from the level that is reported, as a share."""

_DEVIATIONS = 5.0
_FEWEST = 5


def anomalies(values: Sequence[float | None], points: Sequence[ChangePoint]) -> list[Anomaly]:
    """Return the single outlying values that reverted, the earliest first.

    The rule is Conbench's, on logarithms: five standard deviations off, of noise that outliers do not widen, and the
    next value less than half as far off in this direction. The newest value may yet be the first of a new level.

    Args:
        values: one per session, in order; None, NaN and values that are not above 0 are passed over.
        points: change points of the same values.
    """
    at = levels(values, points)
    rests = [
        (place, value, level, math.log(value / level))
        for place, (value, level) in enumerate(zip(values, at, strict=True))
        if value is not None and level is not None and math.isfinite(value) and value > 0 and level > 0
    ]
    if len(rests) < _FEWEST:
        return []
    noise = robust_deviation([rest for *_, rest in rests])
    outliers = []
    for (place, value, level, rest), (*_, following) in pairwise(rests):
        is_far = abs(rest) > max(_DEVIATIONS * noise, math.log1p(LEAST_SHARE))
        if is_far and following * math.copysign(1, rest) < abs(rest) / 2:
            deviations = abs(rest) / noise if noise else math.inf
            change = value / level - 1
            outliers.append(Anomaly(index=place, value=value, level=level, change=change, deviations=deviations))
    return outliers


LEAST_CREEP = 0.10
"""Smallest distance from the baseline that is reported, as a share."""

RECENT = 5
"""Newest values whose median is compared with the baseline."""


def creep(
    values: Sequence[float | None], baseline: Sequence[float | None], better: Better, *, limit: float = LEAST_CREEP
) -> Creep | None:
    """Compare the newest values with those of a pinned baseline.

    Args:
        values: one per session, in order; None and NaN are passed over.
        baseline: those of the pinned sessions.
        better: direction of the metric; ``none`` never creeps.
        limit: distance that counts, as a share; for ``higher`` it is a share of the newest values, so that a fall to a
            half counts as much as a rise to the double.

    Returns:
        None where one side has no value, or the baseline is not above 0.
    """
    newest = _measured(values)[-RECENT:]
    pinned = _measured(baseline)
    if not newest or not pinned or median(pinned) <= 0:
        return None
    low, high = median(pinned), median(newest)
    worse = {"lower": high > low * (1 + limit), "higher": high * (1 + limit) < low}.get(better, False)
    return Creep(baseline=low, recent=high, change=high / low - 1, crept=worse, values=len(newest))


def _measured(values: Sequence[float | None]) -> list[float]:
    return [value for value in values if value is not None and math.isfinite(value)]


_FEWEST_FOR_SPREAD = 3


def trend_of(
    values: Sequence[SessionValue],
    sessions: Mapping[str, SessionRow],
    baseline: Sequence[SessionValue] = (),
) -> Trend:
    """Find the level, changes, anomalies and creep of one series.

    Args:
        values: of one series on one machine, in order; at least one.
        sessions: their sessions, by id.
        baseline: values of the same series in the pinned sessions.
    """
    newest = next((value for value in reversed(values) if value.value is not None), values[-1])
    kept = [value for value in values if _goes_on(value, newest)]
    statistic = shared_statistic([value for value in kept if value.value is not None], statistic_of(newest.key.metric))
    figures = [figure_of(value, statistic) for value in kept]
    changes = change_points(figures)
    points = tuple(
        _point(value, figure, level, sessions, statistic)
        for value, figure, level in zip(kept, figures, levels(figures, changes), strict=True)
    )
    pinned = [figure_of(value, statistic) for value in baseline if _goes_on(value, newest)]
    recent = [figure for figure in figures[changes[-1].index if changes else 0 :] if figure is not None]
    logs = [math.log(figure) for figure in recent if figure > 0]
    return Trend(
        key=newest.key,
        fingerprint=sessions[newest.session_id].fingerprint,
        unit=newest.unit,
        better=newest.better,
        statistic=statistic,
        group=newest.group,
        points=points,
        measured=sum(figure is not None for figure in figures),
        changes=tuple(_change(point, points, newest.better) for point in changes),
        anomalies=tuple(anomalies(figures, changes)),
        creep=creep(figures, pinned, newest.better) if pinned else None,
        level=points[-1].level,
        deviation=robust_deviation(logs) if len(logs) >= _FEWEST_FOR_SPREAD else None,
        other_code=len(values) - len(kept),
        sessions_needed=max(0, LEAST_VALUES - sum(figure is not None for figure in figures)),
    )


def _goes_on(value: SessionValue, newest: SessionValue) -> bool:
    """Return whether a value can be compared with the newest: same code if both have a hash, and same unit."""
    same_code = value.code_hash is None or newest.code_hash is None or value.code_hash == newest.code_hash
    return same_code and (value.unit == newest.unit or value.value is None)


def _point(
    value: SessionValue,
    figure: float | None,
    level: float | None,
    sessions: Mapping[str, SessionRow],
    statistic: Statistic,
) -> TrendPoint:
    defect = defect_of(value, statistic)
    return TrendPoint(
        session_id=value.session_id,
        started_at=value.started_at,
        commit=sessions[value.session_id].commit_sha,
        value=figure,
        level=level,
        reason=None if defect is None else defect[1],
    )


def _change(point: ChangePoint, points: Sequence[TrendPoint], better: Better) -> LevelChange:
    worse = None if better == "none" else (point.after > point.before) is (better == "lower")
    return LevelChange(
        point=point,
        before=points[point.previous],
        first=points[point.index],
        unmeasured=point.index - point.previous - 1,
        worse=worse,
    )
