"""One attempt at one test, from its setup to the end of its teardown.

PYTEST_DONT_REWRITE
"""

import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Protocol

import pytest

from pytest_benchdb.measure.process.block_usage import BlockProbe, BlockToken
from pytest_benchdb.measure.process.growth import KEPT_BYTES, give_back
from pytest_benchdb.model.benchmark import Benchmark, Labels
from pytest_benchdb.model.environment import Device
from pytest_benchdb.model.identity import uuid7
from pytest_benchdb.model.run import BlockUsage, Measurement, Outcome, Timing
from pytest_benchdb.plugin.recording.identity import Identifier, labels_of_params
from pytest_benchdb.plugin.recording.outcome import Phase, classify, is_interruption, phase_of_error

if TYPE_CHECKING:
    from pytest_benchdb.measure.work import Metered
    from pytest_benchdb.plugin.recording.counting import InstructionCounter
    from pytest_benchdb.plugin.recording.time_budget import TimeBudget


OnceWithin = Callable[[contextlib.AbstractContextManager[object]], None]
"""Calls a function once inside a block, with what goes before and after the call outside."""


class Block:
    """The timed block of an attempt, also a context manager; only the first block is measured.

    Attributes:
        usage: the process's usage within the block; None if it was not read.
        entered: whether a fixture was called to run the block, even if it never came to it.
        whole: whether the code in the block ran to its end.
        unawaited: what the timed function returned instead of doing its work, such as a coroutine; None if it did.
        no_growth: why the growth of the resident set in the block cannot be measured; None if it can.
    """

    __slots__ = ("_probe", "_token", "entered", "no_growth", "unawaited", "usage", "whole")

    def __init__(self, probe: BlockProbe) -> None:
        self._probe = probe
        self._token: BlockToken | None = None
        self.usage: BlockUsage | None = None
        self.entered = False
        self.whole = False
        self.unawaited: str | None = None
        self.no_growth: str | None = None

    def another(self) -> "Block":
        """Return a new block of the same process."""
        return Block(self._probe)

    def start(self) -> None:
        """Start the block."""
        if self._token is None:
            self.no_growth = self._probe.no_peak
            if self.no_growth is None and not give_back(kept_bytes=KEPT_BYTES):
                self.no_growth = "the C library cannot give free memory back to the system before the block"
            self._token = self._probe.start()

    def stop(self) -> None:
        """End the block, if it was started."""
        if self._token is not None and self.usage is None:
            self.usage = self._probe.stop(self._token)

    def drop(self) -> None:
        """End the block and forget it: where its work ended is not known."""
        self.stop()
        self.usage = None

    @property
    def probe(self) -> BlockProbe:
        """The probe of this process."""
        return self._probe

    def __enter__(self) -> None:
        self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.whole = self.whole or kind is None
        self.stop()

    @property
    def cut(self) -> str | None:
        """Why the block's rounds must not be compared; None if all of them ran."""
        if not self.whole:
            return "the rounds were cut short"
        return None if self.unawaited is None else f"{self.unawaited} was made, not awaited"


class PointStore(Protocol):
    """Stores the runs of the points of one test's sweeps."""

    def begin(self, point: "Attempt") -> None:
        """Note that a point begins."""

    def finish(self, point: "Attempt") -> None:
        """Store the run of a finished point."""


@dataclass(slots=True, kw_only=True)
class Attempt:
    """The state of an attempt.

    Attributes:
        problem: what is wrong with the test's marker; None if nothing.
        number: 1 for the first attempt at the test, 2 for its first rerun.
        fixture: the test's `benchmark` fixture; None without one.
        arguments: the arguments of `pedantic`; None if it was not called.
        own_block: the block around the whole test, for tests without a fixture.
        asked_by: whose marker asks for `own_block`; None if only ``--benchdb-all`` does.
        traced_by: what traced the code of `own_block`, such as ``coverage``; None if nothing did.
        metered: what meters around the whole test read; None without passes. A ``bench_*`` fixture has its own.
        again: makes the passes of what the `benchmark` fixture timed, given what makes one more call inside a block;
            None without passes.
        codspeed_seen: number of results that pytest-codspeed had before this attempt.
        bench: the object from the test's ``bench_*`` fixture; None without one.
        devices: the device that the test requested, even if it is missing.
        unsupported: why that device is missing.
        device_failed: whether opening the device raised an error.
        points: stores the runs of the points of the test's sweeps; None without recording.
        time_budget: the most time that it may take; None without ``max_time``.
        counter: counts the instructions of the benchmark; None if nothing asks for it.
        counts: what it counted, for tests without a ``bench_*`` fixture.
        alone: whether it runs alone although there are other xdist workers.
        refused: what of `extra_info` is not stored, one line each.
    """

    benchmark: Benchmark
    labels: Labels
    problem: str | None
    number: int
    block: Block
    identifier: Identifier
    run_id: str = field(default_factory=uuid7)
    started_unix_us: int = field(default_factory=lambda: time.time_ns() // 1000)
    began_s: float = field(default_factory=time.monotonic)
    fixture: Any = None
    arguments: dict[str, Any] | None = None
    own_block: Block | None = None
    asked_by: Literal["benchdb", "codspeed"] | None = None
    traced_by: str | None = None
    metered: "Metered | None" = None
    again: Callable[[OnceWithin], None] | None = None
    codspeed_seen: int = 0
    bench: Any = None
    devices: tuple[Device, ...] = ()
    unsupported: str | None = None
    device_failed: bool = False
    setup: Phase | None = None
    call: Phase | None = None
    teardown: Phase | None = None
    duration_s: float | None = None
    failed_subtests: int = 0
    points: PointStore | None = None
    time_budget: "TimeBudget | None" = None
    counter: "InstructionCounter | None" = None
    counts: tuple[Measurement, ...] = ()
    alone: bool = False
    refused: list[str] = field(default_factory=list)

    def point(self, params: Mapping[str, object], *, bench: Any) -> "Attempt":
        """Return the attempt at a point of the test's sweep."""
        return Attempt(
            benchmark=self.identifier.benchmark_of_point(self.benchmark, params),
            labels=labels_of_params(self.labels, params),
            problem=None,
            number=self.number,
            identifier=self.identifier,
            block=self.block.another(),
            bench=bench,
            devices=self.devices,
            time_budget=self.time_budget,
            counter=self.counter,
            alone=self.alone,
        )

    def begin_point(self, point: "Attempt") -> None:
        """Begin the run of a point."""
        if self.points is not None:
            self.points.begin(point)

    def finish_point(self, point: "Attempt", error: BaseException | None) -> None:
        """Finish the run of a point, which ended with `error`."""
        point.end(error)
        if self.points is not None:
            self.points.finish(point)

    def end(self, error: BaseException | None) -> None:
        """End the attempt outside pytest's own phases; `error` is how it ended."""
        self.setup = Phase(outcome="passed")
        self.call = phase_of_error(error)
        if self.unsupported is not None:
            self.call = Phase(outcome="skipped", error=self.unsupported)
        if error is not None and self.ran_out_of_memory(error):
            self.call = replace(self.call, oom=True)
        if error is None or not is_interruption(error):
            self.teardown = Phase(outcome="passed")
        self.duration_s = time.monotonic() - self.began_s

    def count_again(self, runtest: Callable[[], object]) -> None:
        """Count the instructions of a whole test, which is run again for it."""
        if self.counter is not None:
            self.counts = self.counter.rows(lambda calls: [runtest() for _ in range(calls)])

    @property
    def is_counted_only(self) -> bool:
        """Whether instructions are counted instead of times."""
        return self.counter is not None and self.counter.instead_of_time

    @property
    def outcome(self) -> tuple[Outcome, str | None]:
        """The outcome, and why it is not `passed`."""
        outcome, reason = classify(self.setup, self.call, self.teardown)
        if self.unsupported is not None and outcome == "skipped":
            return "unsupported", self.unsupported
        if self.device_failed and outcome == "error":
            return "failed", reason
        return outcome, reason

    def ran_out_of_memory(self, error: BaseException) -> bool:
        """Return whether the error means that the test's device ran out of memory."""
        return self.bench is not None and bool(self.bench.opened.is_out_of_memory(error))


def one_round(usage: BlockUsage, method: str, *, invalid: str | None) -> Timing:
    """Return the timing of a block that is one round of one iteration."""
    return Timing(
        measurements=(Measurement.of("wall_time", round_ns=[round(usage.wall_s * 1e9)], method=method),),
        iterations=1,
        rounds=1,
        warmup_rounds=0,
        calls=1,
        timer="time.perf_counter_ns",
        invalid=invalid,
    )


ATTEMPT_KEY = pytest.StashKey[Attempt]()
"""Stash key of a running item's attempt."""
