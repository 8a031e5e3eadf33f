"""Named parts of a run: ``with recorder.phase("load"):``.

Each entry of a phase gives one sample. Phases nest: ``attention`` inside ``decode`` is ``decode/attention``.
An entry that ended with an exception gives no sample, and a phase that was never closed has no samples at all; the
reason is recorded.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextvars import ContextVar
from types import TracebackType
from typing import Literal, Protocol, final

from pytest_benchdb.errors import MeasurementError
from pytest_benchdb.interfaces import OpenDevice, ShowsRanges
from pytest_benchdb.measure.timing.block_clock import Begun, BlockClock, BlockTime, missing_rows, time_rows
from pytest_benchdb.model.metric import Provenance
from pytest_benchdb.model.run import Measurement

_innermost: ContextVar["Phase | None"] = ContextVar("benchdb_phase", default=None)
"""The current phase of this thread or asynchronous task; each has its own."""

_FAILURES_KEPT = 10


class Meters(Protocol):
    """What else is read at both ends of a phase, outside of its clocks."""

    def start(self) -> None:
        """Read the meters at the beginning."""

    def stop(self, *, whole: bool = True) -> None:
        """Read the meters at the end; what is not `whole` does not count."""


@final
class Phase:
    """One entry of a phase: a context manager for one use.

    Attributes:
        name: its own name.
        path: names of the enclosing phases and its own, joined by ``/``; None before it is entered.
        recorder: the recorder that made it.
        before: the innermost phase, of any recorder, when this one was entered.
        closed: whether it was left.
    """

    __slots__ = ("_begun", "_meters", "_range", "before", "closed", "name", "path", "recorder")

    def __init__(self, recorder: "PhaseRecorder", name: str) -> None:
        self._begun: Begun | None = None
        self._meters: Meters | None = None
        self._range: object = None
        self.recorder = recorder
        self.name = name
        self.path: str | None = None
        self.before: Phase | None = None
        self.closed = False

    def __enter__(self) -> "Phase":
        if self.path is not None:
            raise self.recorder.usage_error(
                f"phase {self.path!r} was entered before; call .phase({self.name!r}) each time"
            )
        self.before = _innermost.get()
        self.path = self.recorder.enter(self)
        _innermost.set(self)
        try:
            self._meters = self.recorder.meters_of(self.path)
            if self._meters is not None:
                self._meters.start()
            self._range = self.recorder.begin_range(self.path)
            self._begun = self.recorder.clock.begin()
        except BaseException as error:
            self._leave(None, error)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> Literal[False]:
        measured = None
        try:
            # After an exception, do not wait for the device: that may raise as well and hide the cause.
            if error is None and self._begun is not None:
                measured = self.recorder.clock.end(self._begun)
        except BaseException as failure:
            error = failure
            raise
        finally:
            self._leave(measured, error)
            if self._begun is not None:
                self.recorder.clock.leave(self._begun)
        return False

    def _leave(self, measured: BlockTime | None, error: BaseException | None) -> None:
        self.closed = True
        if self._meters is not None:
            self._meters.stop(whole=measured is not None)
        _innermost.set(_still_open(_innermost.get()))
        self.recorder.leave(self, measured, error)
        self.recorder.end_range(self._range)


class PhaseRecorder:
    """Keeps the phases of one run.

    Attributes:
        clock: reads the clocks at both ends of a phase.
        meters_of: returns what else is read there, by the phase's path.
    """

    def __init__(
        self,
        device: OpenDevice,
        *,
        provenance: Provenance = "measured",
        test: str | None = None,
        within: str | None = None,
        clock: BlockClock | None = None,
        meters_of: Callable[[str], Meters | None] = lambda _path: None,
    ) -> None:
        """Begin with no phases.

        There is a barrier at both ends of each phase. `within` is the name of the phase that encloses all of these;
        `test` is the test's name, for messages; `clock` replaces the device's clock; `meters_of` returns the meters of
        a phase by its path, None without any.
        """
        self.clock = clock or BlockClock(device)
        self._ranges = device if isinstance(device, ShowsRanges) else None
        self.meters_of = meters_of
        self._sync_mode = device.sync_mode
        self._provenance = provenance
        self._test = test
        self._within = within
        self._open: list[Phase] = []
        self._abandoned: list[str] = []
        self._times: dict[str, list[BlockTime]] = {}
        self._failures: dict[str, list[str]] = {}

    def phase(self, name: str) -> Phase:
        """Return a context manager that measures its block as the phase `name`.

        Raises:
            MeasurementError: the name is empty, or one of its parts is.
        """
        if not _is_name(name):
            raise self.usage_error(f"a phase needs a name, which {name!r} is not")
        return Phase(self, name)

    @property
    def current(self) -> str | None:
        """Name of the current phase; None outside all phases."""
        inner = self._innermost()
        return self._within if inner is None else inner.path

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the phases that were entered, in the order of their first entry."""
        return tuple(self._times)

    @property
    def unclosed(self) -> tuple[str, ...]:
        """Names of the phases that are still open or belong to an abandoned generator."""
        return tuple(dict.fromkeys([*self._abandoned, *(str(phase.path) for phase in self._open)]))

    def error(self) -> MeasurementError | None:
        """Return the error that fails the test at its end; None if every phase was closed."""
        if not (unclosed := self.unclosed):
            return None
        names = " and ".join(repr(name) for name in unclosed)
        return self.usage_error(f"phase {names} was never closed; write `with bench.phase(...):` around its code")

    def measurements(self, *, without: Collection[str | None] = ()) -> tuple[Measurement, ...]:
        """Return the rows of every phase, with one sample per entry.

        Phases in `without` are left out, because code inside them was timed separately.
        """
        return tuple(
            row for name, times in self._times.items() if name not in without for row in self.rows(name, times)
        )

    def rows(
        self, name: str, times: Sequence[BlockTime], details: Mapping[str, object] | None = None
    ) -> list[Measurement]:
        """Return the rows of one phase, with one sample for each time; without times, the rows have a reason."""
        failures = self._failures.get(name, [])
        if name in self.unclosed:
            return missing_rows("the phase was never closed", phase=name, provenance=self._provenance)
        if not times:
            reason = f"the phase ended with {failures[-1]}" if failures else "no step that counts had it whole"
            return missing_rows(reason, phase=name, provenance=self._provenance)
        details = {**(details or {}), **({"failed": failures[:_FAILURES_KEPT]} if failures else {})}
        return time_rows(
            times, phase=name, sync_mode=self._sync_mode, provenance=self._provenance, details=details or None
        )

    def take(self) -> dict[str, list[BlockTime]]:
        """Return the times since the last call, by phase, and start over; failures are kept."""
        taken = {name: times for name, times in self._times.items() if times}
        self._times = {name: [] for name in self._times}
        return taken

    def usage_error(self, text: str) -> MeasurementError:
        """Return an error that names the test."""
        return MeasurementError(text if self._test is None else f"{self._test}: {text}")

    def begin_range(self, name: str) -> object:
        """Begin a range of this name in the device's profiler; None if it has none."""
        return None if self._ranges is None else self._ranges.begin_range(name)

    def end_range(self, begun: object) -> None:
        """End the range that `begin_range` began, if any."""
        if self._ranges is not None and begun is not None:
            self._ranges.end_range(begun)

    def enter(self, phase: Phase) -> str:
        """Record the beginning of a phase, and return its path."""
        around = self.current
        path = phase.name if around is None else f"{around}/{phase.name}"
        self._times.setdefault(path, [])
        self._open.append(phase)
        return path

    def leave(self, phase: Phase, measured: BlockTime | None, error: BaseException | None) -> None:
        """Record the end of a phase."""
        path = str(phase.path)
        self._open.remove(phase)
        if isinstance(error, GeneratorExit):
            self._abandoned.append(path)
        elif error is not None or measured is None:
            self._failures.setdefault(path, []).append(first_line(error))
        else:
            self._times[path].append(measured)

    def _innermost(self) -> Phase | None:
        phase = _still_open(_innermost.get())
        while phase is not None and phase.recorder is not self:
            phase = _still_open(phase.before)
        return phase


def _still_open(phase: Phase | None) -> Phase | None:
    # Phases in generators and threads may end in a different order than they began.
    while phase is not None and phase.closed:
        phase = phase.before
    return phase


def _is_name(name: object) -> bool:
    return isinstance(name, str) and all(part.strip() for part in name.split("/"))


def first_line(error: BaseException | None) -> str:
    """Return the class of an error and the first line of its text."""
    text = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
