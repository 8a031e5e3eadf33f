"""Values that tests record themselves: `bench.record(metric, value, unit, better)`.

PYTEST_DONT_REWRITE
"""

import math
from collections.abc import Mapping
from typing import Any

from pytest_benchdb.errors import MeasurementError
from pytest_benchdb.model.metric import METRICS, Metric, Provenance
from pytest_benchdb.model.run import Measurement
from pytest_benchdb.model.value.number import numbers, shown

_DIRECTIONS = ("lower", "higher", "none")
_NEVER_NEGATIVE = frozenset({"time", "memory", "energy", "power", "rate", "count", "temperature", "frequency"})


class MetricBook:
    """One unit and one direction for every metric of a session, starting with the built-in metrics."""

    def __init__(self, metrics: Mapping[str, Metric] = METRICS) -> None:
        self._settled = {name: (metric.unit, str(metric.better)) for name, metric in metrics.items()}
        self._kinds = {name: metric.kind for name, metric in metrics.items()}

    def settle(self, metric: str, unit: str | None, better: str | None) -> tuple[str, str]:
        """Return the unit and the direction of a metric; the first call that names them decides.

        Raises:
            MeasurementError: they differ from before or are unknown, or the name is blank.
        """
        if not str(metric).strip():
            raise MeasurementError(f"{metric!r} cannot be the name of a metric")
        if better is not None and better not in _DIRECTIONS:
            raise MeasurementError(f"metric {metric!r}: better={better!r}; give one of {', '.join(_DIRECTIONS)}")
        if metric not in self._settled:
            if unit is None:
                raise MeasurementError(
                    f"metric {metric!r} is new and needs its unit: record({metric!r}, value, unit=...)"
                )
            self._settled[metric] = (str(unit), better or "none")
        settled = self._settled[metric]
        for what, here, before in zip(("unit", "better"), (unit, better), settled, strict=True):
            if here is not None and here != before:
                raise MeasurementError(
                    f"metric {metric!r} has {what} {before!r} in this session, and here {here!r}; name it differently"
                )
        return settled

    def checked(self, metric: str, value: float) -> float:
        """Return a number that can be stored.

        Raises:
            MeasurementError: it is not finite, or is negative for a metric that cannot be.
        """
        if not math.isfinite(value):
            raise MeasurementError(
                f"metric {metric!r}: {value} is not measured; leave it out, or record why in extra_info"
            )
        if value < 0 and self._kinds.get(metric) in _NEVER_NEGATIVE:
            raise MeasurementError(f"metric {metric!r}: {value:g} is below 0, which no {self._kinds[metric]} is")
        return value


class RecordedValues:
    """The values that one test recorded."""

    def __init__(self, book: MetricBook) -> None:
        """Start empty; `book` is the session's."""
        self._book = book
        self._values: dict[tuple[str, str | None], tuple[str, str, list[float]]] = {}

    def add(self, metric: str, value: Any, *, unit: str | None, better: str | None, phase: str | None) -> None:
        """Store a value, or an array or iterable of samples; further calls add to the metric's samples.

        Raises:
            MeasurementError: as in `MetricBook`, or there are no samples.
        """
        settled_unit, settled_better = self._book.settle(metric, unit, better)
        try:
            samples = [self._book.checked(metric, sample) for sample in numbers(value)]
        except ValueError as error:
            raise MeasurementError(f"metric {metric!r}: {error}") from error
        if not samples:
            raise MeasurementError(f"metric {metric!r}: there are no samples in {shown(value)}")
        entry = self._values.setdefault((metric, phase), (settled_unit, settled_better, []))
        entry[2].extend(samples)

    def __bool__(self) -> bool:
        return bool(self._values)

    def measurements(self, provenance: Provenance) -> list[Measurement]:
        """Return a row for each metric and phase."""
        return [
            Measurement(
                metric=metric,
                unit=unit,
                better=better,
                phase=phase,
                provenance=provenance,
                method="recorded by the test",
                samples=samples if len(samples) > 1 else None,
                value=samples[0] if len(samples) == 1 else None,
            )
            for (metric, phase), (unit, better, samples) in self._values.items()
        ]
