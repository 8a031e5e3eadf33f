"""Measures the peaks of a device: the best rate of several rounds of work that its backend has for it."""

from collections.abc import Callable

from pytest_benchdb.interfaces import OpenDevice, PeakWork
from pytest_benchdb.model.metric import Provenance
from pytest_benchdb.model.run import Measurement

ROUND_S = 0.05
"""Shortest round: the launch of the work and the barrier are a small part of it."""
TOTAL_S = 1.0
LEAST_ROUNDS = 5
MOST_ROUNDS = 100
_MOST_ITERATIONS = 1 << 16


def measure_peak(work: PeakWork, device: OpenDevice, provenance: Provenance = "measured") -> tuple[Measurement, ...]:
    """Return the peak and the times that it comes from; without work, a row with the reason.

    The peak is that of the fastest round: disturbances only make rounds slower.
    """
    if work.call is None:
        return (
            Measurement.of(work.metric, provenance=provenance, reason=work.reason or "the device has no work for it"),
        )
    for _ in range(2):  # libraries set themselves up in the first call
        work.call()
    device.synchronize()
    iterations = _iterations(work.call, device)
    times_s: list[float] = []
    while len(times_s) < LEAST_ROUNDS or (sum(times_s) * iterations < TOTAL_S and len(times_s) < MOST_ROUNDS):
        times_s.append(_round_s(work.call, device, iterations) / iterations)
    best_s = min(times_s)
    if best_s <= 0:
        return (Measurement.of(work.metric, provenance=provenance, reason="the clock stands still"),)
    details = {"amount": work.amount, "precision": work.precision, "iterations": iterations, "rounds": len(times_s)}
    return (
        Measurement.of(
            work.metric, provenance=provenance, value=work.amount / best_s, method=work.method, details=details
        ),
        Measurement.of("wall_time", provenance=provenance, samples=times_s, method="perf_counter_ns"),
    )


def _iterations(call: Callable[[], object], device: OpenDevice) -> int:
    iterations = 1
    while _round_s(call, device, iterations) < ROUND_S and iterations < _MOST_ITERATIONS:
        iterations *= 2
    return iterations


def _round_s(call: Callable[[], object], device: OpenDevice, iterations: int) -> float:
    device.synchronize()
    begin_ns = device.clock_ns()
    for _ in range(iterations):
        call()
    device.synchronize()
    return (device.clock_ns() - begin_ns) / 1e9
