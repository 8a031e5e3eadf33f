"""Times are divided by those of a reference workload in the same session."""

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import pytest

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.series import SeriesKey, SessionValue
from pytest_benchdb.operations.select.normalize import NONE, read_normalization
from pytest_benchdb.store.read.reader import Reader

REFERENCE, OTHER = "test_a.py::test_reference", "test_a.py::test_other"


def value(fullname: str, session: str, seconds: float, *, metric: str = "wall_time", unit: str = "s") -> SessionValue:
    return SessionValue(
        key=SeriesKey(fullname=fullname, metric=metric),
        session_id=session,
        run_id=f"{session}-{fullname}",
        started_at="2026-01-01T00:00:00",
        outcome="passed",
        reason=None,
        valid=True,
        provenance="measured",
        unit=unit,
        better="lower",
        value=seconds,
        min=seconds,
        median=seconds,
        n=3,
        labels={},
    )


class OneReader:
    """A reader of values that are given to it."""

    def __init__(self, values: Sequence[SessionValue]) -> None:
        self._values = values

    def benchmark_names(self) -> list[str]:
        return sorted({value.key.fullname for value in self._values})

    def session_values(
        self, session_ids: Sequence[str], *, metrics: Sequence[str], names: Sequence[str]
    ) -> list[SessionValue]:
        return [
            value
            for value in self._values
            if value.session_id in session_ids and value.key.metric in metrics and value.key.fullname in names
        ]


def reader(*values: SessionValue) -> Reader:
    return cast("Reader", OneReader(values))


def test_a_machine_of_half_the_speed_leaves_no_difference() -> None:
    history = reader(value(REFERENCE, "one", 1.0), value(REFERENCE, "two", 2.0), value(REFERENCE, "three", 1.0))
    normalization = read_normalization(history, "test_reference", ["one", "two", "three"])

    times = normalization.apply([value(OTHER, "one", 3.0), value(OTHER, "two", 6.0)])
    rates = normalization.apply(
        [value(OTHER, "one", 8.0, metric="throughput", unit="1/s"), value(OTHER, "two", 4.0, unit="1/s")]
    )
    sizes = normalization.apply([value(OTHER, "two", 64.0, metric="peak_rss", unit="B")])

    assert [one.value for one in times] == [one.min for one in times] == [3.0, 3.0]
    assert [one.value for one in rates] == [8.0, 8.0]
    assert [one.value for one in sizes] == [64.0]
    assert normalization.of_rounds(value(OTHER, "two", 6.0), [6.0, 8.0]) == [3.0, 4.0]
    assert normalization.remarks() == (f"times are normalised: those of each session are divided by its {REFERENCE}",)


def test_a_session_without_the_reference_is_not_valid_and_the_reference_is_left_out() -> None:
    normalization = read_normalization(reader(value(REFERENCE, "one", 1.0)), REFERENCE, ["one", "two"])

    (left,) = normalization.apply([value(REFERENCE, "one", 1.0), value(OTHER, "two", 3.0)])

    assert (left.valid, left.value) == (False, 3.0)
    assert left.reason == f"its session has no {REFERENCE} to normalise by"
    assert normalization.of_rounds(left, [1.0]) == ()


def test_without_a_reference_everything_stays() -> None:
    values = [value(REFERENCE, "one", 1.0), value(OTHER, "two", 3.0)]

    assert NONE.apply(values) == values
    assert NONE.remarks() == ()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        pytest.param("test_gone", "is not a benchmark here", id="unknown"),
        pytest.param("test_other", "matches 2 benchmarks", id="ambiguous"),
        pytest.param("test_reference", "none of the sessions has a time", id="not measured"),
    ],
)
def test_a_reference_that_gives_no_time_is_refused(name: str, message: str) -> None:
    failed = replace(value(REFERENCE, "one", 1.0), outcome="failed")
    history = reader(failed, value(OTHER, "one", 1.0), value(f"b/{OTHER}", "one", 1.0))

    with pytest.raises(ConfigError, match=message):
        read_normalization(history, name, ["one"])
