"""Plans run on functions, with a clock that the requests themselves move, so that all values are exact."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from types import SimpleNamespace

import pytest
from tests.measure.stream.clocks import FakeClock, paced, paced_async

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.measure.stream import Chunk, StreamPlan, StreamResult, run_stream
from pytest_benchdb.measure.stream.plan import TokenCount, arrival_times
from pytest_benchdb.model.run import Measurement

DELAYS_S = (0.5, 0.125, 0.25)


def async_function(clock: FakeClock, delays_s: Sequence[float] = DELAYS_S) -> Callable[[], object]:
    async def ask() -> AsyncIterator[object]:
        async for chunk in paced_async(clock, delays_s):
            yield chunk

    return ask


def coroutine(clock: FakeClock, delays_s: Sequence[float] = DELAYS_S) -> Callable[[], object]:
    async def ask() -> object:
        await asyncio.sleep(0)
        return paced_async(clock, delays_s)

    return ask


def by_name(result: StreamResult) -> dict[str, Measurement]:
    return {row.metric: row for row in result.measurements}


@pytest.mark.parametrize(
    "ask",
    [
        lambda clock: lambda: paced(clock, DELAYS_S),
        lambda clock: lambda: paced_async(clock, DELAYS_S),
        async_function,
        coroutine,
    ],
    ids=["generator", "async generator", "async generator function", "coroutine that returns one"],
)
def test_stream_of_any_kind_of_generator_gives_its_events(ask: Callable[[FakeClock], Callable[[], object]]) -> None:
    clock = FakeClock()

    result = run_stream(ask(clock), StreamPlan(requests=2, tokens="chunks"), clock=clock)

    first, second = result.requests
    assert (first.index, first.sent_s, first.chunk_s) == (0, 0.0, (0.5, 0.625, 0.875))
    assert (second.index, second.sent_s, second.chunk_s) == (1, 0.875, (1.375, 1.5, 1.75))
    assert (first.ok, first.error, first.due_s, first.tokens_in, first.tokens_out) == (True, None, None, None, 3)
    assert result.duration_s == 1.75
    rows = by_name(result)
    assert rows["ttft"].samples == (0.5, 0.5)
    assert rows["itl"].samples == (0.125, 0.25, 0.125, 0.25)
    assert rows["tpot"].samples == (0.1875, 0.1875)
    assert rows["e2e_latency"].samples == (0.875, 0.875)
    assert rows["tokens_per_second"].value == 6 / 1.75


def test_stream_from_several_requests_takes_them_in_turn_once_each() -> None:
    clock = FakeClock()
    calls = [lambda delay=delay: paced(clock, [delay]) for delay in (1.0, 2.0, 4.0)]

    assert by_name(run_stream(calls, StreamPlan(), clock=clock))["ttft"].samples == (1.0, 2.0, 4.0)
    assert by_name(run_stream(calls, StreamPlan(requests=4), clock=clock))["ttft"].samples == (1.0, 2.0, 4.0, 1.0)


def test_stream_leaves_warm_up_requests_out() -> None:
    clock = FakeClock()
    delays = iter([100.0, 50.0, 1.0, 2.0])

    result = run_stream(lambda: paced(clock, [next(delays)]), StreamPlan(requests=2, warmup_requests=2), clock=clock)

    assert by_name(result)["ttft"].samples == (1.0, 2.0)
    assert [request.index for request in result.requests] == [0, 1]
    assert result.requests[0].sent_s == 0.0
    assert result.duration_s == 3.0


def test_stream_by_duration_sends_nothing_after_it_and_waits_for_requests_in_flight() -> None:
    clock = FakeClock()

    result = run_stream(lambda: paced(clock, [1.0]), StreamPlan(duration_s=2.5), clock=clock)

    assert [request.sent_s for request in result.requests] == [0.0, 1.0, 2.0]
    assert result.duration_s == 3.0


def test_stream_judges_requests_by_their_objectives() -> None:
    clock = FakeClock()
    delays = iter([1.0, 3.0, 2.0])

    result = run_stream(lambda: paced(clock, [next(delays)]), StreamPlan(requests=3, slo={"ttft": 2.0}), clock=clock)

    assert [request.slo_ok for request in result.requests] == [True, False, True]
    assert by_name(result)["goodput"].value == 2 / 6.0


def test_stream_takes_tokens_as_chunks_and_totals_tell_them() -> None:
    clock = FakeClock()
    pieces: Iterator[list[object]] = iter(
        [
            [SimpleNamespace(tokens=2), SimpleNamespace(tokens=[8, 9, 9])],
            [Chunk(text="word"), Chunk(text="word"), Chunk(tokens_in=7, tokens_out=12)],
            [Chunk(text="word", tokens=1), "and a text"],
        ]
    )

    def ask() -> Iterator[object]:
        for piece in next(pieces):
            clock.advance(1.0)
            yield piece

    result = run_stream(ask, StreamPlan(requests=3), clock=clock)

    assert [request.tokens_out for request in result.requests] == [5, 12, None]
    assert [request.tokens_in for request in result.requests] == [None, 7, None]
    assert [len(request.chunk_s) for request in result.requests] == [2, 2, 2]


def test_stream_counts_tokens_of_the_whole_text_by_a_function() -> None:
    clock = FakeClock()

    plan = StreamPlan(tokens=lambda text: len(text.split()))
    result = run_stream(lambda: paced(clock, [1.0, 1.0, 1.0], "one two "), plan, clock=clock)

    assert result.requests[0].tokens_out == 6
    assert by_name(result)["tpot"].samples == (2.0 / 5,)


def test_stream_with_a_token_counter_that_raises_fails_the_request() -> None:
    def refuse(text: str) -> int:
        raise LookupError(f"no vocabulary for {text}")

    (request,) = run_stream(lambda: iter(["a", "b"]), StreamPlan(tokens=refuse)).requests

    assert not request.ok
    assert request.error == "its tokens could not be counted: LookupError: no vocabulary for ab"


def test_stream_tells_reasoning_apart() -> None:
    clock = FakeClock()

    def ask() -> Iterator[Chunk]:
        for text, reasoning in (("", False), ("hm", True), ("so", True), ("yes", False), ("no", False)):
            clock.advance(1.0)
            yield Chunk(text=text, reasoning=reasoning)

    rows = by_name(run_stream(ask, StreamPlan(requests=2), clock=clock))

    assert rows["ttft"].samples == (2.0, 2.0)
    assert rows["ttfot"].samples == (4.0, 4.0)


def test_open_loop_sends_at_the_arrival_times() -> None:
    clock = FakeClock()
    plan = StreamPlan(rate=10.0, requests=50, seed=3)

    result = run_stream(async_function(clock, [0.0]), plan, clock=clock, sleep=clock.sleep)

    due = list(arrival_times(plan, 50))
    assert [request.due_s for request in result.requests] == due
    assert [request.sent_s for request in result.requests] == pytest.approx(due)
    assert by_name(result)["queue_time"].samples == pytest.approx([0.0] * 50)


def test_open_loop_by_duration_has_the_arrivals_within_it() -> None:
    clock = FakeClock()

    plan = StreamPlan(rate=10.0, duration_s=3.0)

    result = run_stream(async_function(clock, [0.0]), plan, clock=clock, sleep=clock.sleep)

    assert [request.due_s for request in result.requests] == list(arrival_times(plan))


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ((word for word in "ab"), "pass the function that makes it"),
        (paced_async(FakeClock(), []), "pass the function that makes it"),
        ([], "cannot be streamed from"),
        (7, "cannot be streamed from"),
        ([len, 7], "cannot be streamed from"),
        ("localhost:8000", "is not the URL"),
        ("http://localhost:8000/v1/embeddings", "is not the URL"),
    ],
    ids=["generator", "async generator", "empty", "number", "mixed", "no scheme", "other endpoint"],
)
def test_stream_from_an_invalid_source_is_refused(source: object, named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        run_stream(source, StreamPlan())  # type: ignore[arg-type]


def test_chunk_that_ends_the_answer_is_in_its_times_as_in_vllm() -> None:
    # 19 texts and the stop token, 20 tokens in all, 20 ms apart: vLLM's formula gives 20 ms.
    clock = FakeClock()

    def ask() -> Iterator[Chunk]:
        clock.advance(0.08)
        for _ in range(19):
            yield Chunk(text="w", timed=True)
            clock.advance(0.02)
        yield Chunk(timed=True)
        yield Chunk(tokens_out=20)

    rows = by_name(run_stream(ask, StreamPlan(requests=1), clock=clock))

    assert rows["tpot"].samples == pytest.approx((0.02,))
    assert rows["itl"].samples == pytest.approx((0.02,) * 19)
    assert rows["e2e_latency"].samples == pytest.approx((0.08 + 19 * 0.02,))
    assert rows["ttft"].samples == pytest.approx((0.08,))


@pytest.mark.parametrize(
    ("tokens_out", "tokens", "chunks"),
    [(20, "reported", 1), (2, "reported", 2), (None, "chunks", 1), (None, "reported", 2)],
    ids=["all tokens in one chunk", "a token and the stop token", "chunks are tokens", "not counted"],
)
def test_chunk_without_text_is_no_second_chunk_of_an_answer_in_one(
    tokens_out: int | None, tokens: TokenCount, chunks: int
) -> None:
    clock = FakeClock()

    def ask() -> Iterator[Chunk]:
        yield Chunk(timed=True)  # before the first text
        yield Chunk(text="all at once", timed=True)
        clock.advance(0.001)
        yield Chunk(timed=True, tokens_out=tokens_out)

    (request,) = run_stream(ask, StreamPlan(requests=1, tokens=tokens), clock=clock).requests

    assert len(request.chunk_s) == chunks


def test_workers_start_one_by_one_within_the_ramp_up() -> None:
    clock = FakeClock()
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        await asyncio.sleep(0)

    plan = StreamPlan(concurrency=4, requests=4, ramp_up_s=8.0)
    run_stream(async_function(clock, [0.0]), plan, clock=clock, sleep=sleep)

    assert waits == [2.0, 4.0, 6.0]


def test_source_that_is_not_ready_is_asked_until_it_is() -> None:
    clock = FakeClock()
    asked = 0

    def ask() -> Iterator[str]:
        nonlocal asked
        asked += 1
        if asked < 4:
            raise ConnectionError("still loading")
        yield "w"

    plan = StreamPlan(requests=2, warmup_requests=1, ready_timeout_s=60.0)
    result = run_stream(ask, plan, clock=clock, sleep=clock.sleep)

    assert asked == 4 + 1 + 2
    assert not result.failed


def test_prompts_go_on_after_those_of_the_warm_up() -> None:
    asked: list[int] = []

    def ask_of(number: int) -> Callable[[], Iterator[str]]:
        def ask() -> Iterator[str]:
            asked.append(number)
            yield "w"

        return ask

    run_stream([ask_of(number) for number in range(4)], StreamPlan(requests=3, warmup_requests=2))

    assert asked == [0, 1, 2, 3, 0]
