"""What must be measured on the model device, whose every time, peak and power is given.

`ANSWERS` is the list; the documentation has it as a table, and `KnownAnswers` tests that it is true. `WorkContract`
asks the same of any backend whose provider knows the time of some work on the device.
"""

import contextlib
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import pytest

from pytest_benchdb.interfaces import Backend, OpenDevice
from pytest_benchdb.measure.energy.energy_pass import measure_energy, prepare
from pytest_benchdb.measure.energy.sensors import Sensors
from pytest_benchdb.measure.energy.window import EnergyPlan
from pytest_benchdb.measure.timing.calls import calls_of
from pytest_benchdb.measure.timing.plan import Plan
from pytest_benchdb.measure.timing.rounds import Clocks, Rounds, Timed
from pytest_benchdb.testing.backend_contract import opened_or_skipped
from pytest_benchdb.testing.model_device import (
    UUID,
    ModelBackend,
    ModelFunction,
    ModelMachine,
    ModelMeter,
    ModelProfile,
)
from pytest_benchdb.testing.provider_contract import QuietContract, expect

_QUICK: Mapping[str, object] = {"max_time_s": 0.05, "warmup_time_s": 0.01}
_PLAN = EnergyPlan(rounds_hint_s=0.0, device_uuid=UUID, provenance="simulated")


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownAnswer:
    """One way to measure on the model device, and the right values.

    Attributes:
        case: what is measured, in words.
        right: the right values of one call by metric: seconds, bytes, joules, or calls in a round.
        profile: the behaviour of the device.
        kernels: launches in one call.
        options: as in `bench.options`.
    """

    case: str
    right: Mapping[str, float]
    profile: ModelProfile = field(default_factory=ModelProfile)
    kernels: int = 1
    options: Mapping[str, object] = field(default_factory=dict)

    def measured(self) -> dict[str, float]:
        """Measure it, on the model's own clocks, and return the values of the metrics in `right`."""
        machine = ModelMachine(self.profile)
        backend = ModelBackend(machine)
        opened = backend.open(backend.devices()[0])
        sensors = Sensors([ModelMeter(machine)])
        if "energy" in self.right:
            prepare(sensors, _PLAN)
        clocks = Clocks(cpu_ns=opened.clock_ns, thread_ns=None, host_ns=opened.clock_ns)
        plan = Plan().changed(**{**_QUICK, **self.options})
        with calls_of(ModelFunction(machine, self.kernels), (), {}) as calls:
            rounds = Rounds(calls, opened, plan, clocks=clocks)
            found = medians(rounds.run(contextlib.nullcontext()))
            if "energy" in self.right:
                found |= _energy(rounds, sensors, found)
        return {metric: found[metric] for metric in self.right}


def medians(timed: Timed) -> dict[str, float]:
    """Return the values of one call by metric."""
    found = {
        "wall_time": statistics.median(timed.wall_ns) / timed.iterations / 1e9,
        "iterations": float(timed.iterations),
        **timed.memory,
    }
    if timed.device_s is not None:
        found["device_time"] = statistics.median(timed.device_s)
    if timed.first_call_ns is not None:
        found["first_call_time"] = timed.first_call_ns / 1e9
    return found


def _energy(rounds: Rounds, sensors: Sensors, found: Mapping[str, float]) -> dict[str, float]:
    iterations = round(found["iterations"])
    plan = replace(_PLAN, rounds_hint_s=found["wall_time"] * iterations, iterations=iterations)
    rows = measure_energy(lambda: rounds.once(iterations), sensors, plan)
    return {row.metric: row.value for row in rows if row.value is not None and row.valid}


ANSWERS = (
    KnownAnswer(
        case="eager: a kernel of 20 us that takes 8 us to launch",
        right={"wall_time": 20e-6, "device_time": 20e-6, "iterations": 49},
    ),
    KnownAnswer(
        case="compiled: the same after a first call of 200 ms",
        profile=ModelProfile(compile_s=(0.2,)),
        right={"wall_time": 20e-6, "device_time": 20e-6, "iterations": 49, "first_call_time": 0.2},
    ),
    KnownAnswer(
        case="compiled again: the second and the third call take 150 ms as well",
        profile=ModelProfile(compile_s=(0.2, 0.15, 0.15)),
        right={"wall_time": 20e-6, "device_time": 20e-6, "iterations": 49, "first_call_time": 0.2},
    ),
    KnownAnswer(
        case="one call a round: launch, kernel and wait",
        options={"iterations": 1},
        right={"wall_time": 33e-6, "device_time": 20e-6, "iterations": 1},
    ),
    KnownAnswer(
        case="500 calls a round",
        options={"iterations": 500},
        right={"wall_time": 20e-6, "device_time": 20e-6, "iterations": 500},
    ),
    KnownAnswer(
        case="cold caches: the kernel takes 60 us",
        options={"cache_mode": "cold"},
        right={"wall_time": 73e-6, "device_time": 60e-6, "iterations": 1},
    ),
    KnownAnswer(
        case="slower to launch than to run: kernels of 2 us",
        profile=ModelProfile(kernel_s=2e-6),
        right={"wall_time": 8e-6, "device_time": 2e-6},
    ),
    KnownAnswer(
        case="100 kernels of 2 us in a call",
        profile=ModelProfile(kernel_s=2e-6),
        kernels=100,
        right={"wall_time": 800e-6, "device_time": 200e-6},
    ),
    KnownAnswer(
        case="a kernel of 30 ms",
        profile=ModelProfile(kernel_s=0.03),
        right={"wall_time": 0.03, "device_time": 0.03, "iterations": 1},
    ),
    KnownAnswer(
        case="200 us that allocate 64 MiB and draw 500 W, 100 W without work",
        options={"iterations": 9},
        profile=ModelProfile(kernel_s=200e-6, result_bytes=64 << 20),
        right={"device_peak": 64 << 20, "energy": 0.1, "power": 500, "idle_power": 100},
    ),
)
"""The known answers, in the order of the documentation."""


class KnownAnswers:
    """Inherit, and call the class ``Test...``, to test that this installation measures what is known.

    Attributes:
        tolerance: largest deviation, as a share of the right value.
    """

    tolerance = 0.02

    @pytest.mark.parametrize("answer", ANSWERS, ids=[answer.case.partition(":")[0] for answer in ANSWERS])
    def test_measured_is_what_is_known(self, answer: KnownAnswer) -> None:
        """Every metric of every case is within `tolerance`."""
        for metric, value in answer.measured().items():
            right = answer.right[metric]
            near = abs(value - right) <= self.tolerance * right
            expect(near, f"{answer.case}: {metric} is {value:g}, and {right:g} is right")


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Work on a device whose time there is known.

    Attributes:
        call: starts it, as a test's function would.
        call_s: time of one call on the device, seconds.
        cold_call_s: the same after the caches were emptied; None if it is not known.
        sleep: lets time pass on the host; simulated devices have their own.
        clocks: of the host; simulated devices have their own.
    """

    call: Callable[[], object]
    call_s: float
    cold_call_s: float | None = None
    sleep: Callable[[float], object] = time.sleep
    clocks: Clocks = field(default_factory=Clocks)


class WorkContract(QuietContract):
    """Tests of the time on any device, with work whose time is known.

    Inherit, define two fixtures, and call the class ``Test...``: `backend` returns the backend, and `work` the `Work`
    for the open device that it gets as `opened`. A backend without marks on the device's timeline is skipped.

    Attributes:
        tolerance: largest deviation, as a share of the right value.
        compile_s: time by which early calls are made slower here.
    """

    tolerance = 0.02
    compile_s = 0.06

    @pytest.fixture
    def opened(self, backend: Backend) -> OpenDevice:
        """Open the default device; skip without one."""
        return opened_or_skipped(backend)

    def test_many_calls_take_the_known_time(self, opened: OpenDevice, work: Work) -> None:
        """The time of one call in calibrated rounds is the known one, and holds no launch."""
        self._check("device_time", self._timed(opened, work), work.call_s)

    def test_one_call_takes_the_same_time(self, opened: OpenDevice, work: Work) -> None:
        """A round of one call gives the same time as many."""
        self._check("device_time", self._timed(opened, work, iterations=1), work.call_s)

    @pytest.mark.parametrize("slow_calls", [1, 3])
    def test_early_calls_change_nothing(self, opened: OpenDevice, work: Work, slow_calls: int) -> None:
        """A function whose first calls compile is measured like one that is compiled already."""
        left = [self.compile_s] * slow_calls

        def compiled() -> object:
            if left:
                work.sleep(left.pop())
            return work.call()

        found = self._timed(opened, work, function=compiled)

        self._check("device_time", found, work.call_s)
        eager = self._timed(opened, work)["iterations"]
        calls = f"{found['iterations']:g} calls a round after slow calls, and {eager:g} without"
        expect(eager / 2 <= found["iterations"] <= eager * 2, calls)
        expect(found["first_call_time"] >= self.compile_s, "the first call is not stored with its compilation")

    def test_cold_calls_are_cold(self, opened: OpenDevice, work: Work) -> None:
        """With empty caches, a round is one call, and no call is faster than with full caches."""
        if not opened.flush_cache():
            pytest.skip("the caches of this device cannot be emptied")
        found = self._timed(opened, work, cache_mode="cold")

        expect(found["iterations"] == 1, f"{found['iterations']:g} calls in a cold round")
        least = (1 - self.tolerance) * work.call_s
        expect(found["device_time"] >= least, f"a cold call takes {found['device_time']:g} s")
        if work.cold_call_s is not None:
            self._check("device_time", found, work.cold_call_s)

    def _timed(
        self, opened: OpenDevice, work: Work, *, function: Callable[[], object] | None = None, **options: object
    ) -> dict[str, float]:
        plan = Plan().changed(**{**_QUICK, **options})
        with calls_of(function or work.call, (), {}) as calls:
            found = medians(Rounds(calls, opened, plan, clocks=work.clocks).run(contextlib.nullcontext()))
        if "device_time" not in found:
            pytest.skip("this device has no marks on its timeline")
        return found

    def _check(self, metric: str, found: Mapping[str, float], right: float) -> None:
        near = abs(found[metric] - right) <= self.tolerance * right
        expect(near, f"{metric} is {found[metric]:g}, and {right:g} is right")
