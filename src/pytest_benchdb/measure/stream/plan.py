"""The plan of a token stream, which says how requests are sent and judged, and the arrival times of requests."""

import math
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice, repeat, takewhile
from typing import Literal

from pytest_benchdb.errors import ConfigError

OBJECTIVES = ("ttft", "tpot", "e2e_latency")
"""Metrics that a request can be judged by, because they have one value per request."""

TokenCount = Literal["reported", "chunks"] | Callable[[str], int]
"""How the tokens of an answer are counted; see `StreamPlan.tokens`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamPlan:
    """How requests are sent, their time limit, and their objectives.

    With `rate`, requests arrive as a Poisson process (open loop): a slow answer does not delay other arrivals.
    Without, each of `concurrency` workers sends its next request when the previous one has ended (closed loop).

    Attributes:
        concurrency: largest number of requests in flight; None means 1 in a closed loop and no limit in an open one.
        rate: mean arrivals per second; with infinity all arrive at once; None means a closed loop.
        burstiness: shape of the gamma distribution of the times between arrivals, with the same mean: 1 is a Poisson
            process, less comes in bursts, more is more even, infinity is perfectly even.
        ramp_up_s: time in which the load grows: `rate` from 0 in a straight line, or the workers one by one. Its
            requests count.
        requests: number of requests; None means as many as fit into `duration_s` or, without that, each request of
            the source once.
        duration_s: no request is sent later than this after the start of the block; earlier requests may finish.
        ready_timeout_s: before anything else, ask once a second until an answer is whole, for at most this long; 0
            does not ask.
        warmup_requests: sent before the block, `concurrency` at a time, and thrown away.
        slo: longest time of a good request in seconds, by metric of `OBJECTIVES`; ``<=`` is met.
        timeout_s: a request that takes longer is abandoned and has failed.
        tokens: ``reported`` by the server or by the chunks; ``chunks`` counts each chunk as one token; a
            function counts the tokens of an answer's text, after the block.
        seed: of the arrival times.
    """

    concurrency: int | None = None
    rate: float | None = None
    burstiness: float = 1.0
    ramp_up_s: float = 0.0
    requests: int | None = None
    duration_s: float | None = None
    ready_timeout_s: float = 0.0
    warmup_requests: int = 0
    slo: Mapping[str, float] = field(default_factory=dict)
    timeout_s: float = 60.0
    tokens: TokenCount = "reported"
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the arguments.

        Raises:
            ConfigError: an argument is out of range, or an objective is not one of `OBJECTIVES`.
        """
        _check_count("concurrency", self.concurrency, least=1)
        _check_count("requests", self.requests, least=1)
        _check_count("warmup_requests", self.warmup_requests, least=0)
        _check_positive("timeout_s", self.timeout_s)
        if self.duration_s is not None:
            _check_positive("duration_s", self.duration_s)
        if self.rate != math.inf and self.rate is not None:
            _check_positive("rate", self.rate)
        if self.rate == math.inf and self.requests is None:
            raise ConfigError("rate=inf has all requests arrive at once: give their number as requests=")
        self._check_arrivals()
        if not (self.tokens in ("reported", "chunks") or callable(self.tokens)):
            raise ConfigError(f"tokens={self.tokens!r} is not 'reported', 'chunks' or a function that counts tokens")
        for metric, limit_s in self.slo.items():
            if metric not in OBJECTIVES:
                raise ConfigError(f"slo names {metric!r}, which no request has a value of; use {', '.join(OBJECTIVES)}")
            _check_positive(f"slo of {metric}", limit_s)

    def _check_arrivals(self) -> None:
        for name in ("ramp_up_s", "ready_timeout_s"):
            if getattr(self, name) != 0:
                _check_positive(name, getattr(self, name))
        if self.burstiness != math.inf:
            _check_positive("burstiness", self.burstiness)
        if self.burstiness != 1 and self.rate in (None, math.inf):
            raise ConfigError(f"burstiness={self.burstiness!r} is of arrivals, which need a finite rate=")
        if self.ramp_up_s and self.rate == math.inf:
            raise ConfigError("ramp_up_s has no meaning with rate=inf, where all requests arrive at once")


def arrival_times(plan: StreamPlan, requests: int | None = None) -> Iterator[float]:
    """Return when requests of an open loop are due, seconds since the block's start, ascending.

    The times between them follow a gamma distribution with the shape `StreamPlan.burstiness`, as in vLLM's client; the
    first one begins at the block's start. Unlike vLLM, we do not stretch them to end at ``requests / rate``: that would
    no longer be a Poisson process. The same seed gives the same times on every Python.

    `requests` is their number; None means no end. Arrivals after `StreamPlan.duration_s` are left out.

    Examples:
        >>> [round(due_s, 3) for due_s in arrival_times(StreamPlan(rate=10.0), 3)]
        [0.186, 0.328, 0.382]
    """
    rate = plan.rate or math.inf
    if rate == math.inf:
        return islice(repeat(0.0), requests)
    times = (_when(arrivals / rate, plan.ramp_up_s) for arrivals in _unit_arrivals(plan))
    limit_s = plan.duration_s
    within = times if limit_s is None else takewhile(lambda due_s: due_s <= limit_s, times)
    return islice(within, requests)


def _unit_arrivals(plan: StreamPlan) -> Iterator[float]:
    """Yield arrivals at a mean rate of 1."""
    source = random.Random(plan.seed)  # noqa: S311 - not a secret
    shape, due = plan.burstiness, 0.0
    while True:
        if shape == 1:
            due -= math.log1p(-source.random())  # the inverse of the exponential distribution
        else:
            due += 1.0 if shape == math.inf else source.gammavariate(shape, 1 / shape)
        yield due


def _when(steady_s: float, ramp_up_s: float) -> float:
    """Return when what a steady rate does by `steady_s` is done by a rate that grows in a straight line first.

    By the end of the ramp, half of a steady rate's arrivals have come; before, their number grows with the square of
    the time.
    """
    if 2 * steady_s >= ramp_up_s:
        return steady_s + ramp_up_s / 2
    return math.sqrt(2 * steady_s * ramp_up_s)


def _check_count(name: str, value: object, *, least: int) -> None:
    if value is None and least:
        return
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ConfigError(f"{name}={value!r} is not a whole number of {least} or more")


def _check_positive(name: str, value: object) -> None:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < math.inf:
        raise ConfigError(f"{name}={value!r} is not a finite number above 0")
