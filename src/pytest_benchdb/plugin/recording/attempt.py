"""One attempt at one test, from its setup to the end of its teardown.

PYTEST_DONT_REWRITE
"""

import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import pytest

from pytest_benchdb.measure.process.block_usage import BlockProbe, BlockToken
from pytest_benchdb.model.benchmark import Benchmark, Labels
from pytest_benchdb.model.environment import Device
from pytest_benchdb.model.identity import uuid7
from pytest_benchdb.model.run import BlockUsage, Measurement, Timing
from pytest_benchdb.plugin.recording.outcome import Phase


class Block:
    """The timed block of an attempt, also as a context manager: at most one is read, the first.

    Attributes:
        usage: what the process used in it; None if it was not read.
        whole: whether the code in the block ran to its end.
    """

    __slots__ = ("_probe", "_token", "usage", "whole")

    def __init__(self, probe: BlockProbe) -> None:
        self._probe = probe
        self._token: BlockToken | None = None
        self.usage: BlockUsage | None = None
        self.whole = False

    def start(self) -> None:
        """Begin the block."""
        if self._token is None:
            self._token = self._probe.start()

    def stop(self) -> None:
        """End the block, if it ever began."""
        if self._token is not None and self.usage is None:
            self.usage = self._probe.stop(self._token)

    def __enter__(self) -> None:
        self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.whole = self.whole or kind is None
        self.stop()

    @property
    def cut(self) -> str | None:
        """Why the rounds in the block may not be compared; None if all of them ran."""
        return None if self.whole else "the rounds were cut short"


@dataclass(slots=True, kw_only=True)
class Attempt:
    """What is known of an attempt so far.

    Attributes:
        problem: what is wrong with the test's marker; None if nothing.
        number: 1 for the first attempt at the test, 2 for its first rerun.
        fixture: the `benchmark` fixture that it got; None without one.
        arguments: what `pedantic` was called with; None if it was not.
        own_block: the block around the whole test, for tests without a fixture.
        codspeed_seen: results that pytest-codspeed had before this attempt.
        bench: the object of a ``bench_*`` fixture that the test got; None without one.
        devices: the device that it requested, whether it is there or not.
        unsupported: why that device is not there.
        device_failed: whether its first operation failed.
    """

    benchmark: Benchmark
    labels: Labels
    problem: str | None
    number: int
    block: Block
    run_id: str = field(default_factory=uuid7)
    started_unix_us: int = field(default_factory=lambda: time.time_ns() // 1000)
    fixture: Any = None
    arguments: dict[str, Any] | None = None
    own_block: Block | None = None
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

    def ran_out_of_memory(self, error: BaseException) -> bool:
        """Return whether the device that the test got reports that its memory ran out."""
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
"""Where an item keeps its attempt while it runs."""
