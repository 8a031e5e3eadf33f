"""Import the JSON of JMH (``-rf json``) and of kotlinx-benchmark, which writes the same."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pytest_benchdb.errors import ImportFormatError
from pytest_benchdb.importers.reading.figures import figure, named, param_id
from pytest_benchdb.importers.reading.json_text import head_of_json, json_of
from pytest_benchdb.importers.reading.machine import Machine
from pytest_benchdb.importers.reading.units import UNITS
from pytest_benchdb.importers.reading.values import (
    BadPart,
    count,
    items,
    json_object,
    mapping,
    number,
    parts,
    required_name,
    required_number,
    text,
)
from pytest_benchdb.model.imported import ImportedRun, ImportedSession, ImportProblem
from pytest_benchdb.model.run import Measurement, Summary

_TOOL = "jmh"
_UNIT = re.compile(r"(?P<above>[^/]+)/(?P<below>[^/]+)")
_MODES = frozenset({"thrpt", "avgt", "sample", "ss"})
_KEPT = (
    *("mode", "jvm", "jvmArgs", "warmupIterations", "warmupTime", "warmupBatchSize"),
    *("measurementIterations", "measurementTime", "measurementBatchSize", "forks", "threads", "vmName", "vmVersion"),
)


class Jmh:
    """The importer of JMH's JSON; it has neither a time nor a machine, but the Java virtual machine."""

    name = "jmh"

    def can_read(self, _path: Path, head: bytes) -> bool:
        """Return whether the JSON is a list of results with a primary metric."""
        json = head_of_json(head)
        return json.kind == "[" and json.has("benchmark", "mode")

    def read(self, path: Path) -> Iterator[ImportedSession | ImportProblem]:
        """Read the one session of a file.

        Raises:
            ImportFormatError: it is not JSON of JMH.
        """
        results = json_of(path, "JMH")
        if not isinstance(results, list) or not results:
            raise ImportFormatError("it is not a file of JMH: it has no list of results")
        read = list(parts(results, "results", _run))
        yield from (problem for _, problem in read if problem is not None)
        runs = tuple(run for run, _ in read if run is not None)
        if runs:
            first = next(mapping(result) for result in results if isinstance(result, Mapping))
            yield ImportedSession(
                started_unix_us=None,
                tool=_TOOL,
                tool_version=text(first.get("jmhVersion")),
                environment=_machine(first).environment,
                runs=runs,
                rows=len(runs),
            )


def _run(result: Mapping[str, Any]) -> ImportedRun:
    name = required_name(result.get("benchmark"), "benchmark")
    params = json_object(result.get("params")) or {}
    mode = text(result.get("mode"))
    if mode not in _MODES:
        raise BadPart(f"mode is {result.get('mode')!r}; expected one of {', '.join(sorted(_MODES))}")
    primary = mapping(result.get("primaryMetric"))
    measurement = _measurement(mode, primary)
    secondary = mapping(result.get("secondaryMetrics")).items()
    rest = tuple(_secondary(key, mapping(value)) for key, value in secondary if number(mapping(value).get("score")))
    # A benchmark that is run in two modes has two results.
    shown = {**params, **({"mode": mode} if mode in {"sample", "ss"} else {})}
    return ImportedRun(
        fullname=named(name, shown or None),
        params=params or None,
        param_id=param_id(shown) if shown else None,
        measurements=(measurement, *rest),
        rounds=None if measurement.samples is None else len(measurement.samples),
        extra_info=json_object({key: result[key] for key in _KEPT if key in result}),
    )


def _measurement(mode: str, metric: Mapping[str, Any]) -> Measurement:
    """Return the main figure: operations per second, or the time of one operation."""
    unit = text(metric.get("scoreUnit")) or ""
    samples = _samples(metric)
    values: Sequence[float] | Summary = samples or _summary(metric)
    match = _UNIT.fullmatch(unit)
    if match is None:
        raise BadPart(f"scoreUnit is {unit!r}; expected ops/s or ns/op, or another with other units")
    above, below = match["above"], match["below"]
    if mode == "thrpt" and above == "ops" and below in UNITS:
        return figure("throughput", None, _scaled(values, 1.0 / UNITS[below].to_si(1.0)), details=_source(metric, unit))
    known = UNITS.get(above)
    if known is not None and known.kind == "time" and below in {"op", "ops"}:
        return figure("wall_time", above, values, source_name=f"primaryMetric in {unit}")
    return figure("jmh_score", unit, values, better="none")


def _secondary(name: str, metric: Mapping[str, Any]) -> Measurement:
    unit = text(metric.get("scoreUnit")) or "1"
    return figure(f"jmh:{name}"[:200], unit, _samples(metric) or _summary(metric))


def _samples(metric: Mapping[str, Any]) -> list[float]:
    """Return the score of each iteration, of all forks."""
    return [
        required_number(value, "primaryMetric.rawData")
        for fork in items(metric.get("rawData"))
        for value in items(fork)
    ]


def _summary(metric: Mapping[str, Any]) -> Summary:
    score = required_number(metric.get("score"), "primaryMetric.score")
    share = mapping(metric.get("scorePercentiles"))
    low, q1, median, q3, high = (number(share.get(key)) for key in ("0.0", "25.0", "50.0", "75.0", "100.0"))
    return Summary(n=count(metric.get("sampleCount")), mean=score, min=low, q1=q1, median=median, q3=q3, max=high)


def _scaled(values: Sequence[float] | Summary, factor: float) -> Sequence[float] | Summary:
    if not isinstance(values, Summary):
        return [value * factor for value in values]
    low, q1, median, q3, high, mean = (
        None if value is None else value * factor
        for value in (values.min, values.q1, values.median, values.q3, values.max, values.mean)
    )
    return Summary(n=values.n, min=low, q1=q1, median=median, q3=q3, max=high, mean=mean)


def _source(metric: Mapping[str, Any], unit: str) -> dict[str, object]:
    return {"source_unit": unit, "source_score": number(metric.get("score"))}


def _machine(result: Mapping[str, Any]) -> Machine:
    version = text(result.get("jdkVersion"))
    return Machine(
        runtime=f"Java {version}" if version else "",
        details=json_object({key: result[key] for key in ("vmName", "vmVersion") if key in result}) or {},
    )
