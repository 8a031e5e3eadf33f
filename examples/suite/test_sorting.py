"""Sorting lists of several sizes and orders."""

import bisect
import random

import pytest


@pytest.fixture
def numbers():
    return random.Random(7).sample(range(1_000_000), 2_000)


@pytest.mark.benchmark(group="sort")
@pytest.mark.parametrize("size", [100, 1_000])
def test_sort_random(benchmark, numbers, size):
    result = benchmark(sorted, numbers[:size])

    assert result[0] == min(numbers[:size])


@pytest.mark.benchmark(group="sort")
def test_sort_nearly_sorted(benchmark, numbers):
    ordered = sorted(numbers)
    ordered[10], ordered[-10] = ordered[-10], ordered[10]

    assert benchmark(sorted, ordered)[10] < ordered[10]


def test_insort(benchmark, numbers):
    def insert_all():
        result = []
        for number in numbers[:300]:
            bisect.insort(result, number)
        return result

    assert benchmark(insert_all) == sorted(numbers[:300])
