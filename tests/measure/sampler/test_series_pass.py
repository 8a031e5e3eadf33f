import os
import time
from collections.abc import Iterator

import pytest

from pytest_benchdb.measure.sampler.sampler import Sampler
from pytest_benchdb.measure.sampler.series_pass import EXPECTED, record_series, time_weighted_mean
from pytest_benchdb.model.reading import Series
from pytest_benchdb.model.run import Measurement

POWER = Series(
    metric="power", unit="W", domain="chip", device_id="gpu", t_s=(0.0, 1.0, 4.0), values=(900.0, 100.0, 200.0)
)


class KnownSampler(Sampler):
    """A sampler with fixed series."""

    def __init__(self, *series: Series, reasons: dict[str, str] | None = None) -> None:
        super().__init__()
        self.method = "known"
        self.series = series
        self.reasons = reasons or {}
        self.scopes = {("power", "chip"): "device"}
        self.calls: list[str] = []

    def start(self) -> None:
        self.calls.append("start")

    def stop(self) -> tuple[Series, ...]:
        self.calls.append("stop")
        return self.series


class Work:
    """A call that takes one second on its own clock."""

    def __init__(self, *, seconds: float = 1.0) -> None:
        self.now_s = 100.0
        self.calls = 0
        self._seconds = seconds

    def __call__(self) -> None:
        self.calls += 1
        self.now_s += self._seconds

    def clock(self) -> float:
        return self.now_s


def measured(measurements: tuple[Measurement, ...], metric: str) -> Measurement:
    (found,) = (each for each in measurements if each.metric == metric)
    return found


@pytest.mark.parametrize(("duration_s", "calls"), [(0.0, 1), (2.5, 3), (3.0, 3)], ids=["once", "rounded-up", "exact"])
def test_call_repeats_until_the_time_has_passed_and_runs_once_at_least(duration_s: float, calls: int) -> None:
    work = Work()

    _, measurements = record_series(work, KnownSampler(POWER), min_duration_s=duration_s, clock=work.clock)

    assert work.calls == calls
    assert measured(measurements, "power").details == {"calls": calls, "duration_s": float(calls)}


def test_series_come_back_raw_and_their_summary_beside_them() -> None:
    work = Work()

    series, measurements = record_series(work, KnownSampler(POWER), min_duration_s=1, clock=work.clock)
    power = measured(measurements, "power")
    summary = power.summary

    assert series == (POWER,)
    assert power.samples is None
    assert power.value is None
    assert summary is not None
    assert (summary.n, summary.min, summary.max, summary.median) == (3, 100.0, 900.0, 200.0)
    assert summary.mean == pytest.approx((100 * 1 + 200 * 3) / 4)
    assert (power.pass_name, power.unit, power.device_id, power.domain) == ("series", "W", "gpu", "chip")
    assert (power.scope, power.window_s, power.method) == ("device", 4.0, "known")


def test_series_of_one_point_has_no_spread() -> None:
    work = Work()
    sampler = KnownSampler(Series(metric="rss", unit="B", domain="process", device_id=None, t_s=(0.5,), values=(7.0,)))

    _, measurements = record_series(work, sampler, min_duration_s=1, clock=work.clock)
    summary = measured(measurements, "rss").summary

    assert summary is not None
    assert (summary.n, summary.mean, summary.median, summary.stddev) == (1, 7.0, 7.0, None)


def test_metric_without_a_sensor_is_none_with_its_reason_and_never_zero() -> None:
    work = Work()
    sampler = KnownSampler(
        POWER, reasons={"temperature/zone0": "OSError: gone", "pynvml": "NVMLError: Driver Not Loaded"}
    )

    _, measurements = record_series(work, sampler, min_duration_s=1, clock=work.clock)
    temperature, clock = measured(measurements, "temperature"), measured(measurements, "clock_frequency")

    assert {each.metric for each in measurements} == set(EXPECTED)
    assert (temperature.value, temperature.summary, temperature.samples) == (None, None, None)
    assert temperature.reason == "OSError: gone; pynvml: NVMLError: Driver Not Loaded"
    assert clock.reason == "pynvml: NVMLError: Driver Not Loaded"


def test_sampler_that_failed_is_the_reason_of_every_metric() -> None:
    work = Work()
    sampler = KnownSampler(reasons={"sampler": "the sampling process died"})

    series, measurements = record_series(work, sampler, min_duration_s=1, clock=work.clock)

    assert series == ()
    assert {each.reason for each in measurements} == {"sampler: the sampling process died"}


def test_call_that_raises_stops_the_sampler_and_is_heard() -> None:
    sampler = KnownSampler(POWER)

    def broken() -> None:
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        record_series(broken, sampler, min_duration_s=1, clock=time.monotonic)

    assert sampler.calls == ["start", "stop"]


def test_mean_of_counters_is_the_energy_by_the_time_whatever_the_intervals() -> None:
    # 10 J each, in 0.1 s and 0.3 s: 20 J in 0.4 s are 50 W, not the 66.7 W of a plain mean.
    assert time_weighted_mean([0.0, 0.1, 0.4], [0.0, 100.0, 33.333333]) == pytest.approx(50)


@pytest.fixture
def sampler() -> Iterator[Sampler]:
    with Sampler(rate_hz=50) as real:
        yield real


def test_real_sampler_sees_the_memory_of_a_repeated_call(sampler: Sampler) -> None:
    def call() -> None:
        block = b"\1" * (64 << 20)
        time.sleep(0.03)
        del block

    series, measurements = record_series(call, sampler, min_duration_s=0.25, clock=time.monotonic)
    rss = measured(measurements, "rss")

    assert rss.summary is not None
    assert rss.summary.max is not None
    assert rss.summary.min is not None
    assert rss.summary.max - rss.summary.min == pytest.approx(64 << 20, rel=0.1)
    assert (rss.scope, rss.domain) == ("process", "process")
    assert {each.metric for each in measurements} >= set(EXPECTED)
    assert all(len(each.t_s) == len(each.values) for each in series)
    assert os.getpid() != sampler._process.pid  # type: ignore[union-attr]
