import json
import math
from pathlib import Path
from typing import Any

import pytest

from pytest_benchdb.errors import MeasurementError
from pytest_benchdb.measure.distributed.exchange import RankJob, RankReport, read_report, report_path, write_report
from pytest_benchdb.model.reading import Series
from pytest_benchdb.model.run import Measurement, Summary

ROW = Measurement(
    metric="step_time",
    unit="s",
    better="lower",
    phase="train",
    provenance="simulated",
    method="wall clock",
    samples=[0.1 + 0.2, 1e-9, 5e-324],
    details={"steps": 3},
)
MISSING = Measurement(metric="peak_rss", unit="B", better="lower", reason="not here", valid=False)
VALUE = Measurement(metric="throughput", unit="1/s", better="higher", value=1 / 3)


def test_report_is_read_as_it_was_written(tmp_path: Path) -> None:
    series = Series(metric="rss", unit="B", domain="process", device_id=None, t_s=(0.0, 0.1), values=(1.0, 2.0))
    summed = Measurement.of("rss", pass_name="series", summary=Summary(n=2, min=1.0, max=2.0))
    rows = (ROW, MISSING, VALUE, summed)
    report = RankReport(rank=1, measurements=rows, result={"loss": [0.5, None, "x"]}, series=(series,))

    write_report(tmp_path, report)

    assert read_report(tmp_path, 1) == report
    assert [path.name for path in tmp_path.iterdir()] == ["rank-1.json"]


def test_report_of_a_failure_is_read_as_it_was_written(tmp_path: Path) -> None:
    report = RankReport(rank=0, error="ValueError: boom", failed_ns=12)

    write_report(tmp_path, report)

    assert read_report(tmp_path, 0) == report


def test_report_that_was_never_written_is_none(tmp_path: Path) -> None:
    (tmp_path / "rank-0.part").write_text("{")

    assert read_report(tmp_path, 0) is None


def test_report_turns_a_result_without_json_form_into_its_class(tmp_path: Path) -> None:
    write_report(tmp_path, RankReport(rank=0, result=object()))

    report = read_report(tmp_path, 0)
    assert report is not None
    assert report.result == "<builtins.object>"


def test_report_with_a_value_that_is_not_finite_is_not_written(tmp_path: Path) -> None:
    row = Measurement(metric="loss", unit="1", better="lower", samples=[math.nan])

    with pytest.raises(ValueError, match="not JSON compliant"):
        write_report(tmp_path, RankReport(rank=0, measurements=(row,)))

    assert read_report(tmp_path, 0) is None


GOOD: dict[str, Any] = {
    "schema": "benchdb.rank/1",
    "rank": 0,
    "measurements": [{"metric": "step_time", "unit": "s", "better": "lower", "samples": [1.0]}],
    "result": None,
    "error": None,
    "failed_ns": None,
    "series": [],
}
SERIES: dict[str, Any] = {"metric": "rss", "unit": "B", "domain": "rank0/process", "device_id": None}


def damaged(**changes: Any) -> str:
    return json.dumps({**GOOD, **changes})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        damaged(schema="benchdb.rank/2"),
        damaged(rank=1),
        damaged(measurements=[{"metric": "step_time"}]),
        damaged(measurements=[{**GOOD["measurements"][0], "surprise": 1}]),
        damaged(measurements=[{**GOOD["measurements"][0], "samples": ["1.0"]}]),
        damaged(measurements=[{**GOOD["measurements"][0], "samples": [math.nan]}]),
        damaged(measurements=[{**GOOD["measurements"][0], "value": "1"}]),
        damaged(measurements=3),
        damaged(series=3),
        damaged(series=[{**SERIES, "t_s": [0.0], "values": ["7"]}]),
        damaged(series=[{**SERIES, "t_s": [0.0], "values": [7.0], "surprise": 1}]),
        json.dumps({name: value for name, value in GOOD.items() if name != "error"}),
    ],
)
def test_damaged_report_is_an_error(tmp_path: Path, text: str) -> None:
    report_path(tmp_path, 0).write_text(text)

    with pytest.raises(MeasurementError, match=r"rank-0\.json is not understood"):
        read_report(tmp_path, 0)


def test_complete_report_like_the_damaged_ones_is_read(tmp_path: Path) -> None:
    report_path(tmp_path, 0).write_text(damaged())

    report = read_report(tmp_path, 0)

    assert report is not None
    assert report.measurements == (Measurement(metric="step_time", unit="s", better="lower", samples=[1.0]),)


def test_job_is_loaded_as_it_was_saved(tmp_path: Path) -> None:
    job = RankJob(
        folder=str(tmp_path),
        world_size=2,
        module="m",
        file="/m.py",
        function="C.f",
        args=[1, "two", None],
        kwargs={"batch": [8]},
        sys_path=["/a"],
        passes=["energy"],
        backend="gloo",
        provenance="simulated",
    )

    job.save(tmp_path / "job.json")

    assert RankJob.load(tmp_path / "job.json") == job


@pytest.mark.parametrize(
    "arguments",
    [{"args": [object()]}, {"args": [(1, 2)]}, {"args": [math.nan]}, {"kwargs": {"model": print}}, {"args": [{1: 2}]}],
    ids=["object", "tuple", "nan", "function", "key that is no text"],
)
def test_job_with_arguments_that_json_would_change_is_an_error(tmp_path: Path, arguments: dict[str, Any]) -> None:
    job = RankJob(folder=str(tmp_path), world_size=1, module="m", file="/m.py", function="f", **arguments)

    with pytest.raises(MeasurementError, match="must be JSON values"):
        job.save(tmp_path / "job.json")
