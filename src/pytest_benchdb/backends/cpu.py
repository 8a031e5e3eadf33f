"""Runs code on the processor: there is nothing to wait for, and no clock but the wall clock."""

import os
import platform
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from pytest_benchdb.backends.cpu_peaks import cpu_peak_work
from pytest_benchdb.backends.libraries import says_out_of_memory
from pytest_benchdb.errors import BackendUnavailableError
from pytest_benchdb.interfaces import BlockingDevice, PeakWork
from pytest_benchdb.model.environment import Device
from pytest_benchdb.model.identity import content_id
from pytest_benchdb.model.metric import Provenance
from pytest_benchdb.model.reading import Probe

_CPUINFO_BYTES = 8192  # only the first processor is read; 256 of them fill 400 kB
# torch's DefaultCPUAllocator, the C library's ENOMEM, and C++ libraries that pass on their own errors.
_PHRASES = ("can't allocate memory", "cannot allocate memory", "bad_alloc", "bad allocation")


class Processor(BlockingDevice):
    """The open processor."""

    def peak_work(self) -> Iterator[PeakWork]:
        """Yield the work for its peaks."""
        return cpu_peak_work(self.device.memory_bytes)


class CpuBackend:
    """The processor of this machine; always available."""

    name = "cpu"
    provenance: Provenance = "measured"

    def __init__(self, device: Device | None = None) -> None:
        """Take the description of the processor; None reads it when needed."""
        self._device = device

    def probe(self) -> Probe:
        """Return that it is available."""
        return Probe(available=True)

    def devices(self) -> Sequence[Device]:
        """Return the one processor; several sockets are one device, because code is not bound to a socket."""
        if self._device is None:
            self._device = read_device(Path("/"))
        return (self._device,)

    def open(self, device: Device) -> Processor:
        """Return the processor; it needs no trial operation. The handle is torch's name, ``cpu``.

        Its memory is that of the process, which ``peak_rss`` measures. Its caches are not emptied, because the memory
        needed to do so would be part of ``peak_rss``.

        Raises:
            BackendUnavailableError: the device is the processor of another machine.
        """
        (present,) = self.devices()
        if device.device_id != present.device_id:
            raise BackendUnavailableError(f"cpu: {device.name} is not the processor here, which is {present.name}")
        out_of_memory = partial(says_out_of_memory, phrases=_PHRASES, classes=(MemoryError,))
        return Processor(present, "cpu", out_of_memory)


def read_device(root: Path) -> Device:
    """Describe the processor, with the standard library only; `root` replaces ``/``."""
    name = parse_name(_cpuinfo(root)) or platform.processor() or platform.machine() or "unknown"
    return Device(
        device_id=content_id("cpu", name, None),
        backend="cpu",
        name=name,
        memory_bytes=_ram_bytes(),
        details={"threads": os.cpu_count()},
    )


def parse_name(cpuinfo: str) -> str | None:
    r"""Return the marketing name in ``/proc/cpuinfo``.

    >>> parse_name("processor\t: 0\nmodel name\t: AMD EPYC  7763\n")
    'AMD EPYC 7763'
    """
    for line in cpuinfo.splitlines():
        field, colon, value = line.partition(":")
        if colon and field.strip() == "model name" and value.strip():
            return " ".join(value.split())
    return None


def _cpuinfo(root: Path) -> str:
    try:
        with (root / "proc/cpuinfo").open("rb", buffering=0) as file:
            return (file.read(_CPUINFO_BYTES) or b"").decode("utf-8", "replace")
    except OSError:
        return ""


def _ram_bytes() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # Windows has no sysconf; others may not know these names
        return None
