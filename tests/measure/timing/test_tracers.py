import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import pytest

from pytest_benchdb.measure.timing import tracers
from pytest_benchdb.measure.timing.tracers import put_back, take_off, tracer_name, untraced

Hook = Callable[[FrameType, str, Any], Any]


@pytest.fixture
def seen() -> Iterator[list[str]]:
    """Names of the functions that a tracer or a profiler saw; whatever traces this test run is put back."""
    found = take_off()
    try:
        yield []
    finally:
        sys.settrace(None)
        sys.setprofile(None)
        threading.settrace(None)
        threading.setprofile(None)
        put_back(found)


def hook_into(names: list[str]) -> Hook:
    def hook(frame: FrameType, event: str, _argument: Any) -> None:
        if event == "call":
            names.append(frame.f_code.co_name)

    return hook


def work() -> None:
    pass


def in_thread(function: Callable[[], None]) -> None:
    thread = threading.Thread(target=function)
    thread.start()
    thread.join()


@pytest.mark.parametrize("install", [sys.settrace, sys.setprofile], ids=["settrace", "setprofile"])
def test_untraced_takes_the_hook_off_and_puts_it_back(seen: list[str], install: Callable[[Any], None]) -> None:
    hook = hook_into(seen)
    install(hook)

    with untraced():
        work()
    assert "work" not in seen
    work()

    assert "work" in seen
    assert hook in {sys.gettrace(), sys.getprofile()}


@pytest.mark.parametrize("install", [threading.settrace, threading.setprofile], ids=["settrace", "setprofile"])
def test_untraced_threads_have_no_hook_either(seen: list[str], install: Callable[[Any], None]) -> None:
    install(hook_into(seen))

    with untraced():
        in_thread(work)
    assert "work" not in seen
    in_thread(work)

    assert "work" in seen


def test_untraced_puts_the_hook_back_after_an_exception(seen: list[str]) -> None:
    hook = hook_into(seen)
    sys.settrace(hook)

    with pytest.raises(ValueError, match="on purpose"), untraced():
        raise ValueError("on purpose")

    assert sys.gettrace() is hook


def test_untraced_takes_a_c_profiler_off_and_puts_it_back(seen: list[str]) -> None:
    import cProfile
    import pstats

    profile = cProfile.Profile()
    profile.enable()
    with untraced():
        work()
    in_block = {name for _, _, name in pstats.Stats(profile).stats}  # type: ignore[attr-defined]
    profile.enable()
    work()
    profile.disable()

    assert "work" not in in_block
    assert "work" in {name for _, _, name in pstats.Stats(profile).stats}  # type: ignore[attr-defined]


def test_take_off_without_a_tracer_has_nothing_to_put_back(seen: list[str]) -> None:
    assert take_off() is None
    assert tracer_name() is None


def test_tracer_name_is_the_package(seen: list[str]) -> None:
    sys.settrace(hook_into(seen))

    assert tracer_name() == __name__.partition(".")[0]


class FakeMonitoring:
    """As `sys.monitoring`, with one tool."""

    def __init__(self, tool: int, events: int) -> None:
        self.events = {tool: events}

    def get_tool(self, tool: int) -> str | None:
        return "coverage" if tool in self.events else None

    def get_events(self, tool: int) -> int:
        return self.events[tool]

    def set_events(self, tool: int, events: int) -> None:
        self.events[tool] = events


def test_untraced_silences_the_tools_of_sys_monitoring(
    seen: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fake = FakeMonitoring(1, 5)
    monkeypatch.setattr(tracers, "_monitoring", fake)

    with untraced():
        assert fake.events == {1: 0}
        assert tracer_name() is None

    assert fake.events == {1: 5}
    assert tracer_name() == "coverage"


@pytest.mark.skipif(not hasattr(sys, "monitoring"), reason="sys.monitoring came with Python 3.12")
def test_untraced_silences_real_sys_monitoring(seen: list[str]) -> None:
    monitoring: Any = sys.monitoring  # type: ignore[attr-defined,unused-ignore]
    monitoring.use_tool_id(4, "test")
    monitoring.register_callback(4, monitoring.events.PY_START, lambda code, _offset: seen.append(code.co_name))
    monitoring.set_events(4, monitoring.events.PY_START)
    try:
        with untraced():
            work()
        assert "work" not in seen
        work()
        assert "work" in seen
    finally:
        monitoring.set_events(4, 0)
        monitoring.free_tool_id(4)
