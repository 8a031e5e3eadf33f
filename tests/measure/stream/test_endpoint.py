"""An OpenAI-compatible endpoint, served over HTTP by this process."""

import builtins
import socket
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from tests.measure.stream.token_server import DONE, Script, TokenServer, chat, delta, event, text, usage

from pytest_benchdb.errors import ConfigError, MissingExtraError
from pytest_benchdb.measure.stream import Endpoint, StreamPlan, StreamResult, run_stream

FINISH = event({"choices": [{"delta": {}, "finish_reason": "stop"}]})
PLAN = StreamPlan(requests=1, timeout_s=20.0)


def answer(server: TokenServer, *sends: str, path: str = "/v1/chat/completions", **script: Any) -> StreamResult:
    server.script = Script(sends=tuple((0.0, send) for send in sends), **script)
    return run_stream(server.url(path), PLAN)


def metrics(result: StreamResult) -> dict[str, object]:
    return {row.metric: row.value if row.samples is None else row.samples for row in result.measurements}


def test_chat_endpoint_gives_chunks_and_the_servers_token_counts(server: TokenServer) -> None:
    server.script = chat(ttft_s=0.0, gap_s=0.0, tokens=5)

    result = run_stream(server.url(), StreamPlan(requests=3, concurrency=2, timeout_s=20.0))

    assert [request.error for request in result.requests] == [None] * 3
    assert [len(request.chunk_s) for request in result.requests] == [5] * 3  # role and usage are not tokens
    assert {(request.tokens_in, request.tokens_out) for request in result.requests} == {(7, 5)}


def test_completions_endpoint_gives_chunks_and_the_servers_token_counts(server: TokenServer) -> None:
    result = answer(server, text("Hel"), text(""), text("lo"), usage(3, 2), DONE, path="/v1/completions")

    (request,) = result.requests
    assert (request.error, request.tokens_in, request.tokens_out) == (None, 3, 2)
    assert len(request.chunk_s) == 3  # the empty one may be a token without text


def test_endpoint_is_asked_for_a_stream_with_usage(server: TokenServer) -> None:
    server.script = chat(0.0, 0.0, 1)
    endpoint = Endpoint(
        url=server.url(),
        model="tiny",
        prompts=["first", [{"role": "system", "content": "second"}]],
        max_tokens=9,
        headers={"Authorization": "Bearer secret"},
        body={"temperature": 0, "stream_options": None},
    )

    run_stream(endpoint, StreamPlan(timeout_s=20.0))

    assert server.log.bodies == [
        {"model": "tiny", "messages": messages, "max_tokens": 9, "stream": True, "temperature": 0}
        for messages in ([{"role": "user", "content": "first"}], [{"role": "system", "content": "second"}])
    ]
    assert server.log.headers[0]["Authorization"] == "Bearer secret"
    assert server.log.headers[0]["Accept-Encoding"] == "identity"
    assert "secret" not in repr(endpoint)


def test_bare_url_is_asked_for_the_default_prompt(server: TokenServer) -> None:
    answer(server, text("word"), DONE, path="/v1/completions")

    (body,) = server.log.bodies
    assert str(body["prompt"]).startswith("Write a short story")
    assert body["stream_options"] == {"include_usage": True}
    assert "model" not in body


def test_connections_are_used_again(server: TokenServer) -> None:
    server.script = chat(0.0, 0.0, 2)

    run_stream(server.url(), StreamPlan(requests=5, warmup_requests=1, timeout_s=20.0))

    assert len(server.log.bodies) == 6
    assert server.connections == 1


@pytest.mark.parametrize(
    ("plan", "most"),
    [
        (StreamPlan(concurrency=3, requests=12, timeout_s=20.0), 3),
        (StreamPlan(rate=float("inf"), requests=12, timeout_s=20.0), 12),
    ],
    ids=["closed loop", "open loop"],
)
def test_there_are_as_many_connections_as_requests_in_flight(server: TokenServer, plan: StreamPlan, most: int) -> None:
    server.script = chat(0.05, 0.0, 2)

    result = run_stream(server.url(), plan)

    assert not result.failed
    assert server.connections <= metrics(result)["peak_concurrency"] <= most  # type: ignore[operator]


def test_answers_have_the_length_of_their_prompt(server: TokenServer) -> None:
    server.script = chat(0.0, 0.0, 2)

    run_stream(Endpoint(url=server.url(), prompts=["a", "b"], max_tokens=[5, 7]), StreamPlan(timeout_s=20.0))

    assert [body["max_tokens"] for body in server.log.bodies] == [5, 7]
    with pytest.raises(ConfigError, match="max_tokens has 1 lengths for 2 prompts"):
        Endpoint(url=server.url(), prompts=["a", "b"], max_tokens=[5])


def test_usage_that_does_not_come_leaves_tokens_unknown(server: TokenServer) -> None:
    result = answer(server, delta(content="a"), delta(content="b"), FINISH, DONE)

    (request,) = result.requests
    assert (request.ok, request.tokens_in, request.tokens_out) == (True, None, None)
    assert metrics(result)["tpot"] is None
    assert metrics(result)["tokens_per_second"] is None


def test_chunk_that_ends_the_answer_is_in_its_times_as_in_vllm(server: TokenServer) -> None:
    texts = [(0.0, delta(role="assistant", content="")), *((0.01 * n, delta(content="w")) for n in range(4))]
    server.script = Script(sends=(*texts, (0.04, FINISH), (0.04, usage(3, 5)), (0.04, DONE)))

    result = run_stream(server.url(), PLAN)

    (request,), (sent,) = result.requests, server.log.sent
    assert request.tokens_out == 5
    assert len(request.chunk_s) == 5
    assert request.sent_s is not None
    tpot, itl, latency = (metrics(result)[name] for name in ("tpot", "itl", "e2e_latency"))
    assert tpot == ((request.chunk_s[-1] - request.chunk_s[0]) / 4,)
    assert isinstance(itl, Sequence)
    assert len(itl) == 4
    assert latency == (request.chunk_s[-1] - request.sent_s,)
    # The first one was sent after the request, and the last one came after it was sent, however busy the machine is.
    assert request.chunk_s[-1] - request.sent_s >= sent[5] - sent[0] > 0


def test_reasoning_is_text_and_has_its_own_time(server: TokenServer) -> None:
    server.script = Script(
        sends=(
            (0.0, delta(role="assistant")),
            (0.0, delta(reasoning_content="hm")),
            (0.15, delta(content="yes")),
            (0.15, usage(3, 2)),
            (0.15, DONE),
        )
    )

    rows = metrics(run_stream(server.url(), PLAN))

    assert isinstance(rows["ttft"], Sequence)
    assert isinstance(rows["ttfot"], Sequence)
    assert rows["ttfot"][0] >= 0.149
    assert rows["ttft"][0] < rows["ttfot"][0]


def test_pings_and_fields_of_no_interest_are_passed_over(server: TokenServer) -> None:
    result = answer(server, ": ping\n\n", "event: message\nid: 1\n", delta(content="a"), "retry: 5\n\n", DONE)

    assert [(request.error, len(request.chunk_s)) for request in result.requests] == [(None, 1)]


@pytest.mark.parametrize("last", [FINISH, DONE, DONE.rstrip("\n")], ids=["finish reason", "done", "done without end"])
def test_answer_is_complete_with_a_finish_reason_or_done(server: TokenServer, last: str) -> None:
    assert answer(server, delta(content="a"), last).requests[0].error is None


@pytest.mark.parametrize(
    ("sends", "script", "error"),
    [
        ((delta(content="a"),), {}, "the stream (text/event-stream) broke off: neither [DONE] nor a finish_reason"),
        ((delta(content="a"),), {"cut": True}, "ClientPayloadError: "),
        ((delta(content="a"), 'data: {"choices": [\n\n', DONE), {}, "malformed event: '{\"choices\": ['"),
        ((delta(content="a"), event({"error": {"message": "out of memory"}})), {}, "the server's error: out of memory"),
        (('{"error": "busy"}',), {"status": 503}, 'HTTP 503 Service Unavailable: {"error": "busy"}'),
        (("<h1>no</h1>" * 1000,), {"status": 404, "content_type": "text/html"}, "HTTP 404 Not Found: <h1>no</h1>"),
        (('{"choices": []}',), {"content_type": "application/json"}, "the stream (application/json) broke off"),
        ((delta(role="assistant", content=""), FINISH, DONE), {}, "the answer ended without a token"),
        ((DONE,), {}, "the answer ended without a token"),
    ],
    ids=[
        "truncated",
        "cut",
        "malformed",
        "server's error",
        "refused",
        "html",
        "not streamed",
        "role only",
        "empty",
    ],
)
def test_incomplete_answer_is_a_failed_request(
    server: TokenServer, sends: Sequence[str], script: Mapping[str, Any], error: str
) -> None:
    (request,) = answer(server, *sends, **script).requests

    assert not request.ok
    assert request.error is not None
    assert request.error.startswith(error)
    assert len(request.error) <= 1000


def test_answer_that_hangs_is_abandoned_and_the_next_one_succeeds(server: TokenServer) -> None:
    server.script = Script(sends=((0.0, delta(content="a")),), hangs=True)

    result = run_stream(server.url(), StreamPlan(requests=2, timeout_s=0.3))

    assert [request.error for request in result.requests] == ["no whole answer within 0.3 s (timeout_s)"] * 2
    assert [len(request.chunk_s) for request in result.requests] == [1, 1]


def test_done_without_the_end_of_the_body_is_a_complete_answer(
    server: TokenServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pytest_benchdb.measure.stream.endpoint.DRAIN_S", 0.05)

    result = answer(server, delta(content="a"), DONE, hangs=True)

    assert [request.error for request in result.requests] == [None]


def test_missing_server_fails_every_request() -> None:
    pytest.importorskip("aiohttp")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/v1/completions"

        result = run_stream(url, StreamPlan(requests=2, timeout_s=20.0))

    assert [request.ok for request in result.requests] == [False, False]
    assert str(result.requests[0].error).startswith("ClientConnectorError: ")


def test_endpoint_without_aiohttp_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def refuse(name: str, *arguments: object, **keywords: object) -> object:
        if name == "aiohttp":
            raise ImportError(name)
        return real(name, *arguments, **keywords)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", refuse)

    with pytest.raises(MissingExtraError, match=r"pytest-benchdb\[llm\]"):
        run_stream("http://127.0.0.1:9/v1/completions", PLAN)


@pytest.mark.parametrize("prompts", [[], "one text"], ids=["none", "text"])
def test_endpoint_without_a_list_of_prompts_is_refused(prompts: Sequence[str]) -> None:
    with pytest.raises(ConfigError, match="prompts="):
        Endpoint(url="http://localhost/v1/completions", prompts=prompts)
