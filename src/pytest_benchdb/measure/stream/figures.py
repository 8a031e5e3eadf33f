"""Figures of one request, by the definitions of vLLM's `bench serve` (`vllm/benchmarks/serve.py`)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from pytest_benchdb.model.request import Request


def ttft_s(request: Request) -> float:
    """Return the time to first token: first chunk with text - send, of an answer that came whole."""
    return request.chunk_s[0] - _sent_s(request)


def e2e_latency_s(request: Request) -> float:
    """Return the end-to-end latency: last chunk with text - send."""
    return request.chunk_s[-1] - _sent_s(request)


def gaps_s(request: Request) -> tuple[float, ...]:
    """Return the gaps between consecutive chunks, which are tokens only where each chunk holds one."""
    return tuple(later - earlier for earlier, later in pairwise(request.chunk_s))


def tpot_s(request: Request) -> float | None:
    """Return the time per output token after the first: (E2E - TTFT) / (tokens - 1).

    None where it cannot be seen: the tokens were not told; there is at most one; or several came in a single
    chunk, for which the formula would say 0.
    """
    if request.tokens_out is None or request.tokens_out <= 1 or len(request.chunk_s) == 1:
        return None
    return (e2e_latency_s(request) - ttft_s(request)) / (request.tokens_out - 1)


def queue_time_s(request: Request) -> float | None:
    """Return how long a request was due before it was sent; None in a closed loop."""
    return None if request.due_s is None else _sent_s(request) - request.due_s


def meets(request: Request, slo: Mapping[str, float]) -> bool | None:
    """Tell whether a request met every objective; None without objectives, or where one cannot be judged.

    A failed request met none. An answer of at most one token counts as a TPOT of 0, as in vLLM.
    """
    if not slo:
        return None
    if not request.ok:
        return False
    verdicts = [_within(request, metric, limit_s) for metric, limit_s in slo.items()]
    if False in verdicts:
        return False
    return None if None in verdicts else True


def judged(requests: Sequence[Request], slo: Mapping[str, float]) -> tuple[Request, ...]:
    """Return the requests with `Request.slo_ok` filled in."""
    return tuple(replace(request, slo_ok=meets(request, slo)) for request in requests)


def _within(request: Request, metric: str, limit_s: float) -> bool | None:
    if metric == "ttft":
        return ttft_s(request) <= limit_s
    if metric == "e2e_latency":
        return e2e_latency_s(request) <= limit_s
    if request.tokens_out is not None and request.tokens_out <= 1:
        return True
    tpot = tpot_s(request)
    return None if tpot is None else tpot <= limit_s


def _sent_s(request: Request) -> float:
    if request.sent_s is None:
        raise ValueError(f"request {request.index} was never sent")
    return request.sent_s
