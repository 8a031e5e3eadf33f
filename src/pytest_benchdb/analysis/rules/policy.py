"""Default policies: which change of a metric counts, and which statistic represents a session."""

from dataclasses import dataclass

from pytest_benchdb.model.metric import METRICS, Better, Kind
from pytest_benchdb.model.verdict import Policy, Statistic

KIB = 1024
MIB = 1024 * KIB
ENOUGH_SESSIONS = 10
"""Number of sessions from which a smaller change counts: with fewer, their spread is not known well enough."""

MOST_BY_MACHINE = 2.0
"""How many times as long a disturbed or slower machine can make something take: more than that is the code's doing."""

_TICK_S = 1e-9
_LEAST_SPREAD = 0.005
_SPREADING = frozenset({"time", "rate", "energy", "power"})
"""Kinds of metrics that never repeat exactly."""

_FLOOR_S = 50e-9
"""A few percent of a few nanoseconds are an artefact of the clock."""

_GATED = frozenset({"wall_time", "python_peak"})
_MINIMUM = frozenset({"wall_time", "cpu_time", "thread_time", "device_time"})
_MEDIAN = frozenset({"step_time", "ttft", "tpot", "itl", "e2e_latency", "ttfot", "queue_time"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Limit:
    """Smallest changes that count: as shares, with few and with enough sessions, and in the metric's unit."""

    few: float
    enough: float
    absolute: float = 0.0
    exact: bool = False


_TIME = _Limit(few=0.05, enough=0.03, absolute=_FLOOR_S)
_CPU = _Limit(few=0.03, enough=0.03, absolute=_FLOOR_S)
_ALLOCATIONS = _Limit(few=0.01, enough=0.01, absolute=KIB, exact=True)
_RESIDENT = _Limit(few=0.05, enough=0.05, absolute=MIB)
_COUNT = _Limit(few=0.005, enough=0.005)
_ENERGY = _Limit(few=0.10, enough=0.10)
_OTHER = _Limit(few=0.05, enough=0.05)

_BY_METRIC = {
    "cpu_time": _CPU,
    "thread_time": _CPU,
    "first_call_time": _Limit(few=0.10, enough=0.10, absolute=_FLOOR_S),
    "python_peak": _ALLOCATIONS,
    "native_peak": _ALLOCATIONS,
    "instructions": _COUNT,
    "failed_requests": _Limit(few=0.0, enough=0.0, exact=True),
}
_BY_KIND: dict[Kind, _Limit] = {
    "time": _TIME,
    "memory": _RESIDENT,
    "energy": _ENERGY,
    "power": _ENERGY,
    "rate": _Limit(few=0.05, enough=0.03),
}
_KIND_OF_UNIT: dict[str, Kind] = {"s": "time", "B": "memory", "J": "energy", "W": "power"}


def default_policy(metric: str, unit: str, better: Better, *, sessions: int) -> Policy:
    """Return the default policy of a metric.

    Args:
        metric: of the registry, or a suite's own.
        unit: decides the kind of a metric that is not in the registry.
        better: direction of the metric; ``none`` never regresses.
        sessions: number of sessions in the history or the smaller side: below ten, only a larger change counts.
    """
    kind = kind_of(metric, unit)
    limit = _BY_METRIC.get(metric) or _BY_KIND.get(kind, _OTHER)
    return Policy(
        better=better,
        relative=limit.enough if sessions >= ENOUGH_SESSIONS else limit.few,
        absolute=limit.absolute,
        exact=limit.exact,
        least_spread=_LEAST_SPREAD if kind in _SPREADING else 0.0,
        tick=_TICK_S if kind == "time" else 0.0,
        statistic=statistic_of(metric),
        gated=metric in _GATED and better != "none",
    )


def statistic_of(metric: str) -> Statistic:
    """Return the statistic that represents a session.

    The minimum for times of code that does the same every time (its false-alarm rate on identical code is half of the
    median's); the median if every sample is a different piece of work; else the single reading.
    """
    if metric in _MINIMUM:
        return "min"
    return "median" if metric in _MEDIAN else "value"


def kind_of(metric: str, unit: str) -> Kind:
    """Return the kind of a metric; of one that is not in the registry, by its unit."""
    registered = METRICS.get(metric)
    if registered is not None:
        return registered.kind
    return "rate" if unit.endswith("/s") else _KIND_OF_UNIT.get(unit, "other")
