import pytest
from tests.measure.ticking_device import TickingDevice

from pytest_benchdb.interfaces import PeakWork
from pytest_benchdb.measure.peaks import LEAST_ROUNDS, ROUND_S, measure_peak


def test_peak_is_that_of_the_fastest_round_and_of_the_device() -> None:
    device = TickingDevice()
    calls = 0

    def work() -> None:
        nonlocal calls
        calls += 1
        device.launch(5 if calls % 40 else 50)  # something else disturbs one call in forty

    peak, times = measure_peak(PeakWork(metric="peak_bytes_per_second", amount=1e6, call=work, method="copy"), device)

    assert peak.value == pytest.approx(2e8)
    assert (peak.unit, peak.method) == ("B/s", "copy")
    assert peak.details is not None
    assert peak.details["iterations"] * 0.005 >= ROUND_S  # type: ignore[operator]
    assert times.metric == "wall_time"
    assert times.samples is not None
    assert len(times.samples) >= LEAST_ROUNDS
    assert max(times.samples) > min(times.samples) == pytest.approx(0.005)


def test_peak_of_a_clock_that_stands_still_is_not_measured() -> None:
    (row,) = measure_peak(PeakWork(metric="peak_bytes_per_second", amount=1, call=lambda: None), TickingDevice())

    assert (row.value, row.reason) == (None, "the clock stands still")
