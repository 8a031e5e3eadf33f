"""How a `Bench` counts the instructions of one function instead of timing it.

PYTEST_DONT_REWRITE
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pytest_benchdb.measure.timing.calls import UNTIMED, calls_of
from pytest_benchdb.measure.timing.tracers import untraced
from pytest_benchdb.model.run import Measurement
from pytest_benchdb.plugin.bench.timing import TimingSpec
from pytest_benchdb.plugin.recording.counting import InstructionCounter, not_timed


def count_function(
    counter: InstructionCounter,
    function: Callable[..., Any],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    spec: TimingSpec,
) -> tuple[Any, tuple[Measurement, ...]]:
    """Return the result of the first call, and the rows of those that were counted after it."""
    with calls_of(function, args, kwargs) as calls, untraced():
        if spec.before is not None:
            spec.before()
        result = calls.keep(1, UNTIMED)
        if calls.adapt(result):
            result = calls.keep(1, UNTIMED)
        if spec.after is not None:
            spec.after()
        counts = counter.rows(lambda number: calls.drop(number, UNTIMED), before=spec.before, after=spec.after)
    return result, (not_timed(), *counts)
