"""The devices of this process, selected and open, and the `Bench` of a test on one of them.

PYTEST_DONT_REWRITE
"""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from types import FrameType
from typing import NoReturn, TypeVar

import pluggy
import pytest

from pytest_benchdb.backends import backends as builtin_backends
from pytest_benchdb.errors import BackendUnavailableError, ConfigError, MeasurementError
from pytest_benchdb.interfaces import OpenDevice
from pytest_benchdb.model.environment import Device
from pytest_benchdb.model.identity import content_id
from pytest_benchdb.plugin.bench.bench import Bench
from pytest_benchdb.plugin.bench.passes import Passes
from pytest_benchdb.plugin.bench.values import MetricBook
from pytest_benchdb.plugin.recording.attempt import ATTEMPT_KEY, Attempt
from pytest_benchdb.plugin.recording.identity import options_of
from pytest_benchdb.plugin.settings import Sources, backends_selected, passes_selected
from pytest_benchdb.registry import DeviceName, Registry, load_entry_points

OPEN_LIMIT_S = 120.0
"""How long a backend may take to open a device: a driver's first context takes seconds."""

_DEVICES_KEY = pytest.StashKey["Devices"]()


B = TypeVar("B", bound=Bench)


class LimitPassedError(Exception):
    """A block took longer than its limit."""


@contextlib.contextmanager
def time_limit(limit_s: float) -> Iterator[None]:
    """Raise `LimitPassedError` in the block once it has taken `limit_s`.

    It interrupts Python code and system calls, not a C function that never returns. Another alarm, such as
    pytest-timeout's, is set again afterwards; if it would go off first, there is no limit. Nor is there one outside the
    main thread and on platforms without alarms.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return
    others_s = signal.getitimer(signal.ITIMER_REAL)[0]
    if 0 < others_s <= limit_s:
        yield
        return

    def ring(_number: int, _frame: FrameType | None) -> None:
        raise LimitPassedError(f"gave no answer within {limit_s:g} s")

    began = time.monotonic()
    handler = signal.signal(signal.SIGALRM, ring)
    _, interval_s = signal.setitimer(signal.ITIMER_REAL, limit_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if others_s:
            signal.setitimer(signal.ITIMER_REAL, max(others_s - (time.monotonic() - began), 1e-3), interval_s)


class Devices:
    """The registry, passes and metrics that the fixtures of one process share."""

    def __init__(
        self, manager: pluggy.PluginManager, selected: Sequence[str], passes: Sequence[str], *, alone: bool = True
    ) -> None:
        """Find every backend; none is probed yet.

        Args:
            manager: has the hooks of other packages.
            selected: devices, as users name them; the first is the default.
            passes: passes to make after timing.
            alone: whether no other xdist worker runs beside this process.

        Raises:
            ConfigError: two packages claim one name, or the selection names an unknown backend.
        """
        self._pid = os.getpid()
        problems = load_entry_points(manager)
        self.registry = Registry(manager, builtin_backends())
        self.registry.disabled.update(problems)
        self.registry.load()
        self._device_names = [self.registry.parse(text) for text in selected if text != "auto"]
        self._selected = selected
        self.passes = Passes(passes, self.registry, alone=alone)
        self._book = MetricBook()

    def each(self) -> list[str]:
        """Return the selected devices, as users name them.

        Raises:
            pytest.UsageError: the selection names an unknown device.
        """
        try:
            return [name.text for name in self.registry.select(self._selected)]
        except ConfigError as error:
            raise pytest.UsageError(f"--benchdb-backends: {error}") from error

    def bench(self, request: pytest.FixtureRequest, text: str | None) -> Bench:
        """Return the object that a test gets; skip the test if the device is missing.

        Args:
            request: of the fixture.
            text: the device as the fixture names it; None takes the default.
        """
        attempt: Attempt | None = request.node.stash.get(ATTEMPT_KEY, None)
        test = request.node.nodeid
        if attempt is not None and attempt.bench is not None:
            pytest.fail(
                f"{test}: requests two bench fixtures; use bench_each, or a test for each device", pytrace=False
            )
        try:
            made = self.make(text, attempt, test, Bench)
        except BackendUnavailableError as error:
            pytest.skip(str(error))

        def unsupported(reason: str) -> NoReturn:
            if attempt is not None:
                attempt.unsupported = reason
            pytest.skip(reason)

        made.on_unsupported = unsupported
        try:
            return made.options(**options_of(request.node))
        except MeasurementError as error:
            problem = str(error)
        pytest.fail(problem, pytrace=False)

    def make(self, text: str | None, attempt: Attempt | None, test: str, kind: type[B]) -> B:
        """Return an object on a device, and note in the attempt which device that is.

        Args:
            text: the device as users name it; None takes the default.
            attempt: the attempt that it measures; None if nothing is recorded.
            test: the test's name, for messages.
            kind: class of the object.

        Raises:
            BackendUnavailableError: the device is missing.
            ConfigError: there is no such backend.
            Exception: raised by the device's first operation.
        """
        name = self._name(text)
        try:
            opened = self._open(name)
        except BackendUnavailableError as error:
            if attempt is not None:
                attempt.unsupported = str(error)
                attempt.devices = (_absent(name),)
            raise
        except Exception:
            if attempt is not None:
                attempt.device_failed = True
                attempt.devices = self.registry.devices(name.backend)[name.index : name.index + 1]
            raise
        provenance = self.registry.provenance(name.backend)
        if attempt is not None:
            self.passes.prepare(opened.device, provenance)
        made = kind(opened, attempt, test=test, provenance=provenance, passes=self.passes, book=self._book)
        if attempt is not None:
            attempt.bench = made
            # Every session has the CPU already, with more details.
            attempt.devices = () if name.backend == "cpu" else (opened.device,)
        return made

    def _open(self, name: DeviceName) -> OpenDevice:
        """Return a device ready for use."""
        try:
            with time_limit(OPEN_LIMIT_S):
                return self.registry.open(name)
        except LimitPassedError as error:
            reason = f"left out, because opening {name.text} {error}"
            self.registry.disabled[name.backend] = reason
            raise BackendUnavailableError(f"{name.backend}: {reason}") from error

    def _name(self, text: str | None) -> DeviceName:
        """Return the device that a fixture means; of several, the selected one."""
        if text is None:
            return self._device_names[0] if self._device_names else self.registry.parse("cpu")
        name = self.registry.parse(text)
        if ":" in text:
            return name
        return next((other for other in self._device_names if other.backend == name.backend), name)

    def close(self) -> None:
        """Close the devices, and stop whatever the passes started; a forked child leaves them to its parent."""
        if os.getpid() != self._pid:
            return
        self.passes.close()
        self.registry.close()


def devices_of(config: pytest.Config) -> Devices:
    """Return the devices of this process, looked up by the first call.

    Raises:
        pytest.UsageError: the selection cannot be used, or two packages claim one backend.
    """
    if _DEVICES_KEY not in config.stash:
        try:
            sources = Sources(config, os.environ)
            devices = Devices(
                config.pluginmanager,
                backends_selected(sources),
                passes_selected(sources),
                alone=not hasattr(config, "workerinput"),
            )
        except ConfigError as error:
            raise pytest.UsageError(str(error)) from error
        config.stash[_DEVICES_KEY] = devices
        config.add_cleanup(devices.close)
    return config.stash[_DEVICES_KEY]


def _absent(name: DeviceName) -> Device:
    """Return a placeholder for a missing device."""
    return Device(device_id=content_id(name.backend, "not present", None), backend=name.backend, name="not present")
