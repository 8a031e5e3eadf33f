"""How close `bench.stream` is to a bare aiohttp client: time to first token, and CPU time per request.

    python benchmarks/stream_client.py [--concurrency 1 4 16 64] [--pairs 6] [--requests-per-worker 6]

The bare client measures at the points at which vLLM's `bench serve` measures and does nothing else. The server has
programmed delays and a process of its own. Both clients take turns in one run, so that what else the machine does
meets both; compare their ratio, not their absolute values.
"""

import argparse
import asyncio
import json
import os
import platform
import time
from dataclasses import dataclass
from statistics import median, quantiles

import aiohttp
from stream_server import Delays, start

from pytest_benchdb.measure.stream import Endpoint, StreamPlan, run_stream

DELAYS = Delays(ttft_s=0.080, itl_s=0.010, tokens=32)


@dataclass(frozen=True, slots=True)
class Block:
    """One client's block: its times to first token, end-to-end latencies, and CPU time per request, in seconds."""

    ttft_s: list[float]
    e2e_s: list[float]
    cpu_s: float


async def _ask(session: aiohttp.ClientSession, url: str, body: dict[str, object]) -> tuple[float, float]:
    """Send one request and return the times from sending until its first and its last event with a choice."""
    first = last = sent = time.perf_counter()
    seen = False
    rest = b""
    async with session.post(url, json=body) as response:
        assert response.status == 200
        async for received in response.content.iter_any():
            *events, rest = (rest + received).split(b"\n\n")
            for event in events:
                data = event.removeprefix(b"data: ")
                if data == b"[DONE]":
                    continue
                now = time.perf_counter()
                if json.loads(data).get("choices"):
                    if not seen:
                        seen, first = True, now
                    last = now
    return first - sent, last - sent


async def _bare(url: str, body: dict[str, object], workers: int, requests: int) -> list[tuple[float, float]]:
    answers = []
    numbers = iter(range(requests))

    async def work() -> None:
        for _ in numbers:
            answers.append(await _ask(session, url, body))  # noqa: PERF401 - shared by all workers

    connector = aiohttp.TCPConnector(limit=workers, limit_per_host=workers, ttl_dns_cache=300)
    async with aiohttp.ClientSession(connector=connector, trust_env=True) as session:
        await asyncio.gather(*(work() for _ in range(workers)))
    return answers


def bare(endpoint: Endpoint, workers: int, requests: int) -> Block:
    """Send a block with the bare client."""
    body = endpoint.request_bodies()[0]
    began = time.process_time()
    answers = asyncio.run(_bare(endpoint.url, body, workers, requests))
    cpu_s = time.process_time() - began
    return Block([first for first, _ in answers], [last for _, last in answers], cpu_s / requests)


def ours(endpoint: Endpoint, workers: int, requests: int) -> Block:
    """Send a block as `bench.stream` does."""
    began = time.process_time()
    result = run_stream(endpoint, StreamPlan(concurrency=workers, requests=requests))
    cpu_s = time.process_time() - began
    assert not result.failed, result.failed[0].error
    rows = {row.metric: list(row.samples or ()) for row in result.measurements}
    return Block(rows["ttft"], rows["e2e_latency"], cpu_s / requests)


def _p99(values: list[float]) -> float:
    return quantiles(values, n=100, method="inclusive")[98]


def pairs_of(endpoint: Endpoint, workers: int, *, pairs: int, requests: int) -> list[tuple[Block, Block]]:
    """Return pairs of blocks, the bare client's first; the clients take turns in beginning."""
    found = []
    for number in range(pairs):
        order = (bare, ours) if number % 2 == 0 else (ours, bare)
        blocks = {client: client(endpoint, workers, requests) for client in order}
        found.append((blocks[bare], blocks[ours]))
    return found


def main() -> None:
    """Print a line for each concurrency: both clients' figures, and the ratio of their CPU times."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--concurrency", type=int, nargs="+", default=[1, 4, 16, 64])
    parser.add_argument("--pairs", type=int, default=6)
    parser.add_argument("--requests-per-worker", type=int, default=6)
    given = parser.parse_args()
    print(f"Python {platform.python_version()}, aiohttp {aiohttp.__version__}, {os.cpu_count()} cores, ", end="")
    print(f"load {os.getloadavg()[0]:.1f}; {DELAYS}; medians over the pairs, bare client / bench.stream")
    print("concurrency   TTFT median, ms     TTFT p99, ms   latency median, ms   CPU a request, ms   CPU ratio")
    figures = (
        lambda block: median(block.ttft_s),
        lambda block: _p99(block.ttft_s),
        lambda block: median(block.e2e_s),
        lambda block: block.cpu_s,
    )
    with start(DELAYS) as url:
        endpoint = Endpoint(url=url, max_tokens=DELAYS.tokens)
        for workers in given.concurrency:
            requests = workers * given.requests_per_worker
            pairs = pairs_of(endpoint, workers, pairs=given.pairs, requests=requests)
            columns = []
            for figure in figures:
                left, right = (median(figure(pair[side]) for pair in pairs) * 1e3 for side in (0, 1))
                columns.append(f"{left:8.2f} / {right:.2f}")
            ratio = median(right.cpu_s / left.cpu_s for left, right in pairs)
            print(f"{workers:>11}  " + "  ".join(f"{column:>17}" for column in columns) + f"  {ratio:9.2f}")


if __name__ == "__main__":
    main()
