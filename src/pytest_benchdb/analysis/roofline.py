"""The roofline: how close a benchmark comes to what its device can do at its arithmetic intensity.

Williams, Waterman, Patterson: Roofline, an insightful visual performance model (CACM 52/4, 2009). With `I` operations
per byte, a device reaches at most ``min(peak operations per second, I * peak bytes per second)``.
"""

from dataclasses import dataclass
from typing import Literal

_PRECISIONS = {
    "fp64": ("float64", "double", "f64"),
    "fp32": ("float32", "float", "single", "f32"),
    "tf32": (),
    "fp16": ("float16", "half", "f16"),
    "bf16": ("bfloat16",),
}
_NAMES = {name: known for known, names in _PRECISIONS.items() for name in (known, *names)}


@dataclass(frozen=True, slots=True)
class Roof:
    """The nearest limit of a benchmark.

    Attributes:
        share: the benchmark's rate, as a share of that limit.
        limit: what limits it.
    """

    share: float
    limit: Literal["memory", "compute"]


def precision_named(label: str | None) -> str | None:
    """Return the precision that a label names, as peaks are stored; None if it names none of them.

    >>> precision_named("Float16")
    'fp16'
    """
    return None if label is None else _NAMES.get(label.strip().lower())


def roof_of(
    *,
    flops_per_second: float | None,
    bytes_per_second: float | None,
    peak_flops_per_second: float | None,
    peak_bytes_per_second: float | None,
) -> Roof | None:
    """Return the limit that a benchmark is closest to; None where a rate has no measured peak.

    With both rates the limit is that of its arithmetic intensity, which needs both peaks: without one of them it is not
    known which limit holds. With one rate it is that peak.

    >>> roof_of(flops_per_second=50, bytes_per_second=10, peak_flops_per_second=200, peak_bytes_per_second=20)
    Roof(share=0.5, limit='memory')
    """
    compute = _share(flops_per_second, peak_flops_per_second)
    memory = _share(bytes_per_second, peak_bytes_per_second)
    if (flops_per_second is not None and compute is None) or (bytes_per_second is not None and memory is None):
        return None
    if memory is not None and (compute is None or memory >= compute):
        return Roof(memory, "memory")
    return None if compute is None else Roof(compute, "compute")


def _share(rate: float | None, peak: float | None) -> float | None:
    return None if rate is None or not peak else rate / peak
