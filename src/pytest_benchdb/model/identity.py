"""Keys that need no renumbering when files are merged.

Sessions, runs and measurements get a UUIDv7 (RFC 9562, section 5.7): unique, and sorted by time. Imported ones have a
hash in place of the random part, so that importing a file twice gives the same ids.
Environments, devices, benchmarks and models get a hash of their content, which is the same everywhere.
"""

import hashlib
import os
import re
import time

_LAST_MS = 2**48 - 1
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{4,}\b")


def uuid7(unix_ms: int | None = None) -> str:
    """Return a new UUIDv7 as text.

    Args:
        unix_ms: milliseconds since the epoch; None for now. A time that has no place in an id gets the nearest.
    """
    ms = time.time_ns() // 1_000_000 if unix_ms is None else unix_ms
    head, tail = f"{min(max(ms, 0), _LAST_MS):012x}", os.urandom(10).hex()
    variant = "89ab"[int(tail[3], 16) & 3]
    return f"{head[:8]}-{head[8:]}-7{tail[:3]}-{variant}{tail[4:7]}-{tail[7:19]}"


def timed_id(unix_ms: int, digest: str) -> str:
    """Return a UUIDv7 that has the start of a hash as its random part: the same content gets the same id.

    Args:
        unix_ms: milliseconds since the epoch; ids sort by it.
        digest: at least 18 hexadecimal digits; ids with the same time sort by it.
    """
    head = f"{unix_ms:012x}"
    return f"{head[:8]}-{head[8:]}-7{digest[:3]}-8{digest[3:6]}-{digest[6:18]}"


def content_id(*parts: str | int | None) -> str:
    """Return the 128-bit BLAKE2b hash of the parts, in UUID notation.

    The same parts give the same id on every machine; None differs from an empty string.
    """
    # ascii() distinguishes ("a", "b") from ("ab",), and 1 from "1". Not repr(), which escapes characters
    # unknown to the interpreter's version of Unicode: one name would get two ids.
    digest = hashlib.blake2b(ascii(parts).encode("ascii"), digest_size=16).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:]}"


def without_addresses(text: str) -> str:
    """Replace memory addresses, which differ between processes, with ``0x…``.

    >>> without_addresses("<Matrix object at 0x7f3a5c0d1e50>")
    '<Matrix object at 0x…>'
    """
    return _ADDRESS.sub("0x…", text) if "0x" in text else text
