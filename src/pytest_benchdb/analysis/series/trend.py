"""One series over its sessions: its level, the changes of level, and two things that change points do not show.

An anomaly is a single outlying session that did not last, so its cause is the machine rather than the code. Creep is a
level that moved away from a pinned baseline in steps too small to be detected one by one.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import median

from pytest_benchdb.analysis.rules.policy import statistic_of
from pytest_benchdb.analysis.rules.session_figures import defect_of, figure_of, shared_statistic
from pytest_benchdb.analysis.series.change_points import LEAST_CHANGE, LEAST_VALUES, change_points, levels
from pytest_benchdb.analysis.statistics.spread import robust_deviation
from pytest_benchdb.model.answer.trend import Anomaly, ChangePoint, Creep, LevelBand, LevelChange, Trend, TrendPoint
from pytest_benchdb.model.metric import Better
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.model.series import SessionValue
from pytest_benchdb.model.verdict import Statistic

LEAST_SHARE = 0.05
"""Smallest distance from the level that is an anomaly, as a share."""

LEAST_CREEP = 0.10
"""Smallest distance from the baseline that is creep, as a share."""

RECENT = 5
"""Newest values whose median is compared with the baseline."""

_DEVIATIONS = 5.0
_LEAST_FOR_ANOMALIES = 5
_LEAST_FOR_SPREAD = 3
_BAND = 2.0
"""Half the width of a band in standard deviations: about 95 % of sessions lie within."""


def anomalies(values: Sequence[float | None], points: Sequence[ChangePoint]) -> list[Anomaly]:
    """Return the single outlying values that reverted, the earliest first.

    The rule is Conbench's, on logarithms: at least five robust standard deviations from the level, and the next value
    less than half as far in the same direction. The newest value is never one: it may be the first of a new level.

    Args:
        values: one per session, in order; None, NaN and values not above 0 are skipped.
        points: change points of the same values.
    """
    level_at = levels(values, points)
    residuals = [
        (place, value, level, math.log(value) - math.log(level))
        for place, (value, level) in enumerate(zip(values, level_at, strict=True))
        if value is not None and level is not None and math.isfinite(value) and value > 0 and level > 0
    ]
    if len(residuals) < _LEAST_FOR_ANOMALIES:
        return []
    noise = robust_deviation([residual for *_, residual in residuals])
    outliers = []
    for (place, value, level, residual), (*_, following) in pairwise(residuals):
        is_far = abs(residual) > max(_DEVIATIONS * noise, math.log1p(LEAST_SHARE))
        if is_far and following * math.copysign(1, residual) < abs(residual) / 2:
            deviations = abs(residual) / noise if noise else math.inf
            change = value / level - 1
            outliers.append(Anomaly(index=place, value=value, level=level, change=change, deviations=deviations))
    return outliers


def creep(
    values: Sequence[float | None], baseline: Sequence[float | None], better: Better, *, limit: float = LEAST_CREEP
) -> Creep | None:
    """Compare the newest values with those of a pinned baseline.

    Args:
        values: one per session, in order; None and NaN are skipped.
        baseline: values of the pinned sessions.
        better: direction of the metric; ``none`` never creeps.
        limit: distance that counts, as a share; for ``higher``, a share of the newest values, so that halving counts
            as much as doubling.

    Returns:
        None if one side has no value, or the baseline is not above 0.
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


def trend_of(
    values: Sequence[SessionValue],
    sessions: Mapping[str, SessionRow],
    baseline: Sequence[SessionValue] = (),
    *,
    least_change: float = LEAST_CHANGE,
) -> Trend:
    """Find the level, changes, anomalies and creep of one series.

    Args:
        values: of one series on one machine, in order; at least one.
        sessions: sessions of the values, by id.
        baseline: values of the same series in the pinned sessions.
        least_change: smallest change of level to report, as a share.
    """
    newest = next((value for value in reversed(values) if value.value is not None), values[-1])
    comparable = [value for value in values if _continues(value, newest)]
    statistic = shared_statistic(
        [value for value in comparable if value.value is not None], statistic_of(newest.key.metric)
    )
    figures = [figure_of(value, statistic) for value in comparable]
    changes = change_points(figures, least_change=least_change)
    points = tuple(
        _point(value, figure, level, sessions, statistic)
        for value, figure, level in zip(comparable, figures, levels(figures, changes), strict=True)
    )
    pinned = [figure_of(value, statistic) for value in baseline if _continues(value, newest)]
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
        deviation=robust_deviation(logs) if len(logs) >= _LEAST_FOR_SPREAD else None,
        other_code=len(values) - len(comparable),
        sessions_needed=max(0, LEAST_VALUES - sum(figure is not None for figure in figures)),
    )


def level_bands(trend: Trend) -> tuple[LevelBand, ...]:
    """Return the levels of a series with their noise, on logarithms as everywhere; the earliest first."""
    starts = [0, *(change.point.index for change in trend.changes), len(trend.points)]
    bands = []
    for start, end in pairwise(starts):
        level = next((point.level for point in trend.points[start:end] if point.level is not None), None)
        if level is None:
            continue
        logs = [
            math.log(point.value) for point in trend.points[start:end] if point.value is not None and point.value > 0
        ]
        spread = _BAND * robust_deviation(logs) if len(logs) >= _LEAST_FOR_SPREAD else None
        low, high = (None, None) if spread is None else (level * math.exp(-spread), level * math.exp(spread))
        bands.append(LevelBand(start=start, level=level, low=low, high=high))
    return tuple(bands)


def _continues(value: SessionValue, newest: SessionValue) -> bool:
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
