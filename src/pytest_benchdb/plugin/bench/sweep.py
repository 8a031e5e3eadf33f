"""Sweeps: one test that measures every combination of some parameters, each as a run of its own.

PYTEST_DONT_REWRITE
"""

import itertools
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, final

import pytest

from pytest_benchdb.errors import MeasurementError
from pytest_benchdb.model.wording import counted
from pytest_benchdb.plugin.recording.attempt import Attempt
from pytest_benchdb.plugin.recording.identity import id_of_params
from pytest_benchdb.plugin.recording.outcome import is_interruption, is_timeout

_PACKAGE = Path(__file__).parents[2]
_TAKEN = ("id", "params")

Begin = Callable[[Mapping[str, Any]], AbstractContextManager[None]]
"""Returns a context manager whose block is a run with these parameters."""


@final
class Point:
    """One combination of the parameters, which are its attributes; a context manager for one use.

    Attributes:
        params: the parameters by name.
        id: how the run is named, as pytest names parametrized tests.
    """

    def __init__(self, sweep: "Sweep", params: Mapping[str, Any]) -> None:
        self._sweep = sweep
        self._block = ExitStack()
        self._entered = False
        self.params = params
        self.id = id_of_params(params)

    def __getattr__(self, name: str) -> Any:
        params = vars(self).get("params", {})
        if name in params:
            return params[name]
        raise AttributeError(f"the sweep has no parameter {name!r}; it has {', '.join(params)}")

    def __repr__(self) -> str:
        return f"Point({', '.join(f'{name}={value!r}' for name, value in self.params.items())})"

    def __enter__(self) -> "Point":
        if self._entered:
            raise MeasurementError(f"point {self.id} was entered before; each point is one run")
        self._entered = True
        self._block.enter_context(self._sweep.begin(self.params))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        try:
            self._block.__exit__(kind, error, trace)
        except MeasurementError as mistake:
            error = mistake
        return error is not None and self._sweep.goes_on_after(self, error)


class Sweep:
    """An iterator over the points; when it ends, it raises the errors of the points that failed.

    Attributes:
        begin: begins the run of a point.
    """

    def __init__(self, values: Mapping[str, Iterable[Any]], *, begin: Begin, names: set[str], test: str) -> None:
        """Combine the values, the last parameter fastest.

        Args:
            values: the values of each parameter.
            begin: begins the run of a point.
            names: names of points that the test has already; the sweep's are added.
            test: the test's name, for messages.

        Raises:
            MeasurementError: a parameter has no values, or two points would have the same name.
        """
        self.begin = begin
        self._test = test
        self._errors: list[tuple[Point, BaseException]] = []
        self._points = [
            Point(self, dict(zip(values, combination, strict=True)))
            for combination in itertools.product(*(_values_of(name, some) for name, some in values.items()))
        ]
        if not values:
            raise MeasurementError("sweep() has no parameters; write for example sweep(batch_size=[1, 8])")
        for point in self._points:
            if point.id in names:
                raise MeasurementError(f"two points of the sweep are named {point.id!r}; give different values")
            names.add(point.id)
        self._rest = iter(self._points)

    def __len__(self) -> int:
        return len(self._points)

    def __iter__(self) -> Iterator[Point]:
        return self

    def __next__(self) -> Point:
        __tracebackhide__ = True
        point = next(self._rest, None)
        if point is not None:
            return point
        if len(self._errors) == 1:
            point, error = self._errors.pop()
            if hasattr(error, "add_note"):  # from Python 3.11
                error.add_note(f"point {point.id} of the sweep in {self._test}")
            raise error
        raise self.error() or StopIteration

    def goes_on_after(self, point: Point, error: BaseException) -> bool:
        """Return whether the other points still run after this error; `error()` returns it then.

        Skips and expected failures concern their point only. After a timeout of the test nothing runs: its timer is
        used up.
        """
        if isinstance(error, (pytest.skip.Exception, pytest.xfail.Exception)):
            return True
        if is_interruption(error) or is_timeout(error):
            return False
        self._errors.append((point, error))
        return True

    def error(self) -> MeasurementError | None:
        """Return one error for the points that failed and were not raised yet; None if there are none."""
        errors, self._errors = self._errors, []
        if not errors:
            return None
        names = ", ".join(point.id for point, _ in errors)
        texts = [f"--- {point.id} ---\n{_traceback_of(error)}" for point, error in errors]
        what = f"{self._test}: {len(errors)} of {counted(len(self._points), 'point')} failed: {names}"
        return MeasurementError("\n\n".join((what, *texts)))


def skip_point(attempt: Attempt | None, reason: str) -> NoReturn:
    """Skip the point of this attempt, because its device cannot do what it needs."""
    if attempt is not None:
        attempt.unsupported = reason
    pytest.skip(reason)


def _values_of(name: str, values: Iterable[Any]) -> list[Any]:
    if name in _TAKEN:
        raise MeasurementError(f"sweep({name}=...): a point has its own {name!r}; use another name")
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        raise MeasurementError(f"sweep({name}={values!r}) is not a list of values; write {name}=[{values!r}]")
    listed = list(values)
    if not listed:
        raise MeasurementError(f"sweep({name}=[]) has no values, so no point would run")
    return listed


def _traceback_of(error: BaseException) -> str:
    """Return the traceback without the frames of this package."""
    described = traceback.TracebackException.from_exception(error)
    own = [frame for frame in described.stack if _PACKAGE not in Path(frame.filename).parents]
    described.stack = traceback.StackSummary.from_list(own)
    return "".join(described.format()).rstrip()
