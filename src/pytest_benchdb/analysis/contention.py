"""Whether other work disturbed a session, as its two clocks tell."""

from collections.abc import Iterable, Sequence

from pytest_benchdb.analysis.spread import quantile
from pytest_benchdb.model.series import SessionValue

_CPU_BOUND_UP_TO = 1.05
_CONTENDED_FROM = 1.10


def is_cpu_bound(values: Iterable[SessionValue]) -> bool:
    """Return whether these are wall times of code that does nothing but compute, and so ought to be its CPU times.

    The calmer quarter of its sessions tells: code that waits never comes near its CPU time, however calm the machine,
    while on a busy machine the median session of code that computes is far above it.
    """
    ratios = [
        value.wall_per_cpu for value in values if value.key.metric == "wall_time" and value.wall_per_cpu is not None
    ]
    return bool(ratios) and quantile(ratios, 0.25) <= _CPU_BOUND_UP_TO


def is_contended(value: SessionValue) -> bool:
    """Return whether code that only computes was kept waiting in this session."""
    return value.wall_per_cpu is not None and value.wall_per_cpu > _CONTENDED_FROM


def calm_part(values: Sequence[SessionValue], *, cpu_bound: bool) -> list[SessionValue]:
    """Return the sessions that belong to a model of a benchmark's noise, in their order."""
    return [value for value in values if not (cpu_bound and is_contended(value))]
