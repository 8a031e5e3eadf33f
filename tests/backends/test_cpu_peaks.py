import sys

import pytest

from pytest_benchdb.backends.cpu import CpuBackend
from pytest_benchdb.backends.cpu_peaks import cpu_peak_work
from pytest_benchdb.interfaces import MeasuresPeaks


def test_processor_copies_with_one_and_with_all_threads() -> None:
    amounts = {}
    for work in cpu_peak_work(16 << 20, threads=3, side=8):
        assert work.call is not None
        work.call()
        amounts[work.precision, work.method and work.method.partition(" in ")[2]] = work.amount

    mib = 1 << 20
    assert {key: amount for key, amount in amounts.items() if key[0] is None} == {
        (None, "1 thread"): 2.0 * mib,
        (None, "3 threads"): 2.0 * mib,
    }
    assert {key[0]: amount for key, amount in amounts.items() if key[0]} == {"fp32": 1024.0, "fp64": 1024.0}


def test_processor_without_numpy_has_no_peak_of_compute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numpy", None)

    works = [work for work in cpu_peak_work(16 << 20, threads=1) if work.precision is not None]

    assert [work.precision for work in works] == ["fp32", "fp64"]
    assert {(work.call, work.reason) for work in works} == {
        (None, "NumPy is not installed, and Python alone does not reach the peak; pip install numpy")
    }


def test_open_processor_has_work_for_its_peaks() -> None:
    backend = CpuBackend()

    assert isinstance(backend.open(backend.devices()[0]), MeasuresPeaks)
