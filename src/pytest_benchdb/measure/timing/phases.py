"""Named parts of a run: ``with recorder.phase("load"):``.

Each time a phase is entered gives one sample. Phases nest: ``attention`` inside ``decode`` is ``decode/attention``.
A phase that ended with an exception has no sample for it, and one that was never closed has no samples at all: both
have a reason.
"""

from collections.abc import Collection, Mapping, Sequence
from contextvars import ContextVar
from types import TracebackType
from typing import Literal, final

from pytest_benchdb.errors import MeasurementError
from pytest_benchdb.interfaces import OpenDevice
from pytest_benchdb.measure.timing.block_clock import Begun, BlockClock, BlockTime, missing_rows, time_rows
from pytest_benchdb.model.metric import Provenance
from pytest_benchdb.model.run import Measurement

_innermost: ContextVar["Phase | None"] = ContextVar("benchdb_phase", default=None)
"""The phase that the code of this thread and of this asynchronous task is in; each has its own."""

_FAILURES_KEPT = 10


@final
class Phase:
    """One time that a phase is entered; a context manager, for one use.

    Attributes:
        name: its own name.
        path: names of the phases around it and its own, joined by ``/``; None before it is entered.
        recorder: the recorder that keeps it.
        before: the phase that the calling code was in before, of any recorder.
        closed: whether it was left.
    """

    __slots__ = ("_begun", "before", "closed", "name", "path", "recorder")

    def __init__(self, recorder: "PhaseRecorder", name: str) -> None:
        self._begun: Begun | None = None
        self.recorder = recorder
        self.name = name
        self.path: str | None = None
        self.before: Phase | None = None
        self.closed = False

    def __enter__(self) -> "Phase":
        if self.path is not None:
            raise self.recorder.mistake(f"phase {self.path!r} was entered before; call .phase({self.name!r}) each time")
        self.before = _innermost.get()
        self.path = self.recorder.enter(self)
        _innermost.set(self)
        try:
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
            # After an exception the device is not waited for: waiting may raise as well, and would hide the cause.
            if error is None and self._begun is not None:
                measured = self.recorder.clock.end(self._begun)
        except BaseException as failure:
            error = failure
            raise
        finally:
            self._leave(measured, error)
        return False

    def _leave(self, measured: BlockTime | None, error: BaseException | None) -> None:
        self.closed = True
        _innermost.set(_still_open(_innermost.get()))
        self.recorder.leave(self, measured, error)


class PhaseRecorder:
    """Keeps the phases of one run.

    Attributes:
        clock: reads the clocks at both ends of a phase.
    """

    def __init__(
        self,
        device: OpenDevice,
        *,
        provenance: Provenance = "measured",
        test: str | None = None,
        within: str | None = None,
        clock: BlockClock | None = None,
    ) -> None:
        """Begin with no phases.

        The device is waited for at both ends of each phase. `within` is the name of a phase around all of these;
        `test` is the test's name, for messages; `clock` replaces the device's clock.
        """
        self.clock = clock or BlockClock(device)
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
            raise self.mistake(f"a phase needs a name, which {name!r} is not")
        return Phase(self, name)

    @property
    def current(self) -> str | None:
        """Name of the phase that the calling code is in; None outside of all."""
        inner = self._innermost()
        return self._within if inner is None else inner.path

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the phases that were entered, in the order of first entering."""
        return tuple(self._times)

    @property
    def unclosed(self) -> tuple[str, ...]:
        """Names of the phases that were entered and not left, or left by an abandoned generator."""
        return tuple(dict.fromkeys([*self._abandoned, *(str(phase.path) for phase in self._open)]))

    def error(self) -> MeasurementError | None:
        """Return what to fail the test with at the end of its run; None if every phase was closed."""
        if not (unclosed := self.unclosed):
            return None
        names = " and ".join(repr(name) for name in unclosed)
        return self.mistake(f"phase {names} was never closed; write `with bench.phase(...):` around its code")

    def measurements(self, *, without: Collection[str | None] = ()) -> tuple[Measurement, ...]:
        """Return the rows of every phase, a sample for each time it was entered.

        Phases in `without` are left out, because something inside them was timed by itself.
        """
        return tuple(
            row for name, times in self._times.items() if name not in without for row in self.rows(name, times)
        )

    def rows(
        self, name: str, times: Sequence[BlockTime], details: Mapping[str, object] | None = None
    ) -> list[Measurement]:
        """Return the rows of one phase, a time for each sample; without times, the rows say why."""
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
        """Return what was measured since the last call, by phase, and start over; failures are kept."""
        taken = {name: times for name, times in self._times.items() if times}
        self._times = {name: [] for name in self._times}
        return taken

    def mistake(self, text: str) -> MeasurementError:
        """Return an error that names the test."""
        return MeasurementError(text if self._test is None else f"{self._test}: {text}")

    def enter(self, phase: Phase) -> str:
        """Record that a phase begins, and return its full name."""
        around = self.current
        path = phase.name if around is None else f"{around}/{phase.name}"
        self._times.setdefault(path, [])
        self._open.append(phase)
        return path

    def leave(self, phase: Phase, measured: BlockTime | None, error: BaseException | None) -> None:
        """Record how a phase ended."""
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
    # Phases of generators and threads may end in another order than they began in.
    while phase is not None and phase.closed:
        phase = phase.before
    return phase


def _is_name(name: object) -> bool:
    return isinstance(name, str) and all(part.strip() for part in name.split("/"))


def first_line(error: BaseException | None) -> str:
    """Return the class of an error and the first line of its text."""
    text = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
