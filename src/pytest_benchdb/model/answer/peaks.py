"""The measured peaks of devices."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class PeakRow:
    """One peak of one device.

    Attributes:
        device: name of the device.
        metric: ``peak_bytes_per_second`` or ``peak_flops_per_second``.
        precision: of the floating-point numbers; None for memory.
        value: in `unit`; None if it was not measured.
        method: the work that reached it.
        reason: why there is no value.
    """

    device: str
    metric: str
    precision: str | None
    value: float | None
    unit: str
    method: str | None
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredPeaks:
    """The peaks that one session measured.

    Attributes:
        path: where they are stored.
        problem: why they are not stored, and what to do; None if they are.
    """

    rows: tuple[PeakRow, ...]
    path: Path
    problem: str | None = None
