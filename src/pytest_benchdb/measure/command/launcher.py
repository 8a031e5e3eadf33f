"""The process that starts the commands of `benchdb run` and measures them: standard library only.

`runner` starts it with ``python -I -S`` and exchanges lines of JSON with it. A process of its own, because Linux counts
the resident set of the process that starts a command into the command's peak (``exec_mmap`` in ``fs/exec.c`` carries
the high-water mark over, and ``wait4`` returns it): what needs less memory than its starter cannot be measured. This
one needs 9 MiB, benchdb itself several times as much.

The time of a command goes from just before ``posix_spawn`` until ``wait4`` has returned. Its resources are those of
the command and of all processes that it, or one of them, waited for (``getrusage(2)``).
"""

import contextlib
import gc
import json
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any

_RESTORED = tuple(
    number
    for name in ("SIGPIPE", "SIGXFSZ", "SIGINT", "SIGTERM")
    if (number := getattr(signal, name, None)) is not None
)
"""Signals that this interpreter, or who started it, may ignore, and that commands expect to end them."""

_POLL_S = 0.01

_lock = threading.Lock()
"""Held while a command is started, so that none is started once it is to end."""
_group: int | None = None
"""The process group of the command that runs."""


def main() -> None:
    """Answer requests until the input ends; then kill the command that still runs."""
    gc.disable()
    requests: queue.SimpleQueue[Mapping[str, Any]] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(requests,), daemon=True).start()
    _answer({"ready": True})
    while True:
        _answer(_run(requests.get()))


def _answer(answer: Mapping[str, object]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def _read(requests: queue.SimpleQueue[Mapping[str, Any]]) -> None:
    """Pass requests on; signals are sent at once, because the main thread waits for the command."""
    for line in sys.stdin:
        request = json.loads(line)
        if "signal" in request:
            with _lock:
                _send(request["signal"])
        elif "grace_s" in request:
            _wait_for_end(request["grace_s"])
            break
        else:
            requests.put(request)
    with _lock:
        _send(signal.SIGKILL)
        os._exit(0)


def _wait_for_end(grace_s: float) -> None:
    """Interrupt the command, if one runs, and give it time to end by itself, as after a terminal's Ctrl-C."""
    with _lock:
        _send(signal.SIGINT)
    until_s = time.monotonic() + grace_s
    while _group is not None and time.monotonic() < until_s:
        time.sleep(_POLL_S)


def _send(number: int) -> None:
    with contextlib.suppress(OSError):
        if _group is not None:
            os.killpg(_group, number)


def _run(request: Mapping[str, Any]) -> dict[str, object]:
    global _group  # noqa: PLW0603 - shared with the thread that sends signals
    argv, actions = request["argv"], _file_actions(request)
    try:
        with _lock:
            began_ns = time.perf_counter_ns()
            pid = os.posix_spawn(argv[0], argv[1:], os.environ, file_actions=actions, setpgroup=0, setsigdef=_RESTORED)
            _group = pid
    except (OSError, ValueError) as error:
        return {"problem": getattr(error, "strerror", None) or str(error)}
    _, status, usage = os.wait4(pid, 0)
    ended_ns = time.perf_counter_ns()
    with _lock:
        _group = None
    return {
        "wall_ns": ended_ns - began_ns,
        "status": status,
        "user_s": usage.ru_utime,
        "system_s": usage.ru_stime,
        "floor_bytes": _own_peak(),
        "peak_bytes": usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024),
    }


def _file_actions(request: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Return what becomes of input, output and error output; None for the output is our own error output."""
    read, write = os.O_RDONLY, os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    actions: list[tuple[Any, ...]] = [(os.POSIX_SPAWN_OPEN, 0, request["input"], read, 0)]
    if request["output"] is None:
        return [*actions, (os.POSIX_SPAWN_DUP2, 2, 1)]
    actions.append((os.POSIX_SPAWN_OPEN, 1, request["output"], write, 0o666))
    return [*actions, (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0)]


def _own_peak() -> int | None:
    """Return the peak of this process's resident set in bytes; None if the system does not report it."""
    # Not pathlib, which would add to the memory that is read here.
    with contextlib.suppress(OSError, ValueError, IndexError), open("/proc/self/status", encoding="ascii") as file:  # noqa: PTH123
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM:"))
    return None


if __name__ == "__main__":
    main()
