"""When a sweep says that a server is saturated, on results that are made up."""

from collections.abc import Callable, Iterable

import pytest

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.measure.stream import StreamResult
from pytest_benchdb.measure.stream.sweep import DEFAULT_LEVELS, Axis, StreamSweep, levels_of, sweep_levels
from pytest_benchdb.model.run import Measurement, Request


def block(
    answered: float,
    *,
    duration_s: float = 10.0,
    latency_s: float = 0.5,
    due_s: float | None = None,
    client: str | None = None,
) -> StreamResult:
    """A block with that many answers per second."""
    number = round(answered * duration_s)
    request = Request(index=0, due_s=due_s, sent_s=0.0, chunk_s=(latency_s,), tokens_in=1, tokens_out=1, ok=True)
    rows = (
        Measurement.of("requests_per_second", value=answered, valid=client is None),
        Measurement.of("tokens_per_second", value=2 * answered, valid=client is None),
        Measurement.of("e2e_latency", samples=(latency_s,) * 3),
    )
    return StreamResult(requests=(request,) * number, measurements=rows, duration_s=duration_s, saturated=client)


def sweep(axis: Axis, results: dict[float, StreamResult], *, stop: bool = True) -> StreamSweep:
    return sweep_levels(axis, tuple(results), results.__getitem__, stop=stop)


def closed(*answered: float, stop: bool = True) -> StreamSweep:
    return sweep("concurrency", {2**n: block(value) for n, value in enumerate(answered)}, stop=stop)


def values(found: StreamSweep) -> list[float | None]:
    return [row.value for row in found.measurements()]


def test_server_is_saturated_where_twice_the_concurrency_gives_less_than_a_tenth_more() -> None:
    found = closed(10, 20, 39, 42, 43)

    assert found.saturated_at == 8
    assert [level.load for level in found.levels] == [1, 2, 4, 8]
    assert values(found) == [42, 84]
    assert found.measurements()[0].details == {
        "saturated_at": 8,
        "levels": [
            {
                "concurrency": level.load,
                "requests_per_second": level.value("requests_per_second"),
                "tokens_per_second": level.value("tokens_per_second"),
                "ttft": None,
                "tpot": None,
                "e2e_latency": 0.5,
            }
            for level in found.levels
        ],
    }


def test_server_that_gets_slower_under_load_keeps_its_best_level() -> None:
    assert values(closed(10, 20, 12)) == [20, 40]


def test_sweep_that_does_not_stop_measures_all_levels() -> None:
    found = closed(10, 20, 20, 21, stop=False)

    assert found.saturated_at == 4
    assert len(found.levels) == 4
    assert values(found) == [21, 42]


def test_server_that_was_not_saturated_has_no_maximum() -> None:
    found = closed(10, 20, 40)

    assert found.saturated_at is None
    assert values(found) == [None, None]
    assert found.measurements()[0].reason == "the server was not saturated at concurrency 4, the last level"


def test_concurrency_that_grows_little_needs_to_gain_little() -> None:
    found = sweep("concurrency", {100: block(100), 110: block(102), 120: block(102.5)})

    assert found.saturated_at == 120


def test_client_that_was_saturated_leaves_the_maximum_unknown() -> None:
    found = sweep("concurrency", {1: block(10), 2: block(11.5, client="the client was slow"), 4: block(1)})

    assert (found.saturated_at, values(found)) == (None, [None, None])
    assert len(found.levels) == 2
    assert found.measurements()[0].reason == "at concurrency 2, the client was slow"


def test_server_is_saturated_at_a_rate_whose_answers_it_cannot_keep_up_with() -> None:
    # The last of the arrivals comes after 9.5 s; a server that keeps up has answered it half a second later.
    results = {10.0: block(10, due_s=9.5), 20.0: block(19, due_s=9.5), 40.0: block(25, due_s=6.0, latency_s=3.0)}

    found = sweep("rate", results)

    assert found.saturated_at == 40.0
    assert values(found) == [25, 50]


def test_answers_that_are_still_awaited_at_the_end_do_not_saturate_a_server() -> None:
    # Ten arrivals in a second, each answered after 9 s: only one answer per second, but no queue.
    found = sweep("rate", {10.0: block(1, due_s=1.0, latency_s=9.0)})

    assert found.saturated_at is None


@pytest.mark.parametrize(
    ("concurrency", "rate", "levels"),
    [
        (None, None, ("concurrency", DEFAULT_LEVELS)),
        ([1, 3], None, ("concurrency", (1, 3))),
        (None, (0.5, 2.0), ("rate", (0.5, 2.0))),
        (range(1, 4), None, ("concurrency", (1, 2, 3))),
    ],
    ids=["default", "concurrency", "rate", "range"],
)
def test_levels_are_those_of_the_axis_that_is_given(
    concurrency: Iterable[int] | None, rate: Iterable[float] | None, levels: tuple[str, tuple[float, ...]]
) -> None:
    assert levels_of(concurrency, rate) == levels


@pytest.mark.parametrize(
    "levels",
    [
        lambda: levels_of([1], [1.0]),
        lambda: levels_of([], None),
        lambda: levels_of([2, 1], None),
        lambda: levels_of([1, 64], None, requests=12),
        lambda: levels_of(None, None, requests=100),
    ],
    ids=["both", "none", "descending", "more than requests", "more by default than requests"],
)
def test_levels_that_make_no_sweep_are_refused(levels: Callable[[], object]) -> None:
    with pytest.raises(ConfigError):
        levels()
