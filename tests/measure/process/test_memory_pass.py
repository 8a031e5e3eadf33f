import subprocess
import sys
import textwrap
import tracemalloc
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import pytest

from pytest_benchdb.measure.process.block_usage import BlockProbe
from pytest_benchdb.measure.process.memory_pass import DEFAULT_METRIC_NAMES, measure_memory, settle
from pytest_benchdb.model.run import Measurement

MIB = 1 << 20
METRIC_NAMES = (*DEFAULT_METRIC_NAMES, "native_peak")

Measure = Callable[..., dict[str, Measurement]]


@pytest.fixture
def measure() -> Iterator[Measure]:
    probe = BlockProbe()

    def run(call: Callable[[], object], metrics: Collection[str], **named: object) -> dict[str, Measurement]:
        found = measure_memory(call, probe=probe, metrics=metrics, **named)  # type: ignore[arg-type]
        return {each.metric: each for each in found}

    yield run
    probe.close()


def run_python(script: str, *flags: str) -> str:
    """Run a script in its own process, with its own memory."""
    command = [sys.executable, "-W", "error", *flags, "-c", textwrap.dedent(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def increase(found: dict[str, Measurement]) -> float:
    peak = found["peak_rss"]
    if peak.value is None:
        pytest.skip(peak.reason or "")
    assert peak.details is not None
    assert peak.details["increase_bytes"] == peak.value - (found["rss_start"].value or 0)
    return peak.value - (found["rss_start"].value or 0)


def test_resident_peak_of_200_mib_from_one_c_call_is_seen_within_one_mib(measure: Measure) -> None:
    found = measure(lambda: b"\1" * (200 * MIB), ["peak_rss"])

    assert abs(increase(found) - 200 * MIB) <= MIB


def test_memory_that_is_never_touched_is_allocated_but_not_resident(measure: Measure) -> None:
    found = measure(lambda: bytes(200 * MIB), ["peak_rss", "python_peak"])

    assert abs((found["python_peak"].value or 0) - 200 * MIB) <= MIB
    assert increase(found) <= MIB


def test_every_metric_includes_a_numpy_array_of_200_mib(measure: Measure) -> None:
    numpy = pytest.importorskip("numpy")
    numpy.ones(MIB)  # the first call reads parts of numpy's library, up to a mebibyte
    found = measure(lambda: numpy.ones(25 * MIB), ["peak_rss", "python_peak"])

    assert abs(increase(found) - 200 * MIB) <= MIB
    assert abs((found["python_peak"].value or 0) - 200 * MIB) <= MIB


def test_peak_excludes_earlier_calls(measure: Measure) -> None:
    large = b"\1" * (100 * MIB)
    del large

    assert increase(measure(lambda: b"\1" * (10 * MIB), ["peak_rss"])) == pytest.approx(10 * MIB, abs=MIB)


def test_memray_sees_memory_that_python_did_not_ask_for(measure: Measure) -> None:
    pytest.importorskip("memray")
    import mmap

    def call() -> None:
        mmap.mmap(-1, 50 * MIB).close()
        bytes(200 * MIB)

    found = measure(call, ["native_peak"])["native_peak"]

    assert abs((found.value or 0) - 200 * MIB) <= MIB
    assert found.method is not None
    assert found.method.startswith("memray ")


def test_active_memray_tracker_is_a_reason_and_continues(measure: Measure, tmp_path: Path) -> None:
    memray = pytest.importorskip("memray")
    with memray.Tracker(tmp_path / "outer.bin"):
        found = measure(lambda: None, ["native_peak"])["native_peak"]

    assert found.value is None
    assert "No more than one Tracker" in (found.reason or "")


def test_without_memray_the_reason_names_the_extra(measure: Measure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "memray", None)
    found = measure(lambda: None, ["native_peak"])["native_peak"]

    assert found.value is None
    assert "pytest-benchdb[memray]" in (found.reason or "")


@pytest.mark.parametrize("figure", METRIC_NAMES)
def test_call_that_raises_leaves_nothing_tracing(measure: Measure, figure: str) -> None:
    if figure == "native_peak":
        pytest.importorskip("memray")

    def broken() -> None:
        raise OSError("mine")

    with pytest.raises(OSError, match="mine"):
        measure(broken, [figure])

    assert not tracemalloc.is_tracing()
    again = measure(lambda: bytes(MIB), [figure])[figure]
    assert again.value is not None or again.reason is not None
    assert "Tracker" not in (again.reason or "")


def test_each_metric_has_its_own_execution(measure: Measure) -> None:
    done: list[str] = []

    measure(lambda: done.append("call"), ["peak_rss", "uss", "python_peak"])

    assert done == ["call"] * 2  # reading the resident set after the call needs no further execution


def test_tracemalloc_that_was_on_stays_on_and_its_own_memory_is_not_the_calls(measure: Measure) -> None:
    tracemalloc.start()
    try:
        held = bytes(50 * MIB)
        found = measure(lambda: bytes(20 * MIB), ["python_peak"])["python_peak"]

        assert tracemalloc.is_tracing()
        assert len(held) + (found.value or 0) == pytest.approx(70 * MIB, abs=MIB)
    finally:
        tracemalloc.stop()


def test_call_that_stops_tracemalloc_leaves_a_reason(measure: Measure) -> None:
    found = measure(tracemalloc.stop, ["python_peak"])["python_peak"]

    assert (found.value, found.reason) == (None, "the call itself stopped tracemalloc")


def test_uss_is_read_while_the_result_is_held_and_is_not_a_more_than_the_resident_set(measure: Measure) -> None:
    pytest.importorskip("psutil")
    found = measure(lambda: b"\1" * (50 * MIB), ["peak_rss", "uss"])

    assert found["uss"].value is not None
    assert found["uss"].value > 50 * MIB
    if found["peak_rss"].value is not None:
        assert found["uss"].value <= found["peak_rss"].value + MIB


def test_without_psutil_there_is_not_a_uss_and_a_reason(measure: Measure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psutil", None)
    found = measure(lambda: None, ["uss"])

    assert set(found) >= {"uss"}
    assert (found["uss"].value, found["uss"].reason) == (None, "psutil cannot be imported")


def test_tree_without_a_control_group_says_so(measure: Measure, tmp_path: Path) -> None:
    found = measure(lambda: None, ["tree_peak"], root=tmp_path)["tree_peak"]

    assert found.value is None
    assert "not in a control group" in (found.reason or "")
    assert not found.valid


def test_every_metric_is_in_the_memory_pass_and_has_a_value_or_a_reason(measure: Measure) -> None:
    found = measure(lambda: [0] * 1000, METRIC_NAMES)

    assert {each.pass_name for each in found.values()} == {"memory"}
    assert set(found) == {*METRIC_NAMES, "rss_start"}
    assert all((each.value is None) == (each.reason is not None) or not each.valid for each in found.values())


def test_import_of_the_module_loads_no_optional_library() -> None:
    loaded = run_python("""
        import sys
        import pytest_benchdb.measure.process.memory_pass

        print([name for name in ("psutil", "memray", "ctypes", "numpy") if name in sys.modules])
    """)

    assert loaded == "[]"


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's allocator")
def test_free_memory_returns_to_the_system_before_a_measurement() -> None:
    kept = run_python("""
        from pathlib import Path
        from pytest_benchdb.measure.process.memory_pass import settle

        def rss():
            return int(Path("/proc/self/statm").read_text().split()[1])

        blocks = [bytes(100_000) for _ in range(1000)]
        last = bytes(100_000)
        full = rss()
        del blocks
        given_back = settle()
        print(given_back, rss() / full)
    """)

    given_back, share = kept.split()
    if given_back == "False":
        pytest.skip("not glibc")
    assert float(share) < 0.5


def test_library_without_malloc_trim_is_not_a_error() -> None:
    assert settle(object) is False


def test_default_metrics_need_no_extra() -> None:
    assert "native_peak" not in DEFAULT_METRIC_NAMES
