"""Starts the ranks of one world, waits for them within a time limit, and stops those that outlive a failure.

``spawn`` starts a fresh interpreter for each rank, as `torch.multiprocessing` does, but without a pickle of
the function. ``torchrun`` has `torch.distributed.run` start them. Either way each rank's standard error goes
into a file of its own, so that its last words can be told.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pytest_benchdb.measure.rank_exchange import stderr_path
from pytest_benchdb.measure.rank_failure import End, Words
from pytest_benchdb.measure.ranks import TORCHRUN_VARIABLES

Method = Literal["spawn", "torchrun"]
_MODULE = "pytest_benchdb.measure.rank_process"
_POLL_S = 0.02
_LAST_WORDS_S = 1.0
"""Time for the other ranks to end by themselves after one has failed: what they say may name the cause."""
_STOP_S = 5.0
"""Time between asking a process to end and making it."""
_WORD_LENGTH = 300


@dataclass(slots=True)
class Watched:
    """A process that was started.

    Attributes:
        rank: which; None for a launcher of all ranks.
        code: its exit code; None while it runs, or where it was stopped.
        ended_ns: when that was noticed, by `time.monotonic_ns`.
    """

    rank: int | None
    process: "subprocess.Popen[bytes]"
    code: int | None = None
    ended_ns: int | None = None


def run_ranks(
    job_path: Path, *, world_size: int, method: Method, timeout_s: float, threads: int | None = None
) -> tuple[End, ...]:
    """Run the job on all ranks; return how each ended. No process outlives the call.

    Args:
        job_path: the job, in the folder where the ranks write.
        world_size: how many ranks.
        method: how they are started.
        timeout_s: time for all of them, start included.
        threads: ``OMP_NUM_THREADS`` of each; None leaves it alone.
    """
    folder = job_path.parent
    environ = {name: value for name, value in os.environ.items() if name not in TORCHRUN_VARIABLES}
    if threads is not None:
        environ["OMP_NUM_THREADS"] = str(threads)
    command = [sys.executable, "-m", _MODULE, str(job_path)]
    with _stopped_at_the_end() as watched:
        if method == "torchrun":
            launch = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={world_size}", *command[1:]]
            watched.append(Watched(None, _start([sys.executable, *launch], environ, stderr_path(folder, None))))
        else:
            place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
            for rank in range(world_size):
                own = {**environ, **place, **_rank_variables(rank, world_size)}
                watched.append(Watched(rank, _start(command, own, stderr_path(folder, rank))))
        _watch(watched, timeout_s)
    return tuple(End(rank=one.rank, code=one.code, ended_ns=one.ended_ns) for one in watched)


def words_of(folder: Path, world_size: int) -> Words:
    """Return what the processes that wrote into `folder` said."""
    said = {rank: _lines(stderr_path(folder, rank)) for rank in range(world_size)}
    return Words(
        last={rank: lines[-1][:_WORD_LENGTH] for rank, lines in said.items() if lines},
        launcher="\n".join(_lines(stderr_path(folder, None))),
    )


def free_port() -> int:
    """Return a TCP port of this machine that nobody listened on a moment ago."""
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


def _start(command: Sequence[str], environ: Mapping[str, str], words: Path) -> "subprocess.Popen[bytes]":
    with words.open("wb") as stderr:
        # Its standard input is a pipe of ours that nothing is written to: a rank sees its end when we are gone.
        # A session of its own lets us stop what it started as well, and keeps Ctrl-C for the test's process.
        return subprocess.Popen(
            command,
            env=dict(environ),
            stdin=subprocess.PIPE,
            stdout=stderr,
            stderr=stderr,
            start_new_session=sys.platform != "win32",
        )


def _watch(watched: Sequence[Watched], timeout_s: float, *, sleep: Callable[[float], None] = time.sleep) -> None:
    deadline = time.monotonic() + timeout_s
    while True:
        for one in watched:
            if one.code is None and (code := one.process.poll()) is not None:
                one.code, one.ended_ns = code, time.monotonic_ns()
                if code != 0:
                    deadline = min(deadline, time.monotonic() + _LAST_WORDS_S)
        if all(one.code is not None for one in watched) or time.monotonic() >= deadline:
            return
        sleep(_POLL_S)


@contextlib.contextmanager
def _stopped_at_the_end() -> Iterator[list[Watched]]:
    watched: list[Watched] = []
    try:
        yield watched
    finally:
        for one in watched:
            if one.process.stdin is not None:
                one.process.stdin.close()
            _signal(one.process, "SIGTERM")
        deadline = time.monotonic() + _STOP_S
        for one in watched:
            with contextlib.suppress(subprocess.TimeoutExpired):
                one.process.wait(max(0.0, deadline - time.monotonic()))
            _signal(one.process, "SIGKILL")
            one.process.wait()


def _signal(process: "subprocess.Popen[bytes]", name: str) -> None:
    """Signal a process and what it started; what is gone already is left alone."""
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
