"""Takes tracers and profilers off while code is timed, as pytest-benchmark does, and puts them back.

A tracer of coverage makes Python code several times slower, and `addopts = --cov` is common. Python has two ways in:
`sys.settrace` and `sys.setprofile` with their twins in `threading`, and from 3.12 on `sys.monitoring`.
"""

import contextlib
import os
import sys
import threading
from collections.abc import Iterator, Mapping
from types import FrameType
from typing import Any, NamedTuple

_monitoring: Any = getattr(sys, "monitoring", None)
_TOOLS = range(6)
_DEPTH = 3
TRACED, OBSERVED = "traced_by", "observed_by"
"""Facts of a session: what traced it and was off while code was timed, and what is in its times."""


class Tracers(NamedTuple):
    """What traced this thread and the threads that it starts."""

    trace: Any
    profile: Any
    threads_trace: Any
    threads_profile: Any


_NONE = Tracers(None, None, None, None)


def take_off() -> Tracers | None:
    """Take off the tracer and the profiler of this thread; return what `put_back` needs, None without any.

    A tracer counts the calls and returns that it sees, so this and `put_back` are each to be called `_DEPTH` calls
    below the code of the user.
    """
    profile = sys.getprofile()
    found = Tracers(sys.gettrace(), profile, threading.gettrace(), threading.getprofile())
    if found == _NONE:
        return None
    _set_profile(profile, on=False)
    threading.settrace(None)
    threading.setprofile(None)
    sys.settrace(None)  # last: what is called after it would not be seen to return
    return found


def put_back(found: Tracers | None) -> None:
    """Put back what `take_off` found."""
    if found is None:
        return
    frame: FrameType | None = sys._getframe()  # noqa: SLF001 - public by its documentation
    for _ in range(_DEPTH):  # these began unseen, and are to be seen to return
        if frame is not None:
            frame.f_trace = found.trace
            frame = frame.f_back
    sys.settrace(found.trace)
    # The first call after it is what makes coverage see the lines of the functions that run already.
    threading.settrace(found.threads_trace)
    threading.setprofile(found.threads_profile)
    _set_profile(found.profile, on=True)


@contextlib.contextmanager
def untraced() -> Iterator[None]:
    """Time a block without tracers, those of `sys.monitoring` among them.

    Blocks of microseconds must not use it: setting the events of `sys.monitoring` changes all code at its next call.
    """
    events = _events()
    found = take_off()
    for tool in events:
        _monitoring.set_events(tool, 0)
    try:
        yield
    finally:
        for tool, was in events.items():
            if _monitoring.get_tool(tool) is not None:
                _monitoring.set_events(tool, was)
        put_back(found)


def tracer_name() -> str | None:
    """Return what traces this thread now, ``coverage`` for example; None if nothing does."""
    tracer = sys.gettrace() or sys.getprofile()
    if tracer is not None:
        return _module_of(tracer)
    return monitored_by()


def monitored_by() -> str | None:
    """Return the first tool that listens to `sys.monitoring`, such as ``coverage.py``; None without one.

    It stays on in what `untraced` does not enclose: phases, steps, and the rounds of pytest-benchmark.
    """
    return next((str(_monitoring.get_tool(tool)) for tool in _events()), None)


class Observers(NamedTuple):
    """What observes the code of this process, by name.

    Attributes:
        taken_off: tracers, which are off while code is timed, also by pytest-benchmark.
        stay: what is in the times of phases, steps and pytest-benchmark, or in all of them.
    """

    taken_off: tuple[str, ...]
    stay: tuple[str, ...]

    def facts(self) -> dict[str, str]:
        """Return the names as facts of a session; empty if nothing observes it."""
        facts = {TRACED: ", ".join(self.taken_off), OBSERVED: ", ".join(self.stay)}
        return {name: text for name, text in facts.items() if text}


NO_OBSERVERS = Observers((), ())


def observers() -> Observers:
    """Return the debuggers, profilers, tracers and checks that are at work now."""
    import tracemalloc

    profiler = sys.getprofile()
    tools = [str(_monitoring.get_tool(tool)) for tool in _events()]
    checks = {
        "tracemalloc": tracemalloc.is_tracing(),
        "Python's development mode": sys.flags.dev_mode,
        "PYTHONMALLOC=debug": not sys.flags.dev_mode and "debug" in os.environ.get("PYTHONMALLOC", ""),
    }
    found = [] if profiler is None else [_module_of(profiler)]
    found += [*tools, *(name for name, is_on in checks.items() if is_on)]
    tracer = sys.gettrace()
    return Observers(() if tracer is None else (_module_of(tracer),), tuple(dict.fromkeys(found)))


def _module_of(tracer: Any) -> str:
    kind = tracer if hasattr(tracer, "__module__") and hasattr(tracer, "__qualname__") else type(tracer)
    return str(kind.__module__).partition(".")[0].lstrip("_")


def _set_profile(profile: Any, *, on: bool) -> None:
    if hasattr(profile, "enable") and hasattr(profile, "disable"):  # cProfile's is not called as others are
        (profile.enable if on else profile.disable)()
    else:
        sys.setprofile(profile if on else None)


def _events() -> Mapping[int, int]:
    """Return the events that tools of `sys.monitoring` listen to, by tool."""
    if _monitoring is None:
        return {}
    events = {tool: _monitoring.get_events(tool) for tool in _TOOLS if _monitoring.get_tool(tool) is not None}
    return {tool: asked for tool, asked in events.items() if asked}
