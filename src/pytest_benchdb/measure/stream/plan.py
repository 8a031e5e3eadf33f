"""How requests are sent and judged: the plan of a token stream, and the times at which requests arrive."""

import math
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice, repeat, takewhile
from typing import Literal

from pytest_benchdb.errors import ConfigError

OBJECTIVES = ("ttft", "tpot", "e2e_latency")
"""Metrics that a request can be judged by: each has one value per request."""

TokenCount = Literal["reported", "chunks"] | Callable[[str], int]
"""How the tokens of an answer are counted; see `StreamPlan.tokens`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamPlan:
    """How requests are sent, when to give one up, and what a good one is.

    With `rate`, requests arrive by a Poisson process (open loop): a slow answer delays no arrival. Without,
    each of `concurrency` workers sends its next request when its last one ended (closed loop).

    Attributes:
        concurrency: requests under way at once, at most; None is 1 in a closed loop and no limit in an open one.
        rate: mean arrivals per second; infinity has all of them arrive at once; None is a closed loop.
        requests: how many are sent; None is as many as fit into `duration_s` or, without that, each request of
            the source once.
        duration_s: no request is sent later than this after the block began; earlier ones are waited for.
        warmup_requests: sent before the block, `concurrency` at a time, and thrown away.
        slo: most seconds that a good request takes, by metric of `OBJECTIVES`; ``<=`` is met.
        timeout_s: after this long a request is given up and has failed.
        tokens: ``reported`` by the server or by the chunks; ``chunks`` means that one chunk is one token; a
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
            ConfigError: an argument is out of its range, or an objective names what has no value per request.
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
    """Return when requests are due, seconds since the block began, rising: a Poisson process.

    Gaps are exponential with mean ``1 / rate`` (inverse of the distribution function), the first one from the
    block's start. They are not stretched to end at ``requests / rate``, as vLLM does: that would no longer be
    a Poisson process. The same seed gives the same times on every Python.

    `rate` is the mean number of arrivals per second; with infinity all of them arrive at 0. `requests` is their
    number, without end if None. Arrivals after `duration_s` are left out.

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
