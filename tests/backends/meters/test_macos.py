"""macOS' per-process energy, from bytes; never run on a Mac."""

import struct
import sys

import pytest

from pytest_benchdb.backends.meters.macos import USAGE_BYTES, MacosMeter, parse_energy_nj, process_usage
from pytest_benchdb.measure.energy.counter import delta

# The fields of `struct rusage_info_v6` behind its UUID, in the order of the macOS SDK's sys/resource.h.
IN_ORDER = (
    "user_time system_time pkg_idle_wkups interrupt_wkups pageins wired_size resident_size phys_footprint "
    "proc_start_abstime proc_exit_abstime child_user_time child_system_time child_pkg_idle_wkups "
    "child_interrupt_wkups child_pageins child_elapsed_abstime diskio_bytesread diskio_byteswritten "
    "cpu_time_qos_default cpu_time_qos_maintenance cpu_time_qos_background cpu_time_qos_utility "
    "cpu_time_qos_legacy cpu_time_qos_user_initiated cpu_time_qos_user_interactive billed_system_time "
    "serviced_system_time logical_writes lifetime_max_phys_footprint instructions cycles billed_energy "
    "serviced_energy interval_max_phys_footprint runnable_time flags user_ptime system_ptime pinstructions "
    "pcycles energy_nj penergy_nj secure_time_in_system secure_ptime_in_system "
)
FIELDS = IN_ORDER.split()
RESERVED = 12


def usage(**values: int) -> bytes:
    assert set(values) <= set(FIELDS)
    numbers = [values.get(name, 10_000 + index) for index, name in enumerate(FIELDS)]
    return bytes(range(16)) + struct.pack(f"<{len(FIELDS)}Q", *numbers) + bytes(8 * RESERVED)


def test_usage_has_the_size_of_the_struct() -> None:
    assert len(usage()) == USAGE_BYTES == 464


def test_parse_energy_takes_the_right_field() -> None:
    assert parse_energy_nj(usage(energy_nj=123_456_789_012, billed_energy=0)) == 123_456_789_012


@pytest.mark.parametrize("size", [0, 463, 465])
def test_parse_energy_of_another_size_is_an_error(size: int) -> None:
    with pytest.raises(ValueError, match=f"has 464 bytes, not {size}"):
        parse_energy_nj(bytes(size))


def test_meter_reads_joules_of_the_process() -> None:
    result = iter([usage(energy_nj=1_000_000_000), usage(energy_nj=3_500_000_000)])
    clock = iter([0, 1_000_000_000])
    meter = MacosMeter(platform="darwin", usage=lambda _: next(result), monotonic_ns=lambda: next(clock))
    (domain,) = meter.domains()

    before, after = meter.read()["process/energy"], meter.read()["process/energy"]

    assert before.value == pytest.approx(1.0)
    assert delta(domain, before, after).value == pytest.approx(2.5)
    assert (domain.scope, domain.unit, domain.kind) == ("process", "J", "counter")


def test_meter_of_a_forked_child_finds_its_counter_reset() -> None:
    result = iter([usage(energy_nj=3_000_000_000), usage(energy_nj=5_000)])
    clock = iter([0, 1_000_000_000])
    meter = MacosMeter(platform="darwin", usage=lambda _: next(result), monotonic_ns=lambda: next(clock))
    (domain,) = meter.domains()

    moved = delta(domain, meter.read()[domain.name], meter.read()[domain.name])

    assert moved.value is None


def test_probe_of_a_kernel_that_does_not_account_for_energy_says_so() -> None:
    probe = MacosMeter(platform="darwin", usage=lambda _: usage(energy_nj=0)).probe()

    assert not probe.available
    assert probe.reason == "process/energy: this Mac's kernel does not account for energy"


def test_probe_of_an_older_macos_reports_the_error() -> None:
    def refuse(_: int) -> bytes:
        raise OSError(22, "Invalid argument")

    probe = MacosMeter(platform="darwin", usage=refuse).probe()

    assert probe.reason == "process/energy: proc_pid_rusage cannot be used: [Errno 22] Invalid argument"


def test_probe_on_another_system_says_that_it_is_not_macos() -> None:
    assert MacosMeter(platform="linux").probe().reason == "linux is not macOS"


@pytest.mark.skipif(sys.platform == "darwin", reason="there the call exists")
def test_process_usage_elsewhere_is_an_error() -> None:
    with pytest.raises(OSError):
        process_usage(1)


@pytest.mark.skipif(sys.platform != "darwin", reason="needs macOS")
def test_process_usage_on_a_mac_has_the_size_of_the_struct() -> None:
    import os

    assert len(process_usage(os.getpid())) == USAGE_BYTES
