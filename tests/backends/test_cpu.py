import errno
from pathlib import Path

import pytest

from pytest_benchdb.backends.cpu import CpuBackend, parse_name, read_device
from pytest_benchdb.environment.collect import cpu_device
from pytest_benchdb.environment.machine.host import read_host
from pytest_benchdb.errors import BackendUnavailableError
from pytest_benchdb.model.environment import Device
from pytest_benchdb.model.identity import content_id

XEON = Device(device_id="xeon", backend="cpu", name="Intel Xeon", details={"cores": 2})


def test_devices_of_a_given_processor_are_that_one() -> None:
    assert list(CpuBackend(XEON).devices()) == [XEON]


def test_open_of_another_processor_is_unavailable() -> None:
    with pytest.raises(BackendUnavailableError, match="Intel Xeon is not the processor here"):
        CpuBackend().open(XEON)


def test_open_processor_blocks_and_has_no_clock_or_memory() -> None:
    opened = CpuBackend(XEON).open(XEON)

    assert (opened.handle, opened.sync_mode, opened.mark()) == ("cpu", None, None)
    assert (dict(opened.memory()), opened.flush_cache()) == ({}, False)
    with pytest.raises(ValueError, match="has no timeline"):
        opened.elapsed_s(1, 2)


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (MemoryError(), True),
        (RuntimeError("[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory"), True),
        (RuntimeError("std::bad_alloc"), True),
        (RuntimeError("shapes differ"), False),
        (OSError(errno.ENOENT, "No such file"), False),
    ],
    ids=["python", "torch", "c++", "another", "file"],
)
def test_out_of_memory_is_reported_by_class_or_text(error: Exception, answer: bool) -> None:
    assert CpuBackend(XEON).open(XEON).is_out_of_memory(error) is answer


def test_processor_read_here_has_the_id_of_the_environments() -> None:
    host = read_host(Path("/"), {})
    if host.cpu.model is None:
        pytest.skip("this processor tells no name")

    assert read_device(Path("/")).device_id == cpu_device(host).device_id


def test_processor_without_cpuinfo_has_a_name_all_the_same(tmp_path: Path) -> None:
    device = read_device(tmp_path)

    assert device.name
    assert device.device_id == content_id("cpu", device.name, None)


def test_parse_name_of_other_processors_is_none() -> None:
    assert parse_name("processor\t: 0\nBogoMIPS\t: 243.75\n") is None
