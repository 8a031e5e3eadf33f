from collections.abc import Callable

import pytest

from pytest_benchdb.measure.timing.calls import Watch
from pytest_benchdb.measure.timing.device_rounds import DeviceRounds
from pytest_benchdb.testing.model_device import ModelBackend, ModelMachine, ModelProfile, OpenModel


class Rounds:
    """Rounds of `call` on the model device, whose `hold` takes `held_share` of the time that it should."""

    def __init__(self, call: Callable[[ModelMachine], None], held_share: float = 1.0, **profile: float) -> None:
        self.machine = ModelMachine(ModelProfile(**profile))  # type: ignore[arg-type]
        backend = ModelBackend(self.machine)
        self.opened = backend.open(backend.devices()[0])
        self.held_s: list[float] = []
        self._call = call
        self._held_share = held_share

    def times(self, round_s: float, *, holds: bool = True, flushes: bool = False) -> list[float] | None:
        class Held(OpenModel):
            def hold(inner, seconds: float) -> bool:  # noqa: N805
                self.held_s.append(seconds)
                return holds and super().hold(seconds * self._held_share)

        device = Held(self.machine, self.opened.device)
        rounds = DeviceRounds(device, flushes=flushes)
        return rounds.times(self._run, round_s=round_s, is_enough=lambda count: count >= 10)

    def _run(self, watch: Watch) -> None:
        self.machine.wait()
        begun = watch.begin()
        start_ns = watch.clock()
        self._call(self.machine)
        assert watch.finish is not None
        watch.finish()
        watch.end(begun, start_ns, watch.clock())


def launch(machine: ModelMachine) -> None:
    machine.launch()


def launch_many(machine: ModelMachine) -> None:
    for _ in range(1000):
        machine.launch()


def launch_and_wait(machine: ModelMachine) -> None:
    machine.launch()
    machine.wait()


@pytest.mark.parametrize("held_share", [0.2, 1.0, 5.0])
def test_device_rounds_hold_no_launch_however_long_the_device_is_kept_busy(held_share: float) -> None:
    rounds = Rounds(launch_many, held_share, kernel_s=2e-6)

    assert rounds.times(9e-3) == pytest.approx([2e-3] * 10)
    assert 8e-3 < rounds.held_s[-1] * held_share < 30e-3  # launching takes 8 ms


def test_device_rounds_of_long_work_keep_the_device_busy_for_a_short_time_only() -> None:
    rounds = Rounds(launch, kernel_s=2.0)

    assert rounds.times(2.0) == pytest.approx([2.0] * 10)
    assert max(rounds.held_s) <= 1e-3


def test_device_rounds_are_cold_if_the_caches_are_emptied() -> None:
    assert Rounds(launch).times(30e-6, flushes=True) == pytest.approx([60e-6] * 10)


@pytest.mark.parametrize("kernel_s", [20e-6, 2.0])
def test_device_rounds_of_a_function_that_waits_are_given_up(kernel_s: float) -> None:
    rounds = Rounds(launch_and_wait, kernel_s=kernel_s)

    assert rounds.times(kernel_s + 13e-6) is None
    assert len(rounds.held_s) <= 5


def test_device_rounds_on_a_device_that_cannot_be_kept_busy_are_given_up() -> None:
    assert Rounds(launch).times(30e-6, holds=False) is None
