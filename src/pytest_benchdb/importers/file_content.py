"""Read files as a whole or by lines, compressed by gzip or not, within limits."""

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
    """Open a file, uncompressed, for the length of a block.

    Raises:
        ImportFormatError: it cannot be opened or read, or its compression is damaged.
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
        raise ImportFormatError(f"its gzip compression is damaged ({error}); fetch the file again") from error
    except OSError as error:
        raise ImportFormatError(f"it cannot be read: {error.strerror or error}") from error


def head_of(path: Path, size: int) -> bytes:
    """Return the first bytes of a file, uncompressed; none if its compression is damaged.

    Raises:
        ImportFormatError: the file cannot be opened.
    """
    with opened(path) as file:
        try:
            return file.read(size)
        except (EOFError, zlib.error, gzip.BadGzipFile):
            return b""


def read_whole(path: Path, limit: int) -> bytes:
    """Return the bytes of a file, uncompressed.

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
