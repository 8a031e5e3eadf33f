"""Starts the ranks of one world, waits within a time limit, stops the survivors of a failure, and says why it failed.

``spawn`` starts a fresh interpreter for each rank, as `torch.multiprocessing` does, but without a pickle of
the function. ``torchrun`` has `torch.distributed.run` start them. Either way each rank's standard error goes
into a file of its own, so that its last line can be reported.
"""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pytest_benchdb.measure.distributed.exchange import RankReport, stderr_path
from pytest_benchdb.measure.distributed.ranks import TORCHRUN_VARIABLES

_SAME_TIME_NS = 250_000_000
"""How much later a silent death may be noticed than its peers report their broken connections."""
_ROOT_CAUSE = re.compile(r"Root Cause.*?rank\s*:\s*(\d+).*?exitcode\s*:\s*(-?\d+)", re.DOTALL)
"""What `torchrun` writes about the process that failed first."""
Method = Literal["spawn", "torchrun"]
_MODULE = "pytest_benchdb.measure.distributed.rank_process"
_POLL_S = 0.02
_LAST_REPORTS_S = 1.0
"""Time for the other ranks to end by themselves after one has failed: their reports may name the cause."""
_STOP_S = 5.0
"""Time between asking a process to end and killing it."""
_LINE_LENGTH = 300


@dataclass(slots=True, kw_only=True)
class End:
    """How the process of a rank, or the launcher of all ranks, ended; nothing is known while it runs.

    Attributes:
        rank: None for a launcher of all ranks.
        code: exit code, negative for a signal; None if it had to be stopped.
        ended_ns: when, by `time.monotonic_ns`; None if it had to be stopped.
    """

    rank: int | None
    code: int | None = None
    ended_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stderr:
    """What the processes wrote to their standard error.

    Attributes:
        last: last line of each rank that wrote something, by rank.
        launcher: everything that a launcher wrote.
    """

    last: Mapping[int, str]
    launcher: str = ""


def why_failed(
    ends: Sequence[End], reports: Sequence[RankReport | None], stderr: Stderr, *, timeout_s: float
) -> str | None:
    """Return why a world failed: the rank that failed first, in one line; None if every rank finished.

    A rank that is killed breaks the connections of the others, and they report that before its death is noticed:
    it comes first, unless another failed clearly earlier. `reports` has None for a rank that wrote no report.
    """
    size = len(reports)
    failures = [*_reported(reports), *_died(ends, reports, stderr), *_blamed(reports, stderr)]
    if failures:
        return min(failures)[1]
    silent = [rank for rank, report in enumerate(reports) if report is None]
    hung = [end.rank for end in ends if end.code is None]
    late = silent or [rank for rank in hung if rank is not None]
    who = " and ".join(f"rank {rank} of {size}" for rank in late)
    line = _after_colon(next((stderr.last[rank] for rank in late if rank in stderr.last), None))
    if hung:
        return f"{who or 'the launcher'} did not end within {timeout_s:g} s and was stopped{line}"
    if silent:
        return f"{who} ended without a report{line}"
    code = next((end.code for end in ends if end.code), None)
    return None if code is None else f"the launcher of {size} ranks {_how_ended(code)}"


def _reported(reports: Sequence[RankReport | None]) -> list[tuple[int, str]]:
    return [
        (report.failed_ns or 0, f"rank {report.rank} of {len(reports)} failed: {report.error}")
        for report in reports
        if report is not None and report.error is not None
    ]


def _died(ends: Sequence[End], reports: Sequence[RankReport | None], stderr: Stderr) -> list[tuple[int, str]]:
    failures = []
    for end in ends:
        if end.rank is None or not end.code:
            continue
        report = reports[end.rank]
        if report is None or report.error is None:
            text = f"rank {end.rank} of {len(reports)} {_how_ended(end.code)}{_after_colon(stderr.last.get(end.rank))}"
            failures.append(((end.ended_ns or 0) - _SAME_TIME_NS, text))
    return failures


def _blamed(reports: Sequence[RankReport | None], stderr: Stderr) -> list[tuple[int, str]]:
    """Return what a launcher reports about a silent rank; it has watched the rank, so this comes first."""
    match = _ROOT_CAUSE.search(stderr.launcher)
    if match is None or not int(match[1]) < len(reports) or reports[int(match[1])] is not None:
        return []
    rank = int(match[1])
    return [(-1, f"rank {rank} of {len(reports)} {_how_ended(int(match[2]))}{_after_colon(stderr.last.get(rank))}")]


def _how_ended(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"


def _after_colon(line: str | None) -> str:
    return f": {line}" if line else ""


_Watched = tuple["subprocess.Popen[bytes]", End]


def run_ranks(
    job_path: Path, *, world_size: int, method: Method, timeout_s: float, threads: int | None = None
) -> tuple[End, ...]:
    """Run the job on all ranks; return how each ended. No process outlives the call.

    The ranks write into the folder of the job's file. `timeout_s` is the time for all of them, start included;
    `threads` is ``OMP_NUM_THREADS`` of each, None leaves it alone.
    """
    folder = job_path.parent
    environ = {name: value for name, value in os.environ.items() if name not in TORCHRUN_VARIABLES}
    if threads is not None:
        environ["OMP_NUM_THREADS"] = str(threads)
    command = [sys.executable, "-m", _MODULE, str(job_path)]
    with _stopped_at_the_end() as watched:
        if method == "torchrun":
            launch = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={world_size}", *command[1:]]
            watched.append((_start([sys.executable, *launch], environ, stderr_path(folder, None)), End(rank=None)))
        else:
            place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
            for rank in range(world_size):
                own = {**environ, **place, **_rank_variables(rank, world_size)}
                watched.append((_start(command, own, stderr_path(folder, rank)), End(rank=rank)))
        _watch(watched, timeout_s)
    return tuple(end for _, end in watched)


def stderr_of(folder: Path, world_size: int) -> Stderr:
    """Return what the processes of a job in `folder` wrote to their standard error."""
    written = {rank: _lines(stderr_path(folder, rank)) for rank in range(world_size)}
    return Stderr(
        last={rank: lines[-1][:_LINE_LENGTH] for rank, lines in written.items() if lines},
        launcher="\n".join(_lines(stderr_path(folder, None))),
    )


def free_port() -> int:
    """Return a TCP port of this machine that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _rank_variables(rank: int, world_size: int) -> dict[str, str]:
    return {
        "RANK": str(rank),
        "WORLD_SIZE": str(world_size),
        "LOCAL_RANK": str(rank),
        "LOCAL_WORLD_SIZE": str(world_size),
    }


def _start(command: Sequence[str], environ: Mapping[str, str], stderr_file: Path) -> "subprocess.Popen[bytes]":
    with stderr_file.open("wb") as stderr:
        # Its standard input is a pipe that nothing is written to: a rank sees the end of it when this process is gone.
        # In a session of its own, what it starts can be stopped as well, and Ctrl-C stays with the test's process.
        return subprocess.Popen(
            command,
            env=dict(environ),
            stdin=subprocess.PIPE,
            stdout=stderr,
            stderr=stderr,
            start_new_session=sys.platform != "win32",
        )


def _watch(watched: Sequence[_Watched], timeout_s: float, *, sleep: Callable[[float], None] = time.sleep) -> None:
    deadline = time.monotonic() + timeout_s
    while True:
        for process, end in watched:
            if end.code is None and (code := process.poll()) is not None:
                end.code, end.ended_ns = code, time.monotonic_ns()
                if code != 0:
                    deadline = min(deadline, time.monotonic() + _LAST_REPORTS_S)
        if all(end.code is not None for _, end in watched) or time.monotonic() >= deadline:
            return
        sleep(_POLL_S)


@contextlib.contextmanager
def _stopped_at_the_end() -> Iterator[list[_Watched]]:
    watched: list[_Watched] = []
    try:
        yield watched
    finally:
        for process, _ in watched:
            if process.stdin is not None:
                process.stdin.close()
            _signal(process, "SIGTERM")
        deadline = time.monotonic() + _STOP_S
        for process, _ in watched:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline - time.monotonic()))
            _signal(process, "SIGKILL")
            process.wait()


def _signal(process: "subprocess.Popen[bytes]", name: str) -> None:
    """Signal a process and what it started; one that is gone already is left alone."""
    if sys.platform == "win32":
        if process.poll() is None:
            process.kill()
        return
    # The process leads its own group, which may outlive it.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.Signals[name])


def _lines(path: Path) -> list[str]:
    """Return the lines of a file that are not empty."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return []
    return [line.strip() for line in text.splitlines() if line.strip()]
