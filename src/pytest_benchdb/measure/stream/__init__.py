"""Token streams: sends requests, records their events, and computes the metrics of serving systems.

The definitions are those of vLLM's `bench serve`; ``docs/explanation/serving-metrics.md`` lists the differences in
other tools and in this package. `Endpoint`, `Chunk` and what makes prompts are for users.
"""

import asyncio
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from pytest_benchdb.measure.stream.endpoint import Endpoint
from pytest_benchdb.measure.stream.events import Chunk
from pytest_benchdb.measure.stream.metrics import judge, load_rows, measurements_of, nothing_in
from pytest_benchdb.measure.stream.plan import StreamPlan
from pytest_benchdb.measure.stream.requests import Source, is_endpoint
from pytest_benchdb.measure.stream.sender import Clock, Sleep, send_requests
from pytest_benchdb.measure.stream.synthetic import synthetic_lengths, synthetic_prompts
from pytest_benchdb.model.run import Measurement, Request

__all__ = [
    "Chunk",
    "Endpoint",
    "Source",
    "StreamPlan",
    "StreamResult",
    "run_stream",
    "synthetic_lengths",
    "synthetic_prompts",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamResult:
    """The results of a token stream.

    Attributes:
        requests: of the block, in sending order, without the warm-up.
        measurements: metrics of the block.
        duration_s: from the block's start to the end of its last request.
        saturated: why the client was too slow for the endpoint, so that no metric is valid; None if it was not. Of
            functions it is not known, because their own work runs in the client.
    """

    requests: tuple[Request, ...]
    measurements: tuple[Measurement, ...]
    duration_s: float
    saturated: str | None = None

    @property
    def failed(self) -> tuple[Request, ...]:
        """The requests without a complete answer."""
        return tuple(request for request in self.requests if not request.ok)

    @property
    def nothing(self) -> str | None:
        """Why there is no complete answer at all, and so nothing was measured; None if there is one."""
        return nothing_in(self.requests)


def run_stream(
    source: Source,
    plan: StreamPlan,
    *,
    clock: Clock = time.perf_counter,
    sleep: Sleep = asyncio.sleep,
    around: AbstractContextManager[object] | None = None,
) -> StreamResult:
    """Send the requests of a plan and return their events and metrics.

    A failed request does not affect the others. `source` is a function without arguments that returns a sync or async
    generator of chunks, a sequence of such functions (called in turn), an `Endpoint`, or the URL of one. `clock`
    gives all times, and `sleep` waits for arrivals, in seconds. `around` is entered after the warm-up and left at the
    end of the block.

    Raises:
        ConfigError: the source is none of these.
        MissingExtraError: the source is an endpoint and aiohttp is not installed.

    Examples:
        >>> result = run_stream(lambda: iter(["Hel", "lo"]), StreamPlan(requests=3, tokens="chunks"))
        >>> [request.tokens_out for request in result.requests]
        [2, 2, 2]
    """
    events = send_requests(source, plan, clock=clock, sleep=sleep, around=around)
    events = replace(events, requests=judge(events.requests, plan.slo))
    rows = measurements_of(events, plan)
    saturated = None
    if events.load is not None and is_endpoint(source):
        ttft_s = next(row.samples or () for row in rows if row.metric == "ttft")
        saturated = events.load.saturation(ttft_s)
    if saturated is not None:
        rows = tuple(replace(row, valid=False, reason=row.reason or saturated) for row in rows)
    return StreamResult(
        requests=events.requests,
        measurements=(*rows, *load_rows(events.load)),
        duration_s=events.duration_s,
        saturated=saturated,
    )
