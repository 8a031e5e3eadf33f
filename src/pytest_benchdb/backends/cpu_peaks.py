"""Work that takes the processor to its peaks: copies in memory, and products of matrices."""

import contextlib
import ctypes
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pytest_benchdb.interfaces import PeakWork

MOST_COPY_BYTES = 256 << 20
"""Largest buffer of the copy: several times the last-level cache of most processors."""
MATRIX_SIDE = 2048
_PRECISIONS = {"fp32": "float32", "fp64": "float64"}


def cpu_peak_work(ram_bytes: int | None, *, threads: int | None = None, side: int = MATRIX_SIDE) -> Iterator[PeakWork]:
    """Yield the work of one core and of all cores, and matrix products if NumPy is installed.

    Args:
        ram_bytes: memory of the machine; None if not known.
        threads: number of cores to use; None for those that this process may use.
        side: rows and columns of the matrices.
    """
    threads = threads or _usable_cores()
    size = min(MOST_COPY_BYTES, (ram_bytes or MOST_COPY_BYTES * 16) // 16)
    for count in sorted({1, threads}):
        with _copy(size, count) as call:
            yield PeakWork(
                metric="peak_bytes_per_second",
                amount=2.0 * size,
                call=call,
                method=f"memmove of {size >> 20} MiB, read and written, in {count} thread{'s' if count > 1 else ''}",
            )
    yield from _products(side)


@contextlib.contextmanager
def _copy(size: int, threads: int) -> Iterator[Callable[[], object]]:
    """Yield a function that copies a buffer, each thread a part of it; ctypes releases the interpreter's lock."""
    source, target = (ctypes.create_string_buffer(size) for _ in range(2))
    ctypes.memset(source, 1, size)  # untouched pages are all one page of zeros, which fits into a cache
    ctypes.memset(target, 2, size)
    part = size // threads
    places = [(ctypes.addressof(target) + n * part, ctypes.addressof(source) + n * part, part) for n in range(threads)]
    if threads == 1:
        yield lambda: ctypes.memmove(*places[0])
        return
    with ThreadPoolExecutor(threads, thread_name_prefix="benchdb-peak") as pool:
        yield lambda: list(pool.map(lambda place: ctypes.memmove(*place), places))


def _products(side: int) -> Iterator[PeakWork]:
    try:
        import numpy as np
    except ImportError:
        reason = "NumPy is not installed, and Python alone does not reach the peak; pip install numpy"
        for precision in _PRECISIONS:
            yield PeakWork(metric="peak_flops_per_second", precision=precision, reason=reason)
        return
    for precision, name in _PRECISIONS.items():
        yield PeakWork(
            metric="peak_flops_per_second",
            precision=precision,
            amount=2.0 * side**3,
            call=_product(np, side, name),
            method=f"product of two matrices of {side} x {side}, NumPy {np.__version__}",
        )


def _product(np: Any, side: int, name: str) -> Callable[[], object]:
    first = np.full((side, side), 0.5, dtype=name)
    second = np.full((side, side), 0.25, dtype=name)
    result = np.empty((side, side), dtype=name)
    return lambda: np.matmul(first, second, out=result)


def _usable_cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        return os.cpu_count() or 1
