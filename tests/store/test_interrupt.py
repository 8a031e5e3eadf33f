"""Tests of Ctrl-C within a query."""

import os
import signal
import threading

import duckdb
import pytest

from pytest_benchdb.errors import is_interrupt

ENDLESS = "SELECT sum(range % 7) FROM range(1_000_000_000_000)"


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_interrupt_within_a_query_is_recognised() -> None:
    sender = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
    sender.start()

    connection = duckdb.connect(config={"threads": 1})  # a thread that waits for others may miss the signal
    with pytest.raises((RuntimeError, KeyboardInterrupt)) as raised:
        connection.execute(ENDLESS).fetchall()

    assert is_interrupt(raised.value)


def test_other_errors_are_no_interrupt() -> None:
    assert not is_interrupt(RuntimeError("Query interrupted by a colleague"))
    assert not is_interrupt(duckdb.InterruptException("Query interrupted"))
