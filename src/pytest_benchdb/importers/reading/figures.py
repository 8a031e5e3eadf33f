"""Figures with the units of other tools, as measurements in SI units that keep what the file says beside.

`named` is how a benchmark is named whose tool has its parameters apart: names and parameters are the identity.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from pytest_benchdb.importers.reading.units import UNITS, NamedUnit
from pytest_benchdb.importers.reading.values import BadPart
from pytest_benchdb.model.metric import METRICS
from pytest_benchdb.model.run import Measurement, Summary

SOURCE_KEY = "source"
"""Key of `Measurement.details` for what the file has: its unit, its value, its name of the metric."""


def figure(
    metric: str,
    unit: str | None,
    values: float | Sequence[float] | Summary,
    *,
    better: str = "none",
    source_name: str | None = None,
    **others: Any,
) -> Measurement:
    """Return a measurement in the SI unit, with unit and value of the source in its details.

    Args:
        metric: a name of ours, whose direction is known, or one of the tool's own.
        unit: as the file writes it; None for the metric's SI unit. A unit that we do not know stays as it is.
        values: in `unit`: a single reading, one value per round, or statistics of rounds that the file does not have.
        better: direction of a metric of the tool's own.
        source_name: the file's name of the metric, if it is another.
        others: further fields of `Measurement`.

    Raises:
        BadPart: the unit is none of a metric of ours, or a value is too large for its SI unit.

    >>> row = figure("wall_time", "ms", 1.5)
    >>> row.value, row.unit, row.details
    (0.0015, 's', {'source': {'unit': 'ms', 'value': 1.5}})
    """
    registered = METRICS.get(metric)
    known = UNITS.get(unit) if unit is not None else None
    if registered is not None and unit is not None and (known is None or known.si != registered.unit):
        raise BadPart(f"{metric} is in {unit[:40]!r}; it is stored in {registered.unit!r}")
    if registered is not None:
        si, better = registered.unit, registered.better
    else:
        si = known.si if known is not None else unit or "1"
    conversion = known or NamedUnit(si, "other")
    source: dict[str, object] = {"unit": unit, "metric": source_name}
    if isinstance(values, Summary):
        others["summary"] = _converted(values, conversion)
        if conversion.to_si(1.0) != 1.0:
            source |= _statistics(values)
    elif isinstance(values, (int, float)):
        others["value"] = _finite(conversion.to_si(values))
        source["value"] = values
    else:
        others["samples"] = [_finite(conversion.to_si(value)) for value in values]
    source = {key: kept for key, kept in source.items() if kept is not None}
    others["details"] = {**(others.get("details") or {}), **({SOURCE_KEY: source} if source else {})} or None
    return Measurement(metric=metric, unit=si, better=better, **{"provenance": "imported", **others})


def _statistics(summary: Summary) -> dict[str, float | None]:
    return {field.name: getattr(summary, field.name) for field in fields(summary) if field.name != "n"}


def _converted(summary: Summary, unit: NamedUnit) -> Summary:
    figures = {
        name: None if value is None else _finite(unit.to_si(value)) for name, value in _statistics(summary).items()
    }
    if summary.stddev is not None:  # a difference: 1 K more is 1 degC more
        figures["stddev"] = _finite(replace(unit, offset=0.0).to_si(summary.stddev))
    return Summary(n=summary.n, **figures)


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise BadPart("a value is too large in its SI unit")
    return value


def named(name: str, params: Mapping[str, object] | None) -> str:
    """Return the name of a benchmark with its parameters, unless it ends with parameters already.

    >>> named("sort", {"n": 100, "order": "random"}), named("sort[100]", {"n": 100}), named("sort", None)
    ('sort[n=100-order=random]', 'sort[100]', 'sort')
    """
    return name if not params or name.endswith("]") else f"{name}[{param_id(params)}]"


def param_id(params: Mapping[str, object]) -> str:
    """Return parameters in the style of pytest's ids: ``n=100-order=random``."""
    return "-".join(
        f"{name}={value if isinstance(value, str) else json.dumps(value)}" for name, value in params.items()
    )
