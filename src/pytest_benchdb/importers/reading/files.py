"""Read result files, gzipped or not, within size limits, and parse their times."""

import datetime as dt
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from pytest_benchdb.errors import ImportFormatError

GZIP_MAGIC = b"\x1f\x8b"
MOST_ROWS = 20_000_000
"""Rows of one table that are read one by one: each takes about 25 us."""
MOST_UNPACKED_BYTES = 1 << 30
MOST_RATIO = 200
"""How many times its packed size a gzip file may have unpacked, above `ALWAYS_UNPACKED_BYTES`."""
ALWAYS_UNPACKED_BYTES = 64 << 20
LATEST_US = 253_402_300_799_999_999
"""The end of the year 9999, the last one that Python's dates know; in microseconds since the epoch."""
_CHUNK_BYTES = 1 << 20
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)
_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(?:[.,](\d{1,9})\d*)?)?\s?(Z|UTC|[+-]\d\d:?\d\d|[+-]\d\d)?"
)


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open a file, decompressed if needed, as a context manager.

    A gzip file is unpacked twice: it is not read before all of it is known to stay within the bounds.

    Raises:
        ImportFormatError: it cannot be opened or read, its compression is damaged, or it is too large unpacked.
    """
    with _opened(path) as file:
        if isinstance(file, io.BufferedReader) and isinstance(file.raw, gzip.GzipFile):
            _check_unpacked(file, path.stat().st_size)
            file.seek(0)
        yield file


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
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


def _check_unpacked(file: BinaryIO, packed_bytes: int) -> None:
    limit = min(MOST_UNPACKED_BYTES, max(ALWAYS_UNPACKED_BYTES, MOST_RATIO * packed_bytes))
    size = 0
    while chunk := file.read(_CHUNK_BYTES):
        size += len(chunk)
        if size > limit:
            text = f"unpacked, its {packed_bytes:,} bytes are more than {limit >> 20} MiB"
            raise ImportFormatError(f"{text}; if you trust it, unpack it with gunzip and import the result")


def head_of(path: Path, size: int) -> bytes:
    """Return the first bytes of a file, decompressed; empty if its compression is damaged.

    Raises:
        ImportFormatError: the file cannot be opened.
    """
    with _opened(path) as file:
        try:
            return file.read(size)
        except (EOFError, zlib.error, gzip.BadGzipFile):
            return b""


def read_whole(path: Path, limit: int) -> bytes:
    """Return the bytes of a file, decompressed.

    Raises:
        ImportFormatError: there are more than `limit`, or they cannot be read.
    """
    chunks: list[bytes] = []
    size = 0
    with opened(path) as file:
        while chunk := file.read(_CHUNK_BYTES):
            size += len(chunk)
            if size > limit:
                raise ImportFormatError(f"it has more than {limit >> 20} MiB; split it")
            chunks.append(chunk)
    return b"".join(chunks)


def unix_us(value: str | dt.datetime) -> int:
    """Return a time as microseconds since the epoch; UTC is assumed without an offset.

    Args:
        value: a datetime, or ISO 8601 text: ``2026-11-21T08:00:00.25+01:00``.

    Raises:
        ValueError: the text is not a time, or the time is before 1970.

    >>> unix_us("1970-01-01T01:00:00.5+01:00")
    500000
    """
    moment = _parse(value) if isinstance(value, str) else value
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.timezone.utc)
    us = (moment - _EPOCH) // dt.timedelta(microseconds=1)
    if us < 0:
        raise ValueError(f"{str(value)[:40]!r} is before 1970")
    return us


def utc_text(value: str) -> str:
    """Return a time as ISO 8601 in UTC without an offset, as in the store.

    Raises:
        ValueError: it is not a time.
    """
    moment = _EPOCH + dt.timedelta(microseconds=unix_us(value))
    return moment.replace(tzinfo=None).isoformat()


def _parse(text: str) -> dt.datetime:
    # Python 3.10's own parser does not accept "Z", and takes only 3 or 6 digits of a second.
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text[:40]!r} is not a time; write 2026-11-21T08:00:00 or 2026-11-21T08:00:00+01:00")
    day, clock, fraction, zone = match.groups()
    moment = dt.datetime.fromisoformat(f"{day}T{clock or '00:00'}").replace(tzinfo=_zone(zone))
    return moment.replace(microsecond=int((fraction or "0").ljust(6, "0")[:6]))


def _zone(text: str | None) -> dt.tzinfo:
    if text in {None, "Z", "UTC"}:
        return dt.timezone.utc
    digits = str(text)[1:].replace(":", "").ljust(4, "0")
    offset = dt.timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return dt.timezone(-offset if str(text)[0] == "-" else offset)
