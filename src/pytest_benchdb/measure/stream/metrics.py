"""Metrics of a block of requests: pure functions from events to measurements.

Latencies are samples, from which the store takes percentiles by linear interpolation between the closest
ranks (Hyndman and Fan 1996, type 7; numpy's default). Only answers that came whole are in them. Rates are
counts over the block's duration: from its start to the end of the request that ended last, failed ones too.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from pytest_benchdb.measure.stream.block import Block
from pytest_benchdb.measure.stream.figures import e2e_latency_s, gaps_s, queue_time_s, tpot_s, ttft_s
from pytest_benchdb.measure.stream.plan import StreamPlan
from pytest_benchdb.model.request import Request
from pytest_benchdb.model.run import Measurement

_NOBODY: Mapping[int, float] = MappingProxyType({})


def measurements_of(
    requests: Sequence[Request],
    plan: StreamPlan,
    *,
    duration_s: float,
    first_output_s: Mapping[int, float] = _NOBODY,
) -> tuple[Measurement, ...]:
    """Return the metrics of a block.

    Args:
        requests: of the block, warm-up left out, judged by `figures.judged`.
        plan: by which they were sent.
        duration_s: of the block.
        first_output_s: when the first chunk came that was not reasoning, by index of the request, in seconds
            since the block's start; only for requests that told reasoning apart.

    Returns:
        Measurements in SI units; one that could not be taken has its reason and no value.
    """
    block = Block.of(requests, plan, duration_s)
    rows = [
        block.latency("ttft", "first chunk with text - send", ttft_s),
        _tpot(block),
        block.latency(
            "itl", "gaps between chunks, pooled over requests", gaps_s, none="every answer came in a single chunk"
        ),
        block.latency("e2e_latency", "last chunk with text - send", e2e_latency_s),
    ]
    if first_output_s:
        rows.append(_ttfot(block, first_output_s))
    if any(request.due_s is not None for request in requests):
        rows.append(block.latency("queue_time", "send - due", queue_time_s))
    rows += _rates(block)
    if plan.slo:
        rows.append(_goodput(block))
    rows.append(block.count("failed_requests", "requests that were not answered whole", block.failed))
    return tuple(rows)


def _tpot(block: Block) -> Measurement:
    return block.latency(
        "tpot",
        f"(last chunk - first chunk) / (tokens - 1); {block.counting}",
        tpot_s,
        none=_untold(block) or "no answer had two or more tokens that came in several chunks",
        details={
            "requests_without_tokens": block.number(_is_uncounted),
            "requests_in_one_chunk": block.number(_is_one_chunk_of_several_tokens),
        },
    )


def _ttfot(block: Block, first_output_s: Mapping[int, float]) -> Measurement:
    def first_output(request: Request) -> float | None:
        at = first_output_s.get(request.index)
        return None if at is None or request.sent_s is None else at - request.sent_s

    return block.latency(
        "ttfot", "first chunk with text after reasoning - send", first_output, none="no whole answer had reasoning"
    )


def _rates(block: Block) -> list[Measurement]:
    tokens_out = sum(request.tokens_out or 0 for request in block.whole)
    tokens_in = sum(request.tokens_in or 0 for request in block.whole)
    untold = _untold(block)
    method = f"prompt and output tokens / duration; {block.counting}"
    return [
        block.rate("requests_per_second", "whole answers / duration", len(block.whole)),
        block.rate("tokens_per_second", f"output tokens / duration; {block.counting}", tokens_out, none=untold),
        block.rate("total_tokens_per_second", method, tokens_in + tokens_out, none=untold or _untold_prompts(block)),
    ]


def _goodput(block: Block) -> Measurement:
    limits = ", ".join(f"{metric} <= {limit_s:g} s" for metric, limit_s in block.slo.items())
    none = None
    if unjudged := block.number(lambda request: request.slo_ok is None):
        why = _untold(block) or "several tokens came in a single chunk"
        none = f"{unjudged} of {len(block.whole)} answers cannot be judged by the objective on tpot: {why}"
    good = block.number(lambda request: request.slo_ok is True)
    return block.rate("goodput", f"answers with {limits} / duration; {block.counting}", good, none=none)


def _is_uncounted(request: Request) -> bool:
    return request.tokens_out is None


def _is_one_chunk_of_several_tokens(request: Request) -> bool:
    return request.tokens_out is not None and request.tokens_out > 1 and len(request.chunk_s) == 1


def _untold(block: Block) -> str | None:
    """Return why output tokens cannot be summed up; None if they can."""
    uncounted = block.number(_is_uncounted)
    if not uncounted:
        return None
    return (
        f"{uncounted} of {len(block.whole)} answers did not tell their tokens, and chunks are not taken for tokens "
        "unless tokens='chunks' says so"
    )


def _untold_prompts(block: Block) -> str | None:
    untold = block.number(lambda request: request.tokens_in is None)
    return f"{untold} of {len(block.whole)} answers did not tell the tokens of their prompt" if untold else None
