"""Suspects by count: what confirms and clears one, and what is left to another way."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from pytest_benchdb.model.comparison import ComparisonRow
from pytest_benchdb.model.series import SessionValue
from pytest_benchdb.model.verdict import Judgement, Policy, Verdict
from pytest_benchdb.operations.gate import counted
from pytest_benchdb.operations.gate.confirm import INTERRUPTED, Confirmation

NAME = "tests/test_a.py::test_x"


class Counts:
    """Stands for the duet that counts: remembers what was asked for."""

    def __init__(self, raises: type[BaseException] | None = None) -> None:
        self.raises = raises
        self.asked: list[str] = []

    def play(self, _pairs: int, names: list[str]) -> None:
        self.asked = names
        if self.raises is not None:
            raise self.raises


def suspect(
    value: SessionValue, limit: float = 0.05, changes: Mapping[str, Any] = MappingProxyType({})
) -> ComparisonRow:
    return ComparisonRow(
        key=replace(value.key, **changes),
        unit=value.unit,
        better="lower",
        group=None,
        judgement=Judgement(verdict="regressed", state="suspect", change=0.12, baseline=1.0, candidate=1.12),
        policy=Policy(better="lower", relative=limit),
        labels={},
    )


@pytest.fixture
def check(
    value: Callable[..., SessionValue], monkeypatch: pytest.MonkeyPatch
) -> Callable[[ComparisonRow, float | None], Confirmation]:
    """Return a function that checks a suspect whose count is so many times the baseline's; None if it waits."""

    def run(row: ComparisonRow, factor: float | None) -> Confirmation:
        facts: dict[str, Any] = {"fullname": row.key.fullname, "metric": "instructions", "unit": "1"}
        base = value(value=1e6, **facts)
        head = value(value=None, reason="it computes for 3 % of its time only", **facts)
        if factor is not None:
            head = value(value=1e6 * factor, **facts)
        monkeypatch.setattr(counted, "values_of_sides", lambda *_: {base.key: ([base], [head])})
        return counted.confirm_by_counts([row], Counts(), Path(), lambda _text: None)  # type: ignore[arg-type]

    return run


@pytest.mark.parametrize(
    ("limit", "factor", "verdict"),
    [
        (0.05, 1.03, "regressed"),
        (0.05, 1.02, "inconclusive"),
        (0.01, 1.015, "regressed"),
        (0.01, 1.004, "inconclusive"),
        (0.05, 0.9, "inconclusive"),
    ],
    ids=["half-of-limit", "less-than-half", "small-limit", "less-than-counts-for-counts", "fewer"],
)
def test_suspect_is_confirmed_by_a_count_that_grew_and_cleared_by_one_that_did_not(
    value: Callable[..., SessionValue],
    check: Callable[..., Confirmation],
    limit: float,
    factor: float,
    verdict: Verdict,
) -> None:
    found = check(suspect(value(), limit), factor)

    (row,) = found.rows
    assert row.judgement.verdict == verdict
    assert (row.judgement.reason or "").startswith("instructions ")
    assert ("the session showed (+12.0 %)" in (row.judgement.reason or "")) is (verdict != "regressed")
    assert not found.undecided


def test_suspect_that_waits_is_not_cleared_by_its_count(
    value: Callable[..., SessionValue], check: Callable[..., Confirmation]
) -> None:
    found = check(suspect(value()), None)

    (row,) = found.rows
    assert row.judgement.verdict == "inconclusive"
    assert row.judgement.reason == "not judged by its count: it computes for 3 % of its time only"
    assert found.out_of_reach == {row.key}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"backend": "cuda"}, "it runs on cuda"), ({"metric": "python_peak"}, "python_peak is not a time")],
    ids=["gpu", "memory"],
)
def test_suspect_that_no_count_sees_is_not_counted(
    value: Callable[..., SessionValue], changes: dict[str, str], reason: str
) -> None:
    row, counts = replace(suspect(value(), changes=changes), unit="B" if "metric" in changes else "s"), Counts()

    found = counted.confirm_by_counts([row], counts, Path(), print)  # type: ignore[arg-type]

    assert not counts.asked
    assert reason in (found.rows[0].judgement.reason or "")
    assert found.out_of_reach == {row.key}


def test_interrupt_leaves_all_undecided(value: Callable[..., SessionValue]) -> None:
    found = counted.confirm_by_counts([suspect(value())], Counts(KeyboardInterrupt), Path(), print)  # type: ignore[arg-type]

    assert found.interrupted
    assert found.rows[0].judgement.reason == INTERRUPTED
