"""Counts what runs by `sys.settrace` and `sys.setprofile`: Python 3.10 and 3.11."""

import dis
import sys
import threading
from functools import cache
from types import CodeType, FrameType
from typing import Any

from pytest_benchdb.measure.profiling.call_tree import Node
from pytest_benchdb.measure.profiling.code_names import Namer, c_function, calls_benchmarks, is_inner

METHOD = "sys.settrace"
_GENERATORS = 0x20 | 0x80 | 0x200  # CO_GENERATOR, CO_COROUTINE, CO_ASYNC_GENERATOR
_RESUME = dis.opmap.get("RESUME")
_REASON = 3  # the bits of RESUME's argument that say where it resumes


class Tracing:
    """Counts calls, lines and, if asked for, instructions of this thread and of threads that start meanwhile.

    Attributes:
        roots: the tree of each thread; that of the calling one first.
    """

    method = METHOD

    def __init__(self, namer: Namer, *, instructions: bool) -> None:
        """Count nothing yet."""
        self.roots: list[Node] = []
        self._namer = namer
        self._instructions = instructions

    def __enter__(self) -> None:
        thread = self._thread()
        threading.settrace(self._start_thread)
        threading.setprofile(self._start_profile)
        sys.settrace(thread.enter)
        sys.setprofile(thread.profile)

    def __exit__(self, *_error: object) -> None:
        sys.setprofile(None)
        sys.settrace(None)
        threading.setprofile(None)
        threading.settrace(None)

    def _thread(self) -> "_Thread":
        thread = _Thread(self._namer, instructions=self._instructions)
        self.roots.append(thread.root)
        return thread

    def _start_thread(self, frame: FrameType, event: str, arg: Any) -> Any:
        thread = self._thread()
        sys.settrace(thread.enter)
        sys.setprofile(thread.profile)
        return thread.enter(frame, event, arg)

    def _start_profile(self, _frame: FrameType, _event: str, _arg: Any) -> None:
        """Do nothing: the tracer of a new thread, which begins later, replaces it."""


class _TracedNode(Node):
    """A node whose `trace` is the local trace function of its frames."""

    __slots__ = ("stack", "trace")

    def __init__(self, function: Any, parent: Any) -> None:
        super().__init__(function, parent)
        self.stack: list[Node] = [] if parent is None else parent.stack
        self.trace = self.count

    def count(self, frame: FrameType, event: str, _arg: Any) -> Any:
        if event == "opcode":
            self.cost += 1
        elif event == "line":
            line = frame.f_lineno
            self.lines[line] = self.lines.get(line, 0) + 1
        elif event == "return":
            del self.stack[-1]
        return self.trace


class _Thread:
    """The tracer of one thread."""

    def __init__(self, namer: Namer, *, instructions: bool) -> None:
        self.root = _TracedNode(None, None)
        self._stack = self.root.stack
        self._stack.append(self.root)
        self._namer = namer
        self._instructions = instructions

    def enter(self, frame: FrameType, _event: str, _arg: Any) -> Any:
        """Count the call of a frame, and return what counts within it."""
        code = frame.f_code
        caller = self._stack[-1]
        if caller is self.root and calls_benchmarks(code):
            return None
        link = caller.links.get(code) or caller.link(code, self._namer)
        if not code.co_flags & _GENERATORS or frame.f_lasti in _starts(code):
            link[1] += not is_inner(code)
        node = link[0]
        self._stack.append(node)
        frame.f_trace_opcodes = self._instructions
        return node.trace

    def profile(self, _frame: FrameType, event: str, arg: Any) -> None:
        """Count the call of a C function."""
        if event == "c_call":
            self._stack[-1].c_calls[c_function(arg)] += 1


@cache
def _starts(code: CodeType) -> frozenset[int]:
    """Return the places at which a generator starts, rather than goes on after a yield."""
    if _RESUME is None:
        return frozenset((-1,))
    code_bytes = code.co_code
    return frozenset(
        at for at in range(0, len(code_bytes), 2) if code_bytes[at] == _RESUME and not code_bytes[at + 1] & _REASON
    )
