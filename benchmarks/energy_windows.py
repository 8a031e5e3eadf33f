"""How far a window of an energy counter is off, by its length: read at arbitrary moments, and between two edges.

    python benchmarks/energy_windows.py [--phases 50]

A load of 500 W on an idle floor of 100 W, on the simulated machine: nothing is measured, and nothing real is
needed. `plain` reads the counter right before and right after the load. `edges` is what the energy pass does
(`measure/energy_window.py`), in rounds much shorter than a tick (1 ms) and in one round as long as the window.
Prints the mean error and the largest one over all phases between the load and the counter's updates.
"""

import argparse
from collections.abc import Callable

from pytest_benchdb.backends.sim import SimHandle, SimMachine, SimMeter, SimProfile
from pytest_benchdb.measure.energy.sensors import Sensors
from pytest_benchdb.measure.energy.window import EnergyPlan, watched

WINDOWS_S = (0.05, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
TICKS_S = (0.1, 0.02)
BUSY_W, IDLE_W = 500.0, 100.0


def machine(tick_s: float, phase: float) -> SimMachine:
    """Return a machine that has idled for two seconds, its counter's updates shifted by a share of a tick."""
    profile = SimProfile(tick_s=tick_s, phase_s=phase * tick_s, busy_w=BUSY_W, idle_w=IDLE_W, read_s=1e-5)
    made = SimMachine(profile)
    made.advance(2.0)
    return made


def plain(tick_s: float, window_s: float, phase: float) -> float:
    """Return the relative error of the energy of a load between two readings around it."""
    made = machine(tick_s, phase)
    before_j = made.counter_j(0)
    made.work(0, window_s)
    return (made.counter_j(0) - before_j) / (BUSY_W * window_s) - 1


def edges(tick_s: float, window_s: float, phase: float, *, round_s: float) -> float:
    """Return the relative error of the energy per round of a window between two edges."""
    made = machine(tick_s, phase)
    meter, handle = SimMeter(made), SimHandle(made, 0)
    panel = Sensors([meter]).panel(made.uuid(0), "simulated")
    sensor = panel.energy[0]
    plan = EnergyPlan(rounds_hint_s=round_s, min_ticks=1, min_window_s=window_s, provenance="simulated")
    window = watched(lambda: handle.work(round_s), panel, {sensor.key: tick_s}, plan)
    first, last = (reading[sensor.key].value or 0.0 for reading in (window.readings[0], window.readings[-1]))
    return (last - first) / window.rounds / (BUSY_W * round_s) - 1


def row(error: Callable[[float, float, float], float], tick_s: float, phases: int) -> list[tuple[float, float]]:
    """Return mean and largest absolute error for each window."""
    found = []
    for window_s in WINDOWS_S:
        errors = [error(tick_s, window_s, (step + 0.5) / phases) for step in range(phases)]
        found.append((sum(errors) / phases, max(map(abs, errors))))
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--phases", type=int, default=50)
    phases = parser.parse_args().phases
    print("| tick, reading | " + " | ".join(f"{window:g} s" for window in WINDOWS_S) + " |")
    print("| --- " * (len(WINDOWS_S) + 1) + "|")
    for tick_s in TICKS_S:
        ways: dict[str, Callable[[float, float, float], float]] = {
            "plain": plain,
            "edges, rounds of 1 ms": lambda t, w, p: edges(t, w, p, round_s=1e-3),
            "edges, one round": lambda t, w, p: edges(t, w, p, round_s=w),
        }
        for name, way in ways.items():
            cells = [f"{mean:+.1%} / {worst:.1%}" for mean, worst in row(way, tick_s, phases)]
            print(f"| {tick_s * 1e3:g} ms, {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
