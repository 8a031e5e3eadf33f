"""Token streams: from a generator in this process, and from a server with OpenAI's API."""

import time

import pytest

from pytest_benchdb.measure.stream import Endpoint, synthetic_lengths, synthetic_prompts

WORDS = ["the", "quick", "brown", "fox", "jumps", "over", "the", "lazy", "dog"]


def generate():
    """Act like a model's generate function: one word every 2 ms."""
    for word in WORDS:
        time.sleep(0.002)
        yield word


@pytest.mark.benchdb(model="pretended", workload="serving", implementation="python")
def test_generator(bench):
    result = bench.stream(generate, requests=20, warmup=2, tokens="chunks", slo={"ttft": 0.5})

    assert not result.failed
    assert all(request.tokens_out == len(WORDS) for request in result.requests)


@pytest.mark.benchdb(model="pretended", workload="serving", implementation="http")
@pytest.mark.parametrize("concurrency", [1, 4])
def test_server_closed_loop(bench, server_url, concurrency):
    pytest.importorskip("aiohttp", reason="a URL is asked with aiohttp: pip install 'pytest-benchdb[llm]'")
    endpoint = Endpoint(
        url=server_url,
        prompts=["Why is the sky blue?", "Summarise: " + "word " * 100],
        max_tokens=16,
    )

    result = bench.stream(endpoint, concurrency=concurrency, requests=24, warmup=4)

    assert not result.failed


@pytest.mark.benchdb(model="pretended", workload="serving", implementation="http")
def test_server_poisson_arrivals(bench, server_url):
    pytest.importorskip("aiohttp", reason="a URL is asked with aiohttp: pip install 'pytest-benchdb[llm]'")

    result = bench.stream(
        Endpoint(url=server_url, max_tokens=16),
        rate=40.0,
        requests=40,
        warmup=2,
        slo={"ttft": 0.5, "tpot": 0.1},
        timeout_s=10.0,
    )

    assert not result.failed


@pytest.mark.benchdb(model="pretended", workload="serving", implementation="http")
def test_server_sweep(bench, server_url):
    pytest.importorskip("aiohttp", reason="a URL is asked with aiohttp: pip install 'pytest-benchdb[llm]'")
    endpoint = Endpoint(
        url=server_url,
        prompts=synthetic_prompts(synthetic_lengths(24, 50, spread=0.5)),
        max_tokens=synthetic_lengths(24, 8, spread=0.5),
    )

    sweep = bench.stream_sweep(endpoint, concurrency=[1, 2, 4], requests=12, ready_timeout_s=10)

    assert not sweep.levels[0].result.failed
