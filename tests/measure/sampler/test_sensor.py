from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from pytest_benchdb.measure.sampler import sensor as sampler_sensor
from pytest_benchdb.measure.sampler.sensor import Sensor, SensorFile

S = 1_000_000_000


def clock(*times_s: float) -> Callable[[], int]:
    times: Iterator[int] = (int(time_s * S) for time_s in times_s)
    return lambda: next(times)


def readings(*values: float) -> Callable[[], float]:
    given = iter(values)
    return lambda: next(given)


def points(sensor: Sensor, *times_s: float) -> list[tuple[float, float]]:
    now = clock(*times_s)
    for _ in times_s:
        sensor.sample(now)
    return [(t_ns / S, value) for t_ns, value in zip(sensor.t_ns, sensor.values, strict=True)]


def test_gauge_point_is_the_scaled_reading() -> None:
    sensor = Sensor("power", "W", "chip", readings(15_000_000, 16_000_000), scale=1e-6)

    assert points(sensor, 1.0, 2.0) == [pytest.approx((1.0, 15.0)), pytest.approx((2.0, 16.0))]


def test_flow_is_divided_by_the_time_that_really_passed() -> None:
    sensor = Sensor("power", "W", "chip", readings(100.0, 110.0, 110.0), kind="flow")

    assert points(sensor, 1.0, 1.5, 2.0) == [(1.5, 20.0), (2.0, 0.0)]


def test_ticking_counter_gives_points_between_its_changes_only() -> None:
    # 10 J in each 0.2 s, looked at every 0.1 s: 50 W, and never 0 W or 100 W.
    sensor = Sensor("power", "W", "chip", readings(0, 10, 10, 20, 20, 30), kind="tick")

    assert points(sensor, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6) == [pytest.approx((0.4, 50.0)), pytest.approx((0.6, 50.0))]


def test_ticking_counter_that_stands_still_gives_no_point() -> None:
    sensor = Sensor("power", "W", "chip", lambda: 7.0, kind="tick")

    assert points(sensor, 1.0, 2.0, 3.0) == []


def test_counter_that_wraps_goes_on() -> None:
    sensor = Sensor("power", "W", "chip", readings(950, 990, 40), kind="tick", wrap=1000)

    assert points(sensor, 1.0, 2.0, 3.0) == [(3.0, 50.0)]


@pytest.mark.parametrize("wrap", [None, 1000.0], ids=["no-wrap", "too-far-for-a-wrap"])
def test_counter_that_was_set_back_loses_the_interval_and_goes_on(wrap: float | None) -> None:
    sensor = Sensor("power", "W", "chip", readings(600, 700, 400, 410), kind="tick", wrap=wrap)

    assert points(sensor, 1.0, 2.0, 3.0, 4.0) == [(4.0, 10.0)]


def test_utilization_is_never_above_1() -> None:
    sensor = Sensor("utilization", "1", "machine", readings(0, 11), kind="flow", scale=0.01)

    assert points(sensor, 0.0, 0.1) == [(0.1, 1.0)]


def test_begin_forgets_points_and_the_last_reading() -> None:
    values = count(0, 10)
    sensor = Sensor("power", "W", "chip", lambda: next(values), kind="flow")
    points(sensor, 1.0, 2.0)

    sensor.begin()

    assert points(sensor, 3.0) == []


def test_window_without_room_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampler_sensor, "POINT_LIMIT", 2)
    sensor = Sensor("rss", "B", "process", lambda: 1.0)
    points(sensor, 1.0, 2.0)

    with pytest.raises(OverflowError, match="2 points"):
        sensor.sample(clock(3.0))


def test_file_is_read_anew_each_time(tmp_path: Path) -> None:
    path = tmp_path / "temp1_input"
    path.write_text("45000\n")
    file = SensorFile(str(path))
    first = file.number()

    path.write_text("46000\n")

    assert (first, file.number()) == (45000.0, 46000.0)
