"""Distributions, rates and numbers of requests that a tool has computed: latencies in SI units, and what failed."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pytest_benchdb.importers.reading.figures import figure
from pytest_benchdb.importers.reading.units import UNITS
from pytest_benchdb.importers.reading.values import count, number
from pytest_benchdb.model.metric import METRICS
from pytest_benchdb.model.run import Measurement, Outcome, Summary

SUMMARY_NAMES: Mapping[str, str] = {
    **{name: name for name in ("min", "max", "mean", "median", "p90", "p95", "p99")},
    "avg": "mean",
    "p50": "median",
    "p25": "q1",
    "p75": "q3",
    "std": "stddev",
    "std_dev": "stddev",
}
"""Fields of `Summary` by the names that clients write."""

FRAMEWORKS = ("vllm", "sglang", "tgi", "tensorrt-llm", "lmdeploy", "deepspeed-mii", "llama.cpp", "ollama")
"""Servers by the names that clients give them; ``openai`` is a protocol, and names none."""

_PERCENTILE = re.compile(r"p\d+(\.\d+)?")


def statistics(values: Mapping[str, Any], n: int | None) -> Summary | None:
    """Return the statistics of a distribution; None if all of them are missing or 0, as of nothing measured.

    >>> statistics({"mean": 2.0, "p99": 3.0, "p99.9": 3.5, "std": 0.5}, 10)
    Summary(n=10, min=None, max=None, mean=2.0, median=None, stddev=0.5, q1=None, q3=None, p90=None, p95=None, p99=3.0)
    """
    known: dict[str, float] = {}
    for name, value in values.items():
        if name in SUMMARY_NAMES and (exact := number(value)) is not None:
            known.setdefault(SUMMARY_NAMES[name], exact)
    if not any(known.values()):
        return None
    if n == 1:
        known.pop("stddev", None)  # 0 was never measured
    return Summary(n=n, **known)


def whole(value: float | None) -> float | None:
    """Return a number as people write it: 128 rather than 128.0."""
    return int(value) if value is not None and value.is_integer() else value


def latency(
    metric: str, unit: str, values: Mapping[str, Any], *, n: int | None, source_name: str, method: str | None = None
) -> Measurement:
    """Return the statistics of a latency in seconds; without a value, and the reason, if nothing was measured."""
    summary = statistics(values, n)
    if summary is None:
        return Measurement.of(metric, provenance="imported", reason=f"the file has no {source_name} above 0")
    reason = None if summary.median is not None else "its file has no median"
    others = {
        name: UNITS[unit].to_si(exact) if unit in UNITS else exact
        for name, value in values.items()
        if _PERCENTILE.fullmatch(name) and name not in SUMMARY_NAMES and (exact := number(value)) is not None
    }
    return figure(
        metric,
        unit,
        summary,
        source_name=source_name,
        method=method,
        valid=reason is None,
        reason=reason,
        details={"percentiles": others} if others else None,
    )


def readings(values: Mapping[str, Any], metrics: Mapping[str, str]) -> Iterator[Measurement]:
    """Yield a single reading in the SI unit for each metric that the file has, by its name there."""
    for name, metric in metrics.items():
        value = number(values.get(name))
        if value is not None:
            yield figure(metric, METRICS[metric].unit, value, source_name=name)


def outcome_of_requests(answered: object, sent: object, what: str = "requests") -> tuple[Outcome, str | None]:
    """Return the outcome of a load, which passed only if every request was answered.

    >>> outcome_of_requests(40, 40), outcome_of_requests(27, 40)
    (('passed', None), ('failed', '27 of 40 requests were answered'))
    """
    done, planned = number(answered), count(sent)
    if done is not None and planned is not None and done < planned:
        return "failed", f"{done:g} of {planned} {what} were answered"
    if done == 0:
        return "failed", f"no {what} were answered"
    return "passed", None


def framework_of(name: object) -> str | None:
    """Return the server that a client names, without the path of its API; None for a mere protocol."""
    if not isinstance(name, str):
        return None
    lowered = name.strip().lower()
    return next((known for known in FRAMEWORKS if lowered == known or lowered.startswith(f"{known}-")), None)
