"""Energy of this process on macOS, estimated by the kernel: `proc_pid_rusage` with RUSAGE_INFO_V6.

It needs no privileges. It covers this process without its children, is too coarse below about 20 ms, and is zero
if the hardware gives the kernel no basis for an estimate. `ri_billed_energy` stays 0 (others' measurements on M4),
so it is not read.
"""

import ctypes
import os
import struct
import sys
import time
from collections.abc import Callable, Mapping, Sequence

from pytest_benchdb.model.metric import Provenance
from pytest_benchdb.model.reading import Domain, Probe, Reading

RUSAGE_INFO_V6 = 6
USAGE_BYTES = 464
"""Size of `struct rusage_info_v6`: a UUID of 16 bytes and 56 numbers of 8 (macOS SDK, `sys/resource.h`)."""
_ENERGY_OFFSET = 16 + 40 * 8  # the 41st number, ri_energy_nj
_ENERGY = struct.Struct("<Q")
_DOMAIN = "process/energy"
_TICK_S = 0.02


class MacosMeter:
    """The kernel's estimate of this process's energy."""

    name = "macos"
    provenance: Provenance = "measured"
    covers = "host"

    def __init__(
        self,
        *,
        platform: str = sys.platform,
        usage: Callable[[int], bytes] | None = None,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """Take the platform, a function that returns a process's `struct rusage_info_v6`, and the readings' clock."""
        self._platform = platform
        self._usage = usage or process_usage
        self._monotonic_ns = monotonic_ns

    def probe(self) -> Probe:
        """Return whether the kernel accounts for energy."""
        if self._platform != "darwin":
            return Probe(available=False, reason=f"{self._platform} is not macOS")
        reading = self._read()
        return Probe(available=reading.value is not None, reason=reading.reason)

    def domains(self) -> Sequence[Domain]:
        """Return the one counter."""
        return [Domain(name=_DOMAIN, metric="energy", unit="J", kind="counter", scope="process", tick_s=_TICK_S)]

    def read(self) -> Mapping[str, Reading]:
        """Read the counter."""
        return {_DOMAIN: self._read()}

    def close(self) -> None:
        """Do nothing: nothing is kept open."""

    def _read(self) -> Reading:
        try:
            energy_nj = parse_energy_nj(self._usage(os.getpid()))
        except (OSError, ValueError) as error:
            return Reading(None, self._monotonic_ns(), f"{_DOMAIN}: proc_pid_rusage cannot be used: {error}")
        now_ns = self._monotonic_ns()
        if energy_nj == 0:
            return Reading(None, now_ns, f"{_DOMAIN}: this Mac's kernel does not account for energy")
        return Reading(energy_nj * 1e-9, now_ns)


def parse_energy_nj(usage: bytes) -> int:
    """Return `ri_energy_nj` of a `struct rusage_info_v6`, nanojoules.

    Raises:
        ValueError: it has another size.
    """
    if len(usage) != USAGE_BYTES:
        raise ValueError(f"rusage_info_v6 has {USAGE_BYTES} bytes, not {len(usage)}")
    (energy_nj,) = _ENERGY.unpack_from(usage, _ENERGY_OFFSET)
    return int(energy_nj)


def process_usage(pid: int) -> bytes:
    """Return `struct rusage_info_v6` of a process.

    Raises:
        OSError: this system has no such call (macOS before 13), or it fails.
    """
    try:
        library = ctypes.CDLL("/usr/lib/libproc.dylib", use_errno=True)
        call = library.proc_pid_rusage
    except AttributeError as error:
        raise OSError(str(error)) from error
    buffer = ctypes.create_string_buffer(USAGE_BYTES)
    if call(ctypes.c_int(pid), ctypes.c_int(RUSAGE_INFO_V6), buffer) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return buffer.raw
