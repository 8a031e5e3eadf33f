"""Figures against a server with programmed delays, on real clocks.

The server is in this process, so its notes and the client's are on one clock. The machine may be busy:
what is compared first is the client's times with the server's own notes of when it sent, and only then, up
to three times over, with the programmed delays.
"""

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

import pytest
from tests.unit.measure.stream.token_server import TokenServer, chat

from pytest_benchdb.measure.stream import StreamPlan, StreamResult, run_stream

TTFT_S = 0.060
GAP_S = 0.020
TOKENS = 8
E2E_S = TTFT_S + GAP_S * (TOKENS - 1)
REQUESTS = 7
PROGRAMMED_S = {"ttft": TTFT_S, "itl": GAP_S, "tpot": GAP_S, "e2e_latency": E2E_S}
WITHIN_S = 0.002
ATTEMPTS = 3


def run(server: TokenServer) -> StreamResult:
    server.script = chat(TTFT_S, GAP_S, TOKENS)
    log = server.log
    for noted in (log.bodies, log.headers, log.received, log.sent):
        noted.clear()
    return run_stream(server.url(), StreamPlan(requests=REQUESTS, warmup_requests=2, timeout_s=20.0))


def medians(result: StreamResult) -> dict[str, float]:
    return {row.metric: median(row.samples) for row in result.measurements if row.samples}


def noted_by_server(server: TokenServer) -> dict[str, float]:
    """Return the same medians by the server's notes, warm-up left out: text was sent at places 1 to TOKENS."""
    requests = list(zip(server.log.received, server.log.sent, strict=True))[-REQUESTS:]
    texts: list[Sequence[float]] = [sent[1 : TOKENS + 1] for _, sent in requests]
    return {
        "ttft": median(sent[0] - came for (came, _), sent in zip(requests, texts, strict=True)),
        "itl": median(later - earlier for sent in texts for earlier, later in pairwise(sent)),
        "tpot": median((sent[-1] - sent[0]) / (TOKENS - 1) for sent in texts),
        "e2e_latency": median(sent[-1] - came for (came, _), sent in zip(requests, texts, strict=True)),
    }


def test_figures_of_a_local_server_are_within_2_ms_of_the_programmed_ones(server: TokenServer) -> None:
    attempts = []
    for _ in range(ATTEMPTS):
        measured, noted = medians(run(server)), noted_by_server(server)
        off_s = {metric: measured[metric] - programmed_s for metric, programmed_s in PROGRAMMED_S.items()}
        from_server_s = {metric: measured[metric] - noted[metric] for metric in PROGRAMMED_S}
        attempts.append((off_s, from_server_s))
        if all(abs(off) <= WITHIN_S for off in (*off_s.values(), *from_server_s.values())):
            return

    pytest.fail(f"off the programmed delays, and off the server's notes, in seconds: {attempts}")


def test_chunk_never_comes_before_the_server_sent_it(server: TokenServer) -> None:
    result = run(server)

    assert len(server.log.sent) == REQUESTS + 2  # two of warm-up, which are left out
    # Times of the block count from its start, which is before the first request was sent: compare gaps to that.
    starts = [
        came - request.sent_s
        for came, request in zip(server.log.received[-REQUESTS:], result.requests, strict=True)
        if request.sent_s is not None
    ]
    start = min(starts)  # the latest that the block can have begun, by the server's notes
    for request, sent in zip(result.requests, server.log.sent[-REQUESTS:], strict=True):
        late = [start + at_s - sent_at for at_s, sent_at in zip(request.chunk_s, sent[1 : TOKENS + 1], strict=True)]
        assert min(late) >= -WITHIN_S  # a role-only chunk taken for a token would be 60 ms early
