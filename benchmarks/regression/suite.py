"""Thirty small benchmarks that only compute, of varied kind and length: what `collect.py` runs in each session.

They import the standard library alone, so that the figures speak of the machine and of this product. Each is timed by
`bench_cpu`, and by pytest-benchmark's `benchmark`, whose rounds have no CPU clock. Thirty shorter ones, all of them
Python code, are for counting instructions.
"""

import ast
import bz2
import copy
import decimal
import hashlib
import heapq
import json
import random
import re
import struct
import zlib
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

_RANDOM = random.Random(4)
_NUMBERS = [_RANDOM.random() for _ in range(20_000)]
_WORDS = ["".join(_RANDOM.choices("abcdefghij", k=7)) for _ in range(4_000)]
_TEXT = " ".join(_WORDS)
_BYTES = _TEXT.encode()
_NOISE = _RANDOM.randbytes(1 << 20)
_RECORDS = [{"id": number, "name": word, "tags": [word[:3], word[3:]]} for number, word in enumerate(_WORDS[:400])]
_DOCUMENT = json.dumps(_RECORDS)
_SOURCE = "\n".join(f"def f{number}(a, b):\n    return a + b * {number}\n" for number in range(60))
_MATRIX = [[_RANDOM.random() for _ in range(24)] for _ in range(24)]


class _Counter:
    """Something with a method to call."""

    def __init__(self) -> None:
        self.total = 0

    def add(self, number: int) -> None:
        self.total += number


def _fibonacci(number: int) -> int:
    return number if number < 2 else _fibonacci(number - 1) + _fibonacci(number - 2)


def _sieve(limit: int) -> int:
    marks = bytearray([1]) * limit
    for number in range(2, int(limit**0.5) + 1):
        if marks[number]:
            marks[number * number :: number] = bytes(len(range(number * number, limit, number)))
    return sum(marks) - 2


def _product() -> list[list[float]]:
    columns = list(zip(*_MATRIX, strict=True))
    return [[sum(a * b for a, b in zip(row, column, strict=True)) for column in columns] for row in _MATRIX]


def _mandelbrot(size: int) -> int:
    inside = 0
    for x in range(size):
        for y in range(size):
            point, z = complex(x / size * 3 - 2, y / size * 2 - 1), 0j
            for _ in range(20):
                z = z * z + point
                if abs(z) > 2:
                    break
            else:
                inside += 1
    return inside


def _queens(size: int, columns: tuple[int, ...] = ()) -> int:
    row = len(columns)
    if row == size:
        return 1
    free = (
        column
        for column in range(size)
        if all(column != other and abs(column - other) != row - at for at, other in enumerate(columns))
    )
    return sum(_queens(size, (*columns, column)) for column in free)


def _distance(one: str, other: str) -> int:
    previous = list(range(len(other) + 1))
    for at, letter in enumerate(one, 1):
        current = [at]
        for beside, against in enumerate(other, 1):
            current.append(min(previous[beside] + 1, current[-1] + 1, previous[beside - 1] + (letter != against)))
        previous = current
    return previous[-1]


def _calls(number: int) -> int:
    counter = _Counter()
    for value in range(number):
        counter.add(value)
    return counter.total


def _fail(at: int) -> None:
    raise KeyError(at)


def _raising(number: int) -> int:
    caught = 0
    for at in range(number):
        try:
            _fail(at)
        except KeyError:  # noqa: PERF203 - the handling of exceptions is what is timed
            caught += 1
    return caught


def _heap(numbers: list[float]) -> list[float]:
    heap: list[float] = []
    for number in numbers:
        heapq.heappush(heap, number)
    return [heapq.heappop(heap) for _ in range(len(heap))]


def _decimals(number: int) -> decimal.Decimal:
    with decimal.localcontext() as context:
        context.prec = 40
        return sum((decimal.Decimal(1) / value for value in range(1, number)), decimal.Decimal(0))


def _generated(number: int) -> int:
    return sum(value * value for value in (one + 1 for one in range(number)) if value % 3)


FUNCTIONS: dict[str, Callable[[], Any]] = {
    "json_dumps": partial(json.dumps, _RECORDS),
    "json_loads": partial(json.loads, _DOCUMENT),
    "regex_find": partial(re.compile(r"\b[a-d]+[e-j]{3}").findall, _TEXT),
    "regex_sub": partial(re.compile(r"([aeiou])\w").sub, r"<\1>", _TEXT[:8_000]),
    "sort_floats": partial(sorted, _NUMBERS),
    "sort_key": partial(sorted, _WORDS, key=lambda word: word[::-1]),
    "dict_build": lambda: {word: at for at, word in enumerate(_WORDS)},
    "set_algebra": lambda: (set(_WORDS[:3_000]) & set(_WORDS[1_000:])) ^ set(_WORDS[:500]),
    "comprehension": lambda: [number * 2 + 1 for number in range(10_000)],
    "join": lambda: ",".join(word.upper() for word in _WORDS),
    "format": lambda: [f"{number:08.3f} {number!r}" for number in _NUMBERS[:1_000]],
    "split": lambda: [len(part) for part in _TEXT.split(" ")],
    "sha256": lambda: hashlib.sha256(_NOISE).digest(),
    "deflate": partial(zlib.compress, _BYTES),
    "bzip2": partial(bz2.compress, _BYTES),
    "copy_memory": lambda: bytearray(_NOISE).count(0),
    "fibonacci": partial(_fibonacci, 17),
    "sieve": partial(_sieve, 60_000),
    "matrix": _product,
    "mandelbrot": partial(_mandelbrot, 30),
    "queens": partial(_queens, 6),
    "levenshtein": partial(_distance, _TEXT[:70], _TEXT[35:105]),
    "methods": partial(_calls, 5_000),
    "exceptions": partial(_raising, 3_000),
    "deepcopy": lambda: copy.deepcopy(_RECORDS[:60]),
    "heap": partial(_heap, _NUMBERS[:2_000]),
    "decimal": partial(_decimals, 800),
    "generators": partial(_generated, 8_000),
    "struct": lambda: [struct.unpack("<if", struct.pack("<if", at, 0.5)) for at in range(2_000)],
    "parse_source": partial(ast.parse, _SOURCE),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_work(bench_cpu: Any, name: str) -> None:
    """Time one of them, in a quarter of a second."""
    bench_cpu.options(max_time_s=0.15, warmup_time_s=0.03, max_warmup_time_s=0.1)(FUNCTIONS[name])


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.benchmark(max_time=0.15, min_time=0.0005, warmup=False)
def test_peer(benchmark: Any, name: str) -> None:
    """Time one of them with the fixture of pytest-benchmark, as long."""
    benchmark(FUNCTIONS[name])


PURE: dict[str, Callable[[], Any]] = {
    f"{name}-{size}": partial(function, size)
    for name, function, sizes in (
        ("fibonacci", _fibonacci, (7, 9, 11)),
        ("sieve", _sieve, (2_000, 8_000)),
        ("mandelbrot", _mandelbrot, (4, 6, 8)),
        ("queens", _queens, (3, 4)),
        ("methods", _calls, (200, 500)),
        ("exceptions", _raising, (50, 150)),
        ("generators", _generated, (200, 600)),
        ("distance", lambda size: _distance(_TEXT[:size], _TEXT[size : 2 * size]), (8, 16)),
        ("heap", lambda size: _heap(_NUMBERS[:size]), (50, 150)),
        ("squares", lambda size: [number * number for number in range(size)], (300, 900)),
        ("group", lambda size: {word[0]: word for word in _WORDS[:size]}, (300, 900)),
        ("join", lambda size: ",".join(word.upper() for word in _WORDS[:size]), (100, 300)),
        ("format", lambda size: [f"{number:.3f} {number!r}" for number in _NUMBERS[:size]], (20, 60)),
        ("sort", lambda size: sorted(_WORDS[:size], key=lambda word: word[::-1]), (100, 300)),
    )
    for size in sizes
}


@pytest.mark.parametrize("name", PURE)
def test_counted(bench_cpu: Any, name: str) -> None:
    """Count one of the shorter ones, of 30,000 to 700,000 instructions a call."""
    bench_cpu(PURE[name])
