import json
import math
from typing import Any

import numpy as np
import pytest

from pytest_benchdb.model.benchmark import Benchmark, Labels
from pytest_benchdb.model.identity import uuid7
from pytest_benchdb.model.run import Measurement, Request, Run, Summary, Timing
from pytest_benchdb.store.journal.lines import run_lines
from pytest_benchdb.store.journal.storable import storable

NAN = math.nan


def run_of(*rows: Measurement, labels: Labels | None = None, **timing: Any) -> Run:
    return Run(
        run_id=uuid7(),
        benchmark=Benchmark(
            benchmark_id=uuid7(),
            project="p",
            fullname="a.py::test_a",
            file="a.py",
            class_name=None,
            function="test_a",
            name="test_a",
            group_name=None,
            params=None,
            param_id=None,
            code_hash=None,
        ),
        labels=labels or Labels(),
        outcome="passed",
        reason=None,
        started_unix_us=1_700_000_000_000_000,
        timing=Timing(measurements=rows, **timing),
    )


def row_of(**values: Any) -> Measurement:
    return Measurement.of("wall_time", method="clock", **values)


def test_storable_run_is_the_same_object() -> None:
    run = run_of(row_of(value=1.0), row_of(samples=[1.0, 2]), row_of(summary=Summary(n=3, min=1.0)), result_count=5)

    assert storable(run) == (run, ())
    assert storable(run)[0] is run


@pytest.mark.parametrize(
    ("count", "stored", "refused"),
    [
        (np.int64(5), 5, ()),
        (np.array(5), 5, ()),
        ("many", None, ("result_count is not stored: 'many' is not a whole number",)),
        (5.5, None, ("result_count is not stored: 5.5 is not a whole number",)),
        (1 << 64, None, ("result_count is not stored: 18446744073709551616 does not fit into 64 bits",)),
    ],
    ids=repr,
)
def test_storable_counts_are_whole_numbers_or_missing(count: Any, stored: int | None, refused: tuple[str, ...]) -> None:
    run, lines = storable(run_of(row_of(value=1.0), result_count=count))

    assert (run.timing.result_count, lines) == (stored, refused)
    assert run.timing.measurements[0].valid


def test_storable_labels_are_whole_numbers_or_missing() -> None:
    run, lines = storable(run_of(labels=Labels(batch_size=1 << 70, sequence_length=np.int32(3))))

    assert run.labels == Labels(sequence_length=3)
    assert lines == ("label batch_size is not stored: 1180591620717411303424 does not fit into 64 bits",)


@pytest.mark.parametrize(
    ("row", "value", "reason"),
    [
        (row_of(value=np.float32(0.5)), 0.5, None),
        (row_of(value=np.int64(4)), 4.0, None),
        (row_of(value=NAN), None, "clock gave nan"),
        (row_of(value=-math.inf), None, "clock gave -inf"),
        (row_of(value="fast"), None, "'fast' is not a number"),
        (row_of(value=10**400), None, "is not a number"),
        (row_of(value=NAN, valid=False, reason="it was cut"), None, "it was cut"),
    ],
    ids=["float32", "int64", "nan", "inf", "text", "large", "invalid"],
)
def test_storable_values_are_finite_or_missing(row: Measurement, value: float | None, reason: str | None) -> None:
    run, lines = storable(run_of(row, row_of(value=1.0)))

    first, second = run.timing.measurements
    assert first.value == value
    assert type(first.value) in {float, type(None)}
    assert first.valid == (reason is None)
    assert reason is None or reason in str(first.reason)
    assert len(lines) == (value is None)
    assert second.valid


@pytest.mark.parametrize(
    ("samples", "kept", "reason"),
    [
        (np.array([1.0, 2.0]), [1.0, 2.0], None),
        ([np.float64(1), np.float32(2)], [1.0, 2.0], None),
        ([1e308, 1e308], [1e308, 1e308], None),
        ([1.0, NAN, 2.0], [1.0, 2.0], "clock gave nan in 1 of 3 rounds"),
        ([NAN, NAN, math.inf, None], None, "clock gave nan, inf in 4 of 4 rounds"),
    ],
    ids=["array", "scalars", "large", "some", "all"],
)
def test_storable_samples_are_finite(samples: Any, kept: list[float] | None, reason: str | None) -> None:
    run, _ = storable(run_of(row_of(samples=samples)))

    (row,) = run.timing.measurements
    assert (None if row.samples is None else list(row.samples), row.valid, row.reason) == (kept, reason is None, reason)


def test_storable_statistics_are_finite() -> None:
    run, lines = storable(run_of(row_of(summary=Summary(n=2, min=np.float32(1), max=NAN))))

    (row,) = run.timing.measurements
    assert (row.summary, row.valid) == (Summary(n=2, min=1.0), False)
    assert lines == ("wall_time is not valid: clock gave no finite max",)


def test_storable_requests_have_whole_numbers_of_tokens() -> None:
    request = Request(index=0, due_s=None, sent_s=0.0, chunk_s=[], tokens_in=3, tokens_out="5", ok=True)  # type: ignore[arg-type]

    run, lines = storable(run_of(requests=(request,)))

    assert (run.timing.requests[0].tokens_in, run.timing.requests[0].tokens_out) == (3, None)
    assert lines == ("request 0: tokens_out is not stored: '5' is not a whole number",)


@pytest.mark.parametrize(
    "details",
    [{"a": NAN}, {np.int64(1): 2}, {"a": np.int64(3), "b": np.ones(2)}, {(1, 2): object()}],
    ids=["nan", "key", "scalars", "object"],
)
def test_run_lines_never_raise_for_the_details_of_one_value(details: Any) -> None:
    lines = run_lines(run_of(row_of(value=1.0, details=details)))

    assert json.loads(lines)["measurements"][0]["value"] == 1.0


def test_run_lines_end_for_a_circle() -> None:
    circle: dict[str, Any] = {}
    circle["self"] = circle

    assert json.loads(run_lines(run_of(row_of(value=1.0, details=circle))))["k"] == "run"
