"""Sessions of many rounds: memory, the announcement on a terminal, Ctrl-C while they are stored."""

import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.plugin.recorded import Record

MILLION = """
    def test_million(benchmark):
        benchmark.pedantic(int, rounds=1_000_000)
"""


@pytest.mark.long
def test_million_rounds_in_one_test_are_all_kept(record: Record) -> None:
    recorded = record(MILLION, "--benchmark-json=own.json")

    rounds, chunks, longest = recorded.one("SELECT sum(len(round_ns)), count(*), max(len(round_ns)) FROM round_chunk")
    assert (rounds, chunks, longest) == (1_000_000, 977, 1024)
    ours = recorded.files[0].stat().st_size
    assert ours * 10 < Path("own.json").stat().st_size


def read_until(descriptor: int, words: bytes, seconds: float) -> bytes:
    seen = b""
    deadline = time.monotonic() + seconds
    while words not in seen and time.monotonic() < deadline:
        if select.select([descriptor], [], [], 0.1)[0]:
            try:
                seen += os.read(descriptor, 65536)
            except OSError:  # the other end is closed
                break
    return seen


@pytest.mark.long
def test_second_interrupt_while_storing_keeps_the_journal(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(pytester.path / "cache"))
    monkeypatch.setenv("PYTHONPATH", str(pytester.path))
    pytester.makepyfile(
        # A million rounds in no time, so that only storing them takes long.
        test_suite="""
        def test_many(benchmark):
            benchmark.pedantic(int, rounds=3_000_000)
        """
    )
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", "--benchdb=results", "-p", "no:cacheprovider"], stdout=slave, stderr=slave
    )
    os.close(slave)

    seen = read_until(master, b"of rounds ...", 60)
    while not list(Path("results").glob(".*.part")):
        assert process.poll() is None
        time.sleep(0.005)
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        time.sleep(0.1)
    seen += read_until(master, b"1 passed", 60)
    code = process.wait(timeout=60)
    os.close(master)

    assert b"benchdb: storing" in seen
    assert b"Traceback" not in seen
    assert b"nothing is lost" in seen
    assert code == 0
    assert len(list(Path("results").glob("*.journal.jsonl"))) == 1
