"""The simulated machine has known results."""

import pytest

from pytest_benchdb.backends.sim import SimMachine, SimProfile, this_machine


@pytest.mark.parametrize("steps", [1, 7, 1000])
def test_machine_work_of_500_w_for_2_s_draws_1000_j_within_one_tick(steps: int) -> None:
    machine = SimMachine(SimProfile(tick_s=0.1, phase_s=0.03))

    for _ in range(steps):
        machine.work(0, 2.0 / steps, watts=500.0)

    assert machine.counter_j(0) == pytest.approx(1000.0, abs=50.0)
    assert machine.counter_j(0) == pytest.approx(500.0 * 1.93, abs=0.01)
    assert machine.states[0].drawn_j == pytest.approx(1000.0)


def test_machine_counter_changes_at_its_ticks_only() -> None:
    machine = SimMachine(SimProfile(tick_s=0.1, idle_w=100.0))

    shown = []
    for _ in range(25):
        machine.advance(0.01)
        shown.append(round(machine.counter_j(0), 6))

    assert shown == [0.0] * 9 + [10.0] * 10 + [20.0] * 6


def test_machine_counter_wraps_at_its_range() -> None:
    machine = SimMachine(SimProfile(wrap_j=30.0, idle_w=100.0))

    machine.advance(0.5)

    assert machine.counter_j(0) == pytest.approx(20.0)


def test_machine_counter_begins_again_after_a_reset() -> None:
    machine = SimMachine(SimProfile(reset_at_s=1.0, idle_w=100.0))

    machine.advance(0.9)
    before_j = machine.counter_j(0)
    machine.advance(0.4)

    assert before_j == pytest.approx(90.0)
    assert machine.counter_j(0) == pytest.approx(30.0, abs=10.0)


def test_machine_keeps_other_devices_idle() -> None:
    machine = SimMachine(SimProfile(devices=3))

    machine.work(1, 1.0, watts=500.0)

    assert [state.drawn_j for state in machine.states] == pytest.approx([100.0, 500.0, 100.0])


def test_machine_jitter_is_the_same_for_the_same_seed() -> None:
    def durations(seed: int) -> list[float]:
        machine = SimMachine(SimProfile(jitter=0.05, seed=seed))
        return [machine.work(0, 0.01) for _ in range(20)]

    assert durations(1) == durations(1)
    assert durations(1) != durations(2)


def test_machine_gets_warm_at_work() -> None:
    machine = SimMachine()
    machine.advance(1.0)
    cold_k = machine.temperature_k(0)

    machine.work(0, 10.0)

    assert cold_k == 305.0
    assert machine.temperature_k(0) > 320.0


def test_this_machine_is_one_for_a_process() -> None:
    assert this_machine() is this_machine()


@pytest.mark.parametrize(
    ("window_s", "bias", "worst"),
    [(0.2, -0.20, 0.40), (0.5, -0.08, 0.16), (1.0, -0.04, 0.08), (2.0, -0.02, 0.04), (5.0, -0.008, 0.016)],
)
def test_machine_read_at_arbitrary_moments_is_off_as_the_reference_says(
    window_s: float, bias: float, worst: float
) -> None:
    errors = []
    for step in range(50):
        machine = SimMachine(SimProfile(tick_s=0.1, phase_s=0.1 * (step + 0.5) / 50))
        machine.advance(2.0)
        before_j = machine.counter_j(0)
        machine.work(0, window_s, watts=500.0)
        errors.append((machine.counter_j(0) - before_j) / (500.0 * window_s) - 1)

    assert sum(errors) / len(errors) == pytest.approx(bias, abs=0.001)
    assert max(map(abs, errors)) == pytest.approx(worst, rel=0.05)
