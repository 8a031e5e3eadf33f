"""The checksum at the end of a journal's line, so that a changed digit is a damaged line and not another value.

A line is a JSON object whose last key is ``crc``, the CRC-32 of the bytes before that key. The journals of older
versions have none; the process that folds also loads this module, so it imports next to nothing.
"""

from zlib import crc32

_KEY = b',"crc":"'
_END = b'"}\n'
_DIGITS = 8
_LENGTH = len(_KEY) + _DIGITS + len(_END)


def sealed(text: bytes) -> bytes:
    """Return a line of a journal.

    Args:
        text: a JSON object that is not empty, without its last brace.
    """
    return b'%b,"crc":"%08x"}\n' % (text, crc32(text))  # the constants in it would cost half as much again


def has_checksum(line: bytes) -> bool:
    """Return whether a line ends with a checksum."""
    return line[-_LENGTH : -_LENGTH + len(_KEY)] == _KEY


def is_changed(line: bytes) -> bool:
    """Return whether a line is not what was written; False for one without a checksum.

    >>> line = sealed(b'{"k":"chunk","ns":[100]')
    >>> is_changed(line), is_changed(line.replace(b"100", b"900"))
    (False, True)
    """
    return has_checksum(line) and line[-_LENGTH:] != sealed(line[:-_LENGTH])[-_LENGTH:]
