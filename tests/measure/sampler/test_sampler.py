"""The real sampling process."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from pytest_benchdb.measure.sampler.sampler import Sampler
from pytest_benchdb.model.reading import Series

MIB = 1 << 20
WINDOW_S = 0.3

needs_proc = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads the real /proc")


@pytest.fixture
def sampler() -> Iterator[Sampler]:
    with Sampler(rate_hz=50) as real:
        yield real


def window(sampler: Sampler, work: Callable[[], object], duration_s: float = WINDOW_S) -> tuple[Series, ...]:
    sampler.start()
    end_s = time.monotonic() + duration_s
    while time.monotonic() < end_s:
        work()
    return sampler.stop()


def one(series: Sequence[Series], metric: str, domain: str) -> Series:
    (found,) = (each for each in series if (each.metric, each.domain) == (metric, domain))
    return found


def pid_of(sampler: Sampler) -> int:
    assert sampler._process is not None
    return sampler._process.pid


def is_running(pid: int) -> bool:
    """Return whether a process is alive; a zombie is not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in {"Z", "X"}


def wait_until(condition: Callable[[], bool], limit_s: float = 10.0) -> bool:
    end_s = time.monotonic() + limit_s
    while time.monotonic() < end_s:
        if condition():
            return True
        time.sleep(0.01)
    return False


def test_sampler_sees_memory_that_one_c_call_takes_and_the_interpreter_lock_hides(sampler: Sampler) -> None:
    sampler.start()
    block = b"\1" * (200 * MIB)
    time.sleep(0.1)
    series = sampler.stop()
    rss = one(series, "rss", "process")

    assert len(block) == 200 * MIB
    assert max(rss.values) - min(rss.values) == pytest.approx(200 * MIB, rel=0.05)


def test_series_rise_in_time_from_the_start_of_the_window(sampler: Sampler) -> None:
    window(sampler, lambda: None)

    for series in window(sampler, lambda: None):
        assert len(series.t_s) == len(series.values)
        assert list(series.t_s) == sorted(set(series.t_s))
        assert 0 <= series.t_s[0] < series.t_s[-1] < WINDOW_S + 5


@needs_proc
def test_process_that_computes_uses_its_processor_and_one_that_waits_does_not(sampler: Sampler) -> None:
    cpus = os.cpu_count() or 1
    used_s = time.process_time()
    begun_s = time.monotonic()
    busy = window(sampler, lambda: sum(range(1000)))
    share = (time.process_time() - used_s) / (time.monotonic() - begun_s) / cpus
    idle = window(sampler, lambda: time.sleep(0.02))

    values = one(busy, "utilization", "process").values
    assert sum(values) / len(values) == pytest.approx(share, rel=0.5, abs=0.1)
    assert sum(one(idle, "utilization", "process").values) < 0.5 * sum(values)


@needs_proc
def test_second_window_has_no_points_of_the_first(sampler: Sampler) -> None:
    first = one(window(sampler, lambda: None), "rss", "process")
    second = one(window(sampler, lambda: None, 0.1), "rss", "process")

    assert len(second.values) < len(first.values)


def test_one_process_serves_every_window(sampler: Sampler) -> None:
    window(sampler, lambda: None, 0.0)
    pid = pid_of(sampler)
    window(sampler, lambda: None, 0.0)

    assert pid_of(sampler) == pid


@pytest.mark.parametrize(("asked", "given"), [(1, 10), (20, 20), (1000, 50)])
def test_rate_stays_between_10_and_50_hz(asked: float, given: float) -> None:
    assert Sampler(rate_hz=asked).rate_hz == given


def test_process_that_died_in_a_window_costs_that_window_only(sampler: Sampler) -> None:
    sampler.start()
    os.kill(pid_of(sampler), signal.SIGKILL)

    assert sampler.stop() == ()
    assert "the sampling process died" in sampler.reasons["sampler"]
    assert window(sampler, lambda: None, 0.05)
    assert "sampler" not in sampler.reasons


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("import time; time.sleep(60)", "gave no answer for 0.3 s"),
        ("raise SystemExit('no sensors today')", "died: no sensors today"),
        ("print('not JSON', flush=True); input()", "the sampling process died"),
    ],
    ids=["hangs", "dies", "babbles"],
)
def test_process_that_does_not_answer_is_a_reason_and_no_series(program: str, reason: str) -> None:
    with Sampler(command=[sys.executable, "-c", program], patience_s=0.3 if "sleep" in program else 10) as sampler:
        sampler.start()

        assert reason in sampler.reasons["sampler"]
        assert sampler.stop() == ()


def test_missing_program_is_a_reason() -> None:
    with Sampler(command=["/no/such/program"]) as sampler:
        sampler.start()

        assert "cannot be started" in sampler.reasons["sampler"]


def test_process_that_failed_twice_is_not_started_again() -> None:
    with Sampler(command=[sys.executable, "-c", "raise SystemExit(1)"]) as sampler:
        sampler.start()
        sampler.start()
        sampler.start()

    assert sampler.reasons["sampler"] == "the sampling process failed 2 times and is not started again"


def test_stop_without_start_gives_nothing(sampler: Sampler) -> None:
    assert sampler.stop() == ()


@needs_proc
def test_close_ends_the_process_and_a_later_start_begins_another(sampler: Sampler) -> None:
    window(sampler, lambda: None, 0.0)
    first = pid_of(sampler)
    sampler.close()

    assert not is_running(first)
    assert window(sampler, lambda: None, 0.05)


@needs_proc
@pytest.mark.parametrize("at_work", [True, False], ids=["sampling", "idle"])
def test_process_ends_with_a_parent_that_was_killed(at_work: bool) -> None:
    script = f"""
        from pytest_benchdb.measure.sampler.sampler import Sampler

        sampler = Sampler()
        sampler.start()
        if not {at_work}:
            sampler.stop()
        print(sampler._process.pid, flush=True)
        input()
    """
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdin is not None
    assert parent.stdout is not None
    with parent.stdin, parent.stdout:
        pid = int(parent.stdout.readline())
        assert is_running(pid)
        parent.kill()
        parent.wait()

        assert wait_until(lambda: not is_running(pid))


@needs_proc
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_forked_child_leaves_its_parents_process_alone(sampler: Sampler) -> None:
    window(sampler, lambda: None, 0.0)
    child = os.fork()
    if child == 0:
        sampler.close()
        os._exit(0)
    os.waitpid(child, 0)

    assert is_running(pid_of(sampler))
    assert window(sampler, lambda: None, 0.05)


@pytest.mark.skipif(sys.platform != "linux" or (os.cpu_count() or 1) < 2, reason="needs two processors")
def test_sampling_process_keeps_off_the_benchmarks_processor(sampler: Sampler) -> None:
    allowed = os.sched_getaffinity(0)
    mine = {min(allowed)}
    os.sched_setaffinity(0, mine)
    try:
        sampler.start()
        where = os.sched_getaffinity(pid_of(sampler))
        sampler.stop()
    finally:
        os.sched_setaffinity(0, allowed)

    assert where == set(range(os.cpu_count() or 1)) - mine


def test_tree_without_proc_is_read_by_psutil_with_the_folder_it_was_found_in(tmp_path: Path) -> None:
    pytest.importorskip("psutil")
    with Sampler(root=tmp_path, rate_hz=50) as sampler:
        series = window(sampler, lambda: None, 0.1)

    assert {(each.metric, each.domain) for each in series} == {
        ("rss", "process"),
        ("utilization", "process"),
        ("utilization", "machine"),
    }


def test_device_that_nvml_cannot_find_is_a_reason_and_the_host_is_sampled_all_the_same() -> None:
    pytest.importorskip("pynvml")
    with Sampler(devices={"GPU-00000000-0000-0000-0000-000000000000": "device"}) as sampler:
        series = window(sampler, lambda: None, 0.1)

    assert "NVMLError" in sampler.reasons["pynvml"]
    assert {each.device_id for each in series} == {None}
