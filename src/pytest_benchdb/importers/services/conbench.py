"""Import the benchmark results of Conbench: as they are posted, and as its API lists them."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pytest_benchdb.errors import ImportFormatError
from pytest_benchdb.importers.reading.figures import figure, named, param_id
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
    part,
    required_name,
    required_numbers,
    text,
    written_count,
)
from pytest_benchdb.model.environment import Commit, Environment
from pytest_benchdb.model.imported import ImportedRun, ImportedSession, ImportProblem
from pytest_benchdb.model.run import Measurement, Outcome

_TOOL = "conbench"
_UNITS: Mapping[str, tuple[str, str]] = {
    "s": ("wall_time", "s"),
    "ns": ("wall_time", "ns"),
    "B/s": ("bytes_per_second", "B/s"),
    "i/s": ("throughput", "1/s"),
    "B": ("bytes", "B"),
    "b": ("bytes", "B"),
    "b/s": ("bytes_per_second", "B/s"),
}
"""What Conbench takes as units; older results write bytes in lower case."""


class Conbench:
    """The importer of Conbench's results."""

    name = "conbench"

    def can_read(self, _path: Path, head: bytes) -> bool:
        """Return whether the JSON is a result, or a page or list of results."""
        json = head_of_json(head)
        of_result = {"run_id", "batch_id", "tags"}
        return of_result <= json.keys or (json.has("data") and of_result <= json.inner)

    def read(self, path: Path) -> Iterator[ImportedSession | ImportProblem]:
        """Read a session for each run of Conbench: its results share a `run_id`.

        Raises:
            ImportFormatError: it has no result.
        """
        document = json_of(path, "Conbench")
        results = document if isinstance(document, list) else items(mapping(document).get("data")) or [document]
        groups: dict[str, list[tuple[Mapping[str, Any], ImportedRun]]] = {}
        taken = False
        for index, result in enumerate(results):
            place = f"results[{index}]"
            run, problem = part(mapping(result), place, _run)
            if problem is not None:
                taken = True
                yield problem
            elif run is not None:
                key = text(mapping(result).get("run_id")) or place
                groups.setdefault(key, []).append((mapping(result), run))
        if not groups and not taken:
            raise ImportFormatError("it has no result of Conbench")
        for key, group in groups.items():
            yield _session(key, group)


def _session(key: str, group: list[tuple[Mapping[str, Any], ImportedRun]]) -> ImportedSession:
    first = group[0][0]
    times = [run.started_unix_us for _, run in group if run.started_unix_us is not None]
    project = (_repository(first) or "").rstrip("/").removesuffix(".git").rpartition("/")[2]
    return ImportedSession(
        started_unix_us=min(times, default=None),
        finished_unix_us=max(times, default=None),
        tool=_TOOL,
        source_key=key,
        label=text(mapping(first.get("run_tags")).get("name")) or text(first.get("run_name")),
        project=project or None,
        environment=_environment(first),
        commit=_commit(first),
        runs=tuple(run for _, run in group),
        rows=len(group),
    )


def _run(result: Mapping[str, Any]) -> ImportedRun:
    tags = json_object(result.get("tags")) or {}
    name = required_name(tags.pop("name", None), "tags.name")
    tags.pop("id", None)
    params = {key: value for key, value in sorted(tags.items()) if value is not None}
    outcome, reason, measurements = _outcome(result)
    stats = mapping(result.get("stats"))
    return ImportedRun(
        fullname=named(name, params or None),
        params=params or None,
        param_id=param_id(params) if params else None,
        measurements=measurements,
        outcome=outcome,
        reason=reason,
        started_unix_us=moment_us(result.get("timestamp")),
        iterations=1 if measurements else None,
        rounds=count(stats.get("iterations")),
        extra_info=json_object(
            {key: result[key] for key in ("context", "info", "optional_benchmark_info") if result.get(key)}
        ),
    )


def _outcome(result: Mapping[str, Any]) -> tuple[Outcome, str | None, tuple[Measurement, ...]]:
    stats, error = mapping(result.get("stats")), result.get("error")
    measurements = tuple(_measurements(stats)) if stats.get("data") else ()
    if error:
        reason = text(error) or text(mapping(error).get("error")) or text(mapping(error).get("stack_trace")) or "error"
        return "failed", " ".join(reason.split())[:1000], ()
    if not measurements:
        raise BadPart("it has neither stats.data nor an error")
    invalid = mapping(result.get("validation")).get("success") is False
    return ("failed", "its validation failed", measurements) if invalid else ("passed", None, measurements)


def _measurements(stats: Mapping[str, Any]) -> Iterator[Measurement]:
    unit = text(stats.get("unit")) or ""
    values = [value for value in items(stats.get("data")) if value is not None]
    metric, written = _UNITS.get(unit, (f"value in {unit}"[:64] if unit else "value", unit or "1"))
    yield figure(metric, written, required_numbers(values, "stats.data"), source_name=unit)
    times = [value for value in items(stats.get("times")) if number(value) is not None]
    time_unit = text(stats.get("time_unit")) or "s"
    if times and metric != "wall_time" and time_unit in _UNITS and _UNITS[time_unit][0] == "wall_time":
        yield figure("wall_time", time_unit, required_numbers(times, "stats.times"), source_name="times")


def _repository(result: Mapping[str, Any]) -> str | None:
    return text(mapping(result.get("github")).get("repository")) or text(
        mapping(result.get("commit")).get("repository")
    )


def _commit(result: Mapping[str, Any]) -> Commit:
    posted, listed = mapping(result.get("github")), mapping(result.get("commit"))
    return Commit(
        sha=text(posted.get("commit"), 100) or text(listed.get("sha"), 100) or text(result.get("commit_hash"), 100),
        branch=text(posted.get("branch")) or text(listed.get("branch")),
    )


def _environment(result: Mapping[str, Any]) -> Environment | None:
    """Return the machine; numbers in it are texts."""
    info = mapping(result.get("machine_info")) or mapping(result.get("hardware")) or mapping(result.get("cluster_info"))
    context = mapping(result.get("context"))
    return Machine(
        hostname=text(info.get("name")),
        os=text(info.get("os_name")),
        kernel=text(info.get("kernel_name")),
        architecture=text(info.get("architecture_name")),
        cpu_model=text(info.get("cpu_model_name")),
        cores=written_count(info.get("cpu_core_count")),
        threads=written_count(info.get("cpu_thread_count")),
        ram_bytes=written_count(info.get("memory_bytes")),
        runtime=text(context.get("benchmark_language")) or "",
        details=json_object({"machine_info": info}) or {} if info else {},
    ).environment
