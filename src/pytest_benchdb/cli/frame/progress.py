"""A progress bar on standard error for what takes longer than half a second."""

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

from pytest_benchdb.cli.frame.output import Output
from pytest_benchdb.operations.exchange.open import Feedback

PATIENCE_S = 0.5


class _Bar:
    """Is called with how much of how much is done; shows nothing in the first half second."""

    def __init__(self, title: str, clock: Callable[[], float]) -> None:
        self._title = title
        self._clock = clock
        self._began = clock()
        self._bar: Any = None
        self._task: Any = None

    def __call__(self, done: int, total: int) -> None:
        if self._bar is None and self._clock() - self._began > PATIENCE_S and done < total:
            self._start(total)
        if self._bar is not None:
            self._bar.update(self._task, completed=done, total=total)

    def _start(self, total: int) -> None:
        # Late: 60 ms that a quick command does not need.
        from rich.console import Console
        from rich.progress import Progress

        self._bar = Progress(console=Console(stderr=True), transient=True)
        self._task = self._bar.add_task(self._title, total=total)
        self._bar.start()

    def stop(self) -> None:
        if self._bar is not None:
            self._bar.stop()


@contextlib.contextmanager
def progress_bar(title: str, *, shown: bool) -> Iterator[Callable[[int, int], None] | None]:
    """Yield a function to call with how much of how much is done; None if nothing may be shown."""
    if not shown:
        yield None
        return
    bar = _Bar(title, time.monotonic)
    try:
        yield bar
    finally:
        bar.stop()


@contextlib.contextmanager
def feedback_of(output: Output, title: str) -> Iterator[Feedback]:
    """Yield the feedback of an operation: a progress bar, and warnings on standard error."""
    with progress_bar(title, shown=output.progress) as progress:
        if progress is None:
            yield Feedback(warn=output.say)
        else:
            yield Feedback(progress=progress, warn=output.say)
