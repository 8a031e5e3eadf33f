"""How much a benchmark varies between sessions of unchanged code, and the smallest change that this noise hides."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from pytest_benchdb.analysis.series.change_points import change_points
from pytest_benchdb.analysis.statistics.spread import robust_deviation
from pytest_benchdb.analysis.statistics.student import normal_ppf, t_ppf
from pytest_benchdb.model.answer.noise import Cause, Noise

LEAST_SESSIONS = 3
"""Number of sessions below which there is no score."""

_CONFIDENCE = 0.99
_POWER = 0.80
_MOST_SESSIONS = 100
_CONTENDED = 1.10
_SHORT_ROUND_S = 100e-6
_FEW_ROUNDS = 10
_LEAST_FOR_MODES = 12
_MODES_APART = 5.0
_LEAST_SHARE_OF_A_MODE = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Sessions:
    """The sessions of one series: one entry per session in each list, in order; None if not measured.

    Attributes:
        values: figures of the sessions, in the metric's unit.
        wall_per_cpu: wall-clock time per CPU time.
        rounds: number of rounds.
        round_s: duration of one round.
    """

    values: Sequence[float | None]
    wall_per_cpu: Sequence[float | None] = ()
    rounds: Sequence[int | None] = ()
    round_s: Sequence[float | None] = ()


Limits = Callable[[float, int], float]
"""Returns the smallest change that counts, as a share, of a median value and a number of sessions."""


def no_limits(_value: float, _sessions: int) -> float:
    """Count every change that is not noise."""
    return 0.0


def noise_of(
    sessions: Sessions,
    *,
    per_side: Sequence[int] = (3, 5, 10),
    history: int = 20,
    confirms: int = 0,
    change: float = 0.05,
    limits: Limits = no_limits,
) -> Noise | None:
    """Score the noise of one series from sessions of unchanged code.

    Args:
        sessions: the sessions, in order.
        per_side: numbers of sessions per side for which a detectable change is given.
        history: number of sessions of history for which one is given.
        confirms: number of re-runs that must repeat a change that a history shows.
        change: the increase to detect, as a share.
        limits: smallest changes that count.

    Returns:
        None for fewer than 3 values above 0.
    """
    first = max((point.index for point in change_points(sessions.values)), default=0)
    kept = [value for value in sessions.values[first:] if value is not None and 0 < value < math.inf]
    if len(kept) < LEAST_SESSIONS:
        return None
    logs = [math.log(value) for value in kept]
    centre = median(logs)
    deviation = robust_deviation(logs)
    level = math.exp(centre)
    return Noise(
        sessions=len(kept),
        deviation=deviation,
        worst=math.expm1(max(abs(value - centre) for value in logs)),
        detectable={count: detectable_between(deviation, count, limits(level, count)) for count in per_side},
        detectable_by_history=detectable_in_history(deviation, history, confirms, limits(level, history)),
        needed=sessions_needed(deviation, change, lambda count: limits(level, count)),
        causes=_causes(sessions, logs, level_changed=first > 0),
    )


def detectable_between(deviation: float, per_side: int, limit: float = 0.0) -> float:
    """Return the smallest increase, as a share, detected in 80 % of cases with `per_side` sessions on each side.

    For one-sided Welch tests with p < 0.01: (t_.99 + t_.80) s √(2/k), the usual approximation of the power of a t-test
    (J. Cohen, Statistical Power Analysis, 1988, chapter 2). Welch's test has slightly fewer than Student's 2k - 2
    degrees of freedom: 2k - 3.5 gives 79 to 84 % in simulations of 3 to 20 sessions. What is found must also exceed
    the limit, whichever is farther.

    Args:
        deviation: standard deviation of the logarithms.
        per_side: at least 3.
        limit: smallest change that counts, as a share.
    """
    dof = 2 * per_side - 3.5
    error = deviation * math.sqrt(2 / per_side)
    return _share(max(t_ppf(_CONFIDENCE, dof) * error, math.log1p(limit)) + t_ppf(_POWER, dof) * error)


def detectable_in_history(deviation: float, sessions: int, confirms: int = 0, limit: float = 0.0) -> float:
    """Return the smallest increase, as a share, that is detected in 80 % of cases in one session after a history.

    The gate's rule compares with the median of the history, whose variance adds π/2n. The session and each of its
    re-runs have to show the change, beyond the limit as well.

    Args:
        deviation: standard deviation of the logarithms.
        sessions: of the history.
        confirms: number of re-runs.
        limit: smallest change that counts, as a share.
    """
    reach = t_ppf(_CONFIDENCE, sessions - 1) * math.sqrt(1 + math.pi / (2 * sessions)) * deviation
    each = _POWER ** (1 / (1 + confirms))
    return _share(max(reach, math.log1p(limit)) + normal_ppf(each) * deviation)


def sessions_needed(
    deviation: float, change: float, limit_of: Callable[[int], float] = lambda _sessions: 0.0
) -> int | None:
    """Return how many sessions per side detect an increase of `change`; None if 100 are too few.

    Args:
        deviation: standard deviation of the logarithms.
        change: as a share; if it is below the limits, they do not count, because it takes limits of one's own.
        limit_of: the smallest change that counts, by sessions per side.
    """
    for count in range(LEAST_SESSIONS, _MOST_SESSIONS + 1):
        limit = limit_of(count)
        if detectable_between(deviation, count, limit if limit < change else 0.0) <= change:
            return count
    return None


def two_modes(logs: Sequence[float]) -> bool:
    """Return whether values form two groups rather than one.

    The values are split where that explains most variance. Ashman's D of the two parts (K. M. Ashman et al.,
    Astronomical Journal 108, 1994) is 2.7 for a single normal group split this way; chance does not reach 5.
    """
    ordered = sorted(logs)
    n = len(ordered)
    if n < _LEAST_FOR_MODES:
        return False
    least = max(2, math.ceil(_LEAST_SHARE_OF_A_MODE * n))
    halves = [(ordered[:cut], ordered[cut:]) for cut in range(least, n - least + 1)]
    low, high = min(halves, key=lambda pair: _squares(pair[0]) + _squares(pair[1]))
    within = _squares(low) / (len(low) - 1) + _squares(high) / (len(high) - 1)
    apart = math.fsum(high) / len(high) - math.fsum(low) / len(low)
    return apart > _MODES_APART * math.sqrt(within / 2) and apart > 0


def _squares(values: Sequence[float]) -> float:
    mean = math.fsum(values) / len(values)
    return math.fsum((value - mean) ** 2 for value in values)


def _share(distance: float) -> float:
    return math.expm1(distance) if distance < 700 else math.inf  # noqa: PLR2004 - exp overflows beyond


def _causes(sessions: Sessions, logs: Sequence[float], *, level_changed: bool) -> tuple[Cause, ...]:
    tests: tuple[tuple[Cause, bool], ...] = (
        ("exact", max(logs) == min(logs)),
        ("contended", _typical(sessions.wall_per_cpu, 1.0) > _CONTENDED),
        ("level changed", level_changed),
        ("bimodal", two_modes(logs)),
        ("short rounds", _typical(sessions.round_s, 1.0) < _SHORT_ROUND_S),
        ("few rounds", _typical(sessions.rounds, math.inf) < _FEW_ROUNDS),
    )
    return tuple(cause for cause, holds in tests if holds)


def _typical(values: Sequence[float | None], otherwise: float) -> float:
    measured = [value for value in values if value is not None]
    return median(measured) if measured else otherwise
