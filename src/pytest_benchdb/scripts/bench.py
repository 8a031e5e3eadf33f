"""The `Bench` of a script, which ends by itself and keeps what the benchmarked code raised."""

import asyncio
import concurrent.futures
import contextvars
import functools
import inspect
import threading
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar, cast

from pytest_benchdb.measure.training import Steps
from pytest_benchdb.plugin.bench.bench import Bench

if TYPE_CHECKING:
    from typing_extensions import Self

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")


def _noting_errors(method: F) -> F:
    """Return a method of `Bench` that keeps what it raises in `error`, and that works within a running event loop."""

    @functools.wraps(method)
    def noting(self: "ScriptBench", function: Any, *args: Any, **kwargs: Any) -> Any:
        call = functools.partial(method, self, function, *args, **kwargs)
        try:
            is_plain = callable(function) and not inspect.iscoroutinefunction(function)
            return call() if is_plain or not _loop_is_running() else _in_a_thread(call)
        except BaseException as error:
            if self._point is None:  # the run of a point keeps its own
                self.error = error
            raise

    return cast("F", noting)


class ScriptBench(Bench):
    """The `Bench` of a script: it ends when the next one begins, at the end of its `with` block, or with its session.

    Attributes:
        error: what the benchmarked code raised; None if it raised nothing.
        group: heading in the report.
        finish: stores its run.
    """

    _for_another = "call session.bench(...) for each"
    error: BaseException | None = None
    group: str | None = None
    finish: Callable[[], None]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._wanted: list[tuple[Steps, int]] = []

    def __enter__(self) -> "Self":
        """Return the object."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.error = error or self.error
        self.finish()

    __call__ = _noting_errors(Bench.__call__)
    pedantic = _noting_errors(Bench.pedantic)
    graph = _noting_errors(Bench.graph)
    stream = _noting_errors(Bench.stream)
    stream_sweep = _noting_errors(Bench.stream_sweep)
    distributed = _noting_errors(Bench.distributed)

    def steps(self, n: int, **options: Any) -> Steps:
        """Return a training loop, as `Bench.steps` does."""
        loop = super().steps(n, **options)
        self._wanted.append((loop, n))
        return loop

    @property
    def has_unfinished_loop(self) -> bool:
        """Whether a training loop has not reached its last step."""
        return any(loop.complete < n for loop, n in self._wanted)


def _loop_is_running() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _in_a_thread(call: Callable[[], T]) -> T:
    """Call a function in a thread, because a notebook's own event loop occupies this one."""
    future: concurrent.futures.Future[T] = concurrent.futures.Future()
    context = contextvars.copy_context()

    def run() -> None:
        try:
            future.set_result(context.run(call))
        except BaseException as error:  # noqa: BLE001 - the caller gets it
            future.set_exception(error)

    thread = threading.Thread(target=run, name="benchdb-notebook")
    thread.start()
    thread.join()
    return future.result()
