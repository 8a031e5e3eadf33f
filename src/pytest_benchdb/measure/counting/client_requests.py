"""Requests of a program to the valgrind that it runs under, from pure Python.

A request is a fixed sequence of machine instructions that does nothing on a real processor. The sequences and numbers
are those of ``valgrind.h`` and ``callgrind.h``, which valgrind publishes under a BSD-style licence for this purpose.
"""

import ctypes
import functools
import mmap
import platform
import sys
from collections.abc import Callable
from typing import Any

from pytest_benchdb.errors import MeasurementError

RUNNING_ON_VALGRIND = 0x1001

# int request(const size_t words[6]): the request and five arguments; 0 outside valgrind.
_CODE = {
    "x86_64": bytes.fromhex(
        "53"  # push rbx
        "4889f8"  # mov rax, rdi
        "31d2"  # xor edx, edx: the answer outside valgrind
        "48c1c703 48c1c70d 48c1c73d 48c1c733"  # rol rdi, 3, 13, 61 and 51: as before
        "4887db"  # xchg rbx, rbx: here valgrind answers
        "4889d0"  # mov rax, rdx
        "5b c3"  # pop rbx; ret
    ),
    "aarch64": b"".join(
        word.to_bytes(4, "little")
        for word in (
            0xAA0003E4,  # mov x4, x0
            0xD2800003,  # mov x3, #0: the answer outside valgrind
            0x93CC0D8C,  # ror x12, x12, #3
            0x93CC358C,  # ror x12, x12, #13
            0x93CCCD8C,  # ror x12, x12, #51
            0x93CCF58C,  # ror x12, x12, #61: as before
            0xAA0A014A,  # orr x10, x10, x10: here valgrind answers
            0xAA0303E0,  # mov x0, x3
            0xD65F03C0,  # ret
        )
    ),
}

Prepare = Callable[..., Callable[[], int]]
"""Prepares a request with up to five arguments; the result sends it and returns the answer, 0 outside valgrind.

What is prepared costs the same few instructions each time; making the words would cost a varying number.
"""


def unsupported(*, system: str = sys.platform, machine: str | None = None) -> str | None:
    """Return why no request can be sent on this platform; None if they can.

    >>> unsupported(system="darwin", machine="arm64")
    'instructions are counted on Linux with x86-64 or aarch64, and this is darwin with arm64'
    """
    machine = machine or platform.machine()
    if system == "linux" and machine in _CODE and sys.maxsize > 1 << 32:
        return None
    return f"instructions are counted on Linux with x86-64 or aarch64, and this is {system} with {machine}"


@functools.cache
def requests() -> Prepare:
    """Return the function that prepares requests.

    Raises:
        MeasurementError: the platform has no requests, or the system allows no new code.
    """
    if (why := unsupported()) is not None:
        raise MeasurementError(why)
    kind = ctypes.CFUNCTYPE(ctypes.c_size_t, ctypes.POINTER(ctypes.c_size_t))
    function, memory = executable(_CODE[platform.machine()], kind)
    words = ctypes.c_size_t * 6

    def prepare(number: int, *arguments: int, _memory: object = memory) -> Callable[[], int]:
        return functools.partial(function, words(number, *arguments))

    return prepare


def executable(code: bytes, kind: Any) -> tuple[Callable[..., Any], object]:
    """Return machine code as a function of `kind`, from `ctypes.CFUNCTYPE`, and the memory that it needs.

    Raises:
        MeasurementError: the system allows no new code.
    """
    try:
        memory = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    except OSError as error:
        raise MeasurementError(f"the system allows no new code, which counting needs: {error.strerror}") from error
    memory.write(code)
    first = ctypes.c_char.from_buffer(memory)
    return kind(ctypes.addressof(first)), first


def is_under_valgrind() -> bool:
    """Return whether this process runs under valgrind; False where that cannot be asked."""
    if unsupported() is not None:
        return False
    try:
        return requests()(RUNNING_ON_VALGRIND)() > 0
    except MeasurementError:
        return False
