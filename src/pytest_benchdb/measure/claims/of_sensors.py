"""Claims about meters: energy, power, clock, throttling."""

import contextlib
import statistics
import time
from collections.abc import Callable

from pytest_benchdb.measure.claims.rig import LARGE, SMALL, Claim, Finding, Rig, UntestedError
from pytest_benchdb.measure.energy.conditions import Conditions
from pytest_benchdb.measure.energy.energy_pass import measure_energy
from pytest_benchdb.measure.energy.window import EnergyPlan
from pytest_benchdb.measure.sampler.series_pass import record_series, time_weighted_mean
from pytest_benchdb.model.reading import Series

_READS = 50
_LONG_S = 8.0
_WARM_UP_S = 2.0


def _same_device(rig: Rig) -> Finding:
    """Look for the device's sensors by its UUID."""
    sensors = rig.panel.sensors
    names = {sensor.meter.name for sensor in sensors}
    has_energy = any(sensor.domain.metric == "energy" for sensor in sensors)
    found = f"{len(sensors)} sensors of {', '.join(sorted(names))} for {rig.opened.device.uuid}"
    return Finding(float(has_energy), found)


def _visible_by_uuid(rig: Rig) -> Finding:
    """Open the device in a process that sees no other one."""
    uuid = rig.opened.device.uuid
    if rig.other_process is None or uuid is None:
        raise UntestedError(f"devices of {rig.opened.device.backend} cannot be selected by UUID")
    found = rig.other_process(uuid)
    return Finding(float(found == rig.opened.device.device_id), f"device {found}, here {rig.opened.device.device_id}")


def _quick_reading(rig: Rig) -> Finding:
    """Read all sensors of the device, idle and under load."""
    panel = rig.panel

    def cost_s() -> float:
        costs = []
        for _ in range(_READS):
            begun = time.perf_counter()
            panel.read()
            costs.append(time.perf_counter() - begun)
        return statistics.median(costs)

    idle_s = cost_s()
    with rig.loaded():
        busy_s = cost_s()
    return Finding(max(idle_s, busy_s) * 1e3, f"{idle_s * 1e3:.3g} ms idle, {busy_s * 1e3:.3g} ms under load")


def _tick(rig: Rig) -> Finding:
    """Watch the energy counter change under load."""
    panel = rig.panel.only("energy")
    with rig.loaded():
        ticks = rig.sensors.ticks(panel)
    known = [tick_s for tick_s in ticks.values() if tick_s is not None]
    if not known:
        raise UntestedError("no energy counter, or it does not change")
    return Finding(max(known) * 1e3, f"{max(known) * 1e3:.3g} ms")


def _short_window(rig: Rig) -> Finding:
    """Compare the mean power of a short energy pass with that of a long one."""
    call = rig.workload.product(LARGE)
    rig.load(3.0)
    short_w = _power(rig, call, 0.1)
    long_w = _power(rig, call, _LONG_S * rig.patience)
    return Finding(short_w / long_w, f"{short_w:.4g} W, {long_w:.4g} W over {_LONG_S:g} s")


def _power(rig: Rig, call: Callable[[], object], window_s: float) -> float:
    def round_() -> None:
        call()
        rig.opened.synchronize()

    plan = EnergyPlan(
        rounds_hint_s=1e-3,
        device_uuid=rig.opened.device.uuid,
        provenance=rig.provenance,
        min_window_s=window_s,
    )
    rows = measure_energy(round_, rig.sensors, plan)
    names = {sensor.domain.name for sensor in rig.panel.energy}
    for row in rows:
        if row.metric == "power" and row.domain in names and row.value is not None:
            return row.value
    raise UntestedError(rows[0].reason or "the energy pass gave no power")


def _counter_and_gauge(rig: Rig) -> Finding:
    """Compare the energy counter with the mean of the sampled power."""
    if rig.sampler is None:
        raise UntestedError("there is no sampler for this device")
    rig.load(1.0)
    call = rig.workload.product(LARGE)
    powers: list[Series] = []

    with rig.sampler() as sampler:
        sampler.start()  # its process starts with the first window
        sampler.stop()

        def work() -> None:
            series, _ = record_series(
                lambda: rig.repeat(call, 0.05),
                sampler,
                min_duration_s=5.0 * rig.patience,
                clock=lambda: rig.opened.clock_ns() / 1e9,
            )
            powers.extend(each for each in series if each.metric == "power" and each.device_id is not None)

        counted_w = rig.mean_power(work)
    if not powers:
        raise UntestedError("the sampler has no power of this device")
    sampled_w = time_weighted_mean(powers[0].t_s, powers[0].values)
    return Finding(counted_w / sampled_w, f"{counted_w:.4g} W counted, {sampled_w:.4g} W of {powers[0].domain}")


def _idle_and_busy(rig: Rig) -> Finding:
    """Compare the power of the idle device with that under load."""
    rig.load(1.0)
    busy_w = rig.mean_power(lambda: rig.load(2.0))
    rig.sleep(6.0 * rig.patience)
    idle_w = rig.mean_power(lambda: rig.sleep(2.0 * rig.patience))
    return Finding(idle_w / busy_w, f"{idle_w:.4g} W idle, {busy_w:.4g} W under load")


def _clock_comes_up(rig: Rig) -> Finding:
    """Let the device rest, and measure how long its clock takes to come up."""
    conditions = Conditions(rig.panel, clock_ns=rig.opened.clock_ns)
    if not rig.panel.only("clock_frequency").sensors:
        raise UntestedError("no meter reads the clock of this device")
    call = rig.workload.product(SMALL)
    rig.sleep(6.0 * rig.patience)
    begun_ns = rig.opened.clock_ns()
    while not conditions.is_steady() and rig.opened.clock_ns() - begun_ns < 5 * _WARM_UP_S * 1e9:
        call()
        rig.opened.synchronize()
    took_s = (rig.opened.clock_ns() - begun_ns) / 1e9
    return Finding(took_s, f"{took_s:.2g} s, at {_hertz(rig) / 1e6:.0f} MHz")


def _hertz(rig: Rig) -> float:
    panel = rig.panel.only("clock_frequency")
    return panel.read()[panel.sensors[0].key].value or 0.0


def _throttling(rig: Rig) -> Finding:
    """Read how long the device was slowed down while it worked."""
    conditions = Conditions(rig.panel, clock_ns=rig.opened.clock_ns)

    with conditions.around(contextlib.nullcontext()):
        rig.load(2.0)
    rows = {row.metric: row for row in conditions.rows()}
    row = rows.get("throttle_time")
    if row is None or row.value is None or not row.window_s:
        raise UntestedError("no meter counts how long this device is slowed down")
    share = row.value / row.window_s
    reasons = ", ".join(f"{name} {seconds:.3g} s" for name, seconds in (row.details or {}).items() if seconds)
    return Finding(share, f"{row.value:.3g} of {row.window_s:.3g} s ({reasons or 'no reason'})")


def _other_processes(rig: Rig) -> Finding:
    """Ask who else computes on the device."""
    count = rig.sensors.other_processes(rig.opened.device.uuid)
    if count is None:
        raise UntestedError("no meter reports the processes on this device")
    return Finding(count, f"{count} other processes; in a container this one counts as well")


CLAIMS: tuple[Claim, ...] = (
    Claim(name="a meter finds the device by its UUID", quantity="an energy counter", check=_same_device),
    Claim(
        name="the device is the same where only it is visible",
        quantity="the same device id",
        check=_visible_by_uuid,
    ),
    Claim(name="a reading of its sensors is quick", quantity="ms", check=_quick_reading, most=20),
    Claim(name="its energy counter changes often", quantity="ms between two changes", check=_tick, most=200),
    Claim(
        name="a short energy window is as good as a long one",
        quantity="of the power over 8 s",
        check=_short_window,
        least=0.95,
        most=1.05,
    ),
    Claim(
        name="the energy counter agrees with the power",
        quantity="of the mean power",
        check=_counter_and_gauge,
        least=0.9,
        most=1.1,
    ),
    Claim(name="the idle device draws less power", quantity="of the power under load", check=_idle_and_busy, most=0.5),
    Claim(name="the clock comes up within the warm-up", quantity="s", check=_clock_comes_up, most=_WARM_UP_S),
    Claim(name="throttling is counted", quantity="of the time", check=_throttling, least=0, most=1.05),
    Claim(name="no other process computes on the device", quantity="others", check=_other_processes, most=0),
)
