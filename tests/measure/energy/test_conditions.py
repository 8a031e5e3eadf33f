"""Clock, temperature and throttling around a timed block, by a meter whose readings the tests set."""

import contextlib

import pytest
from tests.measure.card_meter import CLOCK, HEAT, Card

from pytest_benchdb.measure.energy.conditions import Conditions
from pytest_benchdb.measure.energy.sensors import Sensors
from pytest_benchdb.model.run import Measurement


def conditions_of(card: Card) -> Conditions:
    return Conditions(Sensors([card]).panel("a", "measured"), clock_ns=lambda: card.now_ns)


def timed(card: Card, seconds: float = 1.0, **changes: float | None) -> Conditions:
    conditions = conditions_of(card)
    with conditions.around(contextlib.nullcontext()):
        card.pass_s(seconds, **changes)
    return conditions


def by_metric(conditions: Conditions) -> dict[str, Measurement]:
    return {row.metric: row for row in conditions.rows()}


def test_rows_have_clock_and_temperature_at_both_ends() -> None:
    rows = by_metric(timed(Card(), clock_sm=1.755e9, temperature=345.0))

    clock = rows["clock_frequency"]
    assert (clock.value, clock.unit, clock.details) == (1.755e9, "Hz", {"start": 1.98e9})
    assert (clock.method, clock.domain, clock.scope) == ("card", CLOCK, "device")
    assert (rows["temperature"].value, rows["temperature"].details) == (345.0, {"start": 330.0})


def test_sensors_are_read_only_at_the_ends() -> None:
    card = Card()
    conditions = conditions_of(card)

    with conditions.around(contextlib.nullcontext()):
        assert len(card.asked) == 1
    assert card.asked == [{CLOCK, HEAT}, {CLOCK, HEAT}]


def test_throttle_time_is_that_of_the_block_by_reason() -> None:
    card = Card(throttle_power_cap=7.0, throttle_thermal_software=1.0)

    row = by_metric(timed(card, 2.0, throttle_power_cap=8.5, throttle_thermal_software=1.05))["throttle_time"]

    assert (row.value, row.window_s, row.unit) == (1.5, 2.0, "s")
    assert row.details == pytest.approx({"power_cap": 1.5, "thermal_software": 0.05})


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"throttle_power_cap": 1.0}, None),
        ({"throttle_thermal_software": 0.04}, None),
        ({"throttle_thermal_software": 0.31}, "the device was slowed down for heat for 31% of the timing"),
    ],
    ids=["power limit", "a little heat", "heat"],
)
def test_times_are_spoiled_by_heat_and_not_by_the_power_limit(changes: dict[str, float], reason: str | None) -> None:
    conditions = timed(Card(throttle_power_cap=0.0, throttle_thermal_software=0.0), **changes)
    times = [Measurement.of("wall_time", round_ns=[5, 6]), Measurement.of("cpu_time", round_ns=[1, 1])]

    wall, cpu, *others = conditions.added_to(times, "decode")

    assert (wall.valid, wall.reason) == (reason is None, reason)
    assert list(wall.round_ns or ()) == [5, 6]
    assert cpu.valid
    assert {row.phase for row in others} == {"decode"}


def test_times_without_throttle_counters_go_by_the_reason_at_the_end() -> None:
    hot = timed(Card(slowed_thermal_hardware=0.0), slowed_thermal_hardware=1.0)

    assert hot.why_spoiled() == "the device was slowed down for heat at the end of the timing"
    assert by_metric(hot)["clock_frequency"].details == {"start": 1.98e9, "slowed_at_end": ["thermal_hardware"]}


def test_device_without_a_clock_has_a_row_with_the_reason() -> None:
    conditions = Conditions(
        Sensors([]).panel("a", "measured"), clock_ns=lambda: 0, absent="nvml: pynvml is not installed"
    )
    with conditions.around(contextlib.nullcontext()):
        pass

    (row,) = conditions.rows()

    assert (row.metric, row.value, row.valid, row.reason) == (
        "clock_frequency",
        None,
        False,
        "nvml: pynvml is not installed",
    )
    assert conditions.is_steady()


def test_clock_that_cannot_be_read_at_the_end_is_not_measured() -> None:
    row = by_metric(timed(Card(), clock_sm=None))["clock_frequency"]

    assert (row.value, row.valid, row.reason) == (None, False, "Not Supported")


def test_clock_is_steady_once_readings_over_three_tenths_of_a_second_agree() -> None:
    card = Card(clock_sm=345e6)
    conditions = conditions_of(card)
    clocks = [345e6, 1.2e9, 1.965e9, 1.98e9, 1.98e9, 1.965e9]

    answers = []
    for clock in clocks:
        card.pass_s(0.1, clock_sm=clock)
        answers.append(conditions.is_steady())

    assert answers == [False, False, False, False, False, True]


def test_clock_is_read_at_most_every_tenth_of_a_second() -> None:
    card = Card()
    conditions = conditions_of(card)

    for _ in range(1000):
        card.pass_s(0.001)
        conditions.is_steady()

    assert 9 <= len(card.asked) <= 11
    assert card.asked[0] == {CLOCK}
