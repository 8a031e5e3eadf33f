"""The energy pass: joules per iteration, as the difference of counters over a window of repeated rounds.

Each energy counter that covers the device gives one measurement, with the window, tick and scope that show how far
to trust it; the mean power over the same window; and the idle power, which is never subtracted.
Nothing is estimated: without a counter there is a reason instead of a value.
"""

from collections.abc import Callable
from dataclasses import replace

from pytest_benchdb.measure.energy import counter
from pytest_benchdb.measure.energy.energy_rows import Watched, energy_rows, most, unmeasured, why_nothing
from pytest_benchdb.measure.energy.sensors import Idle, Key, Panel, Sensors
from pytest_benchdb.measure.energy.window import EnergyPlan, Window, watch
from pytest_benchdb.model.reading import Reading
from pytest_benchdb.model.run import Measurement

IDLE_WINDOW_S = 2.0
"""Shortest time over which idle power is measured."""
_IDLE_STEP_S = 0.02

Call = Callable[[], object]


def measure_energy(call: Call, sensors: Sensors, plan: EnergyPlan) -> tuple[Measurement, ...]:
    """Run the energy pass of one benchmark on one device.

    Ticks that meters do not report are measured first, unless `prepare` has done so (about 2 s).

    Args:
        call: runs one round of `plan.iterations` calls and returns when the device is done.
        sensors: the session's meters.
        plan: duration and device.

    Returns:
        The rows of `energy_rows`. Without a counter, one energy row without a value, with the reason and how to get
        access.

    Raises:
        Exception: raised by `call`.
    """
    panel = sensors.panel(plan.device_uuid, plan.provenance)
    if not panel.energy:
        return (unmeasured(why_nothing(panel, sensors, plan)),)
    ticks = sensors.ticks(panel)
    others = sensors.other_processes(plan.device_uuid)
    window = watch(call, panel, ticks, plan)
    watched = Watched(
        moved={sensor.key: counter.accumulate(sensor.domain, _series(window, sensor.key)) for sensor in panel.energy},
        iterations=window.rounds * plan.iterations,
        windows=1,
        first=window.readings[0],
        last=window.after_rounds,
        details={
            "rounds_in_window": window.rounds,
            "readings": len(window.readings),
            "starts_at_edge": window.starts_at_edge,
            "ends_at_edge": window.ends_at_edge,
            "tail_s": window.tail_s,
        },
        others=most(others, sensors.other_processes(plan.device_uuid)),
    )
    return energy_rows(panel, watched, sensors, plan)


def prepare(sensors: Sensors, plan: EnergyPlan) -> None:
    """Measure the idle power of a device and the ticks of its counters, once per session (about 2 s each).

    Call it when the device's context exists, and before its first benchmark: a GPU takes seconds to cool down, and
    the power of a hot device is not its idle power.
    """
    key = (plan.device_uuid, plan.provenance)
    if key in sensors.idle:
        return
    panel = sensors.panel(plan.device_uuid, plan.provenance)
    sensors.idle[key] = _watched_idle(panel, sensors, plan) if panel.energy else {}


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


def _series(window: Window, key: Key) -> list[Reading]:
    return [readings[key] for readings in window.readings]
