"""Import the JSON of Google Benchmark: ``--benchmark_format=json`` or ``--benchmark_out``."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pytest_benchdb.errors import ImportFormatError
from pytest_benchdb.importers.reading.figures import figure
from pytest_benchdb.importers.reading.json_text import head_of_json, json_of
from pytest_benchdb.importers.reading.machine import Machine
from pytest_benchdb.importers.reading.values import (
    BadPart,
    count,
    items,
    json_object,
    mapping,
    moment_us,
    number,
    outcome_of,
    part,
    required_name,
    required_number,
    text,
)
from pytest_benchdb.model.imported import ImportedRun, ImportedSession, ImportProblem
from pytest_benchdb.model.run import Measurement, Summary

_TOOL = "google-benchmark"
_TIMES = {"real_time": "wall_time", "cpu_time": "cpu_time"}
_RATES = {"items_per_second": ("throughput", "1/s"), "bytes_per_second": ("bytes_per_second", "B/s")}
_STATISTICS = {"mean": "mean", "median": "median", "stddev": "stddev"}
_OWN_KEYS = frozenset(
    {
        *("name", "run_name", "run_type", "family_index", "per_family_instance_index", "label", "threads"),
        *("repetitions", "repetition_index", "iterations", "real_time", "cpu_time", "time_unit"),
        *("error_occurred", "error_message", "skipped", "skip_message", "aggregate_name", "aggregate_unit"),
        *("big_o", "rms", "cpu_coefficient", "real_coefficient", "items_per_second", "bytes_per_second"),
    }
)
"""What a row has beside the suite's own counters."""
_REPETITION = re.compile(r"/repeats:\d+|_(mean|median|stddev|cv|BigO|RMS)$")


class GoogleBenchmark:
    """The importer of Google Benchmark's JSON."""

    name = "google-benchmark"

    def can_read(self, _path: Path, head: bytes) -> bool:
        """Return whether the JSON has a context and benchmarks."""
        json = head_of_json(head)
        is_own = {"real_time", "time_unit"} <= json.inner or "library_build_type" in json.inner
        return is_own or json.has("context", "benchmarks")

    def read(self, path: Path) -> Iterator[ImportedSession | ImportProblem]:
        """Read the one session of a file.

        Repetitions of a benchmark are its rounds; rows with their mean or deviation add no rounds, and are
        read only where the repetitions are not in the file.

        Raises:
            ImportFormatError: it is not JSON of Google Benchmark.
        """
        document = mapping(json_of(path, "Google Benchmark"))
        rows = document.get("benchmarks")
        if not isinstance(rows, list) or not rows:
            raise ImportFormatError('it has no results in a list "benchmarks"')
        context = mapping(document.get("context"))
        machine = _machine(context)
        runs: list[ImportedRun] = []
        for place, group in _grouped(rows).items():
            run, problem = part(group, place, lambda rows: _run(rows, machine))
            if problem is not None:
                yield replace(problem, refused=not all(map(_is_fit, group)))
            elif run is not None:
                runs.append(run)
        if runs:
            started_us = moment_us(context.get("date"))
            yield ImportedSession(
                started_unix_us=started_us,
                finished_unix_us=started_us,
                tool=_TOOL,
                tool_version=text(context.get("library_version")),
                environment=machine.environment,
                runs=tuple(runs),
                rows=len(rows),
            )


def _is_fit(row: Mapping[str, Any]) -> bool:
    """Return whether a row is the complexity that was fitted to others: no benchmark of its own is lost with it."""
    return text(row.get("aggregate_name")) in {"BigO", "RMS"}


def _grouped(rows: list[Any]) -> dict[str, list[Mapping[str, Any]]]:
    """Return the rows of each benchmark, by the place of the first of them."""
    places: dict[str, str] = {}
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for index, row in enumerate(rows):
        where = f"benchmarks[{index}]"
        name = _name_of(mapping(row))
        groups.setdefault(places.setdefault(name, where) if name else where, []).append(mapping(row))
    return groups


def _name_of(row: Mapping[str, Any]) -> str:
    name = text(row.get("run_name")) or text(row.get("name")) or ""
    return _REPETITION.sub("", name)


def _run(rows: list[Mapping[str, Any]], machine: Machine) -> ImportedRun:
    name = required_name(_name_of(rows[0]), "name")
    broken = next((row for row in rows if row.get("error_occurred") or row.get("skipped")), None)
    repetitions = [row for row in rows if row.get("run_type") != "aggregate" and "aggregate_name" not in row]
    run: dict[str, Any] = {"fullname": name, "device": machine.processor, "extra_info": _extra(rows[0])}
    if broken is not None:
        status = "skipped" if broken.get("skipped") else "failed"
        outcome, reason = outcome_of(status, broken.get("error_message") or broken.get("skip_message"))
        return ImportedRun(measurements=(), outcome=outcome or "failed", reason=reason, **run)
    measurements = tuple(_of_repetitions(repetitions) if repetitions else _of_aggregates(rows))
    if not measurements:
        raise BadPart(f"{name} has no time: it is a fit, not a measurement")
    return ImportedRun(
        measurements=measurements,
        rounds=len(repetitions) or count(rows[0].get("repetitions")),
        iterations=count(repetitions[0].get("iterations")) if repetitions else None,
        **run,
    )


def _of_repetitions(rows: list[Mapping[str, Any]]) -> Iterator[Measurement]:
    for key, metric in _TIMES.items():
        if key in rows[0]:
            unit = text(rows[0].get("time_unit")) or "ns"
            if any((text(row.get("time_unit")) or "ns") != unit for row in rows):
                raise BadPart(f"its repetitions have different units of {key}")
            yield figure(metric, unit, [required_number(row.get(key), key) for row in rows], source_name=key)
    for key, (metric, unit) in _RATES.items():
        values = [number(row.get(key)) for row in rows]
        if None not in values:
            yield figure(metric, unit, [value for value in values if value is not None])
    for key in rows[0].keys() - _OWN_KEYS:
        values = [number(row.get(key)) for row in rows]
        if None not in values:
            yield figure(f"counter:{key}"[:200], "1", [value for value in values if value is not None])


def _of_aggregates(rows: list[Mapping[str, Any]]) -> Iterator[Measurement]:
    """Yield what ``--benchmark_report_aggregates_only`` leaves: statistics of the repetitions."""
    for key, metric in _TIMES.items():
        values = {
            _STATISTICS[name]: number(row.get(key))
            for row in rows
            if (name := text(row.get("aggregate_name"))) in _STATISTICS
        }
        if values.get("mean") is not None or values.get("median") is not None:
            unit = text(rows[0].get("time_unit")) or "ns"
            repetitions = count(rows[0].get("repetitions"))
            mean, median, stddev = (values.get(name) for name in ("mean", "median", "stddev"))
            summary = Summary(n=repetitions, mean=mean, median=median, stddev=stddev)
            yield figure(metric, unit, summary, source_name=key)


def _extra(row: Mapping[str, Any]) -> dict[str, object] | None:
    return json_object({key: row[key] for key in ("label", "threads") if row.get(key)})


def _machine(context: Mapping[str, Any]) -> Machine:
    caches = [mapping(cache) for cache in items(context.get("caches"))]
    details = {
        "mhz_per_cpu": context.get("mhz_per_cpu"),
        "cpu_scaling_enabled": context.get("cpu_scaling_enabled"),
        "library_build_type": context.get("library_build_type"),
        "caches": caches,
    }
    return Machine(
        hostname=text(context.get("host_name")),
        threads=count(context.get("num_cpus")),
        details=json_object({key: value for key, value in details.items() if value not in (None, [])}) or {},
    )
