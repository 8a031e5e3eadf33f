"""Import the JSON of hyperfine's ``--export-json``."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pytest_benchdb.errors import ImportFormatError
from pytest_benchdb.importers.reading.figures import figure, named, param_id
from pytest_benchdb.importers.reading.json_text import head_of_json, json_of
from pytest_benchdb.importers.reading.values import (
    BadPart,
    items,
    json_object,
    mapping,
    number,
    parts,
    required_name,
    required_numbers,
)
from pytest_benchdb.model.benchmark import COMMAND_FILE
from pytest_benchdb.model.imported import ImportedRun, ImportedSession, ImportProblem
from pytest_benchdb.model.run import Measurement, Summary

_TOOL = "hyperfine"
_STATISTICS = ("mean", "stddev", "median", "min", "max")


class Hyperfine:
    """The importer of hyperfine's JSON, whose results are commands; it has no time and no machine."""

    name = "hyperfine"

    def can_read(self, _path: Path, head: bytes) -> bool:
        """Return whether the JSON has results of commands."""
        json = head_of_json(head)
        return json.has("results") and "command" in json.inner and not json.keys & {"task", "config"}

    def read(self, path: Path) -> Iterator[ImportedSession | ImportProblem]:
        """Read the one session of a file.

        Raises:
            ImportFormatError: it is not JSON of hyperfine.
        """
        results = mapping(json_of(path, _TOOL)).get("results")
        if not isinstance(results, list) or not results:
            raise ImportFormatError('it is not a file of hyperfine: it has no results in a list "results"')
        read = list(parts(results, "results", _run))
        yield from (problem for _, problem in read if problem is not None)
        runs = tuple(run for run, _ in read if run is not None)
        if runs:
            yield ImportedSession(started_unix_us=None, tool=_TOOL, runs=runs, rows=len(runs))


def _run(result: Mapping[str, Any]) -> ImportedRun:
    command = required_name(result.get("command"), "command")
    params = json_object(result.get("parameters"))
    failed = [code for code in items(result.get("exit_codes")) if code != 0]
    samples = required_numbers(result["times"], "times") if result.get("times") else None
    return ImportedRun(
        fullname=named(f"{COMMAND_FILE}::{command}", params),
        params=params,
        param_id=param_id(params) if params else None,
        measurements=(_wall(result, samples), *_rest(result)),
        outcome="failed" if failed else "passed",
        reason=f"{len(failed)} of its runs ended with another status than 0: {failed[0]}" if failed else None,
        rounds=None if samples is None else len(samples),
        iterations=1,
    )


def _wall(result: Mapping[str, Any], samples: list[float] | None) -> Measurement:
    if samples is not None:
        return figure("wall_time", "s", samples)
    mean, stddev, median, low, high = (number(result.get(name)) for name in _STATISTICS)
    summary = Summary(mean=mean, stddev=stddev, median=median, min=low, max=high)
    if summary.mean is None and summary.median is None:
        raise BadPart("it has neither times nor a mean nor a median")
    return figure("wall_time", "s", summary)


def _rest(result: Mapping[str, Any]) -> Iterator[Measurement]:
    """Yield means of CPU time, and the peak of memory of each run where hyperfine reads it."""
    for key, metric in (("user", "user_time"), ("system", "system_time")):
        mean = number(result.get(key))
        if mean is not None:
            yield figure(metric, "s", Summary(mean=mean), source_name=key)
    memory = items(result.get("memory_usage_byte"))
    if memory and any(memory):  # 0 where it could not be read
        yield figure("command_peak", "B", required_numbers(list(memory), "memory_usage_byte"))
