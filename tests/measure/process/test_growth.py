"""The growth of the resident set in a block: the same wherever the block runs, or not told."""

import ctypes
import sys
from collections.abc import Callable
from typing import Any

import pytest

from pytest_benchdb.measure.process.block_usage import BlockProbe
from pytest_benchdb.measure.process.growth import KEPT_BYTES, MIB, ROUND_BYTES, give_back, growth_of
from pytest_benchdb.measure.process.proc_files import counter_error_bytes
from pytest_benchdb.model.run import BlockUsage

Usage = Callable[[int | None], BlockUsage]


@pytest.fixture
def usage() -> Usage:
    """Return a function that makes the usage of a block that grew by some MiB; None was not read."""

    def make(growth_mib: int | None) -> BlockUsage:
        peak = None if growth_mib is None else (100 + growth_mib) * MIB
        return BlockUsage(
            wall_s=1.0,
            cpu_s=1.0,
            thread_s=None,
            peak_rss_bytes=peak,
            rss_start_bytes=100 * MIB,
            minor_faults=None,
            major_faults=None,
            voluntary_switches=None,
            involuntary_switches=None,
            steal_s=None,
        )

    return make


@pytest.fixture(autouse=True)
def two_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_benchdb.measure.process.growth.counter_error_bytes", lambda: MIB // 4)


def test_growth_is_the_peak_above_the_start(usage: Usage) -> None:
    row = growth_of(usage(64), kept_rounds=10)

    assert (row.metric, row.unit, row.value, row.valid, row.reason) == ("rss_growth", "B", 64.0 * MIB, True, None)


@pytest.mark.parametrize(
    ("growth_mib", "unmeasured", "kept_rounds", "reason"),
    [
        (0, None, 0, "it grew by less than 1 MiB"),
        (None, None, 0, "the peak of the resident set was not read"),
        (64, "darwin has no peak", 0, "darwin has no peak"),
        (10, None, 2 * MIB // ROUND_BYTES, "the times of the rounds may take 2.0 MiB of it"),
    ],
    ids=["too little", "not read", "platform", "rounds"],
)
def test_growth_that_cannot_be_told_has_a_reason_and_no_value(
    usage: Usage, growth_mib: int | None, unmeasured: str | None, kept_rounds: int, reason: str
) -> None:
    row = growth_of(usage(growth_mib), unmeasured=unmeasured, kept_rounds=kept_rounds)

    assert row.value is None
    assert not row.valid
    assert reason in str(row.reason)


def test_least_growth_is_the_error_of_the_counter(usage: Usage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_benchdb.measure.process.growth.counter_error_bytes", lambda: 32 * MIB)

    assert growth_of(usage(31)).value is None
    assert growth_of(usage(32)).value is not None


def test_library_without_the_function_gives_nothing_back() -> None:
    assert not give_back(object)


@pytest.mark.skipif(sys.platform != "linux" or not give_back(), reason="the growth is measured with glibc on Linux")
def test_memory_that_was_freed_before_a_block_is_needed_again_in_it() -> None:
    library = ctypes.CDLL(None)
    library.malloc.restype, library.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
    error = 2 * counter_error_bytes()
    size, count = 64 << 10, (16 * MIB + 8 * error) // (64 << 10)  # below the size of blocks with a mapping of their own

    def allocate() -> Any:
        """Fill and free blocks; return one above them, because the C library itself gives back the top of the heap."""
        *blocks, above = [library.malloc(size) for _ in range(count + 1)]
        for block in blocks:
            ctypes.memset(block, 1, size)
        for block in blocks:
            library.free(block)
        return above

    probe = BlockProbe()
    if probe.no_peak is not None:
        pytest.skip(probe.no_peak)
    blocks = [allocate()]
    assert give_back(kept_bytes=KEPT_BYTES)
    token = probe.start()
    blocks.append(allocate())
    row = growth_of(probe.stop(token))

    for block in blocks:
        library.free(block)
    assert row.value == pytest.approx(size * count, abs=KEPT_BYTES + error)
