"""How a `Bench` calls one function: by which plan, with which arguments, with what around each round.

PYTEST_DONT_REWRITE
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pytest_benchdb.errors import MeasurementError
from pytest_benchdb.measure.calls import repeated
from pytest_benchdb.measure.plan import Plan
from pytest_benchdb.plugin.attempt import Block


@contextlib.contextmanager
def timed_block(block: Block) -> Iterator[None]:
    """Read the boundary of an attempt's timed block around a `with` block."""
    block.start()
    try:
        yield
        block.whole = True
    finally:
        block.stop()


def call_once(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], how: "How") -> Any:
    """Call a function once, untimed, with what runs around a round."""
    if how.before is not None:
        how.before()
    with repeated(function, args, kwargs) as calls:
        result = calls.keep(1)
    if how.after is not None:
        how.after()
    return result


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """How one function is timed: the plan, the work of one call, and what runs around each round."""

    plan: Plan
    work: Mapping[str, float | None] = field(default_factory=dict)
    before: Callable[[], None] | None = None
    after: Callable[[], None] | None = None


class Arguments:
    """Arguments of a round, which `setup` may renew."""

    def __init__(self, args: tuple[Any, ...], kwargs: dict[str, Any], setup: Callable[[], Any] | None) -> None:
        self.args = args
        self.kwargs = kwargs
        self._setup = setup
        self._own = bool(args or kwargs)

    def renew(self) -> None:
        """Run `setup`.

        Raises:
            MeasurementError: it returns arguments, and the test gave some as well.
        """
        returned = None if self._setup is None else self._setup()
        if returned is None:
            return
        if self._own:
            raise MeasurementError("setup returns the arguments, so pedantic must not get args or kwargs as well")
        self.args, self.kwargs = tuple(returned[0]), dict(returned[1])
