"""The energy pass: joules per iteration, as the difference of counters over a window of repeated rounds.

Each energy counter that covers the device gives one measurement, with the window, tick and scope that show how far
to trust it; the mean power over the same window; and the idle power, which is never subtracted.
Nothing is estimated: without a counter there is a reason instead of a value.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from pytest_benchdb.measure.energy import counter
from pytest_benchdb.measure.energy.sensors import Key, Panel, Sensor, Sensors, is_same_device
from pytest_benchdb.measure.energy.window import EnergyPlan, Window, watch
from pytest_benchdb.model.metric import METRICS
from pytest_benchdb.model.reading import Reading
from pytest_benchdb.model.run import Measurement

PASS_NAME = "energy"
IDLE_WINDOW_S = 2.0
"""Shortest time over which idle power is measured."""
_IDLE_STEP_S = 0.02

Call = Callable[[], object]
Idle = Mapping[Key, Mapping[str, float | None]]


def measure_energy(call: Call, sensors: Sensors, plan: EnergyPlan) -> tuple[Measurement, ...]:
    """Run the energy pass of one benchmark on one device.

    The first pass on a device measures the idle power first and, if meters do not report them, the ticks
    (about 2 s each). Call `idle_power` to choose another moment.

    Args:
        call: runs one round of `plan.iterations` calls and returns when the device is done.
        sensors: the session's meters.
        plan: duration and device.

    Returns:
        For each energy counter: energy (J per iteration), power (mean W over the window) and idle_power (W).
        Without a counter, one energy row without a value, with the reason and how to get access.

    Raises:
        Exception: raised by `call`.
    """
    panel = sensors.panel(plan.device_uuid, plan.provenance)
    if not panel.energy:
        return (unmeasured(_why_nothing(panel, sensors, plan)),)
    idle = idle_power(sensors, plan)
    ticks = sensors.ticks(panel)
    others_before = sensors.other_processes(plan.device_uuid)
    window = watch(call, panel, ticks, plan)
    counts = (others_before, sensors.other_processes(plan.device_uuid))
    others = max((count for count in counts if count is not None), default=None)
    rows: list[Measurement] = []
    for sensor in panel.energy:
        details = _details(sensor, panel, window, idle.get(sensor.key, {}))
        if others is not None and sensor.domain.device_uuid is not None:
            details["other_processes"] = others
        rows += _rows(sensor, window, ticks[sensor.key], plan, details)
    if plan.device_uuid is not None and all(sensor.domain.device_uuid is None for sensor in panel.energy):
        rows.append(unmeasured(_why_nothing(panel, sensors, plan)))
    return tuple(rows)


def unmeasured(reason: str) -> Measurement:
    """Return an energy row without a value, for energy that could not or must not be measured."""
    return Measurement(
        metric="energy", unit="J", better=METRICS["energy"].better, pass_name=PASS_NAME, reason=reason, valid=False
    )


def idle_power(sensors: Sensors, plan: EnergyPlan) -> Idle:
    """Return the idle power by energy counter of a device, measured once per session.

    Call it when the device's context exists, before its first benchmark or seconds after one: the clocks and power
    of a GPU take a while to come down.

    Returns:
        By sensor: ``watts`` (None if not measured) and ``window_s``.
    """
    key = (plan.device_uuid, plan.provenance)
    if key not in sensors.idle:
        panel = sensors.panel(plan.device_uuid, plan.provenance)
        sensors.idle[key] = _watched_idle(panel, sensors, plan) if panel.energy else {}
    return sensors.idle[key]


def _watched_idle(panel: Panel, sensors: Sensors, plan: EnergyPlan) -> Idle:
    still = replace(plan, rounds_hint_s=_IDLE_STEP_S, min_window_s=IDLE_WINDOW_S)
    window = watch(lambda: panel.sleep(_IDLE_STEP_S), panel, sensors.ticks(panel), still)
    idle = {}
    for sensor in panel.energy:
        moved = counter.accumulate(sensor.domain, _series(window, sensor.key))
        watts = None
        if moved.value is not None and moved.window_s > 0 and not moved.may_lack_wrap:
            watts = moved.value / moved.window_s
        idle[sensor.key] = {"watts": watts, "window_s": moved.window_s}
    return idle


def _rows(
    sensor: Sensor, window: Window, tick_s: float | None, plan: EnergyPlan, details: dict[str, object]
) -> list[Measurement]:
    """Return energy, power and idle power of one counter."""
    moved = counter.accumulate(sensor.domain, _series(window, sensor.key))
    ticks = None if tick_s is None else counter.ticks(moved.window_s, tick_s)
    reason = moved.reason or _why_invalid(moved, ticks, plan.min_ticks, sensor)
    details["ticks"] = ticks
    details["window_j"] = moved.value
    simulated = sensor.meter.provenance == "simulated"
    energy = Measurement(
        metric="energy",
        unit="J",
        better=METRICS["energy"].better,
        pass_name=PASS_NAME,
        provenance=sensor.meter.provenance,
        method=sensor.meter.name,
        reason=reason,
        value=None if moved.value is None else moved.value / (window.rounds * plan.iterations),
        valid=reason is None,
        domain=sensor.domain.name,
        scope=sensor.domain.scope,
        window_s=moved.window_s,
        tick_s=tick_s,
        details=details,
    )
    power = replace(
        energy,
        metric="power",
        unit="W",
        better=METRICS["power"].better,
        provenance="simulated" if simulated else "derived",
        value=None if moved.value is None else moved.value / moved.window_s,
        details=None,
    )
    idle_w, idle_window_s = details["idle_power_w"], details["idle_window_s"]
    idle = replace(
        power,
        metric="idle_power",
        better=METRICS["idle_power"].better,
        value=idle_w if isinstance(idle_w, float) else None,
        window_s=idle_window_s if isinstance(idle_window_s, float) else None,
        reason=None if idle_w is not None else "the counter gave no idle power",
        valid=idle_w is not None,
    )
    return [energy, power, idle]


def _why_invalid(moved: counter.Delta, ticks: int | None, min_ticks: int, sensor: Sensor) -> str | None:
    if moved.may_lack_wrap:
        wrap = f"{sensor.domain.range:g} {sensor.domain.unit}"
        return f"a wrap of the counter at {wrap} may have been missed: one round outlasts it"
    if ticks is None:
        return "how often the counter changes could not be measured"
    if ticks < min_ticks:
        return f"window of {ticks} ticks is shorter than {min_ticks}"
    return None


def _details(sensor: Sensor, panel: Panel, window: Window, idle: Mapping[str, float | None]) -> dict[str, object]:
    """Return the details that show how far to trust the value."""
    first, last = window.readings[0], window.after_rounds
    details: dict[str, object] = {
        "rounds_in_window": window.rounds,
        "readings": len(window.readings),
        "starts_at_edge": window.starts_at_edge,
        "ends_at_edge": window.ends_at_edge,
        "tail_s": window.tail_s,
        "idle_power_w": idle.get("watts"),
        "idle_window_s": idle.get("window_s"),
    }
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


def _series(window: Window, key: Key) -> list[Reading]:
    return [readings[key] for readings in window.readings]


def _why_nothing(panel: Panel, sensors: Sensors, plan: EnergyPlan) -> str:
    gauges = {
        sensor.meter.name
        for sensor in panel.sensors
        if sensor.domain.metric == "power" and (plan.device_uuid is None or sensor.domain.device_uuid is not None)
    }
    reasons = list(sensors.absences(plan.device_uuid))
    if gauges:
        reasons.append(f"{', '.join(sorted(gauges))} reports power only, and a mean of power readings is not energy")
    return "; ".join(reasons) or "no meter reads the energy of this device"
