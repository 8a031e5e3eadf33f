"""The contracts themselves: good providers pass, and each defect is found by the test for it."""

import itertools
import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.contract.toys import DEVICE, ENERGY, POWER, Toy, ToyMeter, promises_of, run

from pytest_benchdb.model.reading import Domain, Probe, Reading
from pytest_benchdb.testing import BackendContract, MeterContract, ProviderContract
from pytest_benchdb.testing.provider_contract import problem_in_forked_child

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
Fault = Callable[[Any], object]


class Hasty(BackendContract):
    probe_limit_s = 0.05
    answer_limit_s = 0.3


class HastyMeter(MeterContract):
    probe_limit_s = 0.05
    answer_limit_s = 0.3


def record(_name: str, _value: object) -> None:
    """Replace `record_property`."""


def check(contract: ProviderContract, test: str, provider: Toy | ToyMeter) -> None:
    fixtures: dict[str, object] = {"provider": provider, "record_property": record, "shutdown": lambda: None}
    if isinstance(provider, Toy):
        fixtures |= {"backend": provider, "devices": provider.devices(), "opened": provider.opened}
    else:
        fixtures |= {"meter": provider, "domains": provider.domains()}
    run(contract, test, **fixtures)


def set_to(path: str, value: object) -> Fault:
    """Return a function that replaces one part of a toy."""

    def break_it(toy: Any) -> None:
        *parents, name = path.split(".")
        for parent in parents:
            toy = getattr(toy, parent)
        setattr(toy, name, value)

    return break_it


def refuse() -> None:
    raise RuntimeError("already closed")


def alternating(*values: object) -> Callable[[], Any]:
    result = itertools.cycle(values)
    return lambda: next(result)


def closing_once() -> Callable[[], None]:
    calls = iter([None])

    def close() -> None:
        if next(calls, "closed") == "closed":
            refuse()

    return close


def dying_child() -> Callable[[], Probe]:
    parent = os.getpid()

    def probe() -> Probe:
        if os.getpid() != parent:
            os._exit(7)
        return Probe(available=True)

    return probe


def hanging_child() -> Callable[[], Probe]:
    parent = os.getpid()

    def probe() -> Probe:
        if os.getpid() != parent:
            threading.Event().wait()
        return Probe(available=True)

    return probe


def slow_probe() -> Probe:
    time.sleep(0.1)
    return Probe(available=True)


def held_for(seconds: float) -> Fault:
    """A device whose marks around `hold` show this time."""

    def break_it(toy: Any) -> None:
        toy.opened.hold = lambda _seconds: True
        toy.opened.elapsed_s = lambda _begin, _end: seconds

    return break_it


def waits_itself(seconds: float) -> bool:
    time.sleep(2 * seconds)
    return True


def not_moved(toy: Any) -> None:
    toy.opened.hold = waits_itself
    toy.opened.move = lambda _mark: None


DEVICE_FAULTS: list[tuple[str, Fault]] = [
    ("test_devices_are_described", set_to("devices", lambda: [replace(DEVICE, backend="other")])),
    ("test_devices_are_described", set_to("devices", lambda: [replace(DEVICE, name=" ")])),
    ("test_devices_are_described", set_to("devices", lambda: [replace(DEVICE, uuid="")])),
    ("test_devices_are_described", set_to("devices", lambda: [replace(DEVICE, memory_bytes=0)])),
    ("test_devices_are_described", set_to("devices", lambda: [replace(DEVICE, details={"core": object()})])),
    ("test_devices_have_an_id_each", set_to("devices", lambda: [DEVICE, DEVICE])),
    ("test_devices_have_an_id_each", set_to("devices", lambda: [replace(DEVICE, device_id="")])),
    ("test_devices_stay_the_same", set_to("devices", alternating([DEVICE], [replace(DEVICE, name="other")]))),
    ("test_devices_found_in_a_thread_open_in_another", set_to("probe", lambda: threading.Event().wait())),
    ("test_open_of_what_is_not_there_is_refused", lambda toy: setattr(toy, "open", lambda _device: toy.opened)),
    ("test_open_device_says_what_it_is", set_to("opened.device", replace(DEVICE, name="other"))),
    ("test_open_device_says_what_it_is", set_to("opened.handle", None)),
    ("test_open_device_says_what_it_is", set_to("opened.sync_mode", "")),
    ("test_clock_only_rises", set_to("opened.clock_ns", alternating(2, 1))),
    ("test_clock_only_rises", set_to("opened.clock_ns", time.perf_counter)),
    ("test_time_between_marks_is_within_the_wall_time", set_to("opened.mark", alternating(1, None))),
    ("test_time_between_marks_is_within_the_wall_time", set_to("opened.elapsed_s", lambda _begin, _end: -1.0)),
    ("test_time_between_marks_is_within_the_wall_time", set_to("opened.elapsed_s", lambda _begin, _end: float("nan"))),
    ("test_time_between_marks_is_within_the_wall_time", set_to("opened.elapsed_s", lambda _begin, _end: 1.0)),
    ("test_memory_has_known_metrics", set_to("opened.memory", lambda: {"vram": 1.0})),
    ("test_memory_has_known_metrics", set_to("opened.memory", lambda: {"device_peak": -1.0})),
    ("test_memory_has_known_metrics", set_to("opened.memory", lambda: {"device_peak": float("inf")})),
    ("test_memory_leaves_out_what_is_not_measured", set_to("opened.memory", lambda: {"device_peak": 0.0})),
    (
        "test_memory_reserves_what_it_hands_out",
        set_to("opened.memory", lambda: {"device_peak": 2.0, "device_reserved": 1.0}),
    ),
    ("test_flush_cache_says_whether_it_did", set_to("opened.flush_cache", lambda: None)),
    ("test_flush_cache_says_whether_it_did", set_to("opened.flush_cache", alternating(True, False))),
    ("test_out_of_memory_differs_from_other_errors", set_to("opened.is_out_of_memory", lambda _error: True)),
    (
        "test_out_of_memory_differs_from_other_errors",
        set_to("opened.is_out_of_memory", lambda error: "mem" in f"{error}"),
    ),
    ("test_optional_methods_work", set_to("opened.current", lambda: None)),
    ("test_hold_keeps_the_device_busy_and_returns_at_once", set_to("opened.hold", lambda _seconds: None)),
    ("test_hold_keeps_the_device_busy_and_returns_at_once", held_for(0.0)),
    ("test_hold_keeps_the_device_busy_and_returns_at_once", set_to("opened.hold", waits_itself)),
    ("test_moved_marks_are_at_their_last_place", not_moved),
    ("test_close_can_be_repeated", lambda toy: setattr(toy.opened, "close", closing_once())),
]
PROVIDER_FAULTS: list[tuple[str, Fault]] = [
    ("test_name_is_a_word", set_to("name", "My Toy")),
    ("test_provenance_says_whether_hardware_is_behind_it", set_to("provenance", "derived")),
    ("test_probe_says_why_not", set_to("probe", lambda: True)),
    ("test_probe_says_why_not", set_to("probe", lambda: Probe(available=False))),
    ("test_probe_says_why_not", set_to("probe", lambda: Probe(available=True, reason="broken"))),
    ("test_probe_says_why_not", set_to("probe", lambda: Probe(available=True, versions={"toy": ""}))),
    ("test_probe_is_quick", set_to("probe", slow_probe)),
    ("test_probe_is_quick", set_to("probe", alternating(Probe(available=True), Probe(available=False, reason="busy")))),
]


def domains(**changes: Any) -> Fault:
    return set_to("domains", lambda: [replace(ENERGY, **changes), POWER])


def reading(domain: Domain, value: float | None, reason: str | None = None, late_ns: int = 0) -> Fault:
    def break_it(meter: Any) -> None:
        result = Reading(value, time.monotonic_ns() + late_ns, reason)
        meter.read = lambda: meter.read_all() | {domain.name: result}

    return break_it


def falling(meter: Any) -> None:
    joules = itertools.count(100, -1)
    meter.domains = lambda: [replace(ENERGY, range=None)]
    meter.read = lambda: {ENERGY.name: Reading(float(next(joules)), time.monotonic_ns())}


def gone_after_close(meter: Any) -> None:
    dead = {name: Reading(None, 0, "Uninitialized") for name in (ENERGY.name, POWER.name)}
    meter.close = lambda: setattr(meter, "read", lambda: dead)


def slow_read(meter: Any) -> None:
    def read() -> dict[str, Reading]:
        time.sleep(0.03)
        result: dict[str, Reading] = meter.read_all()
        return result

    meter.read = read


METER_FAULTS: list[tuple[str, Fault]] = [
    ("test_domains_have_known_metrics_in_their_units", domains(metric="joules")),
    ("test_domains_have_known_metrics_in_their_units", domains(unit="mJ")),
    ("test_domains_have_known_metrics_in_their_units", domains(kind="sum")),
    ("test_domains_have_known_metrics_in_their_units", domains(scope="room")),
    ("test_domains_have_sound_ticks_and_ranges", domains(tick_s=0.0)),
    ("test_domains_have_sound_ticks_and_ranges", domains(range=-1.0)),
    ("test_domains_have_sound_ticks_and_ranges", domains(kind="gauge")),
    ("test_domains_are_named_once", domains(name=POWER.name)),
    ("test_domains_are_named_once", domains(name="")),
    ("test_domains_are_named_once", domains(within=ENERGY.name)),
    ("test_domains_stay_the_same", set_to("domains", alternating([ENERGY], [POWER]))),
    ("test_read_covers_the_domains", set_to("domains", lambda: [ENERGY])),
    (
        "test_read_some_reads_what_was_asked_for",
        lambda meter: setattr(meter, "read_some", lambda _domains: meter.read_all()),
    ),
    ("test_readings_have_a_value_or_a_reason", reading(POWER, None)),
    ("test_readings_have_a_value_or_a_reason", reading(POWER, 1.0, "cannot be read")),
    ("test_readings_have_a_value_or_a_reason", reading(POWER, -1.0)),
    ("test_readings_have_a_value_or_a_reason", reading(POWER, float("nan"))),
    ("test_readings_say_when", reading(POWER, 1.0, late_ns=10**12)),
    ("test_counters_only_rise", falling),
    ("test_counters_only_rise", reading(ENERGY, 2000.0)),
    ("test_read_works_in_a_thread", set_to("read", lambda: threading.Event().wait())),
    ("test_read_costs_little", slow_read),
    ("test_read_works_after_close", gone_after_close),
]


def faults(result: list[tuple[str, Fault]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("test", "fault"), result, ids=[f"{test}-{n}" for n, (test, _) in enumerate(result)])


@pytest.mark.parametrize("test", promises_of(BackendContract))
def test_backend_that_keeps_its_promises_passes(test: str) -> None:
    check(BackendContract(), test, Toy())


@pytest.mark.parametrize("test", promises_of(MeterContract))
def test_meter_that_keeps_its_promises_passes(test: str) -> None:
    check(MeterContract(), test, ToyMeter())


@faults(PROVIDER_FAULTS + DEVICE_FAULTS)
def test_backend_that_breaks_a_promise_is_found(test: str, fault: Fault) -> None:
    toy = Toy()
    fault(toy)

    with pytest.raises((pytest.fail.Exception, RuntimeError)):
        check(Hasty(), test, toy)


@faults(PROVIDER_FAULTS + METER_FAULTS)
def test_meter_that_breaks_a_promise_is_found(test: str, fault: Fault) -> None:
    meter = ToyMeter()
    fault(meter)

    with pytest.raises(pytest.fail.Exception):
        check(HastyMeter(), test, meter)


def test_every_promise_has_a_fault_that_breaks_it() -> None:
    elsewhere = {
        "test_probe_does_not_poison_fork",
        "test_synchronize_returns",
        "test_read_works_after_another_user_shut_the_library_down",
    }
    broken = {test for test, _ in PROVIDER_FAULTS + DEVICE_FAULTS + METER_FAULTS}

    assert set(promises_of(BackendContract) + promises_of(MeterContract)) == broken | elsewhere


def test_synchronize_that_raises_is_found() -> None:
    toy = Toy()
    set_to("opened.synchronize", refuse)(toy)

    with pytest.raises(RuntimeError, match="already closed"):
        check(BackendContract(), "test_synchronize_returns", toy)


def test_meter_whose_library_another_user_shut_down_is_found() -> None:
    meter = ToyMeter()
    dead = {name: Reading(None, 0, "Uninitialized") for name in (ENERGY.name, POWER.name)}

    with pytest.raises(pytest.fail.Exception, match="after a shutdown by others"):
        MeterContract().test_read_works_after_another_user_shut_the_library_down(
            meter, meter.domains(), lambda: setattr(meter, "read", lambda: dead)
        )


@needs_fork
@pytest.mark.parametrize(
    ("probe", "text"), [(dying_child, "died with 7"), (hanging_child, "no answer within 0.3 s")], ids=["dies", "hangs"]
)
def test_probe_that_poisons_fork_is_found(probe: Callable[[], Callable[[], Probe]], text: str) -> None:
    toy = Toy()
    toy.probe = probe()

    with pytest.raises(pytest.fail.Exception, match=text):
        check(Hasty(), "test_probe_does_not_poison_fork", toy)


@needs_fork
def test_problem_in_forked_child_that_raises_is_reported() -> None:
    assert problem_in_forked_child(refuse, 30.0) == "the child raised RuntimeError: already closed"


def test_contract_is_used_by_inheriting_and_skips_with_the_true_reason(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import os

        import pytest

        from pytest_benchdb.model.reading import Probe
        from pytest_benchdb.testing import BackendContract, MeterContract


        class Absent:
            name = "absent"
            provenance = "measured"

            def probe(self):
                return Probe(available=False, reason="no card in slot 3")


        class Loud(Absent):
            def probe(self):
                os.write(2, b"E: no card")
                return super().probe()


        class TestAbsent(BackendContract):
            @pytest.fixture
            def backend(self):
                return Absent()


        class TestAbsentMeter(MeterContract):
            @pytest.fixture
            def meter(self):
                return Absent()


        class TestLoud(BackendContract):
            @pytest.fixture
            def backend(self):
                return Loud()
        """
    )

    result = pytester.runpytest_subprocess("-rs", "-p", "no:cacheprovider", "-k", "probe or clock or cost")

    result.stdout.fnmatch_lines(["*the provider writes to standard error: 'E: no card*", "*absent: no card in slot 3"])
    outcomes = result.parseoutcomes()
    assert (outcomes["errors"], outcomes["skipped"]) == (4, 3)
    assert "failed" not in outcomes
