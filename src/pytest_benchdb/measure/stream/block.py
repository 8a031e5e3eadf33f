"""A block of requests as a whole, and how its figures become measurements."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from pytest_benchdb.measure.stream.plan import StreamPlan
from pytest_benchdb.model.request import Request
from pytest_benchdb.model.run import Measurement

_NOTHING_MORE: Mapping[str, object] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """The requests of a block and what all of its metrics share.

    Attributes:
        requests: all of them.
        whole: those that were answered whole.
        duration_s: from the block's start to the end of the request that ended last.
        slo: objectives, by metric.
        counting: how tokens were counted, for `Measurement.method`.
        nothing: why there is no figure at all; None if there is.
    """

    requests: Sequence[Request]
    whole: Sequence[Request]
    duration_s: float
    slo: Mapping[str, float]
    counting: str
    nothing: str | None

    @classmethod
    def of(cls, requests: Sequence[Request], plan: StreamPlan, duration_s: float) -> "Block":
        """Return the block of these requests."""
        whole = [request for request in requests if request.ok]
        return cls(
            requests=requests,
            whole=whole,
            duration_s=duration_s,
            slo=plan.slo,
            counting=_counting(plan),
            nothing=_nothing(requests, whole, duration_s),
        )

    @property
    def failed(self) -> int:
        """How many requests were not answered whole."""
        return len(self.requests) - len(self.whole)

    def number(self, condition: Callable[[Request], bool]) -> int:
        """Return for how many of the whole answers a condition holds."""
        return sum(condition(request) for request in self.whole)

    def latency(
        self,
        metric: str,
        method: str,
        figure: Callable[[Request], Sequence[float] | float | None],
        *,
        none: str = "no answer has one",
        details: Mapping[str, object] = _NOTHING_MORE,
    ) -> Measurement:
        """Return the samples of a figure over the whole answers, in the order of sending, seconds.

        Args:
            metric: its name.
            method: its definition.
            figure: of one request: a number, several that are pooled, or None to leave the request out.
            none: why there is no sample.
            details: beside those of the block.
        """
        samples: list[float] = []
        for request in self.whole:
            value = figure(request)
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
        """Return a number per second of the block.

        Args:
            metric: its name.
            method: its definition.
            number: what is counted.
            none: why it cannot be counted; None if it can.
        """
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
        """Return a number of requests of which fewer are better."""
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


def _nothing(requests: Sequence[Request], whole: Sequence[Request], duration_s: float) -> str | None:
    if not requests:
        return "no request was sent"
    if not whole:
        return f"none of {len(requests)} requests was answered whole; the first one: {requests[0].error}"
    return None if duration_s > 0 else "the block took no time by its clock"
