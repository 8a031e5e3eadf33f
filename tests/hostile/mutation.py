"""Damages files as bad disks, editors and attackers do."""

import copy
import json
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

HOSTILE_VALUES: Sequence[Any] = (
    None,
    True,
    0,
    -1,
    -0.0,
    10**30,
    -(10**30),
    2**63,
    2**63 - 1,
    -(2**63),
    1e308,
    -1e308,
    5e-324,
    float("nan"),
    float("inf"),
    float("-inf"),
    "",
    " ",
    "1e999",
    "0.5\x1f",
    "\x00",
    "\x1b[2J\x1b]0;owned\x07",
    "\ud800",
    "\u202e",
    "x" * 5_000,
    "'; DROP TABLE session; --",
    "../../../../etc/passwd",
    [],
    {},
    [[]],
    [None],
    {"": None},
    {"a": {"b": [1, "2", None]}},
)
HOSTILE_TEXTS = (
    b"",
    b"\x00",
    b"\xff\xfe",
    b"\xc3\x28",
    b'"',
    b"'",
    b",",
    b"\r",
    b"NaN",
    b"-Infinity",
    b"1e999",
    b"-1",
    b"9" * 400,
    b"0.5\x1f",
    b"null",
    b"{",
    b"]" * 50,
    b"[" * 2_000,
    b"x" * 5_000,
    b"\x1b[2J",
    b"2026-13-45T99:00:00",
    b"9999-12-31T23:59:59",
    b"\xed\xa0\x80",
)


def damaged(data: bytes, chance: random.Random) -> bytes:
    """Return the bytes with one to three damages."""
    for _ in range(chance.randint(1, 3)):
        data = chance.choice(DAMAGES)(data, chance)
    return data


def flip(data: bytes, chance: random.Random) -> bytes:
    """Flip a bit."""
    if not data:
        return data
    place = chance.randrange(len(data))
    return data[:place] + bytes([data[place] ^ (1 << chance.randrange(8))]) + data[place + 1 :]


def replace_bytes(data: bytes, chance: random.Random) -> bytes:
    """Replace up to eight bytes by others."""
    place, length = chance.randrange(len(data) + 1), chance.randint(1, 8)
    return data[:place] + chance.randbytes(length) + data[place + length :]


def cut(data: bytes, chance: random.Random) -> bytes:
    """Cut off the end or the beginning."""
    place = chance.randrange(len(data) + 1)
    return data[:place] if chance.random() < 0.8 else data[place:]


def insert(data: bytes, chance: random.Random) -> bytes:
    """Insert a text that means something to a parser."""
    place = chance.randrange(len(data) + 1)
    return data[:place] + chance.choice(HOSTILE_TEXTS) + data[place:]


def repeat(data: bytes, chance: random.Random) -> bytes:
    """Repeat a part."""
    first, second = sorted((chance.randrange(len(data) + 1), chance.randrange(len(data) + 1)))
    return data[:second] + data[first:second] + data[second:]


def mix_lines(data: bytes, chance: random.Random) -> bytes:
    """Delete, repeat, exchange or join lines."""
    lines = data.splitlines(keepends=True)
    if len(lines) < 2:
        return data
    one, other = chance.sample(range(len(lines)), 2)
    kind = chance.randrange(4)
    if kind == 0:
        del lines[one]
    elif kind == 1:
        lines.insert(other, lines[one])
    elif kind == 2:
        lines[one], lines[other] = lines[other], lines[one]
    else:
        lines[one] = lines[one].rstrip(b"\r\n")
    return b"".join(lines)


DAMAGES: Sequence[Callable[[bytes, random.Random], bytes]] = (flip, flip, replace_bytes, cut, insert, repeat, mix_lines)


def changed(value: Any, chance: random.Random) -> tuple[Any, tuple[str | int, ...]]:
    """Return a copy of JSON values in which one place has a hostile value or is missing, and that place."""
    value = copy.deepcopy(value)
    place = chance.choice(list(_places(value)))
    holder = value
    for key in place[:-1]:
        holder = holder[key]
    if chance.random() < 0.15:
        del holder[place[-1]]
    elif chance.random() < 0.3 and isinstance(holder[place[-1]], (int, float)):
        holder[place[-1]] = holder[place[-1]] * chance.choice((-1, 0, 1e-3, 1e3, 1e300))
    else:
        holder[place[-1]] = copy.deepcopy(chance.choice(HOSTILE_VALUES))
    return value, place


def json_bytes(value: Any) -> bytes:
    """Return JSON as Python writes it, NaN and lone surrogates included."""
    return json.dumps(value).encode("utf-8")


def _places(value: Any) -> Iterator[tuple[str | int, ...]]:
    items: Iterator[tuple[str | int, Any]]
    if isinstance(value, dict):
        items = iter(value.items())
    elif isinstance(value, list):
        items = iter(enumerate(value))
    else:
        return
    for key, inner in items:
        yield (key,)
        for place in _places(inner):
            yield (key, *place)
