"""The rows of energy: one for the device, which is the sum of its counters, and one for each counter of the panel.

The row without a domain is the run's energy: reports, views and comparisons read no other. It adds up the counters that
are the device's own and count nothing twice. The rows with a domain are the single counters.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import get_args

from pytest_benchdb.measure.energy import counter
from pytest_benchdb.measure.energy.sensors import Key, Panel, Readings, Sensor, Sensors, is_same_device
from pytest_benchdb.measure.energy.window import EnergyPlan
from pytest_benchdb.model.metric import METRICS
from pytest_benchdb.model.reading import Scope
from pytest_benchdb.model.run import Measurement

PASS_NAME = "energy"
NO_IDLE = "it was not measured before the first benchmark of the device"
_SCOPES = get_args(Scope)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """How far the counters of a panel moved while work was done.

    Attributes:
        moved: by counter, over all windows together.
        iterations: units of work in the windows; energy is per unit.
        windows: number of windows.
        first: the readings at the beginning of the first window.
        last: the readings at the end of the work, for gauges.
        details: further facts about the windows.
        others: largest number of other processes that used the device meanwhile; None if not known.
    """

    moved: Mapping[Key, counter.Delta]
    iterations: float
    windows: int
    first: Readings
    last: Readings
    details: Mapping[str, object]
    others: int | None = None


def energy_rows(panel: Panel, watched: Watched, sensors: Sensors, plan: EnergyPlan) -> tuple[Measurement, ...]:
    """Return energy (J per unit of work), power (mean W) and idle_power (W) of the device and of each counter.

    Without a counter of the device's own, its energy is a row without a value, with the reason.
    """
    idle = sensors.idle.get((plan.device_uuid, plan.provenance), {})
    ticks = sensors.ticks(panel)
    rows: dict[Key, list[Measurement]] = {}
    for sensor in panel.energy:
        details = {**watched.details, **_conditions(sensor, panel, watched.first, watched.last)}
        if watched.others is not None and sensor.domain.device_uuid is not None:
            details["other_processes"] = watched.others
        rows[sensor.key] = _rows(sensor, watched, ticks[sensor.key], plan, details, idle.get(sensor.key, {}))
    own = own_counters(panel, plan)
    single = [row for of_one in rows.values() for row in of_one]
    if not own:
        return (unmeasured(why_nothing(panel, sensors, plan)), *single)
    parts = zip(*(rows[sensor.key] for sensor in own), strict=True)
    return (*(_total(part) for part in parts), *single)


def own_counters(panel: Panel, plan: EnergyPlan) -> tuple[Sensor, ...]:
    """Return the counters whose sum is the energy of the plan's device; none if it has none.

    Several meters may cover one device; of those with the narrowest scope, the first is taken.
    """
    by_meter: dict[str, list[Sensor]] = {}
    for sensor in panel.energy:
        if (sensor.domain.device_uuid is None) == plan.is_host and (plan.is_host or plan.device_uuid is not None):
            by_meter.setdefault(sensor.meter.name, []).append(sensor)
    candidates = []
    for sensors in by_meter.values():
        names = {domain.name for domain in counter.summable(sensor.domain for sensor in sensors)}
        kept = [sensor for sensor in sensors if sensor.domain.name in names]
        narrowest = min(_SCOPES.index(sensor.domain.scope) for sensor in kept)
        candidates.append((narrowest, [s for s in kept if _SCOPES.index(s.domain.scope) == narrowest]))
    return tuple(min(candidates, key=lambda each: each[0])[1]) if candidates else ()


def most(*counts: int | None) -> int | None:
    """Return the largest count that is known; None if none is."""
    return max((count for count in counts if count is not None), default=None)


def unmeasured(reason: str) -> Measurement:
    """Return an energy row without a value, for energy that could not or must not be measured."""
    return Measurement.of("energy", pass_name=PASS_NAME, reason=reason, valid=False)


def why_nothing(panel: Panel, sensors: Sensors, plan: EnergyPlan) -> str:
    """Return why a device has no counter of its own, with the command that would give access if there is one."""
    if plan.device_uuid is None and not plan.on_host:
        return (
            "this device has no unique id to find its counter by, and the host's energy is not the device's; "
            "use a backend that reports one, such as cuda"
        )
    gauges = {
        sensor.meter.name
        for sensor in panel.sensors
        if sensor.domain.metric == "power" and (plan.is_host or sensor.domain.device_uuid is not None)
    }
    reasons = list(sensors.absences(plan.device_uuid))
    if gauges:
        reasons.append(f"{', '.join(sorted(gauges))} reports power only, and a mean of power readings is not energy")
    return "; ".join(reasons) or "no meter reads the energy of this device"


def energy_per(energy: Measurement, metric: str, amount: float | str) -> Measurement:
    """Return a derived row: the energy of the whole window by an amount of work in it, or why that is unknown.

    `energy` is the device's row, and `metric` one of ``energy_per_sample``, ``energy_per_token``, ...
    """
    window_j = (energy.details or {}).get("window_j")
    about = {"pass_name": PASS_NAME, "phase": energy.phase}
    if isinstance(amount, str):
        return Measurement.of(metric, reason=amount, valid=False, **about)
    if not isinstance(window_j, float) or amount <= 0:
        reason = energy.reason or "there was nothing to divide the energy by"
        return Measurement.of(metric, reason=reason, valid=False, **about)
    return Measurement.of(
        metric,
        **about,
        provenance="simulated" if energy.provenance == "simulated" else "derived",
        method=f"energy of the window / {amount:g}",
        value=window_j / amount,
        valid=energy.valid,
        reason=energy.reason,
        window_s=energy.window_s,
        details={"window_j": window_j, "amount": amount},
    )


def _rows(
    sensor: Sensor,
    watched: Watched,
    tick_s: float | None,
    plan: EnergyPlan,
    details: dict[str, object],
    idle: Mapping[str, float | None],
) -> list[Measurement]:
    """Return energy, power and idle power of one counter."""
    moved = watched.moved[sensor.key]
    ticks = None if tick_s is None else counter.ticks(moved.window_s / watched.windows, tick_s)
    reason = moved.reason or _why_invalid(moved, ticks, plan.min_ticks, sensor)
    about = {"idle_power_w": idle.get("watts"), "idle_window_s": idle.get("window_s")}
    energy = Measurement.of(
        "energy",
        pass_name=PASS_NAME,
        provenance=sensor.meter.provenance,
        method=sensor.meter.name,
        reason=reason,
        value=None if moved.value is None else moved.value / watched.iterations,
        valid=reason is None,
        domain=sensor.domain.name,
        scope=sensor.domain.scope,
        window_s=moved.window_s,
        tick_s=tick_s,
        details={**details, **about, "ticks": ticks, "window_j": moved.value},
    )
    power = replace(
        energy,
        metric="power",
        unit="W",
        better=METRICS["power"].better,
        provenance="simulated" if sensor.meter.provenance == "simulated" else "derived",
        value=None if moved.value is None else moved.value / moved.window_s,
        details=None,
    )
    idle_w = idle.get("watts")
    idle_row = replace(
        power,
        metric="idle_power",
        better=METRICS["idle_power"].better,
        value=idle_w,
        window_s=idle.get("window_s"),
        reason=None if idle_w is not None else "the counter gave no idle power" if idle else NO_IDLE,
        valid=idle_w is not None,
    )
    return [energy, power, idle_row]


def _total(parts: Sequence[Measurement]) -> Measurement:
    """Return the sum of one metric over the counters of a device."""
    values = [part.value for part in parts]
    first = parts[0]
    missing = next((part.reason for part in parts if not part.valid), None)
    details = None
    if first.details is not None:
        joules = [(part.details or {}).get("window_j") for part in parts]
        known = [number for number in joules if isinstance(number, float)]
        details = {
            **first.details,
            "counters": [part.domain for part in parts],
            "window_j": sum(known) if len(known) == len(parts) else None,
            "idle_power_w": _sum([(part.details or {}).get("idle_power_w") for part in parts]),
        }
    return replace(
        first,
        domain=None,
        value=_sum(values),
        valid=all(part.valid for part in parts),
        reason=missing,
        tick_s=None if any(part.tick_s is None for part in parts) else max(part.tick_s or 0.0 for part in parts),
        details=details,
    )


def _sum(values: Sequence[object]) -> float | None:
    known = [value for value in values if isinstance(value, (int, float))]
    return sum(known) if len(known) == len(values) else None


def _why_invalid(moved: counter.Delta, ticks: int | None, min_ticks: int, sensor: Sensor) -> str | None:
    if moved.may_lack_wrap:
        wrap = f"{sensor.domain.range:g} {sensor.domain.unit}"
        return f"a wrap of the counter at {wrap} may have been missed: one round outlasts it"
    if ticks is None:
        return "how often the counter changes could not be measured"
    if ticks < min_ticks:
        return f"window of {ticks} ticks is shorter than {min_ticks}"
    return None


def _conditions(sensor: Sensor, panel: Panel, first: Readings, last: Readings) -> dict[str, object]:
    """Return what else shows how far to trust a counter: what includes it, temperature, clock and throttling."""
    details: dict[str, object] = {}
    if sensor.domain.within is not None:
        details["within"] = sensor.domain.within
    owner = sensor.domain.device_uuid
    throttled: dict[str, float | None] = {}
    for other in panel.sensors:
        if owner is None or other.domain.device_uuid is None or not is_same_device(owner, other.domain.device_uuid):
            continue
        if other.domain.metric == "temperature":
            details |= {"temperature_start_k": first[other.key].value, "temperature_end_k": last[other.key].value}
        elif other.domain.metric == "clock_frequency":
            details |= {"clock_start_hz": first[other.key].value, "clock_end_hz": last[other.key].value}
        elif other.domain.metric == "throttle_time":
            name = other.domain.name.rpartition("/")[2]
            throttled[name] = counter.delta(other.domain, first[other.key], last[other.key]).value
    if throttled:
        details["throttle_time_s"] = throttled
    return details
