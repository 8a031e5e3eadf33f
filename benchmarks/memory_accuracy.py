"""How near memory figures come to 200 MiB that one C call takes, and what a sampler sees of it.

    python benchmarks/memory_accuracy.py [--repeat 5] [--case figures|samplers|cost ...]

`figures`: the memory pass, each figure in a fresh process, for memory that is written to and memory that is only
asked for. `samplers`: share of a peak that a sampling thread, the sampling process and VmHWM see, when the peak
lasts as long as one C call that holds the interpreter's lock. `cost`: what a round takes beside the sampler.
Needs psutil; numpy and memray where they are installed. Linux.
"""

import argparse
import importlib.util
import json
import statistics
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path

from pytest_benchdb.measure.process.block_usage import BlockProbe
from pytest_benchdb.measure.sampler.sampler import Sampler

MIB = 1 << 20
SIZE_MIB = 200

WORKLOADS = {
    "b'1' * n": "lambda: b'1' * (200 << 20)",
    "bytes(n), never written to": "lambda: bytes(200 << 20)",
    "numpy.ones": "lambda: numpy.ones(25 << 20)",
    "numpy.zeros, never written to": "lambda: numpy.zeros(25 << 20)",
}
FIGURES = ("peak_rss", "uss", "python_peak", "native_peak", "tree_peak")
CHILD = """
    import importlib.util, json
    from pytest_benchdb.measure.process.block_usage import BlockProbe
    from pytest_benchdb.measure.process.memory_pass import measure_memory

    if importlib.util.find_spec("numpy"):
        import numpy
    call, probe = {call}, BlockProbe()
    measure_memory(call, probe=probe, metrics={figures})  # whatever the first execution loads stays loaded
    nothing = {{each.metric: each.value for each in measure_memory(lambda: None, probe=probe, metrics={figures})}}
    found = measure_memory(call, probe=probe, metrics={figures})
    start = {{each.metric: each.value for each in found}}["rss_start"]
    base = nothing | {{"peak_rss": start}}
    print(json.dumps({{each.metric: [each.value, each.reason, base[each.metric]] for each in found}}))
"""


def fresh(call: str) -> dict[str, tuple[float | None, str | None, float | None]]:
    """Return each figure of a call, its reason, and the figure of a call that does nothing."""
    script = textwrap.dedent(CHILD).format(call=call, figures=FIGURES)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def figures(repeat: int) -> None:
    """Print how much each figure grew by an allocation of 200 MiB: the median, and the largest error."""
    print(f"\nfigures: growth by a call that takes {SIZE_MIB} MiB, MiB (median; range), {repeat} fresh processes")
    for name, call in WORKLOADS.items():
        if "numpy" in call and importlib.util.find_spec("numpy") is None:
            continue
        answers = [fresh(call) for _ in range(repeat)]
        print(f"  {name}")
        for figure in FIGURES:
            grown = [(one[figure][0] - (one[figure][2] or 0)) / MIB for one in answers if one[figure][0] is not None]
            if grown:
                print(f"    {figure:<12} {statistics.median(grown):8.2f}  ({min(grown):.2f} to {max(grown):.2f})")
            else:
                print(f"    {figure:<12}     none  {answers[0][figure][1]}")


class SamplingThread:
    """What other tools do: a thread that reads the resident set."""

    def __init__(self, rate_hz: float) -> None:
        self._period_s = 1 / rate_hz
        self._end = threading.Event()
        self._peak = 0
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "SamplingThread":  # noqa: PYI034 - Self needs Python 3.11
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        with open("/proc/self/statm", "rb", buffering=0) as file:  # noqa: PTH123 - as the tools do
            while not self._end.wait(self._period_s):
                file.seek(0)
                self._peak = max(self._peak, int(file.read().split()[1]) * 4096)

    @property
    def peak(self) -> int:
        """The largest resident set that was seen, bytes."""
        return self._peak


def one_c_call() -> None:
    """Take 200 MiB and give them back within one C call, which never lets go of the lock."""
    (b"1" * (SIZE_MIB * MIB)).count(b"2")


def resident() -> int:
    """Return the resident set now, bytes."""
    return int(Path("/proc/self/statm").read_bytes().split()[1]) * 4096


def samplers(repeat: int) -> None:
    """Print the share of the peak that each way sees."""
    print(f"\nsamplers: share of a {SIZE_MIB} MiB peak within a call without the lock let go, % (median of {repeat})")
    begun_s = time.perf_counter()
    one_c_call()
    print(f"  the call lasts {(time.perf_counter() - begun_s) * 1e3:.0f} ms")
    for rate_hz in (10, 100, 1000):
        seen = [seen_by_thread(rate_hz) for _ in range(repeat)]
        print(f"  thread, {rate_hz:>4} Hz   {statistics.median(seen):6.1f}")
    for rate_hz in (10, 20, 50):
        with Sampler(rate_hz=rate_hz) as sampler:
            seen = [seen_by_process(sampler) for _ in range(repeat)]
        print(f"  process, {rate_hz:>3} Hz   {statistics.median(seen):6.1f}")
    probe = BlockProbe()
    print(f"  VmHWM             {statistics.median(seen_by_mark(probe) for _ in range(repeat)):6.1f}")


def seen_by_thread(rate_hz: float) -> float:
    """Return what a thread sees, %."""
    before = resident()
    with SamplingThread(rate_hz) as thread:
        time.sleep(0.12)
        one_c_call()
        time.sleep(0.12)
    return max(0.0, (thread.peak - before) / (SIZE_MIB * MIB) * 100)


def seen_by_process(sampler: Sampler) -> float:
    """Return what the sampling process sees, %."""
    before = resident()
    sampler.start()
    one_c_call()
    series = [one for one in sampler.stop() if one.metric == "rss"]
    return max(0.0, (max(series[0].values) - before) / (SIZE_MIB * MIB) * 100)


def seen_by_mark(probe: BlockProbe) -> float:
    """Return what the kernel's own high-water mark says, %."""
    token = probe.start()
    one_c_call()
    usage = probe.stop(token)
    return ((usage.peak_rss_bytes or 0) - (usage.rss_start_bytes or 0)) / (SIZE_MIB * MIB) * 100


def cost(repeat: int) -> None:
    """Print the ratio of a round's median time with the sampler at work to that without, interleaved."""
    print(f"\ncost: median round beside the sampling process, ratio to without (median of {repeat} pairs)")

    def work() -> None:
        sum(range(20_000))

    for rate_hz in (20, 50):
        with Sampler(rate_hz=rate_hz) as sampler:
            sampler.start()
            sampler.stop()
            ratios, same = [], []
            for _ in range(repeat):
                alone = median_round(work)
                sampler.start()
                beside = median_round(work)
                sampler.stop()
                ratios.append(beside / alone)
                same.append(median_round(work) / alone)
        print(f"  {rate_hz} Hz: {statistics.median(ratios):.4f}   (without twice: {statistics.median(same):.4f})")


def median_round(work: Callable[[], None], duration_s: float = 0.5) -> float:
    """Return the median time of a round, seconds."""
    rounds = []
    end_s = time.perf_counter() + duration_s
    while (begun_s := time.perf_counter()) < end_s:
        work()
        rounds.append(time.perf_counter() - begun_s)
    return statistics.median(rounds)


CASES: dict[str, Callable[[int], None]] = {"figures": figures, "samplers": samplers, "cost": cost}


def main() -> None:
    """Run the cases that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--case", action="append", choices=CASES)
    arguments = parser.parse_args()
    for name in arguments.case or CASES:
        CASES[name](arguments.repeat)


if __name__ == "__main__":
    main()
