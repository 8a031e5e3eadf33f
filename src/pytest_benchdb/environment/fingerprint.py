"""Decides which machines are similar enough for their results to be compared."""

import math
from dataclasses import dataclass

from pytest_benchdb.model.environment import CountingMethod
from pytest_benchdb.model.identity import content_id

_FORMAT = "fingerprint/1"
_COUNTING_FORMAT = "counting/1"
_GIB = 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedParts:
    """The parts of an environment that affect speed; None means unknown.

    Values that differ between two runs on one machine (clock rates, free memory, load) or have nothing to do with speed
    (the host's name) are left out on purpose.

    Attributes:
        machine: architecture, such as ``x86_64``.
        threads: logical processors that the process may use.
        ram_bytes: memory, or the container's limit if that is smaller.
        virtualization: virtual machine and container, outermost first.
        cpu_quota: CPU seconds per second that the container may use; None means no limit.
        python_build: ``GIL`` or ``free-threaded``, and ``debug``.
        libc: name and version of the C library.
        counting: how the session counts instructions; None if it times.
    """

    machine: str
    cpu_model: str | None
    cores: int | None
    threads: int | None
    ram_bytes: int | None
    os_name: str | None
    kernel: str | None
    virtualization: tuple[str | None, ...]
    cpu_quota: float | None
    python_implementation: str
    python_version: tuple[int, int]
    python_build: tuple[str, ...]
    libc: str | None = None
    counting: CountingMethod | None = None


def fingerprint(parts: SpeedParts) -> str:
    """Return a hash of the parts, equal on similar machines.

    Counts depend on neither the speed nor the size of a machine, only on the code that runs and on who counts it.
    """
    if parts.counting is not None:
        return content_id(
            _COUNTING_FORMAT,
            parts.counting.method,
            parts.counting.cpu_features,
            parts.machine,
            parts.os_name,
            parts.libc,
            parts.python_implementation,
            *parts.python_version,
            *parts.python_build,
        )
    return content_id(
        _FORMAT,
        parts.machine,
        parts.cpu_model,
        parts.cores,
        parts.threads,
        ram_class(parts.ram_bytes),
        parts.os_name,
        kernel_series(parts.kernel),
        *parts.virtualization,
        None if parts.cpu_quota is None else f"{parts.cpu_quota:.2f}",
        parts.python_implementation,
        *parts.python_version,
        *parts.python_build,
    )


def ram_class(ram_bytes: int | None) -> int | None:
    """Return twice the base-2 logarithm of the memory in GiB, rounded.

    Kernels reserve different amounts: 15.5 and 15.6 GiB are one class, 16 and 24 GiB are two.

    >>> ram_class(16 << 30), ram_class(15 << 30), ram_class(24 << 30)
    (8, 8, 9)
    """
    return round(2 * math.log2(ram_bytes / _GIB)) if ram_bytes else None


def kernel_series(release: str | None) -> str | None:
    """Return the first two numbers of a kernel release.

    >>> kernel_series("6.8.0-1021-azure")
    '6.8'
    """
    return None if release is None else ".".join(release.split("-", 1)[0].split(".")[:2])
