"""Import the ``benchmarks.json`` of GuideLLM 0.2 to 0.7: one run for each strategy of its sweep."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pytest_benchdb.errors import ImportFormatError
from pytest_benchdb.importers.reading.distribution import framework_of, latency, whole
from pytest_benchdb.importers.reading.figures import figure, named, param_id
from pytest_benchdb.importers.reading.json_text import head_of_json, json_of
from pytest_benchdb.importers.reading.values import (
    BadPart,
    count,
    items,
    json_object,
    mapping,
    moment_us,
    number,
    parts,
    text,
)
from pytest_benchdb.model.benchmark import Labels
from pytest_benchdb.model.imported import ImportedRun, ImportedSession, ImportProblem
from pytest_benchdb.model.run import Measurement, Outcome

_TOOL = "guidellm"
_LATENCIES = {
    "request_latency": ("e2e_latency", "s"),
    "time_to_first_token_ms": ("ttft", "ms"),
    "time_to_first_output_token_ms": ("ttfot", "ms"),
    "inter_token_latency_ms": ("tpot", "ms"),
}
"""Its inter-token latency is (last - first token) / (tokens - 1) of a request: our ``tpot``, not the gaps."""
_RATES = {
    "requests_per_second": "requests_per_second",
    "output_tokens_per_second": "tokens_per_second",
    "tokens_per_second": "total_tokens_per_second",
}
_LONGEST_DATA = 200


class GuideLlm:
    """The importer of GuideLLM's reports."""

    name = "guidellm"

    def can_read(self, _path: Path, head: bytes) -> bool:
        """Return whether the JSON has benchmarks of GuideLLM; those of other tools lack its types and metadata."""
        json = head_of_json(head)
        own = {"type_", "run_stats", "scheduler_metrics", "guidellm_version"}
        return json.has("benchmarks") and bool(json.inner & own)

    def read(self, path: Path) -> Iterator[ImportedSession | ImportProblem]:
        """Read the one session of a file.

        Raises:
            ImportFormatError: it is not a report of GuideLLM.
        """
        report = mapping(json_of(path, _TOOL))
        if not isinstance(report.get("benchmarks"), list):
            raise ImportFormatError('it is not a report of GuideLLM: it has no list "benchmarks"')
        read = list(parts(report["benchmarks"], "benchmarks", lambda entry: _run(entry, report)))
        yield from (problem for _, problem in read if problem is not None)
        runs = tuple(run for run, _ in read if run is not None)
        if not runs:
            if not report["benchmarks"]:
                raise ImportFormatError("it has no benchmarks: GuideLLM was stopped before the first ended")
            return
        ends = [moment for entry in items(report["benchmarks"]) if (moment := _moment_us(mapping(entry), "end_time"))]
        yield ImportedSession(
            started_unix_us=min((run.started_unix_us for run in runs if run.started_unix_us), default=None),
            finished_unix_us=max(ends, default=None),
            tool=_TOOL,
            tool_version=text(mapping(report.get("metadata")).get("guidellm_version")),
            runs=runs,
            rows=len(runs),
        )


def _run(entry: Mapping[str, Any], report: Mapping[str, Any]) -> ImportedRun:
    metrics = mapping(entry.get("metrics"))
    if not metrics:
        raise BadPart("it has no metrics")
    params = _params(entry, report)
    outcome, reason, counts = _outcome(entry, metrics)
    model = params.get("model")
    start, end = _moment_us(entry, "start_time"), _moment_us(entry, "end_time")
    return ImportedRun(
        fullname=named(f"{_TOOL} benchmark", params),
        params=json_object(params),
        param_id=param_id(params),
        measurements=tuple(_measurements(metrics, counts)),
        labels=Labels(
            model=model if isinstance(model, str) else None,
            framework=framework_of(mapping(entry.get("worker")).get("backend_type")),
            workload="serving",
        ),
        outcome=outcome,
        reason=reason,
        started_unix_us=start,
        duration_s=number(entry.get("duration")) or ((end - start) / 1e6 if start and end and end > start else None),
        extra_info=json_object(
            {"requests": counts, "concurrency": _successful(metrics, "request_concurrency").get("mean")}
        ),
    )


def _params(entry: Mapping[str, Any], report: Mapping[str, Any]) -> dict[str, object]:
    """Return model, strategy and data, which each version keeps elsewhere."""
    args, config = mapping(entry.get("args")), mapping(entry.get("config"))
    asked = {**mapping(report.get("args")), **mapping(report.get("config"))}
    strategy = mapping(
        args.get("strategy") or config.get("strategy") or mapping(entry.get("scheduler")).get("strategy")
    )
    worker, backend = mapping(entry.get("worker")), mapping(config.get("backend") or entry.get("backend"))
    loader = mapping(entry.get("request_loader"))
    model = worker.get("backend_model") or backend.get("model") or asked.get("model")
    data = loader.get("data") or mapping(config.get("requests")).get("data") or asked.get("data")
    params = {
        "model": text(model),
        "strategy": text(strategy.get("type_")),
        "rate": whole(number(strategy.get("rate"))),
        "streams": whole(number(strategy.get("streams"))),
        "max_concurrency": whole(number(strategy.get("max_concurrency"))),
        "data": text("+".join(map(str, items(data))) or data, _LONGEST_DATA),
    }
    return {name: value for name, value in params.items() if value is not None}


def _outcome(entry: Mapping[str, Any], metrics: Mapping[str, Any]) -> tuple[Outcome, str | None, dict[str, int]]:
    """Return the outcome and the numbers of requests; those that the end of the run cut off have not failed."""
    made = metrics.get("request_totals") or mapping(entry.get("run_stats") or entry.get("scheduler_metrics")).get(
        "requests_made"
    )
    numbers = {name: int(value) for name, given in mapping(made).items() if (value := number(given)) is not None}
    if errored := numbers.get("errored"):
        return "failed", f"{errored} of {numbers.get('total', errored)} requests failed", numbers
    if numbers.get("successful") == 0:
        return "failed", "no requests were answered", numbers
    return "passed", None, numbers


def _measurements(metrics: Mapping[str, Any], counts: Mapping[str, int]) -> Iterator[Measurement]:
    for name, (metric, unit) in _LATENCIES.items():
        answered = _successful(metrics, name)
        if answered:
            values = {**answered, **_percentiles(answered)}
            yield latency(metric, unit, values, n=count(answered.get("count")), source_name=name, method=_TOOL)
    for name, metric in _RATES.items():
        mean = number(_successful(metrics, name).get("mean"))
        if mean is not None:
            yield figure(metric, "1/s", mean, source_name=f"{name}.successful.mean")
    if "errored" in counts:
        yield figure("failed_requests", "1", float(counts["errored"]), source_name="errored")


def _successful(metrics: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return mapping(mapping(metrics.get(name)).get("successful"))


def _percentiles(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return its percentiles by our names: its ``p001`` and ``p999`` are the 0.1th and the 99.9th."""
    given = mapping(values.get("percentiles"))
    names = {"p001": "p0.1", "p01": "p1", "p05": "p5", "p999": "p99.9"}
    return {names.get(name, name): value for name, value in given.items()}


def _moment_us(entry: Mapping[str, Any], key: str) -> int | None:
    stats = mapping(entry.get("run_stats") or entry.get("scheduler_metrics"))
    return moment_us(entry.get(key) or stats.get(key))
