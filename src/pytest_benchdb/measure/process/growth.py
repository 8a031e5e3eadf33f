"""How much the resident set of the process grew in a block: what the block itself needed, above what was there before.

Memory that was freed before a block and is still resident can be used again without any growth. So free memory of the C
library is given back to the system before a block (`malloc_trim`, glibc only); elsewhere the growth is not known. Free
places in Python's own pools stay: small objects may fill up to some MiB of them unseen.
"""

import functools
from collections.abc import Callable
from typing import Any

from pytest_benchdb.measure.process.proc_files import counter_error_bytes
from pytest_benchdb.model.run import BlockUsage, Measurement

MIB = 2**20
ROUND_BYTES = 40
"""About how much a list takes for each round: a float of 24 bytes, and its place in a list that grew."""

KEPT_BYTES = 256 << 10
"""How much free memory a block may find at the top of the heap: a quarter of the least growth that is reported.

The next test would take it again at once, and every page of it costs a page fault.
"""

_MOST_OWN = 0.1
_METHOD = "peak of the resident set above its start"


@functools.cache
def _malloc_trim() -> Callable[[int], int] | None:
    import ctypes

    try:
        trim: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return None
    return trim


def give_back(library: Callable[[], Any] | None = None, *, kept_bytes: int = 0) -> bool:
    """Give free memory of the C library back to the system; return whether it has a function for that.

    It takes microseconds in a small process, and some hundred in one with many free places.

    Args:
        library: opens the C library; None takes that of the process.
        kept_bytes: how much may stay at the top of the heap.
    """
    trim = _malloc_trim() if library is None else getattr(library(), "malloc_trim", None)
    if trim is None:
        return False
    trim(kept_bytes)
    return True


def growth_of(usage: BlockUsage, *, unmeasured: str | None = None, kept_rounds: int = 0) -> Measurement:
    """Return the growth of the resident set in a block that began with `give_back`.

    Args:
        usage: of the block.
        unmeasured: why this platform cannot measure it; None if it can.
        kept_rounds: times of rounds that the tool that timed them kept in a list meanwhile.
    """
    peak, start = usage.peak_rss_bytes, usage.rss_start_bytes
    if unmeasured is not None or peak is None or start is None:
        return _unknown(unmeasured or "the peak of the resident set was not read")
    growth, own = peak - start, kept_rounds * ROUND_BYTES
    least = max(MIB, counter_error_bytes())
    if growth < least:
        return _unknown(f"it grew by less than {least // MIB} MiB, which the process itself may have done")
    if own > growth * _MOST_OWN:
        times = f"the times of the rounds may take {own / MIB:.1f} MiB of it"
        return _unknown(f"it grew by {growth / MIB:.1f} MiB, and {times}")
    return Measurement.of("rss_growth", method=_METHOD, value=float(growth))


@functools.lru_cache(maxsize=16)  # nearly every test has the same
def _unknown(reason: str) -> Measurement:
    return Measurement.of("rss_growth", method=_METHOD, reason=reason, valid=False)
