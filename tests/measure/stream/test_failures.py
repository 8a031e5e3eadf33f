"""Requests that fail, hang or misbehave: each only affects itself, and none looks fast."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from types import SimpleNamespace

import pytest

from pytest_benchdb.measure.stream import StreamPlan, StreamResult, run_stream, sender

TIMEOUT_S = 0.2


def good() -> Iterator[str]:
    yield "a"
    yield "b"


def raises_at_once() -> Iterator[str]:
    raise ConnectionError("refused\nby the server")


def raises_midway() -> Iterator[str]:
    yield "a"
    raise ConnectionError("reset")


async def raises_async() -> AsyncIterator[str]:
    yield "a"
    raise ConnectionError("reset")


def fails_the_test() -> Iterator[str]:
    yield "a"
    pytest.fail("wrong answer")


def exits() -> Iterator[str]:
    yield "a"
    raise SystemExit(3)


def ends_at_once() -> Iterator[str]:
    yield from ()


def only_empty() -> Iterator[str | None]:
    yield ""
    yield None


def bad_tokens() -> Iterator[object]:
    yield SimpleNamespace(tokens=-2)


async def returns_text() -> str:
    return "not a stream"


async def cancels_itself() -> AsyncIterator[str]:
    yield "a"
    raise asyncio.CancelledError


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        (raises_at_once, "ConnectionError: refused by the server"),
        (raises_midway, "ConnectionError: reset"),
        (raises_async, "ConnectionError: reset"),
        (fails_the_test, "Failed: wrong answer"),
        (exits, "SystemExit: 3"),
        (ends_at_once, "the answer ended without a token"),
        (only_empty, "the answer ended without a token"),
        (bad_tokens, "ValueError: a chunk has tokens=-2, which is not a number of tokens"),
        (lambda: None, "the request returned nothing, not a generator of chunks"),
        (lambda: "text", "the request returned a str, not a generator of chunks"),
        (lambda: {"a": 1}, "the request returned a dict, not a generator of chunks"),
        (returns_text, "the request's coroutine returned a str, not an async generator of chunks"),
        (cancels_itself, "CancelledError: "),
        (lambda one: iter([one]), "TypeError: "),
    ],
    ids=[
        "at once",
        "midway",
        "async",
        "pytest.fail",
        "sys.exit",
        "no chunk",
        "empty chunks",
        "bad tokens",
        "nothing",
        "text",
        "mapping",
        "coroutine",
        "cancelled",
        "wants an argument",
    ],
)
def test_request_that_fails_costs_itself_only(bad: Callable[[], object], error: str) -> None:
    result = run_stream([good, bad, good], StreamPlan(tokens="chunks"))

    first, failed, last = result.requests
    assert (first.ok, failed.ok, last.ok) == (True, False, True)
    assert failed.error is not None
    assert failed.error.startswith(error.strip())
    assert "\n" not in failed.error
    assert len(samples(result, "ttft")) == 2
    assert samples(result, "failed_requests") == (1.0,)


def test_error_text_of_a_request_has_a_limit() -> None:
    def ask() -> Iterator[str]:
        raise ValueError("x" * 100_000)

    (request,) = run_stream(ask, StreamPlan()).requests

    assert request.error is not None
    assert len(request.error) == 500


def samples(result: StreamResult, metric: str) -> tuple[float, ...]:
    row = next(row for row in result.measurements if row.metric == metric)
    return tuple(row.samples or ()) if row.value is None else (row.value,)


@pytest.fixture
def released() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def test_generator_that_never_yields_is_abandoned(released: threading.Event) -> None:
    def hangs() -> Iterator[str]:
        released.wait(60)
        yield "too late"

    began = time.monotonic()
    result = run_stream([good, hangs, good], StreamPlan(timeout_s=TIMEOUT_S))

    assert [request.ok for request in result.requests] == [True, False, True]
    assert result.requests[1].error == "no whole answer within 0.2 s (timeout_s)"
    assert result.requests[1].chunk_s == ()
    assert time.monotonic() - began < 10


def test_generator_that_stops_midway_keeps_its_chunks_and_is_in_no_latency(released: threading.Event) -> None:
    def hangs() -> Iterator[str]:
        yield "a"
        released.wait(60)
        yield "too late"

    result = run_stream([hangs, good], StreamPlan(timeout_s=TIMEOUT_S))

    assert not result.requests[0].ok
    assert len(result.requests[0].chunk_s) == 1
    assert len(samples(result, "ttft")) == 1
    assert result.duration_s >= TIMEOUT_S * 0.98


def test_abandoned_generator_is_closed_when_it_continues() -> None:
    goes_on, asked_again, closed = threading.Event(), threading.Event(), threading.Event()

    def slow() -> Iterator[str]:
        try:
            goes_on.wait(60)
            yield "too late"
            asked_again.set()
        finally:
            closed.set()

    kept = slow()  # a second reference: nothing else closes it
    (request,) = run_stream(lambda: kept, StreamPlan(timeout_s=TIMEOUT_S)).requests
    goes_on.set()

    assert closed.wait(20)
    assert not asked_again.is_set()
    assert request.chunk_s == ()


def test_async_generator_that_never_yields_is_cancelled() -> None:
    cancelled = threading.Event()

    async def hangs() -> AsyncIterator[str]:
        try:
            await asyncio.sleep(60)
        finally:
            cancelled.set()
        yield "too late"

    def next_one() -> Iterator[str]:
        assert cancelled.is_set()  # before another request is sent
        yield "word"

    result = run_stream([hangs, next_one], StreamPlan(timeout_s=TIMEOUT_S))

    assert [request.ok for request in result.requests] == [False, True]


def test_async_generator_that_ignores_cancellation_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_benchdb.measure.stream.sender.GRACE_S", 0.05)
    stop = False

    async def stubborn() -> AsyncIterator[str]:
        while not stop:
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(0.01)
        yield "too late"

    began = time.monotonic()
    result = run_stream([stubborn, good], StreamPlan(timeout_s=TIMEOUT_S))
    stop = True

    assert [request.ok for request in result.requests] == [False, True]
    assert time.monotonic() - began < 10


def test_async_generator_that_blocks_its_loop_is_bounded(
    monkeypatch: pytest.MonkeyPatch, released: threading.Event
) -> None:
    monkeypatch.setattr(sender, "BLOCKED_S", 0.2)

    async def blocks() -> AsyncIterator[str]:
        released.wait(60)  # not awaited: nothing else runs in the loop
        yield "too late"

    began = time.monotonic()
    result = run_stream(blocks, StreamPlan(requests=3, timeout_s=TIMEOUT_S))

    assert time.monotonic() - began < 10
    assert [request.ok for request in result.requests] == [False] * 3
    assert "blocked" in str(result.requests[0].error)
    assert result.requests[0].sent_s is not None
    assert [request.sent_s for request in result.requests[1:]] == [None, None]
    assert str(result.requests[1].error).startswith("never sent: ")


def test_warm_up_that_blocks_its_loop_leaves_no_warm_up_request(
    monkeypatch: pytest.MonkeyPatch, released: threading.Event
) -> None:
    monkeypatch.setattr(sender, "BLOCKED_S", 0.2)

    async def blocks() -> AsyncIterator[str]:
        released.wait(60)
        yield "too late"

    result = run_stream(blocks, StreamPlan(requests=2, warmup_requests=1, timeout_s=TIMEOUT_S))

    assert [request.sent_s for request in result.requests] == [None, None]
    assert not any(request.ok for request in result.requests)


def test_interruption_of_the_test_stops_sending() -> None:
    sent, interrupted = 0, False

    async def ask() -> AsyncIterator[str]:
        nonlocal sent
        sent += 1
        await asyncio.sleep(0.001)
        yield "word"

    class Interrupted(BaseException):
        pass

    def interrupt(*_: object) -> bool:
        raise Interrupted

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sender._LoopThread, "_is_blocked", interrupt)
        patch.setattr(sender, "GRACE_S", 0.05)
        with pytest.raises(Interrupted):
            run_stream(ask, StreamPlan(duration_s=60))
        interrupted = True

    assert interrupted
    deadline = time.monotonic() + 20
    while any(thread.name == "benchdb-stream-loop" for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert sent > 0
