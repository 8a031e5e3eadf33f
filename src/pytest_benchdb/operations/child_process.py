"""Runs a program to its end, and lets none outlive us."""

import contextlib
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

_PATIENCE_S = 10.0


def run_to_end(command: Sequence[str], *, folder: Path, environ: Mapping[str, str], log: Path) -> int:
    """Run a program and return its exit status.

    Ctrl-C reaches it as well, and it may end in order: what it recorded is not to be lost.

    Args:
        command: the program and its arguments.
        folder: where it is started.
        environ: its environment variables.
        log: takes what it prints.

    Raises:
        OSError: it cannot be started.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    with _ended(process):
        return process.wait()


@contextlib.contextmanager
def _ended(process: "subprocess.Popen[bytes]") -> Iterator[None]:
    """Let a process end by itself after the block, then make it."""
    try:
        yield
    finally:
        stops: tuple[Callable[[], None], ...] = (process.terminate, process.kill)
        for stop in stops:
            if not _has_ended(process):
                stop()
        process.wait()


def _has_ended(process: "subprocess.Popen[bytes]") -> bool:
    try:
        process.wait(_PATIENCE_S)
    except subprocess.TimeoutExpired:
        return False
    return True
