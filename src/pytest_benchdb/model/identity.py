"""Keys that need no renumbering when files are merged.

Sessions, runs and measurements get a UUIDv7 (RFC 9562, section 5.7): unique, and sorted by time.
What is the same everywhere (environment, device, benchmark, model) gets a hash of its content.
"""

import hashlib
import os
import re
import time
import uuid

_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{4,}\b")


def uuid7(unix_ms: int | None = None) -> str:
    """Return a new UUIDv7 as text.

    Args:
        unix_ms: milliseconds since the epoch; None takes the clock.
    """
    ms = time.time_ns() // 1_000_000 if unix_ms is None else unix_ms
    value = (ms & 0xFFFF_FFFF_FFFF) << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def content_id(*parts: str | int | None) -> str:
    """Return the 128-bit BLAKE2b hash of the parts, in UUID notation.

    The same parts give the same id on every machine; None differs from an empty string.
    """
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        data = b"\x00" if part is None else b"\x01" + str(part).encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return str(uuid.UUID(bytes=digest.digest()))


def without_addresses(text: str) -> str:
    """Replace memory addresses, which differ in every process, by ``0x…``.

    >>> without_addresses("<Matrix object at 0x7f3a5c0d1e50>")
    '<Matrix object at 0x…>'
    """
    return _ADDRESS.sub("0x…", text) if "0x" in text else text
