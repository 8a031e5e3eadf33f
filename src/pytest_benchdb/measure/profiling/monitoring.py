"""Counts what runs by `sys.monitoring`: Python 3.12 and later."""

import sys
import threading
from types import CodeType
from typing import Any

from pytest_benchdb.errors import MeasurementError
from pytest_benchdb.measure.profiling.call_tree import Node
from pytest_benchdb.measure.profiling.code_names import Namer, c_function, calls_benchmarks, is_inner

METHOD = "sys.monitoring"
_monitoring: Any = getattr(sys, "monitoring", None)
_NAME = "pytest-benchdb"


class Monitoring:
    """Counts calls, lines and, if asked for, instructions of all threads of the process.

    Attributes:
        roots: the tree of each thread; that of the calling one first.
    """

    method = METHOD

    def __init__(self, namer: Namer, *, instructions: bool) -> None:
        """Count nothing yet."""
        self.roots: list[Node] = []
        self._namer = namer
        self._instructions = instructions
        self._stacks: dict[int, list[Node]] = {}
        self._is_on = False

    def __enter__(self) -> None:
        tool = _monitoring.PROFILER_ID
        other = _monitoring.get_tool(tool)
        if other is not None:
            raise MeasurementError(f"{other} profiles this process already; run without it")
        _monitoring.use_tool_id(tool, _NAME)
        self._is_on = True
        self._stack()
        events = _monitoring.events
        handlers = {
            events.PY_START: self._start,
            events.PY_RESUME: self._resume,
            events.PY_THROW: self._resume,
            events.PY_RETURN: self._leave,
            events.PY_YIELD: self._leave,
            events.PY_UNWIND: self._leave,
            events.C_RETURN: self._c_call,
            events.C_RAISE: self._c_call,
            events.LINE: self._line,
        }
        if self._instructions:
            handlers[events.INSTRUCTION] = self._instruction
        for event, handler in handlers.items():
            _monitoring.register_callback(tool, event, handler)
        # C_RETURN and C_RAISE come with CALL, and cannot be asked for.
        asked = sum(event for event in handlers if event not in {events.C_RETURN, events.C_RAISE})
        _monitoring.set_events(tool, asked | events.CALL)

    def __exit__(self, *_error: object) -> None:
        if self._is_on:
            self._is_on = False
            _monitoring.set_events(_monitoring.PROFILER_ID, 0)
            _monitoring.free_tool_id(_monitoring.PROFILER_ID)

    def _stack(self) -> list[Node]:
        """Return the stack of this thread, which begins now."""
        root = Node(None, None)
        self.roots.append(root)
        stack = self._stacks[threading.get_ident()] = [root]
        return stack

    def _start(self, code: CodeType, _offset: int) -> None:
        self._enter(code, not is_inner(code))

    def _resume(self, code: CodeType, _offset: int, _error: object = None) -> None:
        self._enter(code, 0)

    def _enter(self, code: CodeType, calls: int) -> None:
        stack = self._stacks.get(threading.get_ident()) or self._stack()
        caller = stack[-1]
        if caller.function is None and calls_benchmarks(code):
            stack.append(caller)
            return
        link = caller.links.get(code) or caller.link(code, self._namer)
        link[1] += calls
        stack.append(link[0])

    def _leave(self, _code: CodeType, _offset: int, _value: object) -> None:
        stack = self._stacks.get(threading.get_ident())
        if stack is not None and len(stack) > 1:  # else it began before the counting did
            del stack[-1]

    def _instruction(self, _code: CodeType, _offset: int) -> None:
        stack = self._stacks.get(threading.get_ident())
        if stack is not None:
            stack[-1].cost += 1

    def _line(self, _code: CodeType, line: int) -> None:
        stack = self._stacks.get(threading.get_ident())
        if stack is not None:
            lines = stack[-1].lines
            lines[line] = lines.get(line, 0) + 1

    def _c_call(self, _code: CodeType, _offset: int, called: object, _first: object) -> None:
        stack = self._stacks.get(threading.get_ident())
        if stack is not None:
            stack[-1].c_calls[c_function(called)] += 1
