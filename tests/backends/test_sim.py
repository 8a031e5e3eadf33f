"""The simulated backend implements `interfaces.Backend`."""

import pytest

from pytest_benchdb.backends.sim import (
    OpenSim,
    SimBackend,
    SimFailedError,
    SimHandle,
    SimMeter,
    SimOutOfMemoryError,
    SimProfile,
    this_machine,
)
from pytest_benchdb.errors import BackendUnavailableError
from pytest_benchdb.interfaces import Backend, Meter, OpenDevice
from pytest_benchdb.model.metric import METRICS


def opened(profile: SimProfile | None = None) -> tuple[OpenSim, SimHandle]:
    backend = SimBackend(profile or SimProfile())
    device = backend.open(backend.devices()[0])
    assert isinstance(device.handle, SimHandle)
    return device, device.handle


def test_backend_and_meter_keep_to_their_protocols() -> None:
    backend: Backend = SimBackend()
    meter: Meter = SimMeter()
    device: OpenDevice = backend.open(backend.devices()[0])

    assert (backend.name, backend.provenance, meter.provenance) == ("sim", "simulated", "simulated")
    assert device.sync_mode == "sim"
    assert backend.probe().available


def test_backend_without_arguments_shares_its_machine_with_the_meter() -> None:
    assert SimBackend().machine is SimMeter().machine is this_machine()


def test_backend_devices_are_named_as_simulated_and_reported_apart() -> None:
    devices = SimBackend(SimProfile(name="two", devices=2)).devices()

    assert [device.uuid for device in devices] == ["SIM-two-0", "SIM-two-1"]
    assert len({device.device_id for device in devices}) == 2
    assert all(device.name == "sim:two" and device.details["simulated"] for device in devices)


def test_backend_refuses_a_device_of_another_machine() -> None:
    other = SimBackend(SimProfile(name="other")).devices()[0]

    with pytest.raises(BackendUnavailableError, match="not a device of this simulated machine"):
        SimBackend(SimProfile()).open(other)


def test_handle_work_takes_simulated_time_and_marks_report_it() -> None:
    device, handle = opened()
    begin, begun_ns = device.mark(), device.clock_ns()

    handle.work(0.25)
    device.synchronize()

    assert device.elapsed_s(begin, device.mark()) == pytest.approx(0.25)
    assert device.clock_ns() - begun_ns == 250_000_000


def test_handle_allocate_beyond_the_memory_is_out_of_memory() -> None:
    device, handle = opened(SimProfile(memory_bytes=1000))
    handle.allocate(900)

    with pytest.raises(SimOutOfMemoryError, match="200 bytes do not fit into the 100 of 1000") as error:
        handle.allocate(200)

    assert device.is_out_of_memory(error.value)
    assert not device.is_out_of_memory(MemoryError())


def test_device_memory_reports_the_peak_since_its_reset() -> None:
    device, handle = opened()
    handle.allocate(500)
    handle.free(400)
    assert device.memory() == {"device_peak": 500.0}

    device.reset_memory()

    assert device.memory() == {"device_peak": 100.0}


def test_handle_work_fails_after_as_many_operations_as_the_profile_says() -> None:
    _, handle = opened(SimProfile(fail_after=3))  # opening it was the first
    handle.work(0.01)
    handle.work(0.01)

    with pytest.raises(SimFailedError, match="operation 4"):
        handle.work(0.01)


def test_backend_open_of_a_machine_that_fails_at_once_raises() -> None:
    backend = SimBackend(SimProfile(fail_after=0))

    with pytest.raises(SimFailedError):
        backend.open(backend.devices()[0])


def test_meter_domains_have_the_units_of_the_registry() -> None:
    for domain in SimMeter().domains():
        assert domain.unit == METRICS[domain.metric].unit


def test_meter_reads_every_domain_it_reports() -> None:
    meter = SimMeter(SimBackend(SimProfile(devices=2)).machine)

    assert set(meter.read()) == {domain.name for domain in meter.domains()}


def test_meter_has_a_reason_and_no_domain_for_an_unsupported_sensor() -> None:
    meter = SimMeter(SimBackend(SimProfile(not_supported=frozenset({"temperature"}))).machine)

    assert "temperature" not in {domain.metric for domain in meter.domains()}
    assert set(meter.read()) == {domain.name for domain in meter.domains()}
    assert meter.absent == {"SIM-steady-0/temperature": "NOT_SUPPORTED"}


def test_meter_of_a_lost_machine_reads_reasons_and_no_values() -> None:
    meter = SimMeter(SimBackend(SimProfile(lost_at_s=0.0)).machine)

    readings = meter.read()

    assert {reading.value for reading in readings.values()} == {None}
    assert all("lost" in (reading.reason or "") for reading in readings.values())
