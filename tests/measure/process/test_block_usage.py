import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import astuple
from itertools import count
from pathlib import Path

import pytest

from pytest_benchdb.measure.process.block_usage import STEAL_REUSE_NS, BlockProbe
from pytest_benchdb.model.run import BlockUsage

# In the order of the fields of `BlockUsage`.
BLOCK_METRICS = (
    "block_wall_time",
    "block_cpu_time",
    "block_thread_time",
    "peak_rss",
    "rss_start",
    "minor_faults",
    "major_faults",
    "voluntary_switches",
    "involuntary_switches",
    "steal_time",
)

MIB = 1 << 20

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="os.sysconf and os.pread are POSIX")
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="reads the real /proc")


class ProcTree:
    """A replacement of ``/``, with the files of ``/proc`` that a probe reads."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.clear_refs = root / "proc/self/clear_refs"
        self.clear_refs.parent.mkdir(parents=True)
        self.clear_refs.write_text("")
        self.set_memory(rss_kib=40_000, peak_kib=40_000)
        self.set_steal_ticks(0)

    def set_memory(self, *, rss_kib: int, peak_kib: int) -> None:
        pages = rss_kib * 1024 // os.sysconf("SC_PAGE_SIZE")
        status = f"Name:\tpython\nVmPeak:\t 9999999 kB\nVmHWM:\t {peak_kib} kB\nVmRSS:\t {rss_kib} kB\n"
        (self.root / "proc/self/status").write_text(status)
        (self.root / "proc/self/statm").write_text(f"500000 {pages} 1500 1 0 4000 0\n")

    def set_steal_ticks(self, ticks: int) -> None:
        (self.root / "proc/stat").write_text(f"cpu  2481 0 1577 180306 306 0 23 {ticks} 0 0\ncpu0 1 2 3\n")


@pytest.fixture
def proc(tmp_path: Path) -> ProcTree:
    return ProcTree(tmp_path)


@pytest.fixture
def probe() -> Iterator[BlockProbe]:
    real = BlockProbe()
    yield real
    real.close()


def measured(usage: BlockUsage) -> dict[str, float | None]:
    return dict(zip(BLOCK_METRICS, astuple(usage), strict=True))


def run_python(script: str) -> str:
    """Run a script in its own process, with its own memory and descriptors."""
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@on_linux
def test_every_missing_value_on_this_machine_has_a_reason(probe: BlockProbe) -> None:
    usage = probe.stop(probe.start())

    assert {name for name, value in measured(usage).items() if value is None} == set(probe.unmeasured())


@on_linux
@pytest.mark.parametrize("kept", ["block", "None"], ids=["still-held", "given-back"])
def test_peak_of_200_mib_from_one_c_call_is_seen_within_one_mib(kept: str) -> None:
    excess = run_python(f"""
        from pytest_benchdb.measure.process.block_usage import BlockProbe

        probe = BlockProbe()
        token = probe.start()
        block = b"\\1" * (200 << 20)
        block = {kept}
        usage = probe.stop(token)
        if "peak_rss" in probe.unmeasured():
            print("unmeasured")
        else:
            print(usage.peak_rss_bytes - usage.rss_start_bytes)
    """)

    if excess == "unmeasured":
        pytest.skip("this kernel cannot set the peak back")
    assert abs(int(excess) - 200 * MIB) <= MIB


@on_linux
def test_peak_of_a_block_does_not_hold_the_peak_of_the_block_before() -> None:
    peaks = run_python("""
        from pytest_benchdb.measure.process.block_usage import BlockProbe

        probe = BlockProbe()
        first = probe.start()
        block = b"\\1" * (200 << 20)
        del block
        large = probe.stop(first)
        small = probe.stop(probe.start())
        print(large.peak_rss_bytes - small.peak_rss_bytes if large.peak_rss_bytes else "unmeasured")
    """)

    if peaks == "unmeasured":
        pytest.skip("this kernel cannot set the peak back")
    assert int(peaks) > 190 * MIB


@on_linux
def test_peak_below_the_parents_peak_before_exec_is_still_the_blocks() -> None:
    # A child inherits its parent's ru_maxrss through exec: only VmHWM then has the peaks of its own blocks.
    excess = run_python("""
        import subprocess, sys

        large = b"\\1" * (300 << 20)
        child = '''if True:
            import resource
            from pytest_benchdb.measure.process.block_usage import BlockProbe

            probe = BlockProbe()
            token = probe.start()
            block = b"\\1" * (100 << 20)
            usage = probe.stop(token)
            inherited = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
            print(inherited, usage.peak_rss_bytes and usage.peak_rss_bytes - usage.rss_start_bytes)
        '''
        subprocess.run([sys.executable, "-c", child], check=True)
    """)

    inherited_mib, peak = excess.split()
    if peak == "None":
        pytest.skip("this kernel cannot set the peak back")
    assert int(inherited_mib) > 250
    assert abs(int(peak) - 100 * MIB) <= MIB


@on_linux
def test_child_of_a_fork_is_measured_by_its_own_files() -> None:
    sizes = run_python("""
        import os
        from pytest_benchdb.measure.process.block_usage import BlockProbe

        probe = BlockProbe()
        probe.stop(probe.start())
        if os.fork() == 0:
            token = probe.start()
            block = b"\\1" * (100 << 20)
            usage = probe.stop(token)
            peak = usage.peak_rss_bytes
            print("unmeasured" if peak is None else peak - usage.rss_start_bytes, flush=True)
            os._exit(0)
        os.wait()
    """)

    if sizes == "unmeasured":
        pytest.skip("this kernel cannot set the peak back")
    assert abs(int(sizes) - 100 * MIB) <= MIB


@on_linux
def test_block_that_forks_has_no_negative_values_in_the_child() -> None:
    figures = run_python("""
        import os
        from dataclasses import astuple
        from pytest_benchdb.measure.process.block_usage import BlockProbe

        sum(range(3_000_000))  # the parent's CPU time is larger than the child's will be
        probe = BlockProbe()
        token = probe.start()
        child = os.fork() == 0
        usage = probe.stop(token)
        if child:
            print(min(value for value in astuple(usage) if value is not None), flush=True)
            os._exit(0)
        os.wait()
    """)

    assert float(figures) >= 0


@on_linux
def test_closed_descriptors_are_opened_again_and_another_file_is_not_written(tmp_path: Path) -> None:
    text = run_python(f"""
        import os
        from pytest_benchdb.measure.process.block_usage import BlockProbe

        probe = BlockProbe()
        before = probe.stop(probe.start())
        os.closerange(3, 64)
        files = [open({str(tmp_path / "precious")!r} + str(i), "w+") for i in range(8)]
        after = probe.stop(probe.start())
        assert (after.peak_rss_bytes is None) == (before.peak_rss_bytes is None)
        print(repr("".join(file.read() for file in files)))
    """)

    assert text == "''"


def test_cpu_bound_block_has_cpu_time_between_nothing_and_wall_time_per_thread(probe: BlockProbe) -> None:
    token = probe.start()
    total = sum(range(300_000))
    usage = probe.stop(token)

    assert total
    assert usage.wall_s > 0
    assert usage.cpu_s > 0
    assert usage.thread_s is not None
    assert 0 < usage.thread_s <= usage.wall_s + 0.001


def test_clocks_are_read_nearest_to_the_block(proc: ProcTree) -> None:
    clock = count(0, 1000)
    readings: list[int] = []

    def wall_ns() -> int:
        readings.append(next(clock))
        return readings[-1]

    probe = BlockProbe(proc_root=proc.root, wall_ns=wall_ns, cpu_ns=lambda: next(clock), platform="linux")
    token = probe.start()
    last_of_start = next(clock) - 1000
    first_of_stop = last_of_start + 2000
    usage = probe.stop(token)

    assert last_of_start in readings
    assert usage.wall_s == pytest.approx((first_of_stop - last_of_start) / 1e9)


def test_start_writes_5_to_clear_refs(proc: ProcTree) -> None:
    BlockProbe(proc_root=proc.root, platform="linux").start()

    assert set(proc.clear_refs.read_text()) == {"5"}


def test_peak_is_the_high_water_mark_of_status(proc: ProcTree) -> None:
    probe = BlockProbe(proc_root=proc.root, platform="linux")

    token = probe.start()
    proc.set_memory(rss_kib=41_000, peak_kib=90_000_000)
    usage = probe.stop((*token[:4], (0,) * 16, *token[5:]))  # as if ru_maxrss had risen

    assert usage.peak_rss_bytes == 90_000_000 * 1024
    assert usage.rss_start_bytes == 40_000 * 1024


def test_clear_refs_that_does_nothing_makes_the_peak_unmeasured(proc: ProcTree) -> None:
    proc.set_memory(rss_kib=40_000, peak_kib=90_000_000)

    probe = BlockProbe(proc_root=proc.root, platform="linux")

    assert probe.stop(probe.start()).peak_rss_bytes is None
    assert "VmHWM stays" in probe.unmeasured()["peak_rss"]


@pytest.mark.parametrize(
    ("name", "metric"),
    [
        ("self/clear_refs", "peak_rss"),
        ("self/status", "peak_rss"),
        ("self/statm", "rss_start"),
        ("stat", "steal_time"),
    ],
)
def test_missing_file_makes_its_metric_unmeasured_with_the_files_name(proc: ProcTree, name: str, metric: str) -> None:
    (proc.root / "proc" / name).unlink()

    probe = BlockProbe(proc_root=proc.root, platform="linux")
    usage = probe.stop(probe.start())

    assert measured(usage)[metric] is None
    assert set(probe.unmeasured()) == {metric}
    assert f"/proc/{name} cannot be" in probe.unmeasured()[metric]


@pytest.mark.skipif(os.geteuid() == 0 if hasattr(os, "geteuid") else True, reason="root may write everything")
def test_read_only_clear_refs_makes_the_peak_unmeasured(proc: ProcTree) -> None:
    proc.clear_refs.chmod(0o400)

    probe = BlockProbe(proc_root=proc.root, platform="linux")

    assert "Permission denied" in probe.unmeasured()["peak_rss"]


@pytest.mark.parametrize(
    ("name", "metric"), [("self/statm", "rss_start"), ("stat", "steal_time")], ids=["statm", "stat"]
)
def test_file_that_turns_unreadable_makes_its_metric_unmeasured(proc: ProcTree, name: str, metric: str) -> None:
    probe = BlockProbe(proc_root=proc.root, platform="linux")

    (proc.root / "proc" / name).write_text("?")
    usage = probe.stop(probe.start())

    assert measured(usage)[metric] is None
    assert "not understood" in probe.unmeasured()[metric]


def test_steal_between_start_and_stop_is_reported_in_seconds(proc: ProcTree) -> None:
    clock = count(0, STEAL_REUSE_NS)
    probe = BlockProbe(proc_root=proc.root, wall_ns=lambda: next(clock), platform="linux")

    token = probe.start()
    proc.set_steal_ticks(os.sysconf("SC_CLK_TCK") * 3)
    usage = probe.stop(token)

    assert usage.steal_s == pytest.approx(3)


def test_steal_of_back_to_back_blocks_is_counted_once(proc: ProcTree) -> None:
    clock = count(0, STEAL_REUSE_NS // 4)
    probe = BlockProbe(proc_root=proc.root, wall_ns=lambda: next(clock), platform="linux")

    total = 0.0
    for ticks in range(40):
        token = probe.start()
        proc.set_steal_ticks(ticks)
        usage = probe.stop(token)
        assert usage.steal_s is not None
        total += usage.steal_s

    # Time stolen in the last 5 ms may be missing, but there is never more than was stolen.
    ticks_seen = total * os.sysconf("SC_CLK_TCK")
    assert 37 <= round(ticks_seen) <= 39


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_platform_without_proc_reports_why_there_is_not_a_peak_and_no_steal(platform: str) -> None:
    probe = BlockProbe(platform=platform)

    usage = probe.stop(probe.start())

    assert usage.peak_rss_bytes is None
    assert usage.steal_s is None
    assert {"peak_rss", "steal_time"} <= set(probe.unmeasured()) <= set(BLOCK_METRICS)
    assert all(platform in reason for reason in probe.unmeasured().values())


def test_platform_without_proc_takes_the_resident_set_from_psutil() -> None:
    pytest.importorskip("psutil")
    probe = BlockProbe(platform="darwin")

    usage = probe.stop(probe.start())

    assert usage.rss_start_bytes is not None
    assert usage.rss_start_bytes > MIB


def test_closed_probe_opens_its_files_again_at_the_next_start(proc: ProcTree) -> None:
    probe = BlockProbe(proc_root=proc.root, platform="linux")

    probe.close()
    usage = probe.stop(probe.start())

    assert usage.rss_start_bytes == 40_000 * 1024
    assert probe.unmeasured() == {}
