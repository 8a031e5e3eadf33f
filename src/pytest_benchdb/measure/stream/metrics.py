"""Metrics of a block of requests: pure functions from events to measurements.

Latencies are samples; the store computes percentiles by linear interpolation between the closest ranks (Hyndman and
Fan 1996, type 7; numpy's default). They cover complete answers only. Rates are counts divided by the block's
duration: from its start to the end of its last request, including failed ones.
Values of one request follow the definitions of vLLM's `bench serve` (`vllm/benchmarks/serve.py`).
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from types import MappingProxyType

from pytest_benchdb.measure.stream.events import Events
from pytest_benchdb.measure.stream.load import TICK_S, ClientLoad
from pytest_benchdb.measure.stream.plan import StreamPlan
from pytest_benchdb.model.run import Measurement, Request

_NOTHING_MORE: Mapping[str, object] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """The requests of a block and facts that all its metrics need.

    Attributes:
        requests: all of them.
        whole: those with a complete answer.
        duration_s: from the block's start to the end of its last request.
        slo: objectives, by metric.
        counting: how tokens were counted, for `Measurement.method`.
        nothing: why no metric has a value; None if some have.
    """

    requests: Sequence[Request]
    whole: Sequence[Request]
    duration_s: float
    slo: Mapping[str, float]
    counting: str
    nothing: str | None

    @classmethod
    def of(cls, requests: Sequence[Request], plan: StreamPlan, duration_s: float) -> "Block":
        """Return the block of some requests."""
        whole = [request for request in requests if request.ok]
        return cls(
            requests=requests,
            whole=whole,
            duration_s=duration_s,
            slo=plan.slo,
            counting=_counting(plan),
            nothing=nothing_in(requests) or (None if duration_s > 0 else "the block took no time by its clock"),
        )

    @property
    def failed(self) -> int:
        """Number of requests without a complete answer."""
        return len(self.requests) - len(self.whole)

    def number(self, condition: Callable[[Request], bool]) -> int:
        """Return the number of complete answers that meet a condition."""
        return sum(condition(request) for request in self.whole)

    def latency(
        self,
        metric: str,
        method: str,
        value_of: Callable[[Request], Sequence[float] | float | None],
        *,
        none: str = "no answer has one",
        details: Mapping[str, object] = _NOTHING_MORE,
    ) -> Measurement:
        """Return the samples of a metric over the complete answers, in sending order, seconds.

        `method` is its definition. `value_of` returns its value for one request: a number, several that are pooled, or
        None to leave the request out. `none` is the reason if there is no sample.
        """
        samples: list[float] = []
        for request in self.whole:
            value = value_of(request)
            samples.extend([] if value is None else value if isinstance(value, Sequence) else [value])
        return Measurement(
            metric=metric,
            unit="s",
            better="lower",
            method=method,
            samples=tuple(samples) or None,
            reason=None if samples else self.nothing or none,
            details={**self._details(), **details},
        )

    def rate(self, metric: str, method: str, number: int, *, none: str | None = None) -> Measurement:
        """Return `number` per second of the block; `none` is the reason why it is unknown, None if it is known."""
        reason = self.nothing or none
        return Measurement(
            metric=metric,
            unit="1/s",
            better="higher",
            method=method,
            value=None if reason else number / self.duration_s,
            reason=reason,
            details=self._details(),
        )

    def count(self, metric: str, method: str, number: int) -> Measurement:
        """Return a number of requests; fewer are better."""
        return Measurement(
            metric=metric, unit="1", better="lower", method=method, value=float(number), details=self._details()
        )

    def _details(self) -> dict[str, object]:
        return {"duration_s": self.duration_s, "requests": len(self.requests), "failed": self.failed}


def _counting(plan: StreamPlan) -> str:
    if plan.tokens == "chunks":
        return "one chunk counted as one token"
    if callable(plan.tokens):
        return f"tokens counted by {getattr(plan.tokens, '__qualname__', type(plan.tokens).__name__)}"
    return "tokens as reported"


def nothing_in(requests: Sequence[Request]) -> str | None:
    """Return why there is no complete answer among these requests; None if there is one."""
    if not requests:
        return "no request was sent"
    if any(request.ok for request in requests):
        return None
    return f"none of {len(requests)} requests was answered whole; the first one: {requests[0].error}"


def ttft_s(request: Request) -> float:
    """Return the time to first token of a complete answer: first chunk with text - send."""
    return request.chunk_s[0] - _sent_s(request)


def e2e_latency_s(request: Request) -> float:
    """Return the end-to-end latency: last chunk - send."""
    return request.chunk_s[-1] - _sent_s(request)


def gaps_s(request: Request) -> tuple[float, ...]:
    """Return the gaps between consecutive chunks; they are gaps between tokens only if each chunk has one token."""
    return tuple(later - earlier for earlier, later in pairwise(request.chunk_s))


def tpot_s(request: Request) -> float | None:
    """Return the time per output token after the first: (E2E - TTFT) / (tokens - 1).

    None if the tokens were not reported, if there is at most one, or if several came in a single chunk, for which
    the formula would give 0.
    """
    if request.tokens_out is None or request.tokens_out <= 1 or len(request.chunk_s) == 1:
        return None
    return (e2e_latency_s(request) - ttft_s(request)) / (request.tokens_out - 1)


def queue_time_s(request: Request) -> float | None:
    """Return how long a request was due before it was sent; None in a closed loop."""
    return None if request.due_s is None else _sent_s(request) - request.due_s


def meets(request: Request, slo: Mapping[str, float]) -> bool | None:
    """Return whether a request met every objective; None without objectives, or if one cannot be judged.

    A failed request met none. An answer with at most one token has a TPOT of 0, as in vLLM.
    """
    if not slo:
        return None
    if not request.ok:
        return False
    verdicts = [_within(request, metric, limit_s) for metric, limit_s in slo.items()]
    if False in verdicts:
        return False
    return None if None in verdicts else True


def judge(requests: Sequence[Request], slo: Mapping[str, float]) -> tuple[Request, ...]:
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


def measurements_of(events: Events, plan: StreamPlan) -> tuple[Measurement, ...]:
    """Return the metrics of a block in SI units; a metric that could not be measured has a reason and no value.

    The requests of `events` are the result of `judge`, without the warm-up.
    """
    requests = events.requests
    block = Block.of(requests, plan, events.duration_s)
    rows = [
        block.latency("ttft", "first chunk with text - send", ttft_s),
        _tpot(block),
        block.latency(
            "itl", "gaps between chunks, pooled over requests", gaps_s, none="every answer came in a single chunk"
        ),
        block.latency("e2e_latency", "last chunk - send", e2e_latency_s),
    ]
    if events.first_output_s:
        rows.append(_ttfot(block, events.first_output_s))
    if any(request.due_s is not None for request in requests):
        rows.append(block.latency("queue_time", "send - due", queue_time_s))
    rows += _rates(block)
    if plan.slo:
        rows.append(_goodput(block))
    rows.append(block.count("failed_requests", "requests that were not answered whole", block.failed))
    method = "most requests in flight at one time"
    rows.append(Measurement.of("peak_concurrency", method=method, value=float(events.peak_concurrency)))
    return tuple(rows)


def load_rows(load: ClientLoad | None) -> tuple[Measurement, ...]:
    """Return the metrics of the client itself, which say how far the others can be trusted."""
    blocked = "the event loop was blocked" if load is None else None
    share = None if load is None else load.cpu_share
    delays_s = () if load is None else load.delays_s
    about = {} if load is None else {"cpu_s": load.cpu_s, "process_cpu_s": load.process_cpu_s}
    return (
        Measurement.of(
            "client_cpu_share",
            method="CPU time of the event loop's thread / duration",
            value=share,
            reason=None if share is not None else blocked or "this platform has no CPU clock for one thread",
            details=about,
        ),
        Measurement.of(
            "client_loop_delay",
            method=f"how late the event loop ran what was due, every {TICK_S:g} s",
            samples=delays_s or None,
            reason=None if delays_s else blocked or f"the block was shorter than {TICK_S:g} s",
        ),
    )


def _tpot(block: Block) -> Measurement:
    return block.latency(
        "tpot",
        f"(last chunk - first chunk) / (tokens - 1); {block.counting}",
        tpot_s,
        none=_unknown_tokens(block) or "no answer had two or more tokens that came in several chunks",
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
    unknown = _unknown_tokens(block)
    method = f"prompt and output tokens / duration; {block.counting}"
    return [
        block.rate("requests_per_second", "whole answers / duration", len(block.whole)),
        block.rate("tokens_per_second", f"output tokens / duration; {block.counting}", tokens_out, none=unknown),
        block.rate("total_tokens_per_second", method, tokens_in + tokens_out, none=unknown or _unknown_prompts(block)),
        _peak_tokens(block),
    ]


def _peak_tokens(block: Block) -> Measurement:
    """Return the most output tokens in one second, counted as vLLM does: in whole seconds from the first send."""
    reason = block.nothing or _unknown_tokens(block)
    if reason is None and block.duration_s < 1:
        reason = "the block was shorter than a second"
    seconds: defaultdict[int, float] = defaultdict(float)
    if reason is None:
        began_s = min(_sent_s(request) for request in block.whole)
        for request in block.whole:
            tokens = (request.tokens_out or 0) / len(request.chunk_s)
            for at_s in request.chunk_s:
                seconds[int(at_s - began_s)] += tokens
    return Measurement.of(
        "peak_tokens_per_second",
        method=f"most output tokens in one second, spread evenly over the chunks of their answer; {block.counting}",
        value=None if reason else max(seconds.values()),
        reason=reason,
    )


def _goodput(block: Block) -> Measurement:
    limits = ", ".join(f"{metric} <= {limit_s:g} s" for metric, limit_s in block.slo.items())
    none = None
    if unjudged := block.number(lambda request: request.slo_ok is None):
        why = _unknown_tokens(block) or "several tokens came in a single chunk"
        none = f"{unjudged} of {len(block.whole)} answers cannot be judged by the objective on tpot: {why}"
    good = block.number(lambda request: request.slo_ok is True)
    return block.rate("goodput", f"answers with {limits} / duration; {block.counting}", good, none=none)


def _is_uncounted(request: Request) -> bool:
    return request.tokens_out is None


def _is_one_chunk_of_several_tokens(request: Request) -> bool:
    return request.tokens_out is not None and request.tokens_out > 1 and len(request.chunk_s) == 1


def _unknown_tokens(block: Block) -> str | None:
    """Return why the output tokens cannot be summed; None if they can."""
    uncounted = block.number(_is_uncounted)
    if not uncounted:
        return None
    return (
        f"{uncounted} of {len(block.whole)} answers did not report their tokens, and chunks are not counted as tokens "
        "without tokens='chunks'"
    )


def _unknown_prompts(block: Block) -> str | None:
    unknown = block.number(lambda request: request.tokens_in is None)
    return f"{unknown} of {len(block.whole)} answers did not report the tokens of their prompt" if unknown else None
