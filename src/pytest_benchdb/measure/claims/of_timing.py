"""Claims about time, caches, streams, graphs and memory."""

import statistics

from pytest_benchdb.interfaces import CapturesGraphs, HasCurrent
from pytest_benchdb.measure.claims.rig import LARGE, MEDIUM, MIB, SMALL, Claim, Finding, Rig, UntestedError
from pytest_benchdb.measure.timing.rounds import Timed

_GIB = 1024 * MIB
_HOT_BYTES = 32 * MIB
"""Fits into the L2 cache of the GPUs that training and serving run on (H100 and H200: 50 MiB)."""


def wall_s(timed: Timed) -> float:
    """Return the median wall time of a call, seconds."""
    return statistics.median(timed.wall_ns) / timed.iterations / 1e9


def device_s(timed: Timed) -> float:
    """Return the median device time of a call, seconds.

    Raises:
        UntestedError: the device has no clock.
    """
    if not timed.device_s:
        raise UntestedError("this device has no clock")
    return statistics.median(timed.device_s)


def _us(seconds: float) -> str:
    return f"{seconds * 1e6:.4g} us"


def _device_time_of_long_work(rig: Rig) -> Finding:
    """Compare both clocks where the launch does not matter."""
    timed = rig.timed(rig.workload.product(LARGE))
    share = device_s(timed) / wall_s(timed)
    return Finding(share, f"{_us(device_s(timed))} of {_us(wall_s(timed))}: {share:.3f}")


def _device_time_without_launch(rig: Rig) -> Finding:
    """Compare the device time of single calls with that of calls that queue up, where no launch can be seen."""
    call = rig.workload.product(MEDIUM)
    single = device_s(rig.timed(call, iterations=1))
    queued = device_s(rig.timed(call, iterations=200, barrier="block", rounds=20))
    ratio = single / queued
    return Finding(ratio, f"{_us(single)} alone, {_us(queued)} queued: {ratio:.3f}")


def _cold_and_hot(rig: Rig) -> Finding:
    """Compare a sum of cached values with the same after a flush."""
    call = rig.workload.total(_HOT_BYTES)
    hot = rig.timed(call, iterations=1)
    cold = rig.timed(call, cache_mode="cold", max_time_s=0.5 * rig.patience)
    if cold.cache_mode != "cold":
        raise UntestedError("the caches of this device cannot be emptied")
    ratio = device_s(cold) / device_s(hot)
    return Finding(ratio, f"{_us(device_s(hot))} hot, {_us(device_s(cold))} cold: {ratio:.2f}")


def _other_streams(rig: Rig) -> Finding:
    """Time work on the current stream, and the same work on another one; the figure is the share that is noticed."""
    call = rig.workload.product(LARGE)
    usual, beside = rig.timed(call), rig.timed(rig.workload.beside(call))
    if usual.after_mark_s is None or beside.after_mark_s is None:
        raise UntestedError("this device cannot wait for a single mark")
    share = (beside.after_mark_s - usual.after_mark_s) / (wall_s(beside) * beside.iterations)
    return Finding(share, f"{_us(usual.after_mark_s)} after the mark, {_us(beside.after_mark_s)} with another stream")


def _graph(rig: Rig) -> Finding:
    """Compare many small kernels with the replay of their graph."""
    if not isinstance(rig.opened, CapturesGraphs):
        raise UntestedError(f"{rig.opened.device.backend} has no graphs")
    chain = rig.workload.chain(50)
    launched, replayed = wall_s(rig.timed(chain)), wall_s(rig.timed(rig.opened.capture(chain)))
    return Finding(replayed / launched, f"{_us(launched)} launched, {_us(replayed)} replayed")


def _sampler(rig: Rig) -> Finding:
    """Compare short rounds with and without the sampling process beside them."""
    if rig.sampler is None:
        raise UntestedError("there is no sampler for this device")
    call = rig.workload.product(SMALL)
    ratios = []
    with rig.sampler() as sampler:
        for _ in range(3):
            alone = wall_s(rig.timed(call))
            sampler.start()
            beside = wall_s(rig.timed(call))
            sampler.stop()
            ratios.append(beside / alone)
    ratio = statistics.median(ratios)
    return Finding(ratio, f"{ratio:.4f} times as long")


def _peak(rig: Rig) -> Finding:
    """Allocate memory and look at the allocator's peak, with a flush meanwhile."""
    opened, kept = rig.opened, rig.workload.hold(MIB)
    opened.synchronize()
    opened.reset_memory()
    before = opened.memory().get("device_peak")
    if before is None:
        raise UntestedError("the allocator of this device keeps no figures")
    opened.flush_cache()
    held = rig.workload.hold(_GIB)
    rise = opened.memory()["device_peak"] - before
    del held, kept
    return Finding(rise / MIB, f"{rise / MIB:.1f} MiB")


def _memory_of_meter(rig: Rig) -> Finding:
    """Allocate memory and look at what the meter reports."""
    panel = rig.panel.only("device_used")
    if not panel.sensors:
        raise UntestedError("no meter reads the memory of this device")
    key = panel.sensors[0].key
    rig.workload.release()
    used = panel.read()[key].value
    held = rig.workload.hold(_GIB)
    rig.opened.synchronize()
    full = panel.read()[key].value
    del held
    if used is None or full is None:
        raise UntestedError("the memory of this device cannot be read")
    rise = full - used
    return Finding(rise / MIB, f"{rise / MIB:.1f} MiB")


def _out_of_memory(rig: Rig) -> Finding:
    """Ask for twice the device's memory."""
    total = rig.opened.device.memory_bytes
    if total is None:
        raise UntestedError("the size of this device's memory is not known")
    work = rig.workload
    try:
        work.hold(2 * total)
    except Exception as error:  # noqa: BLE001 - it is what is looked at
        text = str(error).strip().partition("\n")[0]
        return Finding(float(rig.opened.is_out_of_memory(error)), f"{type(error).__name__}: {text[:80]}")
    return Finding(0, f"{2 * total / MIB:.0f} MiB were allocated on a device of {total / MIB:.0f} MiB")


def _current_device(rig: Rig) -> Finding:
    """Run work that names no device."""
    if not isinstance(rig.opened, HasCurrent):
        raise UntestedError(f"{rig.opened.device.backend} has no current device")
    with rig.opened.current():
        index = rig.workload.unnamed_index()
    which = "" if rig.count > 1 else "; there is only one device"
    return Finding(float(index == rig.index), f"device {index}{which}")


CLAIMS: tuple[Claim, ...] = (
    Claim(
        name="device_time of a long kernel is its wall time",
        quantity="of the wall time",
        check=_device_time_of_long_work,
        least=0.9,
        most=1.02,
    ),
    Claim(
        name="device_time holds no launch",
        quantity="of the time in a queue",
        check=_device_time_without_launch,
        least=0.85,
        most=1.15,
    ),
    Claim(name="cold rounds find empty caches", quantity="times as long as hot ones", check=_cold_and_hot, least=1.05),
    Claim(
        name="work on other streams is noticed",
        quantity="of it seen after the mark",
        check=_other_streams,
        least=0.5,
        most=2,
    ),
    Claim(name="a graph replays without the launches", quantity="of the time to launch them", check=_graph, most=1),
    Claim(
        name="the sampler does not slow the device down",
        quantity="times as long with it",
        check=_sampler,
        least=0.97,
        most=1.03,
    ),
    Claim(
        name="device_peak is what was allocated",
        quantity="MiB for 1024, caches flushed meanwhile",
        check=_peak,
        least=1022,
        most=1026,
    ),
    Claim(
        name="the meter reports the same memory", quantity="MiB for 1024", check=_memory_of_meter, least=922, most=1126
    ),
    Claim(name="running out of memory is recognised", quantity="outcome oom", check=_out_of_memory),
    Claim(
        name="work without a named device runs on the device of the test",
        quantity="the device's own index",
        check=_current_device,
    ),
)
