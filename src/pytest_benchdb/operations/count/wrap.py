"""Wraps the command of any pytest so that it counts instructions instead of timing."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from pytest_benchdb.backends.meters import perf_events
from pytest_benchdb.errors import BackendUnavailableError, MeasurementError
from pytest_benchdb.measure.counting.client_requests import unsupported
from pytest_benchdb.measure.counting.hardware import Hardware

Method = Literal["auto", "hardware", "callgrind"]
METHODS: tuple[Method, ...] = ("auto", "hardware", "callgrind")
COUNTING_PATIENCE_S = 60.0
"""How long an interrupted pytest may take to store its session: everything takes long under valgrind."""
VARIABLE = "BENCHDB_COUNTING"
"""Environment variable that makes our plugin count."""

_OLDEST = (3, 16)
"""The first valgrind whose callgrind measures system calls in nanoseconds."""
_INSTALL = "install it (apt install valgrind, dnf install valgrind)"
_CACHES = ("--cache-sim=yes", "--I1=32768,8,64", "--D1=32768,8,64", "--LL=8388608,16,64")
"""The same caches on every machine: 32 KiB of 8 ways, and 8 MiB of 16."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrapped:
    """A command that counts.

    Attributes:
        command: the program and its arguments; pytest's own follow.
        environ: its environment variables.
        method: ``hardware`` or ``callgrind``.
    """

    command: tuple[str, ...]
    environ: Mapping[str, str]
    method: Literal["hardware", "callgrind"]


def wrap_counting(
    program: Sequence[str],
    environ: Mapping[str, str],
    *,
    dumps: Path,
    method: Method = "auto",
    cache: bool = False,
    functions: bool = False,
) -> Wrapped:
    """Wrap the words that run pytest, so that the session that it records has counts instead of times.

    Args:
        program: ``pytest``, ``python -m pytest``, ... without pytest's arguments.
        environ: environment variables of the process.
        dumps: an empty folder for callgrind's dumps, which must outlive the process.
        method: ``auto`` takes the processor's counters where there are some, else callgrind.
        cache: simulate caches too, which only callgrind does.
        functions: attach what each native function executed, which only callgrind knows.

    Raises:
        BackendUnavailableError: nothing can count here; the message says what to install.
    """
    chosen = choose_method(method, cache=cache)
    order: dict[str, str | bool] = {"method": chosen, "functions": functions}
    command = [*_without_randomization(), *program]
    if chosen == "callgrind":
        out = os.fspath(dumps.absolute() / "callgrind.%p")
        order["out"] = out
        command = [
            *_without_randomization(),
            *_valgrind(),
            "-q",
            "--tool=callgrind",
            "--instr-atstart=no",
            "--collect-systime=nsec",
            "--trace-children=no",
            f"--callgrind-out-file={out}",
            *(_CACHES if cache else ()),
            *program,
        ]
    return Wrapped(
        command=tuple(command),
        environ={**environ, "PYTHONHASHSEED": "0", VARIABLE: json.dumps(order)},
        method=chosen,
    )


def choose_method(method: Method = "auto", *, cache: bool = False) -> Literal["hardware", "callgrind"]:
    """Return how instructions are counted on this machine.

    Raises:
        BackendUnavailableError: they cannot be; the message says what to install.
    """
    if method == "hardware" and cache:
        raise BackendUnavailableError("--cache: only callgrind simulates caches; leave --method hardware out")
    hardware = "caches are simulated by callgrind only" if cache else _hardware_problem()
    if method != "callgrind" and hardware is None:
        return "hardware"
    if method == "hardware":
        raise BackendUnavailableError(f"--method hardware: {hardware}; --method callgrind counts without")
    if (problem := callgrind_problem()) is not None:
        beside = "" if method == "callgrind" or cache else f", and there are no hardware counters either: {hardware}"
        raise BackendUnavailableError(f"{problem}{beside}")
    return "callgrind"


@cache
def callgrind_problem() -> str | None:
    """Return why callgrind cannot count here, and what to do; None if it can."""
    if (platform := unsupported()) is not None:
        return f"{platform}; compare times in turn instead: benchdb duet"
    if shutil.which("valgrind") is None:
        return f"valgrind counts the instructions and is not there: {_INSTALL}"
    try:
        answer = subprocess.run(_valgrind_version(), capture_output=True, text=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"valgrind does not run: {error}"
    found = re.search(r"valgrind-(\d+)\.(\d+)", answer.stdout)
    if found is None:
        said = (answer.stderr or answer.stdout).strip().splitlines()
        return f"valgrind does not run: {said[-1] if said else f'exit status {answer.returncode}'}"
    if (int(found[1]), int(found[2])) < _OLDEST:
        return f"{found[0]} is too old to tell computing from waiting; 3.16 or newer is needed: {_INSTALL}"
    return None


def _valgrind() -> list[str]:
    return [shutil.which("valgrind") or "valgrind"]


def _valgrind_version() -> list[str]:
    return [*_valgrind(), "--version"]


def _hardware_problem() -> str | None:
    try:
        Hardware(perf_events)
    except MeasurementError as error:
        return str(error)
    return None


@cache
def _without_randomization() -> tuple[str, ...]:
    """Return what runs a program without address randomisation; nothing where the system does not allow that."""
    setarch = shutil.which("setarch")
    if setarch is None:
        return ()
    try:
        answer = subprocess.run([setarch, "-R", "true"], capture_output=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return (setarch, "-R") if answer.returncode == 0 else ()
