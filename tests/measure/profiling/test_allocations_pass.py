import copy
import gc
import importlib.util
import itertools
import sys
import threading
import tracemalloc
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from pytest_benchdb.errors import MeasurementError
from pytest_benchdb.measure.profiling.allocations_pass import native_allocations, python_allocations
from pytest_benchdb.model.allocations import Allocations

HERE = Path(__file__).parent
KIB = 1024
has_memray = pytest.mark.skipif(importlib.util.find_spec("memray") is None, reason="memray is not installed")
Traced = Callable[..., Allocations]


def row(number: int) -> bytes:
    return bytes(KIB + number)


def keeps() -> int:
    kept = []
    for number in range(200):
        kept.append(row(number))  # noqa: PERF401 - the line is looked for
    return len(kept)


def frees() -> int:
    early = bytes(500 * KIB)
    del early
    late = bytes(100 * KIB)
    return len(late)


def joins() -> int:
    return len(bytes(100 * KIB) + bytes(200 * KIB))


def copies() -> int:
    return len(copy.deepcopy([[number] for number in range(1000)]))


def fails() -> None:
    raise ValueError("no")


def traced(trace: Traced, function: Callable[[], object]) -> Allocations:
    def once(block: AbstractContextManager[object]) -> None:
        with block:
            function()

    return trace(once, folder=HERE)


def largest(found: Allocations) -> tuple[str, str]:
    """Return the function and the text of the line that holds most."""
    line = found.lines[max(found.held, key=lambda one: one.size_bytes).path[0]]
    return line.function, line.text


@pytest.mark.parametrize("trace", [python_allocations, pytest.param(native_allocations, marks=has_memray)])
@pytest.mark.parametrize(
    ("function", "least", "where"),
    [
        (keeps, 200 * KIB, ("row", "return bytes(KIB + number)")),
        (frees, 500 * KIB, ("frees", "early = bytes(500 * KIB)")),
        # The peak lies within the line: both parts and the whole.
        (joins, 600 * KIB, ("joins", "return len(bytes(100 * KIB) + bytes(200 * KIB))")),
    ],
)
def test_line_that_holds_most_at_the_peak_is_found(
    trace: Traced, function: Callable[[], object], least: int, where: tuple[str, str]
) -> None:
    found = traced(trace, function)

    assert largest(found) == where
    assert least <= found.peak_bytes <= 1.2 * least
    assert sum(one.size_bytes for one in found.held) == pytest.approx(found.peak_bytes, rel=0.01)
    assert found.variation < 4 * KIB
    assert not tracemalloc.is_tracing()
    assert gc.isenabled()


def test_path_leads_from_the_line_that_allocates_to_the_benchmark() -> None:
    found = traced(python_allocations, copies)

    path = next([found.lines[index] for index in one.path] for one in found.held if not found.lines[one.path[0]].is_own)
    assert path[0].file == "copy.py"
    assert "copies" in [line.function for line in path if line.is_own]


def test_memory_that_differs_from_call_to_call_has_no_lines() -> None:
    sizes = itertools.count(1)

    def grows() -> object:
        kept = [bytes(100 * KIB * next(sizes))]
        return [kept[0] + kept[0]]

    with pytest.raises(MeasurementError, match="its memory differs from call to call"):
        traced(python_allocations, grows)


def test_error_of_the_function_ends_all_tracing() -> None:
    tracer = sys.gettrace()
    with pytest.raises(ValueError, match="no"):
        traced(python_allocations, fails)

    assert not tracemalloc.is_tracing()
    assert sys.gettrace() is tracer


def test_tracemalloc_of_the_suite_is_left_alone() -> None:
    tracemalloc.start()
    try:
        with pytest.raises(MeasurementError, match="at work already"):
            traced(python_allocations, keeps)
        assert tracemalloc.is_tracing()
    finally:
        tracemalloc.stop()


def starts_a_thread() -> None:
    thread = threading.Thread(target=keeps)
    thread.start()
    thread.join()


@has_memray
def test_memory_of_threads_is_found_by_memray() -> None:
    assert largest(traced(native_allocations, starts_a_thread)) == ("row", "return bytes(KIB + number)")


def test_memory_of_threads_is_not_blamed_on_random_data() -> None:
    try:
        assert traced(python_allocations, starts_a_thread).threads == 1
    except MeasurementError as error:
        assert str(error).startswith("it starts threads")  # noqa: PT017 - either may be


@pytest.mark.parametrize("stops", [tracemalloc.stop])
def test_function_that_stops_tracemalloc_gives_the_reason(stops: Callable[[], None]) -> None:
    with pytest.raises(MeasurementError, match="stopped tracemalloc"):
        traced(python_allocations, stops)
