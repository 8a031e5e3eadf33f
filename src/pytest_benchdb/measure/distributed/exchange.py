"""Jobs and reports that the test's process and the ranks exchange: plain JSON files in one folder.

There are no pickles: a rank may run different code from its parent, and its report is checked before use.
A rank writes its file under a temporary name first, so that an existing report is always complete.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any

from pytest_benchdb.errors import MeasurementError
from pytest_benchdb.model.metric import Provenance
from pytest_benchdb.model.reading import Series
from pytest_benchdb.model.run import Measurement, Summary
from pytest_benchdb.model.value.json_value import json_value

SCHEMA = "benchdb.rank/1"
_FIELDS = tuple(each.name for each in fields(Measurement) if each.name != "rank")
_SERIES_FIELDS = tuple(each.name for each in fields(Series))
_REQUIRED = frozenset(each.name for each in fields(Measurement) if each.default is MISSING)


@dataclass(frozen=True, slots=True, kw_only=True)
class RankJob:
    """The job of every rank of one world.

    Attributes:
        folder: where the ranks write.
        module: name of the module with the function.
        file: path of that module.
        function: qualified name of the function in the module.
        args: positional arguments after the rank, JSON values.
        kwargs: keyword arguments, JSON values.
        init_method: how the ranks find each other, for `torch.distributed`.
        test: the test's name, for messages.
        passes: what to measure besides times.
        meters: ``module:function`` that returns the energy meters, and why others are left out, by name.
        no_energy: why energy must not be measured; None if it may.

    The other fields are those of `run.RankPlan`.
    """

    folder: str
    world_size: int
    module: str
    file: str
    function: str
    args: Sequence[object] = ()
    kwargs: Mapping[str, object] = field(default_factory=dict)
    sys_path: Sequence[str] = ()
    backend: str | None = None
    init_method: str = "env://"
    opener: str | None = None
    opener_argument: object = None
    provenance: Provenance = "measured"
    test: str | None = None
    passes: Sequence[str] = field(default_factory=list)
    meters: str | None = None
    no_energy: str | None = None

    def save(self, path: Path) -> None:
        """Write the job for the ranks.

        Raises:
            MeasurementError: an argument of the function is not a JSON value.
        """
        content = {each.name: getattr(self, each.name) for each in fields(self)}
        for name, value in (("args", list(self.args)), ("kwargs", dict(self.kwargs))):
            if not _is_json(value):
                raise MeasurementError(f"{name} of a distributed function must be JSON values, not {value!r}")
        path.write_text(json.dumps(content), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> "RankJob":
        """Read the job that `save` wrote."""
        return cls(**json.loads(path.read_text(encoding="utf-8")))


@dataclass(frozen=True, slots=True, kw_only=True)
class RankReport:
    """The result of one rank.

    Attributes:
        measurements: without their `rank`.
        result: return value of the function, as a JSON value.
        error: the exception that ended the rank, in one line; None if it finished.
        series: of sensors, if they were asked for.
        failed_ns: when it failed, by `time.monotonic_ns`, which all processes of a machine share.
    """

    rank: int
    measurements: tuple[Measurement, ...] = ()
    result: object = None
    error: str | None = None
    failed_ns: int | None = None
    series: tuple[Series, ...] = ()


def report_path(folder: Path, rank: int) -> Path:
    """Return where a rank writes its report."""
    return folder / f"rank-{rank}.json"


def stderr_path(folder: Path, rank: int | None) -> Path:
    """Return the file for the standard error of a rank, or of the launcher if `rank` is None."""
    return folder / ("launcher.stderr" if rank is None else f"rank-{rank}.stderr")


def write_report(folder: Path, report: RankReport) -> None:
    """Write the report of a rank."""
    content = {
        "schema": SCHEMA,
        "rank": report.rank,
        "measurements": [_entry(row) for row in report.measurements],
        "result": json_value(report.result),
        "error": report.error,
        "failed_ns": report.failed_ns,
        "series": [{name: getattr(each, name) for name in _SERIES_FIELDS} for each in report.series],
    }
    path = report_path(folder, report.rank)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(content, allow_nan=False), encoding="utf-8")
    part.replace(path)


def read_report(folder: Path, rank: int) -> RankReport | None:
    """Return the report of a rank; None if it wrote none.

    Raises:
        MeasurementError: the file was not written by `write_report`.
    """
    path = report_path(folder, rank)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    try:
        return _report(json.loads(text, parse_constant=_refuse), rank)
    except (ValueError, KeyError, TypeError) as error:
        raise MeasurementError(f"{path.name} is not understood: {type(error).__name__}: {error}") from error


def _report(content: Any, rank: int) -> RankReport:
    if content["schema"] != SCHEMA or content["rank"] != rank:
        raise ValueError(f"it is {content['schema']} of rank {content['rank']}")
    return RankReport(
        rank=rank,
        measurements=tuple(_measurement(entry) for entry in content["measurements"]),
        result=content["result"],
        error=content["error"],
        failed_ns=content["failed_ns"],
        series=tuple(_series(entry) for entry in content["series"]),
    )


def _series(entry: Mapping[str, Any]) -> Series:
    numbers = [*entry["t_s"], *entry["values"]]
    if not all(isinstance(number, (int, float)) and math.isfinite(number) for number in numbers):
        raise ValueError(f"a series of {entry['metric']} has something that is not a number")
    return Series(**{**entry, "t_s": tuple(entry["t_s"]), "values": tuple(entry["values"])})


def _entry(row: Measurement) -> dict[str, Any]:
    entry = {name: value for name in _FIELDS if (value := getattr(row, name)) is not None}
    if row.samples is not None:
        entry["samples"] = [float(sample) for sample in row.samples]
    if row.details is not None:
        entry["details"] = json_value(row.details)
    if row.summary is not None:
        entry["summary"] = {each.name: getattr(row.summary, each.name) for each in fields(Summary)}
    return entry


def _measurement(entry: Mapping[str, Any]) -> Measurement:
    unknown, missing = set(entry) - set(_FIELDS), _REQUIRED - set(entry)
    if unknown or missing:
        raise ValueError(f"a measurement has {sorted(unknown)} and lacks {sorted(missing)}")
    samples = entry.get("samples")
    numbers = [*(samples or ()), *([entry["value"]] if entry.get("value") is not None else [])]
    if not all(isinstance(number, (int, float)) and math.isfinite(number) for number in numbers):
        raise ValueError(f"{entry['metric']} is not a number")
    summary = entry.get("summary")
    return Measurement(
        **{
            **entry,
            "samples": None if samples is None else [float(sample) for sample in samples],
            "summary": None if summary is None else Summary(**summary),
        }
    )


def _is_json(value: object) -> bool:
    try:
        return bool(json.loads(json.dumps(value, allow_nan=False)) == value)
    except (TypeError, ValueError):
        return False


def _refuse(name: str) -> float:
    raise ValueError(f"{name} is not a number that was measured")
