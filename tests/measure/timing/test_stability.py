import random

import pytest

from pytest_benchdb.measure.timing.stability import instability, is_settled, median_error


def test_is_settled_needs_two_handfuls_that_agree() -> None:
    assert not is_settled([100] * 9)
    assert is_settled([500] * 3 + [100] * 10)
    assert not is_settled([110] * 5 + [100] * 5)


def test_median_error_covers_the_true_median_as_often_as_it_should() -> None:
    chance = random.Random(3)  # noqa: S311 - repeatable on purpose

    def covers(count: int) -> bool:
        values = [chance.lognormvariate(0.0, 0.3) for _ in range(count)]
        error = median_error(values)
        ordered = sorted(values)
        middle = (ordered[(count - 1) // 2] + ordered[count // 2]) / 2
        assert error is not None
        return abs(middle - 1.0) <= 1.3 * error * middle  # half the interval, which need not be centred

    assert sum(covers(60) for _ in range(300)) >= 0.9 * 300


@pytest.mark.parametrize("values", [[], [1.0], [1.0] * 5, [0.0] * 50])
def test_median_error_is_unknown_with_few_rounds_or_without_time(values: list[float]) -> None:
    assert median_error(values) is None


@pytest.mark.parametrize(
    ("rounds", "reason"),
    [
        ([], None),
        ([100, 200], None),
        ([0] * 50, None),
        ([100, 102, 101], None),
        ([100, 140, 101], "its 3 rounds differ by 40 %"),
        ([100, 101] * 10, None),
        ([100] * 10 + [125] * 10, "its rounds drifted by 25 %"),
        ([100, 140] * 10, "the middle half of its rounds spans 33 % of the median"),
        ([100] * 95 + [900] * 5, None),  # a few interrupted rounds do not matter
        ([100, 100, 100, 116] * 3, "its median is known to 8 % only"),
    ],
)
def test_instability_says_why_a_result_may_differ_next_time(rounds: list[int], reason: str | None) -> None:
    assert instability(rounds) == reason
