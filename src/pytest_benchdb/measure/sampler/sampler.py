"""Series of sensors, taken by a process beside the benchmark's; never by a thread.

A sampling thread is late beside code that holds the interpreter's lock (49 Hz instead of 100) and misses a peak
within one C call; a process sees it, and costs the benchmark next to nothing. Even so nothing is sampled while a
benchmark is timed: series come from a pass of their own, `series_pass`.
"""

import contextlib
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, cast

from pytest_benchdb.model.environment import Device
from pytest_benchdb.model.reading import Scope, Series

DEFAULT_RATE_HZ = 20.0
RATES_HZ = (10.0, 50.0)
"""Lowest and highest rate: slower misses events, faster costs more and only shows the counters' own ticks."""
_NOT_OF_NVML = frozenset({"rocm", "xpu", "mps", "sim"})
"""Backends whose unique ids are not NVIDIA's."""
_FAILURES = 2
_BOOT = "import sys; sys.path.append(sys.argv[1]); from pytest_benchdb.measure.sampler.child import main; main()"


class Sampler:
    """Starts and stops the sampling process; never raises, even if the process fails.

    Attributes:
        method: how the series were sampled, as stored with their summaries.
        reasons: why there are no points in the last window, by ``metric/domain``, by library, or ``sampler``.
        scopes: what a sensor covers, by metric and domain; None if unknown.
    """

    def __init__(
        self,
        *,
        rate_hz: float = DEFAULT_RATE_HZ,
        devices: Mapping[str, str | None] | None = None,
        root: Path = Path("/"),
        pid: int | None = None,
        command: Sequence[str] | None = None,
        patience_s: float = 10.0,
    ) -> None:
        """Make a sampler; its process starts with the first window.

        Args:
            rate_hz: samples per second, clamped to `RATES_HZ`.
            devices: `device_id` of each NVIDIA device to watch, by its unique id.
            root: replaces ``/``.
            pid: process to watch; None for the calling one.
            command: program that samples, in place of `child`.
            patience_s: longest wait for an answer; after that the process is killed.
        """
        self.rate_hz = min(max(rate_hz, RATES_HZ[0]), RATES_HZ[1])
        self.method = f"sampler process, {self.rate_hz:g} Hz"
        self.reasons: dict[str, str] = {}
        self.scopes: dict[tuple[str, str], Scope | None] = {}
        self._devices = dict(devices or {})
        self._root = root
        self._pid = pid
        self._command = command
        self._patience_s = patience_s
        self._process: subprocess.Popen[str] | None = None
        self._owner = os.getpid()
        self._stderr: Any = None
        self._failures = 0
        self._origin_ns: int | None = None

    def __enter__(self) -> "Sampler":  # noqa: PYI034 - Self needs Python 3.11
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Begin a window; the times of its points count from here, about a millisecond before this returns.

        On return the process is sampling, or `reasons` says why not.
        """
        self.reasons = {}
        self._origin_ns = None
        if self._process is not None and self._owner != os.getpid():
            self._process = None  # this is a forked child: the process belongs to its parent
        if self._process is None and not self._launch():
            return
        own_cpus = sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else []
        origin_ns = time.monotonic_ns()
        if self._ask({"k": "start", "avoid": own_cpus}) is not None:
            self._origin_ns = origin_ns

    def stop(self) -> tuple[Series, ...]:
        """End the window and return the series of each sensor with points; none if sampling failed."""
        origin_ns, self._origin_ns = self._origin_ns, None
        if origin_ns is None or (answer := self._ask({"k": "stop"})) is None:
            return ()
        self.reasons = dict(answer["reasons"])
        self.scopes = {(each["metric"], each["domain"]): each["scope"] for each in answer["series"]}
        return tuple(
            Series(
                metric=each["metric"],
                unit=each["unit"],
                domain=each["domain"],
                device_id=self._devices.get(each["device"]),
                t_s=tuple((t_ns - origin_ns) / 1e9 for t_ns in each["t_ns"]),
                values=tuple(each["values"]),
            )
            for each in answer["series"]
        )

    def close(self) -> None:
        """End the process; a later `start` starts another."""
        process, self._process = self._process, None
        if process is None or self._owner != os.getpid():
            return
        with contextlib.suppress(OSError):  # it may be dead already
            cast("Any", process.stdin).close()
        try:
            process.wait(timeout=1.0)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        cast("Any", process.stdout).close()
        self._stderr.close()

    def _launch(self) -> bool:
        if self._failures >= _FAILURES:
            self.reasons["sampler"] = f"the sampling process failed {self._failures} times and is not started again"
            return False
        self._owner = os.getpid()
        command = self._command or _own_command(self._config())
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the process
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._stderr,
                text=True,
                encoding="utf-8",
                start_new_session=True,  # Ctrl-C is for pytest; the child exits when its input ends
            )
        except OSError as error:
            self._stderr.close()
            self._failures += 1
            self.reasons["sampler"] = f"the sampling process cannot be started: {error}"
            return False
        return self._ask(None) is not None

    def _config(self) -> dict[str, object]:
        return {
            "root": str(self._root),
            "pid": self._pid or os.getpid(),
            "rate_hz": self.rate_hz,
            "uuids": list(self._devices),
            "folders": {name: _folder_of(name) for name in ("psutil", "pynvml")},
        }

    def _ask(self, command: Mapping[str, object] | None) -> Any | None:
        """Send a command, if there is one, and return the answer; end the process if none comes."""
        process = self._process
        if process is None:
            return None
        stdin, stdout = cast("Any", process.stdin), cast("Any", process.stdout)
        try:
            if command is not None:
                stdin.write(json.dumps(command) + "\n")
                stdin.flush()
            answer = _line(stdout.readline, self._patience_s)
        except OSError:
            answer = ""
        if answer is None:
            self._give_up(f"the sampling process gave no answer for {self._patience_s:g} s")
            return None
        try:
            return json.loads(answer)
        except ValueError:
            self._give_up("the sampling process died")
            return None

    def _give_up(self, reason: str) -> None:
        process = cast("subprocess.Popen[str]", self._process)
        with contextlib.suppress(subprocess.TimeoutExpired):  # its last line of stderr is the best reason
            process.wait(timeout=0.0 if "no answer" in reason else 1.0)
        process.kill()
        self._stderr.seek(0)
        lines = self._stderr.read().decode("utf-8", "replace").strip().splitlines()
        self.close()
        self._failures += 1
        self.reasons = {"sampler": f"{reason}: {lines[-1]}" if lines else reason}


def watched(device: Device | None) -> dict[str, str]:
    """Return the `device_id` of a device by the unique id that NVML knows it by; empty if NVML cannot know it."""
    if device is None or device.is_host or device.uuid is None or device.backend in _NOT_OF_NVML:
        return {}
    return {device.uuid: device.device_id}


def _own_command(config: Mapping[str, object]) -> list[str]:
    package_folder = Path(__file__).resolve().parents[3]
    return [sys.executable, "-I", "-S", "-c", _BOOT, str(package_folder), json.dumps(config)]


def _folder_of(name: str) -> str | None:
    """Return the folder on `sys.path` that has a package, without importing it."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return None
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin)
    return str(path.parents[1] if spec.submodule_search_locations else path.parent)


def _line(read: Callable[[], str], limit_s: float) -> str | None:
    """Return a line; None if none came in time.

    Only a thread can wait for a pipe with a time limit on every platform. It exists while we wait for an answer,
    never while a benchmark runs.
    """
    lines: list[str] = []
    thread = threading.Thread(target=lambda: lines.append(read()), daemon=True)
    thread.start()
    thread.join(limit_s)
    return lines[0] if lines else None
