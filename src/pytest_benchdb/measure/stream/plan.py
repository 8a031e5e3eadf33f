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
        requests: number of requests; None means as many as fit into `duration_s` or, without that, each request of
            the source once.
        duration_s: no request is sent later than this after the start of the block; earlier requests may finish.
        warmup_requests: sent before the block, `concurrency` at a time, and thrown away.
        slo: longest time of a good request in seconds, by metric of `OBJECTIVES`; ``<=`` is met.
        timeout_s: a request that takes longer is abandoned and has failed.
        tokens: ``reported`` by the server or by the chunks; ``chunks`` counts each chunk as one token; a
            function counts the tokens of an answer's text, after the block.
        seed: of the arrival times.
    """

    concurrency: int | None = None
    rate: float | None = None
    requests: int | None = None
    duration_s: float | None = None
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
        if not (self.tokens in ("reported", "chunks") or callable(self.tokens)):
            raise ConfigError(f"tokens={self.tokens!r} is not 'reported', 'chunks' or a function that counts tokens")
        for metric, limit_s in self.slo.items():
            if metric not in OBJECTIVES:
                raise ConfigError(f"slo names {metric!r}, which no request has a value of; use {', '.join(OBJECTIVES)}")
            _check_positive(f"slo of {metric}", limit_s)


def arrival_times(
    rate: float, *, seed: int, requests: int | None = None, duration_s: float | None = None
) -> Iterator[float]:
    """Yield when requests are due, seconds since the block's start, ascending: a Poisson process.

    Gaps are exponential with mean ``1 / rate`` (inverse of the distribution function); the first one begins at the
    block's start. Unlike vLLM, we do not stretch them to end at ``requests / rate``: that would no longer be
    a Poisson process. The same seed gives the same times on every Python.

    `rate` is the mean number of arrivals per second; with infinity all arrive at 0. `requests` is their number; None
    means no end. Arrivals after `duration_s` are left out.

    Examples:
        >>> [round(due_s, 3) for due_s in arrival_times(10.0, seed=0, requests=3)]
        [0.186, 0.328, 0.382]
    """
    times: Iterator[float] = repeat(0.0) if rate == math.inf else _poisson(rate, random.Random(seed))  # noqa: S311 - not a secret
    if duration_s is not None:
        limit_s = duration_s
        times = takewhile(lambda due_s: due_s <= limit_s, times)
    return islice(times, requests)


def _poisson(rate: float, source: random.Random) -> Iterator[float]:
    due_s = 0.0
    while True:
        due_s -= math.log1p(-source.random()) / rate
        yield due_s


def _check_count(name: str, value: object, *, least: int) -> None:
    if value is None and least:
        return
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ConfigError(f"{name}={value!r} is not a whole number of {least} or more")


def _check_positive(name: str, value: object) -> None:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < math.inf:
        raise ConfigError(f"{name}={value!r} is not a finite number above 0")
