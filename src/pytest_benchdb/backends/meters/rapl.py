"""Energy of processors by their own counters (RAPL): of perf where it may be opened, else of powercap.

Both show the same registers, updated about every millisecond. perf's counts are extended to 64 bits by the
kernel and never wrap; powercap's wrap at `max_energy_range_uj`. Both are closed to ordinary users since
CVE-2020-8694 (PLATYPUS); neither exists in most virtual machines.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pytest_benchdb.backends.meters.perf_power import PerfPower
from pytest_benchdb.backends.meters.powercap import Powercap
from pytest_benchdb.model.metric import Provenance
from pytest_benchdb.model.probe import Probe
from pytest_benchdb.model.reading import Domain, Reading


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
        """Make a meter; nothing is opened yet.

        Args:
            root: folder that stands for ``/``.
            perf: opens perf's counters; None does it under `root`.
            monotonic_ns: clock of the readings.
        """
        self._perf = perf or PerfPower(root, monotonic_ns=monotonic_ns)
        self._powercap = Powercap(root, monotonic_ns=monotonic_ns)
        self._source: PerfPower | Powercap | None = None
        self._lock = threading.RLock()

    def probe(self) -> Probe:
        """Tell whether one of the two can be read, and if not, the command that would let us."""
        with self._lock:
            source = self._chosen()
            if source is not None:
                return Probe(available=True, versions={"source": source.name})
            # The command for powercap opens these counters only; that for perf opens more.
            reason = self._powercap.reason if self._powercap.exists else self._perf.reason
            return Probe(available=False, reason=reason)

    def domains(self) -> Sequence[Domain]:
        """Return the counters; none where they cannot be read."""
        with self._lock:
            source = self._chosen()
            return () if source is None else source.domains()

    def read(self) -> Mapping[str, Reading]:
        """Read every counter."""
        with self._lock:
            source = self._chosen()
            return {} if source is None else source.read()

    def close(self) -> None:
        """Close what is open; a later `read` opens it again, and perf counts from 0 then."""
        with self._lock:
            self._perf.close()
            self._source = None

    def _chosen(self) -> PerfPower | Powercap | None:
        if self._source is None:
            if self._perf.open():
                self._source = self._perf
            elif self._powercap.open():
                self._source = self._powercap
        return self._source
