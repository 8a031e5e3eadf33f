"""Counter differences: an unknown value is None, never 0 and never negative."""

import pytest

from pytest_benchdb.measure.energy.counter import accumulate, delta, ticks, unread_limit_s
from pytest_benchdb.model.reading import Domain, Reading

S = 1_000_000_000
PLAIN = Domain(name="GPU-a/energy", metric="energy", unit="J", kind="counter", scope="device")
WRAPPING = Domain(name="package-0", metric="energy", unit="J", kind="counter", scope="package", range=1000.0)
THROTTLE = Domain(name="GPU-a/power", metric="throttle_time", unit="s", kind="counter", scope="device")
GAUGE = Domain(name="GPU-a/power", metric="power", unit="W", kind="gauge", scope="device")


def zone(name: str, scope: str = "package", within: str | None = None) -> Domain:
    return Domain(name=name, metric="energy", unit="J", kind="counter", scope=scope, within=within)  # type: ignore[arg-type]


def test_delta_of_a_counter_that_grew_is_the_difference() -> None:
    moved = delta(PLAIN, Reading(10.0, 1 * S), Reading(35.0, 3 * S))

    assert (moved.value, moved.window_s, moved.reason, moved.may_lack_wrap) == (25.0, 2.0, None, False)


def test_delta_of_a_counter_that_wrapped_adds_its_range() -> None:
    moved = delta(WRAPPING, Reading(990.0, 0), Reading(15.0, S))

    assert moved.value == pytest.approx(25.0)
    assert not moved.may_lack_wrap


def test_delta_is_flagged_where_one_more_wrap_is_plausible() -> None:
    # 600 J in 1.6 s: 375 W, or 1 kW with another wrap.
    assert delta(WRAPPING, Reading(100.0, 0), Reading(700.0, 16 * S // 10)).may_lack_wrap
    assert not delta(WRAPPING, Reading(100.0, 0), Reading(700.0, 159 * S // 100)).may_lack_wrap


def test_delta_of_a_counter_without_a_range_is_never_flagged() -> None:
    assert not delta(PLAIN, Reading(100.0, 0), Reading(700.0, 100_000 * S)).may_lack_wrap


def test_unread_limit_of_common_rapl_is_a_minute() -> None:
    rapl = Domain(name="package-0", metric="energy", unit="J", kind="counter", scope="package", range=65532.6)

    assert unread_limit_s(rapl) == pytest.approx(65.5, abs=0.1)
    assert unread_limit_s(PLAIN) is None


def test_delta_of_a_counter_that_fell_without_a_range_is_unknown() -> None:
    moved = delta(PLAIN, Reading(500.0, 0), Reading(2.0, S))

    assert moved.value is None
    assert moved.reason == "GPU-a/energy fell from 500 to 2 J: it was reset"


def test_delta_of_a_counter_that_fell_by_more_than_its_range_is_unknown() -> None:
    moved = delta(WRAPPING, Reading(5000.0, 0), Reading(2.0, S))

    assert moved.value is None
    assert "was reset" in (moved.reason or "")


def test_delta_of_energy_that_stood_still_is_unknown_not_zero() -> None:
    moved = delta(PLAIN, Reading(500.0, 0), Reading(500.0, S // 20))

    assert (moved.value, moved.reason) == (None, "GPU-a/energy stood still for 0.05 s")


def test_delta_of_a_throttle_time_that_stood_still_is_zero() -> None:
    assert delta(THROTTLE, Reading(4.0, 0), Reading(4.0, S)).value == 0.0


@pytest.mark.parametrize(
    ("before", "after"),
    [(Reading(None, 0, "GPU is lost"), Reading(1.0, S)), (Reading(1.0, 0), Reading(None, S, "GPU is lost"))],
    ids=["before", "after"],
)
def test_delta_of_a_lost_reading_reports_its_reason(before: Reading, after: Reading) -> None:
    moved = delta(PLAIN, before, after)

    assert (moved.value, moved.reason) == (None, "GPU is lost")


def test_delta_of_a_gauge_is_refused() -> None:
    assert delta(GAUGE, Reading(300.0, 0), Reading(400.0, S)).value is None


def test_delta_without_time_between_is_unknown() -> None:
    assert delta(PLAIN, Reading(1.0, S), Reading(2.0, S)).value is None


def test_accumulated_over_three_wraps_is_the_sum() -> None:
    values = [900.0, 300.0, 700.0, 100.0, 500.0, 900.0, 300.0]
    readings = [Reading(value, index * S) for index, value in enumerate(values)]

    moved = accumulate(WRAPPING, readings)

    assert moved.value == pytest.approx(2400.0)
    assert (moved.window_s, moved.may_lack_wrap) == (6.0, False)


def test_accumulated_passes_over_readings_between_two_ticks() -> None:
    readings = [Reading(10.0, 0), Reading(10.0, S), Reading(30.0, 2 * S), Reading(30.0, 3 * S)]

    assert accumulate(PLAIN, readings).value == 20.0


def test_accumulated_of_a_counter_that_never_moved_is_unknown() -> None:
    readings = [Reading(10.0, 0), Reading(10.0, S), Reading(10.0, 2 * S)]

    assert accumulate(PLAIN, readings).reason == "GPU-a/energy stood still for 2 s"
    assert accumulate(THROTTLE, readings).value == 0.0


def test_accumulated_with_a_reset_inside_is_unknown() -> None:
    readings = [Reading(10.0, 0), Reading(20.0, S), Reading(1.0, 2 * S), Reading(90.0, 3 * S)]

    moved = accumulate(PLAIN, readings)

    assert (moved.value, moved.window_s) == (None, 3.0)
    assert "reset" in (moved.reason or "")


def test_accumulated_with_a_lost_reading_inside_is_unknown() -> None:
    readings = [Reading(10.0, 0), Reading(None, S, "GPU is lost"), Reading(30.0, 2 * S)]

    assert accumulate(PLAIN, readings).reason == "GPU is lost"


def test_accumulated_of_one_reading_is_an_error() -> None:
    with pytest.raises(ValueError, match="two readings"):
        accumulate(PLAIN, [Reading(1.0, 0)])


@pytest.mark.parametrize(
    ("window_s", "tick_s", "expected"),
    [(2.0, 0.1, 20), (0.3, 0.1, 3), (1.999, 0.1, 19), (0.05, 0.1, 0), (0.0, 0.1, 0), (7.0, 0.7, 10)],
)
def test_ticks_counts_whole_ticks(window_s: float, tick_s: float, expected: int) -> None:
    assert ticks(window_s, tick_s) == expected


def test_ticks_of_no_length_are_an_error() -> None:
    with pytest.raises(ValueError, match="above 0"):
        ticks(1.0, 0.0)
