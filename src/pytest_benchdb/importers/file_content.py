"""Reads a file whole or by lines, packed by gzip or not, within limits."""

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from pytest_benchdb.errors import ImportFormatError

GZIP_MAGIC = b"\x1f\x8b"
_PIECE = 1 << 20


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open a file, unpacked if it is packed by gzip, and tell what goes wrong with it in our words.

    Raises:
        ImportFormatError: it cannot be opened, or its packing is damaged.
    """
    try:
        with path.open("rb") as raw:
            magic = raw.read(len(GZIP_MAGIC))
            raw.seek(0)
            if magic != GZIP_MAGIC:
                yield raw
                return
            with gzip.GzipFile(fileobj=raw) as unpacked:
                yield io.BufferedReader(unpacked)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ImportFormatError(f"its gzip packing is damaged ({error}); fetch the file anew") from error
    except OSError as error:
        raise ImportFormatError(f"it cannot be read: {error.strerror or error}") from error


def head_of(path: Path, size: int) -> bytes:
    """Return the first bytes of a file, unpacked; what can be had of them where its packing is damaged.

    Raises:
        ImportFormatError: the file cannot be opened.
    """
    with opened(path) as file:
        try:
            return file.read(size)
        except (EOFError, zlib.error, gzip.BadGzipFile):
            return b""


def read_whole(path: Path, limit: int) -> bytes:
    """Return the unpacked bytes of a file.

    Raises:
        ImportFormatError: there are more than `limit`, or they cannot be read.
    """
    pieces: list[bytes] = []
    size = 0
    with opened(path) as file:
        while piece := file.read(_PIECE):
            size += len(piece)
            if size > limit:
                raise ImportFormatError(f"it has more than {limit >> 20} MiB; split it")
            pieces.append(piece)
    return b"".join(pieces)
