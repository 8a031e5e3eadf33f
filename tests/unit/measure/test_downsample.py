import math
import random

import pytest

from pytest_benchdb.measure.downsample import downsample

TIMES = [index / 20 for index in range(10_000)]


def test_series_that_is_short_enough_comes_back_whole() -> None:
    assert downsample([0, 1, 2], [5, 3, 4], limit=4) == ((0, 1, 2), (5, 3, 4))


@pytest.mark.parametrize("limit", [4, 5, 100, 999])
@pytest.mark.parametrize("seed", range(5))
def test_points_are_few_real_rising_and_hold_both_extremes_and_both_ends(limit: int, seed: int) -> None:
    generator = random.Random(seed)  # noqa: S311 - nothing secret
    values = [generator.gauss(0, 1) for _ in TIMES]

    t_s, kept = downsample(TIMES, values, limit=limit)
    points = list(zip(t_s, kept, strict=True))

    assert len(points) <= limit
    assert set(points) <= set(zip(TIMES, values, strict=True))
    assert list(t_s) == sorted(set(t_s))
    assert (min(kept), max(kept)) == (min(values), max(values))
    assert (points[0], points[-1]) == ((TIMES[0], values[0]), (TIMES[-1], values[-1]))


def test_peak_of_a_single_point_is_still_there() -> None:
    values = [0.0] * len(TIMES)
    values[4321] = 700.0

    t_s, kept = downsample(TIMES, values, limit=50)

    assert (TIMES[4321], 700.0) in zip(t_s, kept, strict=True)


def test_gap_stays_a_gap() -> None:
    t_s = [*range(1000), *range(9000, 10_000)]

    kept, _ = downsample(t_s, [float(t % 7) for t in t_s], limit=60)

    assert not [t for t in kept if 999 < t < 9000]


def test_same_time_everywhere_is_one_span() -> None:
    t_s, values = downsample([1.0] * 10, list(range(10)), limit=4)

    assert (len(t_s), min(values), max(values)) == (4, 0, 9)


def test_values_that_are_no_number_are_left_out() -> None:
    assert downsample([0, 1, 2], [1.0, math.nan, 3.0], limit=4) == ((0, 2), (1.0, 3.0))


def test_limit_that_cannot_hold_ends_and_extremes_raises() -> None:
    with pytest.raises(ValueError, match="4 points at least, not 3"):
        downsample([0], [1], limit=3)


def test_more_times_than_values_raises() -> None:
    with pytest.raises(ValueError, match="shorter"):
        downsample([0, 1], [1], limit=4)
