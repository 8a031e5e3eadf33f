import pytest

from pytest_benchdb.measure.command.remarks import outliers, remarks_on

STEADY = [0.1, 0.101, 0.099, 0.1, 0.1005, 0.1, 0.0995]
FIRST = "its first round was 3.0 times as slow as the others: a cache filled meanwhile? {}, -p empties caches"


@pytest.mark.parametrize(
    ("rounds", "warmup", "expected"),
    [
        (STEADY, 0, []),
        ([0.001] * 6, 0, ["it takes less than 5 ms, and starting a process is a large part of that"]),
        (
            [0.3, *STEADY],
            0,
            [FIRST.format("-w 3 warms up")],
        ),
        (
            [0.3, *STEADY],
            1,
            [FIRST.format("a longer -w")],
        ),
        ([*STEADY, 0.4], 0, ["1 round stands out from the others: close other programs, or warm up (-w)"]),
        ([*STEADY, 0.4, 0.5], 0, ["2 rounds stand out from the others: close other programs, or warm up (-w)"]),
        ([0.5, 0.1, 0.1], 0, []),
        ([], 0, []),
    ],
    ids=["steady", "short", "slow first", "slow after warm-up", "one", "two", "too few", "none"],
)
def test_remarks(rounds: list[float], warmup: int, expected: list[str]) -> None:
    assert remarks_on(rounds, warmup=warmup) == expected


def test_a_tiny_difference_among_equal_rounds_does_not_stand_out() -> None:
    assert outliers([1.0, 1.0, 1.0, 1.0, 1.05]) == []
    assert outliers([1.0, 1.0, 1.0, 1.0, 1.2]) == [4]


def test_outliers_need_ten_median_deviations() -> None:
    spread = [1.0, 1.1, 0.9, 1.05, 0.95]

    assert outliers([*spread, 1.5]) == []
    assert outliers([*spread, 3.0]) == [5]
