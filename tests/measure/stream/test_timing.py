"""Metrics of a server with programmed delays, on real clocks.

The server is in this process, so its notes of when it sent and the client's times are on one clock, and gaps agree
with the notes on any machine. How far TTFT and E2E are off the programmed delays depends on the machine:
`benchmarks/stream_accuracy.py` measures that.
"""

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

import pytest
from tests.measure.stream.token_server import TokenServer, chat

from pytest_benchdb.measure.stream import StreamPlan, StreamResult, run_stream

TTFT_S = 0.060
GAP_S = 0.020
TOKENS = 6
REQUESTS = 5
METRICS = ("ttft", "itl", "tpot", "e2e_latency")
WITHIN_S = 0.002
BUSY_S = TTFT_S  # a role-only chunk taken for the first token would be off by this much


def run(server: TokenServer) -> StreamResult:
    server.script = chat(TTFT_S, GAP_S, TOKENS)
    log = server.log
    for noted in (log.bodies, log.headers, log.received, log.sent):
        noted.clear()
    return run_stream(server.url(), StreamPlan(requests=REQUESTS, warmup_requests=2, timeout_s=20.0))


def medians(result: StreamResult) -> dict[str, float]:
    return {row.metric: median(row.samples) for row in result.measurements if row.samples}


def noted_by_server(server: TokenServer) -> dict[str, float]:
    """Return the same medians from the server's records, without warm-up: text was sent at places 1 to TOKENS."""
    requests = list(zip(server.log.received, server.log.sent, strict=True))[-REQUESTS:]
    texts: list[Sequence[float]] = [sent[1 : TOKENS + 1] for _, sent in requests]
    return {
        "ttft": median(sent[0] - came for (came, _), sent in zip(requests, texts, strict=True)),
        "itl": median(later - earlier for sent in texts for earlier, later in pairwise(sent)),
        "tpot": median((sent[-1] - sent[0]) / (TOKENS - 1) for sent in texts),
        "e2e_latency": median(sent[-1] - came for (came, _), sent in zip(requests, texts, strict=True)),
    }


@pytest.mark.long
def test_metrics_agree_with_the_records_of_the_server(server: TokenServer) -> None:
    measured, noted = medians(run(server)), noted_by_server(server)

    off_s = {metric: measured[metric] - noted[metric] for metric in METRICS}
    assert abs(off_s["itl"]) <= WITHIN_S
    assert abs(off_s["tpot"]) <= WITHIN_S
    # A request is sent before it is received, and a chunk arrives after it was sent, so times are never too short.
    assert 0 <= off_s["ttft"] <= BUSY_S
    assert 0 <= off_s["e2e_latency"] <= BUSY_S
