"""Observes the `benchmark` fixture of pytest-benchmark and pytest-codspeed, without patching either.

The fixture's object becomes an instance of a subclass of its class, which reads the process's usage where the timed
block begins and ends. Nothing runs between two rounds. Arguments are passed through, because signatures differ between
releases.

PYTEST_DONT_REWRITE
"""

import contextlib
import dataclasses
import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from pytest_benchdb.measure.timing.tracers import untraced
from pytest_benchdb.plugin.recording.attempt import Attempt
from pytest_benchdb.plugin.recording.counting import pedantic_rows, run_of

PYTEST_BENCHMARK = "pytest_benchmark.fixture"
CODSPEED = "pytest_codspeed.plugin"
_set_class: Any = vars(object)["__class__"].__set__


def kind_of(fixture: object) -> str | None:
    """Return the module whose `benchmark` fixture this is; None for a suite's own object.

    `type`, not `isinstance`: pytest-codspeed's fixture claims to be pytest-benchmark's.
    """
    module = type(fixture).__module__
    return module if module in {PYTEST_BENCHMARK, CODSPEED} else None


def observe(fixture: Any, attempt: Attempt) -> None:
    """Make the fixture start and stop `attempt.block` around its timed block."""
    attempt.fixture = fixture
    fixture._benchdb_attempt = attempt  # noqa: SLF001
    # Not `fixture.__class__ = ...`: pytest-codspeed's class makes that name a property.
    kind: Any = type(fixture)
    _set_class(fixture, _observed(kind))


@cache
def _observed(kind: Any) -> type:
    has_make_stats = hasattr(kind, "_make_stats")  # pytest-benchmark calls it between calibration and warm-up

    class Observed(kind):  # type: ignore[misc]
        _benchdb_attempt: Attempt

        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            result = self._benchdb_timed(super().__call__, args, kwargs)
            count(self._benchdb_attempt, *args, **kwargs)
            self._benchdb_again(args[:1], {"args": args[1:], "kwargs": kwargs})
            return result

        def pedantic(self, *args: Any, **kwargs: Any) -> Any:
            arguments = self._benchdb_attempt.arguments = _bind(super().pedantic, args, kwargs)
            result = self._benchdb_timed(super().pedantic, args, kwargs)
            count_pedantic(self._benchdb_attempt, **arguments)
            self._benchdb_again([arguments["target"]] if "target" in arguments else [], arguments)
            return result

        def _make_stats(self, *args: Any, **kwargs: Any) -> Any:
            stats = super()._make_stats(*args, **kwargs)
            self._benchdb_attempt.block.start()
            return stats

        def _benchdb_timed(self, call: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            block = self._benchdb_attempt.block
            block.entered, block.whole = True, False
            if self._benchdb_attempt.is_counted_only:
                switch_off(self)
            if not has_make_stats:
                block.start()
            try:
                result = call(*args, **kwargs)
            finally:
                block.stop()
            block.whole = True
            block.unawaited = _unawaited(result)
            return result

        def _benchdb_again(self, functions: Sequence[Any], arguments: Mapping[str, Any]) -> None:
            """Let passes call the function again, once the fixture has timed it."""
            again, self._benchdb_attempt.again = self._benchdb_attempt.again, None
            if again is not None and functions:
                again(functools.partial(_call_within, functions[0], arguments))

    Observed.__module__, Observed.__name__, Observed.__qualname__ = kind.__module__, kind.__name__, kind.__qualname__
    return Observed


def count(attempt: Attempt, function: Any, *args: Any, **kwargs: Any) -> None:
    """Count the instructions of the function that the fixture has called."""
    if attempt.counter is not None:
        with untraced():
            attempt.counts = attempt.counter.rows(run_of(function, args, kwargs))


def count_pedantic(
    attempt: Attempt,
    target: Any,
    *,
    args: Any = (),
    kwargs: Any = None,
    setup: Any = None,
    teardown: Any = None,
    **_rounds: Any,
) -> None:
    """Count the instructions of a function without those of its setup and its teardown."""
    if attempt.counter is not None:
        with untraced():
            attempt.counts = pedantic_rows(attempt.counter, target, args, kwargs or {}, setup, teardown)


def switch_off(fixture: Any) -> None:
    """Let a fixture call its function once, untimed."""
    if kind_of(fixture) == PYTEST_BENCHMARK:
        fixture.disabled = True
    elif fixture._plugin.is_codspeed_enabled:  # noqa: SLF001 - the plugin's own object stays as it is
        fixture._plugin = dataclasses.replace(fixture._plugin, is_codspeed_enabled=False)  # noqa: SLF001


def _call_within(
    function: Callable[..., Any], arguments: Mapping[str, Any], block: contextlib.AbstractContextManager[object]
) -> None:
    """Call a function once inside a block, with the setup and teardown of `pedantic` outside."""
    setup, teardown = arguments.get("setup"), arguments.get("teardown")
    args, kwargs = arguments.get("args") or (), arguments.get("kwargs") or {}
    made = setup() if setup is not None else None
    if made is not None:
        args, kwargs = made
    with block:
        function(*args, **kwargs)
    if teardown is not None:
        teardown(*args, **kwargs)


def _unawaited(result: object) -> str | None:
    """Return what an asynchronous function gave instead of a result: its making was timed, not its work."""
    if inspect.iscoroutine(result):
        return "a coroutine"
    if inspect.isasyncgen(result):
        return "an asynchronous generator"
    return "an awaitable" if inspect.isawaitable(result) else None


def _bind(method: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    try:
        return dict(inspect.signature(method).bind(*args, **kwargs).arguments)
    except TypeError:
        return {}  # the call itself raises the fixture's own error
