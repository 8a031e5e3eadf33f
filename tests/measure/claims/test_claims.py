"""Claims on the model device, whose every figure is known, and on devices that break them."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import pytest

from pytest_benchdb.measure.claims import of_sensors, of_timing
from pytest_benchdb.measure.claims.rig import (
    LARGE,
    Claim,
    Finding,
    Rig,
    TorchWorkload,
    UntestedError,
    check_claims,
    untested,
)
from pytest_benchdb.measure.energy.sensors import Sensors
from pytest_benchdb.measure.sampler.sampler import Sampler
from pytest_benchdb.model.answer.device_claims import ClaimResult
from pytest_benchdb.model.metric import METRICS
from pytest_benchdb.model.reading import Domain, Reading, Series
from pytest_benchdb.testing.model_device import ModelBackend, ModelMachine, ModelMeter, ModelProfile, OpenModel

CLAIMS = {claim.name: claim for claim in (*of_sensors.CLAIMS, *of_timing.CLAIMS)}
PROFILE = ModelProfile(memory_bytes=1 << 32)


class ModelWork:
    """Work for the model device: a product of large matrices takes 162 us."""

    def __init__(self, machine: ModelMachine) -> None:
        self.machine = machine
        self.side_s = 0.0

    def product(self, size: int) -> Callable[[], object]:
        kernel_s = 160e-6 * (size / LARGE) ** 3 + 2e-6
        return lambda: self.machine.launch(kernel_s, cold_kernel_s=kernel_s)

    def total(self, size_bytes: int) -> Callable[[], object]:
        hot_s = size_bytes / 4e12
        return lambda: self.machine.launch(hot_s, cold_kernel_s=2 * hot_s)

    def chain(self, kernels: int) -> Callable[[], object]:
        def launch() -> None:
            for _ in range(kernels):
                self.machine.launch(2e-6)

        return launch

    def beside(self, call: Callable[[], object]) -> Callable[[], object]:
        def launch() -> None:
            main_s, self.machine.busy_until_s = self.machine.busy_until_s, self.side_s
            call()
            self.side_s, self.machine.busy_until_s = self.machine.busy_until_s, main_s

        return launch

    def hold(self, size_bytes: int) -> object:
        self.machine.allocate(size_bytes)
        return size_bytes

    def release(self) -> None:
        pass

    def unnamed_index(self) -> int:
        return 0


def rig_of(opened_by: type[OpenModel] = OpenModel, profile: ModelProfile = PROFILE) -> Rig:
    machine = ModelMachine(profile)
    backend = ModelBackend(machine)
    (device,) = backend.devices()
    return Rig(
        opened=opened_by(machine, device),
        sensors=Sensors([ModelMeter(machine)]),
        work=ModelWork(machine),
        sleep=machine.spend,
        patience=0.1,
        provenance="simulated",
    )


def result(name: str, rig: Rig) -> ClaimResult:
    (checked,) = check_claims((CLAIMS[name],), rig)
    return checked


@pytest.mark.parametrize(
    ("name", "figure"),
    [
        ("device_time of a long kernel is its wall time", 0.99),
        ("device_time holds no launch", 1.0),
        ("cold rounds find empty caches", 2.0),
        ("a short energy window is as good as a long one", 1.0),
        ("the idle device draws less power", 0.21),
        ("running out of memory is recognised", 1),
        ("a meter finds the device by its UUID", 1),
    ],
)
def test_claims_hold_on_the_model_device(name: str, figure: float) -> None:
    claim = CLAIMS[name]

    finding = claim.check(rig_of())

    assert finding.figure == pytest.approx(figure, rel=0.03)
    assert claim.holds(finding)


class MarksWithLaunch(OpenModel):
    """A device whose marks cannot wait in the queue, so that the launch is between them."""

    def elapsed_s(self, begin: object, end: object) -> float:
        return super().elapsed_s(begin, end) + self._machine.profile.launch_s


class NeverCold(OpenModel):
    """A device that says it emptied its caches and did not."""

    def flush_cache(self) -> bool:
        return True


class NoMemoryError(OpenModel):
    """A device that does not know its own error."""

    def is_out_of_memory(self, error: BaseException) -> bool:
        del error
        return False


@pytest.mark.parametrize(
    ("opened_by", "name"),
    [
        (MarksWithLaunch, "device_time holds no launch"),
        (NeverCold, "cold rounds find empty caches"),
        (NoMemoryError, "running out of memory is recognised"),
    ],
)
def test_claims_fail_on_a_device_that_breaks_them(opened_by: type[OpenModel], name: str) -> None:
    assert result(name, rig_of(opened_by)).verdict == "fails"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("a graph replays without the launches", "model has no graphs"),
        ("work on other streams is noticed", "this device cannot wait for a single mark"),
        ("the clock comes up within the warm-up", "no meter reads the clock of this device"),
        ("throttling is counted", "no meter counts how long this device is slowed down"),
        ("the meter reports the same memory", "no meter reads the memory of this device"),
        ("no other process computes on the device", "no meter reports the processes on this device"),
        ("the device is the same where only it is visible", "devices of model cannot be selected by UUID"),
        ("work without a named device runs on the device of the test", "model has no current device"),
    ],
)
def test_claims_that_cannot_be_checked_are_untested_with_the_reason(name: str, reason: str) -> None:
    checked = result(name, rig_of())

    assert (checked.verdict, checked.measured) == ("untested", reason)


def test_claims_without_work_or_meters_never_fail() -> None:
    machine = ModelMachine()
    (device,) = ModelBackend(machine).devices()
    rig = Rig(opened=OpenModel(machine, device), sensors=Sensors([]), work=None, sleep=machine.spend)

    assert {checked.verdict for checked in check_claims(tuple(CLAIMS.values()), rig)} == {"untested"}


def test_check_that_raises_is_a_claim_that_fails_and_the_next_one_is_checked() -> None:
    def broken(_rig: Rig) -> Finding:
        raise RuntimeError("CUDA error: an illegal memory access was encountered\nCompile with ...")

    claims = (Claim(name="first", quantity="us", check=broken, most=1), CLAIMS["running out of memory is recognised"])
    seen: list[ClaimResult] = []

    first, second = check_claims(claims, rig_of(), on_result=seen.append)

    assert first == ClaimResult(
        claim="first",
        expected="at most 1 us",
        measured="RuntimeError: CUDA error: an illegal memory access was encountered",
        verdict="fails",
    )
    assert second.verdict == "holds"
    assert seen == [first, second]


@pytest.mark.parametrize(
    ("least", "most", "expected", "holds"),
    [
        (None, None, "us", [False, True, True]),
        (1, None, "at least 1 us", [False, True, True]),
        (None, 1, "at most 1 us", [True, True, False]),
        (1, 1.5, "1 to 1.5 us", [False, True, False]),
    ],
)
def test_claim_says_its_range_and_keeps_to_it(
    least: float | None, most: float | None, expected: str, holds: list[bool]
) -> None:
    def check(_rig: Rig) -> Finding:
        raise UntestedError("never called")

    claim = Claim(name="c", quantity="us", check=check, least=least, most=most)

    assert claim.expected == expected
    assert [claim.holds(Finding(figure, "")) for figure in (0, 1, 2)] == holds


def test_untested_gives_every_claim_the_reason() -> None:
    checked = untested(of_timing.CLAIMS, "no GPU")

    assert {(one.verdict, one.measured) for one in checked} == {("untested", "no GPU")}
    assert len(checked) == len(of_timing.CLAIMS)


def test_work_of_torch_runs_on_a_real_torch() -> None:
    torch = pytest.importorskip("torch")
    work = TorchWorkload(torch.device("cpu", 0))

    product, total, chain = work.product(8)(), work.total(1024)(), work.chain(3)()

    assert (tuple(product.shape), float(total), float(chain.sum())) == ((8, 8), 256.0, 3072.0)  # type: ignore[attr-defined,arg-type]
    assert work.hold(10).numel() == 10  # type: ignore[attr-defined]


class Complete(OpenModel):
    """The model device with everything that a device can have besides."""

    work: ModelWork

    @contextlib.contextmanager
    def current(self) -> Iterator[None]:
        yield

    def capture(self, function: Callable[[], object]) -> Callable[[], object]:
        function()
        return lambda: self._machine.launch(100e-6)

    def wait_for(self, _mark: object) -> None:
        super().synchronize()

    def synchronize(self) -> None:
        self._machine.now_s = max(self._machine.now_s, self.work.side_s)
        super().synchronize()


class CompleteMeter(ModelMeter):
    """A meter with every sensor of the device: its clock comes up 0.2 s after it rested."""

    SENSORS = ("power", "clock_frequency", "throttle_time", "device_used")

    def domains(self) -> Sequence[Domain]:
        (energy,) = super().domains()
        kinds: dict[str, Domain] = {
            metric: replace(
                energy,
                name=f"MODEL-0/{metric}",
                metric=metric,
                unit=METRICS[metric].unit,
                kind="counter" if metric == "throttle_time" else "gauge",
                tick_s=None,
            )
            for metric in self.SENSORS
        }
        return [energy, *kinds.values()]

    def read(self) -> Mapping[str, Reading]:
        machine, readings = self.machine, super().read()
        (energy,) = readings.values()
        is_up = machine.now_s % 10 > 0.2
        values = (500.0, 1.98e9 if is_up else 345e6, 0.25 * machine.now_s, float(machine.allocated_bytes))
        values_of = dict(zip(self.SENSORS, values, strict=True))
        others = {f"MODEL-0/{metric}": replace(energy, value=value) for metric, value in values_of.items()}
        return {**readings, **others}

    def other_processes(self, _device_uuid: str) -> int | None:
        return 0


class PowerSampler(Sampler):
    """A sampler that saw the power of the device at work, without a process."""

    def start(self) -> None:
        pass

    def stop(self) -> tuple[Series, ...]:
        series = Series(
            metric="power", unit="W", domain="MODEL-0/power", device_id="d", t_s=(0.0, 1.0), values=(470.0, 470.0)
        )
        return (series,)


@pytest.mark.parametrize("name", list(CLAIMS))
def test_every_claim_holds_on_a_device_that_keeps_all(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rig = rig_of(Complete)
    work = rig.work
    assert isinstance(work, ModelWork)
    assert isinstance(rig.opened, Complete)
    rig.opened.work = work
    monkeypatch.setattr(Rig, "loaded", lambda _rig: contextlib.nullcontext())  # the model knows no threads
    rig = replace(
        rig,
        sensors=Sensors([CompleteMeter(work.machine)]),
        sampler=PowerSampler,
        other_process=lambda _uuid: rig.opened.device.device_id,
    )

    checked = result(name, rig)

    assert checked.verdict == "holds", checked.measured
