import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from pytest_benchdb.cli.upkeep import peaks
from pytest_benchdb.model import exit_status
from pytest_benchdb.model.answer.peaks import MeasuredPeaks, PeakRow


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Make the command measure a processor with known peaks; return what it asked for."""
    questions: list[Any] = []
    about: dict[str, Any] = {"device": "AMD EPYC", "method": "work", "reason": None}
    rows = (
        PeakRow(metric="peak_bytes_per_second", precision=None, value=20.756e9, unit="B/s", **about),
        PeakRow(metric="peak_flops_per_second", precision="fp32", value=67.12e9, unit="1/s", **about),
        PeakRow(
            metric="peak_flops_per_second",
            precision="fp16",
            value=None,
            unit="1/s",
            device="AMD EPYC",
            method=None,
            reason="no fp16 here",
        ),
    )

    def measure(database: Path, devices: Sequence[str], **_: object) -> MeasuredPeaks:
        questions.append((str(database), tuple(devices)))
        problem = "nothing is lost" if "broken" in str(database) else None
        return MeasuredPeaks(rows=rows, path=database / "s.duckdb", problem=problem)

    monkeypatch.setattr(peaks, "measure_peaks", measure)
    return questions


def test_peaks_are_shown_with_the_work_that_reached_them(benchdb: Callable[..., Any], asked: list[Any]) -> None:
    ended = benchdb("peaks", "--db", "results", "cpu")

    assert asked == [("results", ("cpu",))]
    assert ended.status == exit_status.FINE
    assert [line.split() for line in ended.out.splitlines()[2:]] == [
        ["AMD", "EPYC", "memory", "20.76", "GB/s", "work"],
        ["AMD", "EPYC", "compute", "fp32", "67.12", "GFLOP/s", "work"],
        ["AMD", "EPYC", "compute", "fp16", "-", "no", "fp16", "here"],
    ]
    assert ended.err.strip().startswith("stored in results")


def test_peaks_as_data_are_in_si_units(benchdb: Callable[..., Any], asked: list[Any]) -> None:
    answer = json.loads(benchdb("peaks", "-f", "json").out)

    assert asked
    assert answer["schema"] == "benchdb.peaks/1"
    assert answer["rows"][0]["value"] == 20.756e9


def test_peaks_that_cannot_be_stored_end_with_a_status(benchdb: Callable[..., Any], asked: list[Any]) -> None:
    ended = benchdb("peaks", "--db", "broken")

    assert asked
    assert ended.status == exit_status.DATABASE
    assert "nothing is lost" in ended.err
