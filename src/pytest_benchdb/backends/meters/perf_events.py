"""Opens the kernel's performance events with `perf_event_open(2)`: counters of processors and of processes.

The call has no wrapper in the C library, so its number depends on the architecture.
"""

import ctypes
import errno
import os
import platform
import struct
from dataclasses import dataclass

_SYSCALL = {"x86_64": 298, "i686": 336, "aarch64": 241}
_ATTR_BYTES = 64  # PERF_ATTR_SIZE_VER0
_CLOEXEC = 8
_TIMES = 1 << 0 | 1 << 1  # PERF_FORMAT_TOTAL_TIME_ENABLED and _RUNNING
_USER_SPACE = 1 << 5 | 1 << 6  # exclude_kernel, exclude_hv
_INHERIT = 1 << 1
_READING = struct.Struct("=QQQ")


@dataclass(frozen=True, slots=True)
class Count:
    """A reading of an event.

    Attributes:
        value: events so far, only those counted while the event had a counter.
        enabled_ns: time for which it was to be counted.
        running_ns: time for which it had a counter; less than `enabled_ns` if events share one.
    """

    value: int
    enabled_ns: int
    running_ns: int


def perf_event_open(kind: int, config: int, cpu: int) -> int:
    """Open a counter for everything that runs on one processor; return its descriptor.

    Raises:
        OSError: the kernel refuses, or this system has no such call.
    """
    return _open(kind, config, thread=-1, cpu=cpu)


def open_thread_event(kind: int, config: int, thread: int) -> int:
    """Open a counter for one thread in user space, and for the threads that it starts; return its descriptor.

    Raises:
        OSError: the kernel refuses, or this system has no such call.
    """
    return _open(kind, config, thread=thread, cpu=-1, flags=_USER_SPACE | _INHERIT, read_format=_TIMES)


def read_thread_event(descriptor: int) -> Count:
    """Read a counter of `open_thread_event`.

    Raises:
        OSError: it cannot be read.
    """
    data = os.read(descriptor, _READING.size)
    if len(data) != _READING.size:  # the event is in an error state
        raise OSError(errno.EIO, "the counter was given away")
    return Count(*_READING.unpack(data))


def _open(kind: int, config: int, *, thread: int, cpu: int, flags: int = 0, read_format: int = 0) -> int:
    number = _SYSCALL.get(platform.machine())
    if number is None or not hasattr(os, "sched_getaffinity"):
        raise OSError(errno.ENOSYS, f"perf_event_open is not known on {platform.system()} {platform.machine()}")
    attr = struct.pack("=IIQQQQQ", kind, _ATTR_BYTES, config, 0, 0, read_format, flags).ljust(_ATTR_BYTES, b"\0")
    libc = ctypes.CDLL(None, use_errno=True)
    buffer = ctypes.create_string_buffer(attr, _ATTR_BYTES)
    fd = libc.syscall(
        ctypes.c_long(number),
        buffer,
        ctypes.c_int(thread),
        ctypes.c_int(cpu),
        ctypes.c_int(-1),
        ctypes.c_ulong(_CLOEXEC),
    )
    if fd < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return int(fd)
