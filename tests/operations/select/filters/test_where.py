"""`-w`: fields, globs, alternatives, negation, metrics."""

from collections.abc import Callable

import pytest

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.report import ReportRow
from pytest_benchdb.model.series import SessionValue
from pytest_benchdb.operations.select.filters.where import parse_where


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", True),
        ("backend=cuda", True),
        ("backend=CUDA", True),
        ("backend=cpu", False),
        ("backend=cpu,cuda", True),
        ("backend!=cpu", True),
        ("backend!=cpu,cuda", False),
        ("model=bert*", True),
        ("model=*-base-?ncased", True),
        ("model=bert", False),
        ("backend=cuda model=bert* precision=fp16", True),
        ("backend=cuda model=gpt*", False),
        ("batch_size=8", True),
        ("workload=train*", True),
        ("workload=serving", False),
        ("file=tests/*", True),
        ("name=test_x[[]a]", False),
        ("name=test_x[a]", True),
        ("group=", True),
        ("group=*", True),
        ("worker!=", False),
        ("device='NVIDIA H200'", True),
        ("session=s", True),
        ("metric=time", True),
    ],
)
def test_where_over_a_run_is_decided(run: Callable[..., ReportRow], text: str, expected: bool) -> None:
    row = run(
        backend="cuda",
        device="NVIDIA H200",
        model="bert-base-uncased",
        precision="fp16",
        workload="training",
        batch_size=8,
        name="test_x[a]",
    )

    assert parse_where(text).matches(row) is expected


@pytest.mark.parametrize(
    ("text", "metrics"),
    [
        ("metric=time", ("time",)),
        ("metric=cpu,memory", ("cpu_time", "memory")),
        ("metric!=time,cpu", ("memory", "peak_rss", "throughput", "energy", "device_peak", "first_call_time")),
        ("metric=cpu_*", ("cpu_time",)),
        ("metric=loss", ("loss",)),
        ("metric=energy", ("energy",)),
        ("backend=cpu", ()),
    ],
)
def test_where_of_metrics_names_them(text: str, metrics: tuple[str, ...]) -> None:
    assert parse_where(text).metrics == metrics


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("cuda", "not of the form key=value"),
        ("=cuda", "not of the form key=value"),
        ("speed=1", "no field 'speed'; choose from backend, "),
        ("metric=joy*", "no metric matches"),
        ("model='bert", "a quote is not closed"),
    ],
)
def test_invalid_where_is_explained(text: str, what: str) -> None:
    with pytest.raises(ConfigError, match=what):
        parse_where(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", True),
        ("backend=cuda", True),
        ("backend=cpu", False),
        ("device=*H200", True),
        ("model=bert*", True),
        ("batch_size=8", True),
        ("precision=", True),
        ("precision!=fp16", True),
        ("file=tests/*", True),
        ("name=test_x[a::b]", True),
        ("benchmark=*TestA::test_x*", True),
        ("worker=", True),
        ("worker=gw*", False),
        ("backend=cuda model=gpt*", False),
    ],
)
def test_where_of_a_session_value_meets_every_term(
    value: Callable[..., SessionValue], text: str, expected: bool
) -> None:
    candidate = value(
        fullname="tests/test_a.py::TestA::test_x[a::b]",
        backend="cuda",
        device="NVIDIA H200",
        labels={"model": "bert-base", "batch_size": "8"},
    )

    assert parse_where(text).matches_value(candidate) is expected
