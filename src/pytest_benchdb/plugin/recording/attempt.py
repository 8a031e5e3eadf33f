"""One attempt at one test: what is gathered from its setup to the end of its teardown.

PYTEST_DONT_REWRITE
"""

import time
from dataclasses import dataclass, field
from typing import Any

import pytest

from pytest_benchdb.measure.process.block_usage import BlockProbe, BlockToken
from pytest_benchdb.model.benchmark import Benchmark, Labels
from pytest_benchdb.model.environment import Device
from pytest_benchdb.model.identity import uuid7
from pytest_benchdb.model.run import BlockUsage
from pytest_benchdb.plugin.recording.outcome import Phase


class Block:
    """The timed block of an attempt: at most one is read, the first."""

    __slots__ = ("_probe", "_token", "usage", "whole")

    def __init__(self, probe: BlockProbe) -> None:
        self._probe = probe
        self._token: BlockToken | None = None
        self.usage: BlockUsage | None = None
        self.whole = False
        """Whether what runs in the block ran to its end."""

    def start(self) -> None:
        """Begin the block."""
        if self._token is None:
            self._token = self._probe.start()

    def stop(self) -> None:
        """End the block, if it ever began."""
        if self._token is not None and self.usage is None:
            self.usage = self._probe.stop(self._token)


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
        devices: the device that it asked for, be it there or not.
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
        """Tell whether the device that the test got says that its memory ran out."""
        return self.bench is not None and bool(self.bench.opened.is_out_of_memory(error))


ATTEMPT_KEY = pytest.StashKey[Attempt]()
"""Where an item keeps its attempt while it runs."""
