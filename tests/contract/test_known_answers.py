"""The model device passes every contract, and what is measured on it is what is known."""

import contextlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from pytest_benchdb.errors import BackendUnavailableError
from pytest_benchdb.interfaces import Backend, Meter, OpenDevice
from pytest_benchdb.measure.timing.calls import calls_of
from pytest_benchdb.measure.timing.plan import Plan
from pytest_benchdb.measure.timing.rounds import Clocks, Rounds
from pytest_benchdb.testing import BackendContract, KnownAnswers, MeterContract, ModelBackend, ModelMeter
from pytest_benchdb.testing.known_answers import ANSWERS, Work, WorkContract
from pytest_benchdb.testing.model_device import ModelFunction, ModelMachine, ModelProfile, OpenModel, this_machine


class TestKnownAnswers(KnownAnswers):
    pass


class TestModelBackend(BackendContract):
    @pytest.fixture
    def backend(self) -> Backend:
        return ModelBackend(ModelMachine())


class TestModelMeter(MeterContract):
    @pytest.fixture
    def meter(self) -> Meter:
        return ModelMeter(ModelMachine())


class TestWork(WorkContract):
    @pytest.fixture
    def backend(self) -> ModelBackend:
        return ModelBackend(ModelMachine())

    @pytest.fixture
    def work(self, backend: ModelBackend, opened: OpenDevice) -> Work:
        return work_of(backend, opened)


def work_of(backend: ModelBackend, opened: OpenDevice) -> Work:
    profile = backend.machine.profile
    return Work(
        call=ModelFunction(backend.machine),
        call_s=profile.kernel_s,
        cold_call_s=profile.cold_kernel_s,
        sleep=backend.machine.spend,
        clocks=Clocks(cpu_ns=opened.clock_ns, thread_ns=None, host_ns=opened.clock_ns),
    )


def opened_and_work(**changes: Any) -> tuple[OpenModel, Work]:
    backend = ModelBackend(ModelMachine(ModelProfile(**changes)))
    opened = backend.open(backend.devices()[0])
    return opened, work_of(backend, opened)


@pytest.mark.parametrize(
    "check",
    [
        lambda opened, work: WorkContract().test_many_calls_take_the_known_time(opened, replace(work, call_s=21e-6)),
        lambda opened, work: WorkContract().test_one_call_takes_the_same_time(opened, replace(work, call_s=19e-6)),
        lambda opened, work: WorkContract().test_cold_calls_are_cold(opened, replace(work, cold_call_s=50e-6)),
    ],
)
def test_work_whose_time_is_not_the_known_one_is_found(check: Callable[[OpenModel, Work], None]) -> None:
    opened, work = opened_and_work()

    with pytest.raises(pytest.fail.Exception, match="is right"):
        check(opened, work)


def test_device_that_cannot_be_kept_busy_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    opened, work = opened_and_work()
    monkeypatch.setattr(opened, "hold", lambda _seconds: False)

    with pytest.raises(pytest.fail.Exception, match=r"device_time is 2.* and 2e-05 is right"):
        WorkContract().test_one_call_takes_the_same_time(opened, work)


def test_known_answer_that_is_wrong_is_found() -> None:
    answer = replace(ANSWERS[0], right={"device_time": 28e-6})

    with pytest.raises(pytest.fail.Exception, match=r"device_time is 2e-05, and 2\.8e-05 is right"):
        KnownAnswers().test_measured_is_what_is_known(answer)


def test_device_time_of_a_function_that_waits_for_the_device_includes_its_launches() -> None:
    """Nothing can be queued then, so rounds with marks take its place."""
    opened, work = opened_and_work()

    def call() -> None:
        work.call()
        opened.synchronize()

    with calls_of(call, (), {}) as calls:
        plan = Plan().changed(max_time_s=0.01, iterations=1)
        timed = Rounds(calls, opened, plan, clocks=work.clocks).run(contextlib.nullcontext())

    assert timed.device_waits
    assert timed.device_s is not None
    assert min(timed.device_s) > 28e-6


def test_model_device_is_one_machine_of_the_process() -> None:
    assert ModelBackend().machine is ModelMeter().machine is this_machine()


def test_model_device_runs_out_of_memory_and_refuses_others() -> None:
    opened, _ = opened_and_work(memory_bytes=100)
    machine = opened.handle
    assert isinstance(machine, ModelMachine)

    with pytest.raises(MemoryError) as caught:
        machine.allocate(101)
    assert opened.is_out_of_memory(caught.value)
    with pytest.raises(TypeError):
        opened.move(3)
    with pytest.raises(TypeError):
        opened.elapsed_s(3, 4)
    with pytest.raises(BackendUnavailableError):
        ModelBackend(machine).open(replace(opened.device, uuid="other"))
