"""Sensors: their domains, readings and series of readings, and whether a backend or a meter can be used."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pytest_benchdb.model.metric import Provenance

Scope = Literal["process", "device", "package", "module", "board", "system"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """One sensor.

    Attributes:
        name: unique within its meter: ``GPU-8c1f.../energy``, ``package-0``.
        metric: a name of `model.metric.METRICS`: ``energy``, ``power``, ``temperature``, ``clock_frequency``, ...
        unit: SI unit of the readings.
        kind: a ``counter`` only grows, except for wraps and resets; a ``gauge`` is the current value.
        scope: what the reading covers; rarely the benchmark alone.
        device_uuid: `Device.uuid` of its device; None for the host.
        tick_s: how often the reading changes; None if not known.
        range: value at which a counter wraps to 0; None if it does not wrap.
        within: name of the domain that includes this one, which sums then leave out.
    """

    name: str
    metric: str
    unit: str
    kind: Literal["counter", "gauge"]
    scope: Scope
    device_uuid: str | None = None
    tick_s: float | None = None
    range: float | None = None
    within: str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading of one domain.

    Attributes:
        value: in the domain's unit; None if it could not be read.
        monotonic_ns: time of the reading, from `time.monotonic_ns`.
        reason: why there is no value.
    """

    value: float | None
    monotonic_ns: int
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Readings of one domain over time.

    Attributes:
        device_id: the device; None for the host.
        domain: name of the domain.
        t_s: seconds since the start of the run's block, ascending.
        values: one for each time, in `unit`.
    """

    metric: str
    unit: str
    domain: str
    device_id: str | None
    t_s: Sequence[float]
    values: Sequence[float]
    provenance: Provenance = "measured"
    phase: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """Whether a backend or a meter can be used here.

    Attributes:
        reason: why it is not available, for the skip reason; None if it is.
        versions: versions of its libraries and drivers, by name.
    """

    available: bool
    reason: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
