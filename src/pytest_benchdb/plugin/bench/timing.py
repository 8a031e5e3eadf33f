"""What rounds took -> measurements.

PYTEST_DONT_REWRITE
"""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from pytest_benchdb.measure.timing.rounds import Plan, Timed
from pytest_benchdb.model.metric import METRICS, Provenance
from pytest_benchdb.model.run import Measurement

_RATES = {"items": "throughput", "bytes": "bytes_per_second", "flops": "flops_per_second"}


def timing(
    timed: Timed, plan: Plan, work: Mapping[str, float | None], *, phase: str | None, provenance: Provenance
) -> list[Measurement]:
    """Return the rows of one timed function.

    Args:
        timed: its rounds.
        plan: how they were made.
        work: items, bytes and floating-point operations of one call; None where not told.
        phase: named part of the run.
        provenance: of the device.
    """
    about = {"phase": phase, "provenance": provenance}
    details = {
        "sync_mode": timed.sync_mode,
        "cache_mode": timed.cache_mode,
        "gc": plan.gc,
        "iterations": timed.iterations,
        "warmup_rounds": timed.warmup_rounds,
    }
    wall = _per_iteration(timed.wall_ns, timed.iterations)
    alone = plan.barrier == "block" and timed.sync_mode is not None
    rows = [
        _row(
            "wall_time",
            **about,
            samples=wall,
            method="perf_counter_ns",
            details=details,
            valid=not alone,
            reason="the device was waited for once after all rounds: these are the times of asking" if alone else None,
        ),
        _row("cpu_time", **about, samples=_per_iteration(timed.cpu_ns, timed.iterations), method="process_time_ns"),
    ]
    if timed.first_call_ns is not None:
        rows.append(_row("first_call_time", **about, value=timed.first_call_ns / 1e9, method="perf_counter_ns"))
    if timed.thread_ns is not None:
        samples = _per_iteration(timed.thread_ns, timed.iterations)
        rows.append(_row("thread_time", **about, samples=samples, method="thread_time_ns"))
    if timed.device_s is not None:
        rows.append(_row("device_time", **about, samples=timed.device_s, method="marks on the device's timeline"))
    for metric, value in timed.memory.items():
        rows.append(_row(metric, **about, value=value, method="peak of the device's allocator"))
    return rows + _rates(work, wall if not alone else timed.device_s, about)


def _rates(
    work: Mapping[str, float | None], samples: Sequence[float] | None, about: Mapping[str, Any]
) -> list[Measurement]:
    """Return amounts per second: the amount of one call by its median time."""
    rows = []
    median = statistics.median(samples) if samples else 0.0
    for name, amount in work.items():
        if amount is None:
            continue
        if median > 0:
            rows.append(
                _row(
                    _RATES[name],
                    **{**about, "provenance": _derived(about)},
                    value=amount / median,
                    method=f"{name} of one call / its median time",
                    details={name: amount},
                )
            )
        else:
            rows.append(_row(_RATES[name], **about, reason="the median time is below the clock's tick"))
    return rows


def _derived(about: Mapping[str, Any]) -> Provenance:
    return "simulated" if about["provenance"] == "simulated" else "derived"


def _per_iteration(round_ns: Sequence[int], iterations: int) -> list[float]:
    scale = 1e9 * iterations
    return [ns / scale for ns in round_ns]


def _row(metric: str, **values: Any) -> Measurement:
    known = METRICS[metric]
    return Measurement(metric=metric, unit=known.unit, better=known.better, **values)
