"""Energy of processors from their own counters (RAPL): through perf if we may open it, else powercap.

Both read the same registers, which are updated about every millisecond. The kernel extends perf's counts to 64 bits,
so they never wrap; powercap's wrap at `max_energy_range_uj`. Both are closed to ordinary users since
CVE-2020-8694 (PLATYPUS); most virtual machines have neither.

perf's events are the kernel's ``power/energy-*``, opened with `perf_event_open(2)` for one processor of each package
or die (``cpumask``). They count in ``scale`` joules (2 to the power of -32). Opening them needs root, CAP_PERFMON, or
``kernel.perf_event_paranoid`` of 0 or less.
"""

import errno
import os
import re
import struct
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_benchdb.backends.meters.perf_events import perf_event_open
from pytest_benchdb.backends.meters.powercap import Powercap, energy_domain
from pytest_benchdb.model.metric import Provenance
from pytest_benchdb.model.reading import Domain, Probe, Reading

_PARTS = {"energy-pkg": "", "energy-cores": "core", "energy-gpu": "uncore", "energy-ram": "dram", "energy-psys": "psys"}
_CONFIG = re.compile(r"event=0x([0-9a-fA-F]+)")
_COUNT = struct.Struct("=Q")

OpenEvent = Callable[[int, int, int], int]
"""Opens an event by type, config and processor; returns a descriptor or raises OSError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Event:
    """An open counter."""

    fd: int
    scale_j: float


class PerfPower:
    """The power events of a machine.

    Attributes:
        name: of this source.
        reason: why they cannot be read; None if they can.
    """

    name = "perf"

    def __init__(self, root: Path, *, monotonic_ns: Callable[[], int], open_event: OpenEvent | None = None) -> None:
        self.reason: str | None = None
        self._folder = root / "sys/bus/event_source/devices/power"
        self._topology = root / "sys/devices/system/cpu"
        self._monotonic_ns = monotonic_ns
        self._open_event = open_event or perf_event_open
        self._events: dict[str, _Event] = {}
        self._domains: list[Domain] = []

    def open(self) -> bool:
        """Open every event; return whether there is one."""
        try:
            kind = int((self._folder / "type").read_bytes())
            cpus = _cpus((self._folder / "cpumask").read_text(encoding="utf-8"))
            files = [self._folder / "events" / name for name in _PARTS]
            for file in files:
                if file.exists():
                    self._open_on(file, kind, cpus)
        except (OSError, ValueError) as error:
            self.close()
            self.reason = self._why(error)
            return False
        if not self._events:
            self.reason = f"{self._folder} has no energy event"
            return False
        self.reason = None
        self._domains = [energy_domain(name, None, has_psys="psys" in self._events) for name in self._events]
        return True

    def domains(self) -> list[Domain]:
        """Return a counter for each event and package, or die."""
        return self._domains

    def read(self) -> dict[str, Reading]:
        """Read every event."""
        return {name: self._reading(name, event) for name, event in self._events.items()}

    def close(self) -> None:
        """Close every event."""
        for event in self._events.values():
            os.close(event.fd)
        self._events = {}
        self._domains = []

    def _reading(self, name: str, event: _Event) -> Reading:
        try:
            joules = _COUNT.unpack(os.read(event.fd, _COUNT.size))[0] * event.scale_j
        except (OSError, struct.error) as error:
            return Reading(None, self._monotonic_ns(), f"{name}: perf cannot be read: {error}")
        return Reading(joules, self._monotonic_ns())

    def _open_on(self, file: Path, kind: int, cpus: list[int]) -> None:
        """Open one event on each package, or on each die of a package that has several."""
        match = _CONFIG.search(file.read_text(encoding="utf-8"))
        if match is None:
            raise ValueError(f"{file} names no event")
        scale_j = float(file.with_name(f"{file.name}.scale").read_text(encoding="utf-8"))
        part = _PARTS[file.name]
        for cpu, package in zip(cpus, self._packages(cpus), strict=True):
            name = part if part == "psys" else f"{package}/{part}".rstrip("/")
            if name not in self._events:
                self._events[name] = _Event(fd=self._open_event(kind, int(match[1], 16), cpu), scale_j=scale_j)

    def _packages(self, cpus: list[int]) -> list[str]:
        """Return the package of each processor, and its die if the package has several, named as powercap does."""
        places = [(self._topology_id(cpu, "physical_package_id"), self._topology_id(cpu, "die_id")) for cpu in cpus]
        dies: dict[int, set[int]] = {}
        for package, die in places:
            dies.setdefault(package, set()).add(die)
        return [f"package-{package}" + (f"-die-{die}" if len(dies[package]) > 1 else "") for package, die in places]

    def _topology_id(self, cpu: int, name: str) -> int:
        file = self._topology / f"cpu{cpu}/topology" / name
        if name == "die_id" and not file.exists():  # before Linux 5.2
            return 0
        return int(file.read_bytes())

    def _why(self, error: Exception) -> str:
        if isinstance(error, OSError) and error.errno in {errno.EACCES, errno.EPERM}:
            command = "sudo sysctl kernel.perf_event_paranoid=0"
            return f"perf's power events may only be opened by root; to open them until the next boot, run: {command}"
        if isinstance(error, FileNotFoundError):
            return f"{self._folder} is not there: a virtual machine, or a processor without such counters"
        return f"perf's power events cannot be opened: {error}"


def _cpus(text: str) -> list[int]:
    """Return the processors of a mask such as ``0,28-29``."""
    cpus: list[int] = []
    for part in text.strip().split(","):
        first, _, last = part.partition("-")
        cpus += range(int(first), int(last or first) + 1)
    return cpus


class RaplMeter:
    """Packages of the machine, their parts and their memory."""

    name = "rapl"
    provenance: Provenance = "measured"
    covers = "host"

    def __init__(
        self,
        root: Path = Path("/"),
        *,
        perf: PerfPower | None = None,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """Take perf's events and the readings' clock; open nothing yet. `root` replaces ``/``."""
        self._perf = perf or PerfPower(root, monotonic_ns=monotonic_ns)
        self._powercap = Powercap(root, monotonic_ns=monotonic_ns)
        self._source: PerfPower | Powercap | None = None
        self._lock = threading.RLock()

    def probe(self) -> Probe:
        """Return whether perf or powercap can be read and, if not, the command that would allow it."""
        with self._lock:
            source = self._available()
            if source is not None:
                return Probe(available=True, versions={"source": source.name})
            # The command for powercap only opens these counters; the one for perf opens more.
            reason = self._powercap.reason if self._powercap.exists else self._perf.reason
            return Probe(available=False, reason=reason)

    def domains(self) -> Sequence[Domain]:
        """Return the counters; none if they cannot be read."""
        with self._lock:
            source = self._available()
            return () if source is None else source.domains()

    def read(self) -> Mapping[str, Reading]:
        """Read every counter."""
        with self._lock:
            source = self._available()
            return {} if source is None else source.read()

    def close(self) -> None:
        """Close perf's events; a later `read` opens them again, and they then count from 0."""
        with self._lock:
            self._perf.close()
            self._source = None

    def _available(self) -> PerfPower | Powercap | None:
        if self._source is None:
            if self._perf.open():
                self._source = self._perf
            elif self._powercap.open():
                self._source = self._powercap
        return self._source
