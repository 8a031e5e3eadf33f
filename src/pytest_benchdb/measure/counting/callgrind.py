"""Counts with callgrind, under which this process runs; `client_requests` switches it on around the counted calls."""

import contextlib
import ctypes
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pytest_benchdb.errors import MeasurementError
from pytest_benchdb.measure.counting.client_requests import is_under_valgrind, requests
from pytest_benchdb.measure.counting.dump import Dump, read_totals

_BASE = ord("C") << 24 | ord("T") << 16
_ZERO, _DUMP_AT, _START, _STOP = _BASE + 1, _BASE + 3, _BASE + 4, _BASE + 5

INSTRUCTIONS_PER_S = 4e9
"""Instructions that a core executes per second outside valgrind, to compare counts with the time of system calls.

Interpreters reach 3e9 to 1e10; the smaller figure makes the computing look longer, and the waiting shorter.
"""
_CALIBRATION_CALLS = 200
_MISSES: Mapping[str, tuple[str, ...]] = {
    "l1_misses": ("I1mr", "D1mr", "D1mw"),
    "ll_misses": ("ILmr", "DLmr", "DLmw"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """The events of some calls.

    Attributes:
        events: by metric: ``instructions``, and the simulated misses if caches are simulated.
        computing_s: time of computing on a core of this machine, or an estimate of it.
        outside_s: time outside the program: in the kernel, or waiting.
    """

    events: Mapping[str, float]
    computing_s: float
    outside_s: float

    @property
    def instructions(self) -> float:
        """The instructions alone."""
        return self.events["instructions"]

    def without(self, base: "Counted") -> "Counted":
        """Return the same without what a count of no calls has; the few misses of that are left in."""
        return Counted(
            events={**self.events, "instructions": max(0.0, self.instructions - base.instructions)},
            computing_s=max(0.0, self.computing_s - base.computing_s),
            outside_s=max(0.0, self.outside_s - base.outside_s),
        )


class Callgrind:
    """The callgrind around this process."""

    def __init__(self, prefix: Path | None = None) -> None:
        """Take the path of its dumps, without their numbers; None for the one that callgrind chooses by itself."""
        self._prefix = Path(f"callgrind.out.{os.getpid()}").absolute() if prefix is None else prefix
        self._dumped = 0
        prepare = requests()
        self._name = ctypes.create_string_buffer(b"calls")
        self._zero, self._start, self._stop = prepare(_ZERO), prepare(_START), prepare(_STOP)
        self._dump = prepare(_DUMP_AT, ctypes.addressof(self._name))

    @cached_property
    def method(self) -> str:
        """Tool and version: ``callgrind 3.19.0``.

        Raises:
            MeasurementError: callgrind does not answer.
        """
        self._zero()
        return self.dumped(self.dump()).creator.replace("-", " ", 1)

    @contextlib.contextmanager
    def instrumented(self) -> Iterator[None]:
        """Count in the block; both ends cost a hundredth of a second, because all code is translated anew."""
        self._start()
        try:
            yield
        finally:
            self._stop()

    def count(self, run: Callable[[int], object], calls: int) -> Counted:
        """Return the events of so many calls, in an instrumented block.

        Raises:
            MeasurementError: callgrind wrote no dump.
        """
        zero, dump = self._zero, self._dump
        zero()
        run(calls)
        dump()
        return self._counted(self.dumped(self._next()))

    def dump_functions(self, run: Callable[[int], object]) -> Path:
        """Make one call in an instrumented block, and return the path of its dump, for `dumped` to read after it."""
        self._zero()
        run(1)
        return self.dump()

    def dump(self) -> Path:
        """Write the events since the last zero into a file of callgrind's, and return its path."""
        self._dump()
        return self._next()

    def _next(self) -> Path:
        self._dumped += 1
        return Path(f"{self._prefix}.{self._dumped}")

    @staticmethod
    def dumped(path: Path, read: Callable[[Path], Dump] = read_totals) -> Dump:
        """Read the totals of a dump, or all of it, and remove its file.

        Raises:
            MeasurementError: there is no such dump.
        """
        if not path.exists():
            raise MeasurementError(
                "callgrind wrote no dump where it was expected; count with: benchdb count -- pytest ARGS"
            )
        try:
            return read(path)
        finally:
            path.unlink(missing_ok=True)

    @cached_property
    def _syscall_ns(self) -> float:
        """Time that callgrind itself adds to a system call."""
        times = []
        with Path(os.devnull).open("rb", buffering=0) as nothing:
            for _ in range(3):
                self._zero()
                for _ in range(_CALIBRATION_CALLS):
                    nothing.read(1)  # valgrind takes it for a call that may wait, and those cost it the most
                totals = self.dumped(self.dump()).totals
                times.append(totals.get("sysTime", 0) / max(1, totals.get("sysCount", 0)))
        return min(times)

    def _counted(self, dump: Dump) -> Counted:
        totals = dump.totals
        instructions = float(totals.get("Ir", 0))
        events = {"instructions": instructions}
        for metric, names in _MISSES.items():
            if all(name in totals for name in names):
                events[metric] = float(sum(totals[name] for name in names))
        outside_ns = float(totals.get("sysTime", 0))
        if outside_ns:
            outside_ns = max(0.0, outside_ns - self._syscall_ns * totals.get("sysCount", 0))
        return Counted(events=events, computing_s=instructions / INSTRUCTIONS_PER_S, outside_s=outside_ns / 1e9)


def find_callgrind(prefix: Path | None = None) -> Callgrind | None:
    """Return the callgrind around this process; None outside valgrind.

    Raises:
        MeasurementError: valgrind runs another tool, or callgrind writes its dumps elsewhere.
    """
    if not is_under_valgrind():
        return None
    callgrind = Callgrind(prefix)
    if not callgrind.method.startswith("callgrind"):
        raise MeasurementError(f"this process runs under {callgrind.method}, which does not count instructions")
    return callgrind
