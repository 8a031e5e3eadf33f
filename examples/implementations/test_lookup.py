"""Three ways to look words up, for `benchdb compare --axis implementation` to compare."""

import bisect

import pytest

WORDS = sorted(f"word-{number * 7919 % 100_003:06}" for number in range(3000))
WANTED = WORDS[::30]


def in_list(words, wanted):
    return [word for word in wanted if word in words]


def in_sorted(words, wanted):
    return [word for word in wanted if words[bisect.bisect_left(words, word)] == word]


def in_set(words, wanted):
    return [word for word in wanted if word in words]


@pytest.mark.parametrize("size", [300, 3000])
@pytest.mark.parametrize(
    "way",
    [
        pytest.param("list", marks=pytest.mark.benchdb(implementation="list")),
        pytest.param("bisect", marks=pytest.mark.benchdb(implementation="bisect")),
        pytest.param("set", marks=pytest.mark.benchdb(implementation="set")),
    ],
)
def test_lookup(bench, way, size):
    words = WORDS[:size]
    wanted = [word for word in WANTED if word in set(words)]
    function, data = {"list": (in_list, words), "bisect": (in_sorted, words), "set": (in_set, set(words))}[way]
    found = bench.options(max_time_s=0.1)(function, data, wanted)
    bench.result_count = len(found)


@pytest.mark.parametrize(
    "way",
    [
        pytest.param("list", marks=pytest.mark.benchdb(implementation="list")),
        pytest.param("bisect", marks=pytest.mark.benchdb(implementation="bisect")),
        pytest.param("set", marks=pytest.mark.benchdb(implementation="set")),
    ],
)
def test_build(bench, way):
    build = {"list": list, "bisect": sorted, "set": set}[way]
    words = WORDS[::-1]
    built = bench.options(max_time_s=0.1)(build, words)
    bench.result_count = len(built)
