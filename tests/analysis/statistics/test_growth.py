"""Curves agree with scipy's; orders that were put into the data are found."""

import math
import random
from collections.abc import Callable

import pytest

from pytest_benchdb.analysis.statistics.growth import growth_of

SIZES = [10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0, 10000.0]
ORDERS: dict[str, Callable[[float], float]] = {
    "1": lambda _n: 0.0,
    "log n": math.log,
    "n": lambda n: n,
    "n log n": lambda n: n * math.log(n),
    "n²": lambda n: n * n,
    "n³": lambda n: n**3,
}


def timings(order: str, seed: int, *, constant: float = 2e-6, noise: float = 0.02) -> list[float]:
    chance = random.Random(seed)  # noqa: S311 - noise, no secret
    return [(constant + 1e-8 * ORDERS[order](n)) * math.exp(chance.gauss(0, noise)) for n in SIZES]


@pytest.mark.parametrize("order", ORDERS)
def test_the_order_of_the_data_is_found_or_not_ruled_out(order: str) -> None:
    found = [growth_of(SIZES, timings(order, seed, constant=1e-7)) for seed in range(20)]

    best = [growth.curve.order for growth in found if growth and growth.curve]
    possible = [order in (growth.curve.order, *growth.also) for growth in found if growth and growth.curve]
    assert best.count(order) >= 17
    assert sum(possible) >= 19


@pytest.mark.parametrize("order", [order for order in ORDERS if order != "1"])
@pytest.mark.parametrize("seed", range(3))
def test_curve_and_interval_equal_those_of_scipy(order: str, seed: int) -> None:
    optimize = pytest.importorskip("scipy.optimize")
    constant = 2e-8 if order == "log n" else 2e-6
    values = timings(order, seed, constant=constant)
    grown = [ORDERS[order](n) for n in SIZES]
    growth = growth_of(SIZES, values)
    assert growth is not None
    assert growth.curve is not None
    assert growth.curve.order == order

    def logarithm(_n: object, constant: float, cost: float) -> list[float]:
        return [math.log(math.exp(constant) + math.exp(cost) * x) for x in grown]

    start = [math.log(constant), math.log(1e-8)]
    (constant, cost), covariance = optimize.curve_fit(
        logarithm, SIZES, list(map(math.log, values)), start, xtol=1e-14, ftol=1e-14
    )
    assert growth.curve.cost == pytest.approx(math.exp(cost), rel=1e-5)
    assert growth.curve.constant == pytest.approx(math.exp(constant), rel=1e-5)
    t = pytest.importorskip("scipy.stats").t.ppf(0.975, len(SIZES) - 2)
    assert growth.curve.cost_interval is not None
    half = (growth.curve.cost_interval.high - growth.curve.cost_interval.low) / 2
    assert half == pytest.approx(t * math.exp(cost) * math.sqrt(covariance[1][1]), rel=1e-3)


@pytest.mark.parametrize("points", [3, 5, 7])
def test_exponent_and_interval_equal_those_of_scipy(points: int) -> None:
    stats = pytest.importorskip("scipy.stats")
    sizes, values = SIZES[:points], timings("n²", 5)[:points]
    line = stats.linregress(list(map(math.log, sizes)), list(map(math.log, values)))
    half = stats.t.ppf(0.975, points - 2) * line.stderr

    growth = growth_of(sizes, values)

    assert growth is not None
    assert growth.exponent is not None
    assert growth.exponent.value == pytest.approx(line.slope, rel=1e-9)
    assert growth.exponent.interval.low == pytest.approx(line.slope - half, rel=1e-9)
    assert growth.exponent.interval.high == pytest.approx(line.slope + half, rel=1e-9)


def test_points_without_noise_are_on_their_curve() -> None:
    growth = growth_of(SIZES, [3e-9 * n * n for n in SIZES])

    assert growth is not None
    assert growth.curve is not None
    assert growth.exponent is not None
    assert growth.curve.order == "n²"
    assert growth.curve.cost == pytest.approx(3e-9, rel=1e-5)
    assert growth.exponent.value == pytest.approx(2.0)


def test_few_sizes_have_an_exponent_but_no_order() -> None:
    growth = growth_of(SIZES[:4], timings("n", 1)[:4])

    assert growth is not None
    assert growth.exponent is not None
    assert (growth.curve, growth.also) == (None, ())
    assert growth_of(SIZES[:2], [1.0, 2.0]) is None


def test_sizes_close_together_rule_little_out() -> None:
    sizes = [1000.0, 1100.0, 1200.0, 1300.0, 1400.0]
    chance = random.Random(3)  # noqa: S311 - noise, no secret
    growth = growth_of(sizes, [n * 1e-8 * math.exp(chance.gauss(0, 0.02)) for n in sizes])

    assert growth is not None
    assert growth.curve is not None
    assert {"n", "n log n"} <= {growth.curve.order, *growth.also}


def test_zeros_have_no_growth() -> None:
    growth = growth_of(SIZES, [0.0, *timings("n", 1)[1:]])

    assert growth is not None
    assert (growth.exponent, growth.curve) == (None, None)
