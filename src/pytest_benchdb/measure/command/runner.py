"""Runs a command and measures it: wall time, CPU time, peak memory, and how it ended."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TextIO, cast

from pytest_benchdb.errors import MeasurementError
from pytest_benchdb.measure.command import launcher

if TYPE_CHECKING:
    from typing_extensions import Self

GRACE_S = 2.0
"""How long a command that is to end may take before it is killed."""
_FLOOR_ERROR_BYTES = 1 << 19
"""By how much two readings of one resident set may differ: the kernel sums it up per processor, in batches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandCall:
    """A command, ready to run.

    Attributes:
        argv: the path of the program and its arguments.
        input: file for its standard input.
        output: file for its standard output; None for the error output of this process.
        timeout_s: after how long it is ended; None for no limit.
    """

    argv: tuple[str, ...]
    input: str = os.devnull
    output: str | None = os.devnull
    timeout_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandRound:
    """One run of a command.

    Attributes:
        wall_ns: from just before it was started until it had ended.
        user_s: CPU time in user space, of the command and of all descendants that were waited for.
        system_s: CPU time in the kernel, of the same processes.
        peak_bytes: the largest resident set among these processes; None if it is not above `floor_bytes`.
        floor_bytes: what the process that started it had in memory, which the kernel counts into its peak; None where
            it does not.
        exit_code: None if a signal ended it.
        signal: the signal that ended it; None if it ended by itself.
        timed_out: whether it was ended because it took longer than its limit.
    """

    wall_ns: int
    user_s: float
    system_s: float
    peak_bytes: int | None
    floor_bytes: int | None = None
    exit_code: int | None = None
    signal: int | None = None
    timed_out: bool = False

    @property
    def cpu_s(self) -> float:
        """CPU time in user space and in the kernel."""
        return self.user_s + self.system_s

    @property
    def failure(self) -> str | None:
        """How it failed, in words; None if it exited with 0.

        >>> CommandRound(wall_ns=1, user_s=0, system_s=0, peak_bytes=None, signal=9).failure
        'killed by signal SIGKILL'
        """
        if self.timed_out:
            return "timed out"
        if self.signal is not None:
            return f"killed by signal {_signal_name(self.signal)}"
        return f"exit code {self.exit_code}" if self.exit_code else None


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)


class Runner:
    """Runs commands one after another, from a small process that is started on entry."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> "Self":
        """Start the process.

        Raises:
            MeasurementError: the system cannot start commands in this way, or the process did not start.
        """
        if not hasattr(os, "posix_spawn") or not hasattr(os, "wait4"):
            raise MeasurementError(f"{sys.platform} has no posix_spawn and wait4, which commands are measured with")
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", launcher.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="surrogateescape",
            start_new_session=True,  # Ctrl-C is for us: then the command is ended in order
        )
        self._answer(None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def _close(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(OSError):
            cast("TextIO", process.stdin).close()  # kills the command, if one still runs
        process.wait()
        cast("TextIO", process.stdout).close()

    def run(self, call: CommandCall) -> CommandRound:
        """Run a command to its end, and measure it.

        Raises:
            MeasurementError: it cannot be started.
        KeyboardInterrupt: the user interrupted it; then it was ended, and no other can run.
        """
        timed_out = False

        def end() -> None:
            nonlocal timed_out
            timed_out = True
            self._send({"signal": int(signal.SIGTERM)})

        try:
            self._send({"argv": [call.argv[0], *call.argv], "input": call.input, "output": call.output})
            with _after(call.timeout_s, end), _after(call.timeout_s and call.timeout_s + GRACE_S, self._kill):
                answer = self._answer(call)
        except KeyboardInterrupt:  # whether the answer was read is not known, so nothing more can be asked
            self._send({"grace_s": GRACE_S})
            self._close()
            raise
        if "problem" in answer:
            raise MeasurementError(f"{call.argv[0]}: cannot be started: {answer['problem']}")
        status, floor_bytes = answer["status"], answer["floor_bytes"]
        is_known = floor_bytes is None or answer["peak_bytes"] > floor_bytes + _FLOOR_ERROR_BYTES
        return CommandRound(
            wall_ns=answer["wall_ns"],
            user_s=answer["user_s"],
            system_s=answer["system_s"],
            peak_bytes=answer["peak_bytes"] if is_known else None,
            floor_bytes=floor_bytes,
            exit_code=os.WEXITSTATUS(status) if os.WIFEXITED(status) else None,
            signal=os.WTERMSIG(status) if os.WIFSIGNALED(status) else None,
            timed_out=timed_out,
        )

    def _kill(self) -> None:
        self._send({"signal": int(signal.SIGKILL)})

    def _send(self, request: Mapping[str, object]) -> None:
        stdin = cast("TextIO", cast("Any", self._process).stdin)
        with contextlib.suppress(OSError, ValueError):  # then there is no answer, which says so
            stdin.write(json.dumps(request) + "\n")
            stdin.flush()

    def _answer(self, call: CommandCall | None) -> Any:
        line = cast("TextIO", cast("Any", self._process).stdout).readline()
        try:
            return json.loads(line)
        except ValueError:
            what = "" if call is None else f" while {Path(call.argv[0]).name} ran"
            raise MeasurementError(f"the process that starts the commands died{what}") from None


@contextlib.contextmanager
def _after(seconds: float | None, function: Callable[[], None]) -> Any:
    """Call a function if the block takes longer than this; never without a limit."""
    if seconds is None:
        yield
        return
    timer = threading.Timer(seconds, function)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
