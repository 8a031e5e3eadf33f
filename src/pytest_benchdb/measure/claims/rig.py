"""A device under check: its sensors, the work to load it with, and ways to measure that."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

from pytest_benchdb.interfaces import OpenDevice
from pytest_benchdb.measure.energy import counter
from pytest_benchdb.measure.energy.sensors import Panel, Sensors
from pytest_benchdb.measure.sampler.sampler import Sampler
from pytest_benchdb.measure.timing.calls import calls_of
from pytest_benchdb.measure.timing.plan import Plan
from pytest_benchdb.measure.timing.rounds import Rounds, Timed
from pytest_benchdb.model.answer.device_claims import ClaimResult, Verdict
from pytest_benchdb.model.metric import Provenance

MIB = 1 << 20
LARGE, MEDIUM, SMALL = 4096, 2048, 512
"""Sizes of square matrices.

On a GPU of a data centre the product of large ones takes about 200 us, that of medium ones 20 to 30 us: longer than a
launch, so that launches are hidden in a queue, and not much longer, so that a launch that is not hidden shows.
"""


class UntestedError(Exception):
    """A claim cannot be checked here; the text says why."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check: the figure that the claim is about (1 or 0 for yes or no), and what was measured."""

    figure: float
    measured: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Something that the documentation claims of devices.

    Attributes:
        quantity: what the figure is, after its range; without a range, what has to be true.
        check: measures the figure; raises `UntestedError` where that is impossible.
        least: the smallest figure with which the claim holds; None if there is none.
        most: the largest.
    """

    name: str
    quantity: str
    check: Callable[["Rig"], Finding]
    least: float | None = None
    most: float | None = None

    @property
    def expected(self) -> str:
        """The range and the quantity, in words."""
        match self.least, self.most:
            case None, None:
                return self.quantity
            case None, most:
                return f"at most {most:g} {self.quantity}"
            case least, None:
                return f"at least {least:g} {self.quantity}"
            case least, most:
                return f"{least:g} to {most:g} {self.quantity}"

    def holds(self, finding: Finding) -> bool:
        """Return whether a figure is within the range; without a range, whether it is not 0."""
        if self.least is None and self.most is None:
            return finding.figure != 0
        return (self.least is None or finding.figure >= self.least) and (
            self.most is None or finding.figure <= self.most
        )


class Workload(Protocol):
    """Work for one device, in its own library."""

    def product(self, size: int) -> Callable[[], object]:
        """Return a function that launches a product of two square matrices."""

    def total(self, size_bytes: int) -> Callable[[], object]:
        """Return a function that launches the sum of so many bytes."""

    def chain(self, kernels: int) -> Callable[[], object]:
        """Return a function that launches so many small kernels one after the other."""

    def beside(self, call: Callable[[], object]) -> Callable[[], object]:
        """Return a function that launches the work of `call` on another stream."""

    def hold(self, size_bytes: int) -> object:
        """Allocate memory, which is free again when the result is dropped."""

    def release(self) -> None:
        """Give memory that is free, but kept for later, back to the driver."""

    def unnamed_index(self) -> int:
        """Return the index of the device that work without a named device runs on."""


class TorchWorkload:
    """Work for a `torch.device`."""

    def __init__(self, handle: Any) -> None:
        """Take the device."""
        self._torch: Any = import_module("torch")
        self._handle = handle

    def product(self, size: int) -> Callable[[], object]:
        """Return a function that launches a product of two square matrices of 16 bits."""
        matrix = self._torch.randn(size, size, device=self._handle, dtype=self._torch.float16)
        return lambda: matrix @ matrix

    def total(self, size_bytes: int) -> Callable[[], object]:
        """Return a function that launches the sum of so many bytes."""
        values = self._torch.ones(size_bytes // 4, device=self._handle)
        total: Callable[[], object] = values.sum
        return total

    def chain(self, kernels: int) -> Callable[[], object]:
        """Return a function that launches so many additions one after the other."""
        values = self._torch.zeros(1024, device=self._handle)

        def add() -> object:
            total = values
            for _ in range(kernels):
                total = total + 1
            return total

        return add

    def beside(self, call: Callable[[], object]) -> Callable[[], object]:
        """Return a function that launches the work of `call` on another stream."""
        module = self._torch.get_device_module(self._handle.type)
        stream = module.Stream(device=self._handle.index)

        def launch() -> None:
            with module.stream(stream):
                call()

        return launch

    def hold(self, size_bytes: int) -> object:
        """Allocate memory."""
        return self._torch.empty(size_bytes, dtype=self._torch.uint8, device=self._handle)

    def release(self) -> None:
        """Empty the cache of torch's allocator."""
        self._torch.get_device_module(self._handle.type).empty_cache()

    def unnamed_index(self) -> int:
        """Return the index of torch's current device."""
        return int(self._torch.empty(1, device=self._handle.type).device.index)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rig:
    """A device, and what checks use.

    Attributes:
        work: None if there is no work for its backend.
        index: its position in the backend's order.
        count: number of devices of its backend.
        sampler: makes the sampling process for the device.
        other_process: opens the first device of the backend in a new process, in which only the device with this UUID
            is visible, and returns its id.
        sleep: waits.
        patience: factor for the durations of checks.
        provenance: of the backend.
    """

    opened: OpenDevice
    sensors: Sensors
    work: Workload | None
    index: int = 0
    count: int = 1
    sampler: Callable[[], Sampler] | None = None
    other_process: Callable[[str], str] | None = None
    sleep: Callable[[float], None] = time.sleep
    patience: float = 1.0
    provenance: Provenance = "measured"

    @property
    def workload(self) -> Workload:
        """The work.

        Raises:
            UntestedError: there is none.
        """
        if self.work is None:
            raise UntestedError(f"there is no work for the backend {self.opened.device.backend} to check it with")
        return self.work

    @property
    def panel(self) -> Panel:
        """The device's own sensors.

        Raises:
            UntestedError: it has none.
        """
        uuid = self.opened.device.uuid
        panel = self.sensors.panel(uuid, self.provenance)
        own = panel.only(*{sensor.domain.metric for sensor in panel.sensors if sensor.domain.device_uuid is not None})
        if uuid is None or not own.sensors:
            reasons = () if uuid is None else self.sensors.absences(uuid)
            raise UntestedError("; ".join(reasons) or "no meter has a sensor of this device")
        return own

    def timed(self, function: Callable[[], object], **options: Any) -> Timed:
        """Time a function as `bench` does, for a fifth of a second by default."""
        plan = Plan().changed(**{"max_time_s": 0.2 * self.patience, **options})
        with calls_of(function, (), {}) as calls:
            return Rounds(calls, self.opened, plan, may_keep=False).run(contextlib.nullcontext())

    def load(self, seconds: float) -> None:
        """Keep the device busy for some time."""
        self.repeat(self.workload.product(LARGE), seconds)

    def repeat(self, call: Callable[[], object], seconds: float) -> int:
        """Call a function and wait for the device, for some time but at least once; return the number of calls."""
        end_ns, count = self.opened.clock_ns() + seconds * self.patience * 1e9, 0
        while count == 0 or self.opened.clock_ns() < end_ns:
            call()
            self.opened.synchronize()
            count += 1
        return count

    @contextlib.contextmanager
    def loaded(self) -> Iterator[None]:
        """Keep the device busy from another thread while a block runs."""
        call, done = self.workload.product(LARGE), threading.Event()

        def work() -> None:
            while not done.is_set():
                call()
                self.opened.synchronize()

        thread = threading.Thread(target=work, name="benchdb-load", daemon=True)
        thread.start()
        try:
            self.sleep(self.patience)
            yield
        finally:
            done.set()
            thread.join()

    def mean_power(self, during: Callable[[], object]) -> float:
        """Return the mean power while a function runs, by the energy counter, watts.

        Raises:
            UntestedError: there is no energy counter, or it cannot be read.
        """
        panel = self.panel.only("energy")
        if not panel.energy:
            raise UntestedError("; ".join(self.sensors.absences(self.opened.device.uuid)) or "no energy counter")
        before = panel.read()
        during()
        after = panel.read()
        sensor = panel.energy[0]
        moved = counter.delta(sensor.domain, before[sensor.key], after[sensor.key])
        if moved.value is None:
            raise UntestedError(moved.reason or "the energy counter cannot be read")
        return moved.value / moved.window_s


def check_claims(
    claims: tuple[Claim, ...], rig: Rig, *, on_result: Callable[[ClaimResult], None] = lambda _result: None
) -> tuple[ClaimResult, ...]:
    """Check claims one after the other; an exception is a claim that fails, with its text."""
    results = []
    for claim in claims:
        result = _checked(claim, rig)
        on_result(result)
        results.append(result)
    return tuple(results)


def untested(claims: tuple[Claim, ...], reason: str) -> tuple[ClaimResult, ...]:
    """Return claims that cannot be checked at all."""
    return tuple(ClaimResult(claim=c.name, expected=c.expected, measured=reason, verdict="untested") for c in claims)


def _checked(claim: Claim, rig: Rig) -> ClaimResult:
    verdict: Verdict = "fails"
    try:
        finding = claim.check(rig)
    except UntestedError as error:
        verdict, measured = "untested", str(error)
    except Exception as error:  # noqa: BLE001 - from a driver at first contact; the other claims are checked
        text = str(error).strip().partition("\n")[0]
        measured = f"{type(error).__name__}: {text}"
    else:
        verdict, measured = "holds" if claim.holds(finding) else "fails", finding.measured
    return ClaimResult(claim=claim.name, expected=claim.expected, measured=measured, verdict=verdict)
