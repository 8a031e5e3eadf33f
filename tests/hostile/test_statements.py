"""Statements that want too much: each ends in an error of ours or an answer, within time, memory and size."""

import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from tests.hostile.counts import counted
from tests.hostile.hostile_files import good_sessions

from pytest_benchdb.errors import QueryError
from pytest_benchdb.store.history.open import open_history
from pytest_benchdb.store.read.reader import Reader
from pytest_benchdb.store.read.sandbox import Limits

MOST_ROWS = 10_000
LIMITS = Limits(seconds=3.0, memory_bytes=400_000_000, rows=MOST_ROWS, answer_bytes=20_000_000)
MOST_BYTES = LIMITS.memory_bytes + 1_200_000_000
"""What the process may take in all: the limit, and DuckDB, Python and the stacks of threads."""
LONGEST_S = LIMITS.seconds + 15
"""The limit, and what a busy machine takes to start a process and to end one."""


def _n(chance: random.Random, least: float, most: float) -> int:
    return round(chance.uniform(least, most))


STATEMENTS: dict[str, Callable[[random.Random], str]] = {
    # slow or large before DuckDB looks at its limits
    "repeat": lambda c: f"SELECT repeat('x', {_n(c, 1e8, 4e9)})",
    "lpad": lambda c: f"SELECT lpad('x', {_n(c, 1e8, 2e9)}, 'y')",
    "range as a list": lambda c: f"SELECT len(range({_n(c, 1e8, 2e9)}))",
    "sorted list": lambda c: f"SELECT list_sort(range({_n(c, 1e7, 5e8)}))[1]",
    "list of texts": lambda c: f"SELECT list_transform(range({_n(c, 1e6, 1e8)}), lambda x: repeat('x', 1000))[1]",
    "text of a list": lambda c: f"SELECT len(CAST(range({_n(c, 1e7, 5e8)}) AS VARCHAR))",
    "many unions": lambda c: " UNION ALL ".join(["SELECT 1"] * _n(c, 2_000, 30_000)),
    "expressions that double": lambda c: (
        "WITH a0 AS (SELECT 1 AS x), "
        + ", ".join(
            f"a{n} AS (SELECT * FROM a{n - 1} UNION ALL SELECT * FROM a{n - 1})" for n in range(1, _n(c, 25, 60))
        )
        + " SELECT count(*) FROM a20"
    ),
    "deep parentheses": lambda c: "SELECT " + "(" * (depth := _n(c, 500, 20_000)) + "1" + ")" * depth,
    "deep sum": lambda c: "SELECT " + "+".join(["1"] * _n(c, 2_000, 50_000)),
    "deep subqueries": lambda c: "SELECT * FROM " + "(SELECT * FROM " * (d := _n(c, 50, 2_000)) + "session" + ")" * d,
    "long text": lambda c: f"SELECT '{'x' * _n(c, 1e6, 3e7)}'",
    "many columns": lambda c: "SELECT " + ", ".join(f"{n} AS c{n}" for n in range(_n(c, 2_000, 30_000))),
    # for ever
    "endless recursion": lambda _c: (
        "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t"
    ),
    "recursion that grows": lambda _c: (
        "WITH RECURSIVE t(n) AS (SELECT 'x' UNION ALL SELECT n || n FROM t) SELECT max(length(n)) FROM t"
    ),
    "cross joins": lambda c: f"SELECT count(*) FROM {', '.join(f'range(100000) r{n}' for n in range(_n(c, 3, 6)))}",
    "many rows counted": lambda c: f"SELECT count(*) FROM range({_n(c, 1e11, 1e15)}) WHERE range % 7 = 3",
    "regular expression": lambda c: f"SELECT regexp_matches(repeat('a', {_n(c, 1e7, 1e8)}), '(a*)*b')",
    "distances": lambda c: f"SELECT levenshtein(repeat('a', {_n(c, 1e5, 1e6)}), repeat('b', 200000))",
    "factorials": lambda c: f"SELECT sum(factorial(range % 30)) FROM range({_n(c, 1e9, 1e11)})",
    # too much to answer
    "rows": lambda c: f"SELECT * FROM range({_n(c, 2e4, 1e9)})",
    "large rows": lambda c: f"SELECT repeat('x', 1000000) FROM range({_n(c, 100, 200_000)})",
    "rows of lists": lambda c: f"SELECT range(100000) FROM range({_n(c, 100, 100_000)})",
    "sorted rows": lambda c: f"SELECT * FROM range({_n(c, 1e7, 1e9)}) ORDER BY hash(range) LIMIT 5",
    "groups": lambda c: f"SELECT range, count(*) FROM range({_n(c, 1e7, 1e9)}) GROUP BY ALL ORDER BY 2 LIMIT 5",
    "strings in groups": lambda c: f"SELECT string_agg(range::VARCHAR) FROM range({_n(c, 1e7, 1e9)})",
    "pivot": lambda c: f"PIVOT (SELECT range AS r FROM range({_n(c, 1e3, 1e5)})) ON r USING count(*)",
    "large map": lambda c: f"SELECT map(range({_n(c, 1e6, 1e8)}), range({_n(c, 1e6, 1e8)}))",
    "bits": lambda c: f"SELECT bitstring('1', {_n(c, 1e8, 2e9)})",
    "large integer": lambda c: f"SELECT CAST(repeat('9', {_n(c, 1e6, 1e9)}) AS HUGEINT)",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return good_sessions(tmp_path_factory.mktemp("results"))


@pytest.fixture
def reader(folder: Path) -> Iterator[Reader]:
    with open_history([folder]) as opened:
        yield opened


@contextmanager
def watched() -> Iterator[list[int]]:
    """Yield a list of the resident memory of this process's children, sampled while the block runs."""
    import psutil

    me, ended, sizes = psutil.Process(), threading.Event(), [0]

    def look() -> None:
        while not ended.wait(0.02):
            with suppress(psutil.Error):  # a child has just ended
                sizes.append(sum(child.memory_info().rss for child in me.children(recursive=True)))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield sizes
    finally:
        ended.set()
        thread.join()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not limit a process's memory")
@counted(sample=4, long=12, full=300)
def test_statements_that_want_too_much_get_no_more_than_the_limits(reader: Reader, count: int) -> None:
    faults = []
    names = list(STATEMENTS)
    random.Random(1).shuffle(names)  # noqa: S311
    for number in range(count):
        name = names[number % len(names)]
        sql = STATEMENTS[name](random.Random(f"statement-{number}"))  # noqa: S311
        start_s = time.monotonic()
        with watched() as sizes:
            try:
                answer = reader.query(sql, LIMITS)
                assert len(answer.rows) <= MOST_ROWS
            except QueryError as error:
                if len(str(error)) > 2_000:
                    faults.append(f"{number}, {name}: an error of {len(str(error))} characters")
        took_s = time.monotonic() - start_s
        if took_s > LONGEST_S:
            faults.append(f"{number}, {name}: {took_s:.1f} s: {sql[:100]}")
        if max(sizes) > MOST_BYTES:
            faults.append(f"{number}, {name}: {max(sizes):,} bytes: {sql[:100]}")
    assert faults == []
    assert reader.query("SELECT 1").rows == ((1,),)
