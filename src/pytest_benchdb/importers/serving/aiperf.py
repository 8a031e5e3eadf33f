"""Import ``profile_export_aiperf.json`` of AIPerf, and ``..._genai_perf.json`` of its predecessor GenAI-Perf."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pytest_benchdb.errors import ImportFormatError
from pytest_benchdb.importers.reading.distribution import latency, statistics, whole
from pytest_benchdb.importers.reading.figures import figure, named, param_id
from pytest_benchdb.importers.reading.json_text import head_of_json, json_of
from pytest_benchdb.importers.reading.units import UNITS
from pytest_benchdb.importers.reading.values import BadPart, count, items, json_object, mapping, moment_us, number, text
from pytest_benchdb.model.benchmark import Labels
from pytest_benchdb.model.environment import Device
from pytest_benchdb.model.identity import content_id
from pytest_benchdb.model.imported import ImportedRun, ImportedSession, ImportProblem
from pytest_benchdb.model.run import Measurement, Outcome

_LATENCIES = {
    "request_latency": "e2e_latency",
    "time_to_first_token": "ttft",
    "time_to_first_output_token": "ttfot",
    "inter_token_latency": "tpot",
    "inter_chunk_latency": "itl",
}
"""Its inter-token latency is (last - first token) / (tokens - 1) of a request; the gaps are between chunks."""
_RATES = {
    "request_throughput": "requests_per_second",
    "output_token_throughput": "tokens_per_second",
    "total_token_throughput": "total_tokens_per_second",
    "goodput": "goodput",
    "request_goodput": "goodput",
}
_GPU = {"gpu_power_usage": "power", "energy_consumption": "energy", "gpu_memory_used": "device_used"}
_LOAD = ("concurrency", "request_rate", "request_count")
_FACTS = (
    "input_sequence_length",
    "output_sequence_length",
    "request_count",
    "total_isl",
    "total_osl",
    "osl_mismatch_count",
)


class AiPerf:
    """The importer of the statistics that AIPerf and GenAI-Perf export, one run per file."""

    name = "aiperf"

    def can_read(self, _path: Path, head: bytes) -> bool:
        """Return whether the JSON has statistics of requests with units."""
        json = head_of_json(head)
        known = json.keys | (json.inner if "records" in json.keys else frozenset())
        return (
            json.kind == "{"
            and bool(known & {"request_throughput", "request_latency"})
            and (b'"unit"' in head and b'"avg"' in head)
        )

    def read(self, path: Path) -> Iterator[ImportedSession | ImportProblem]:
        """Read the one run of a file.

        Raises:
            ImportFormatError: it is not an export of AIPerf or GenAI-Perf.
        """
        export = mapping(json_of(path, self.name))
        records = {**mapping(export.get("records")), **export}
        if not any(mapping(records.get(name)).get("unit") for name in (*_LATENCIES, *_RATES)):
            raise ImportFormatError(
                "it is not an export of AIPerf: it has no request_latency or throughput with a unit"
            )
        try:
            run = _run(records, mapping(export.get("input_config")))
        except BadPart as error:
            raise ImportFormatError(str(error)) from error
        started_us = moment_us(export.get("start_time"))
        version = text(export.get("aiperf_version"))
        yield ImportedSession(
            started_unix_us=started_us,
            finished_unix_us=moment_us(export.get("end_time")) or started_us,
            tool="aiperf" if version or "_genai_perf" not in path.name else "genai-perf",
            tool_version=version,
            source_key=text(export.get("benchmark_id")),
            runs=(run,),
            rows=1,
        )


def _run(records: Mapping[str, Any], asked: Mapping[str, Any]) -> ImportedRun:
    params = _params(asked)
    model = params.get("model")
    gpus = _gpus(records)
    outcome, reason = _outcome(records)
    return ImportedRun(
        fullname=named("aiperf profile", params),
        params=json_object(params),
        param_id=param_id(params),
        device=gpus[0][1] if len(gpus) == 1 else None,
        measurements=(*_requests(records), *(row for gpu, _ in gpus for row in _sensors(gpu))),
        labels=Labels(model=model if isinstance(model, str) else None, workload="serving"),
        outcome=outcome,
        reason=reason,
        duration_s=number(mapping(records.get("benchmark_duration")).get("avg")),
        extra_info=json_object(
            {
                **{name: mapping(records.get(name)).get("avg") for name in _FACTS if name in records},
                **({"gpus": [device.name for _, device in gpus]} if gpus else {}),
            }
        ),
    )


def _params(asked: Mapping[str, Any]) -> dict[str, object]:
    """Return the load that was asked for; each version has nested it elsewhere."""
    endpoint, load = mapping(asked.get("endpoint")), mapping(asked.get("loadgen"))
    perf_analyzer = mapping(mapping(asked.get("perf_analyzer")).get("stimulus"))
    source = mapping(asked.get("input"))
    prompt = {**mapping(source.get("prompt")), **source}
    models = endpoint.get("model_names") or asked.get("model_names") or asked.get("model") or asked.get("models")
    names = [name for name in items(models) if isinstance(name, str)] or ([models] if isinstance(models, str) else [])
    asked_tokens = {
        "isl": mapping(prompt.get("input_tokens") or prompt.get("synthetic_tokens")).get("mean"),
        "osl": mapping(prompt.get("output_tokens")).get("mean"),
    }
    params: dict[str, object] = {
        "model": "+".join(names) or None,
        "endpoint": text(endpoint.get("type") or asked.get("endpoint_type")),
        "streaming": endpoint.get("streaming")
        if isinstance(endpoint.get("streaming"), bool)
        else asked.get("streaming"),
        **{name: whole(_first(name, load, perf_analyzer, asked)) for name in _LOAD},
        **{name: whole(number(value)) for name, value in asked_tokens.items()},
        "dataset": text(source.get("custom_dataset_type") or source.get("public_dataset")),
    }
    return {
        name: value for name, value in params.items() if isinstance(value, (str, bool)) or number(value) is not None
    }


def _first(name: str, *places: Mapping[str, Any]) -> float | None:
    return next((value for place in places if (value := number(place.get(name))) is not None), None)


def _outcome(records: Mapping[str, Any]) -> tuple[Outcome, str | None]:
    errors = number(mapping(records.get("error_request_count")).get("avg"))
    done = number(mapping(records.get("request_count")).get("avg"))
    if errors:
        return "failed", f"{errors:g} of {errors + (done or 0.0):g} requests failed"
    if records.get("was_cancelled") is True:
        return "failed", "the run was cancelled"
    return ("failed", "no requests were answered") if done == 0 else ("passed", None)


def _requests(records: Mapping[str, Any]) -> Iterator[Measurement]:
    for name, metric in _LATENCIES.items():
        values = mapping(records.get(name))
        if values:
            unit = text(values.get("unit")) or "ms"
            yield latency(metric, unit, values, n=count(values.get("count")), source_name=name)
    for name, metric in _RATES.items():
        values = mapping(records.get(name))
        average = number(values.get("avg"))
        if average is not None:
            yield figure(metric, text(values.get("unit")), average, source_name=name)
    errors = number(mapping(records.get("error_request_count")).get("avg"))
    if errors is not None or "request_count" in records:  # it leaves the count out if there were none
        yield figure("failed_requests", "1", errors or 0.0, source_name="error_request_count")


def _gpus(records: Mapping[str, Any]) -> list[tuple[Mapping[str, Any], Device]]:
    """Return what was read of each GPU, by the order of the file."""
    endpoints = mapping(mapping(records.get("telemetry_data")).get("endpoints"))
    found = []
    for endpoint in endpoints.values():
        for gpu in mapping(mapping(endpoint).get("gpus")).values():
            name, uuid = text(mapping(gpu).get("gpu_name")), text(mapping(gpu).get("gpu_uuid"))
            if name is not None:
                device_id = content_id("cuda", name, uuid)
                found.append((mapping(gpu), Device(device_id=device_id, backend="cuda", name=name, uuid=uuid)))
    return found


def _sensors(gpu: Mapping[str, Any]) -> Iterator[Measurement]:
    for name, metric in _GPU.items():
        values = mapping(mapping(gpu.get("metrics")).get(name))
        unit, n = text(values.get("unit")), count(values.get("count"))
        if unit not in UNITS:
            continue
        domain = f"gpu {gpu.get('gpu_index')} of {text(gpu.get('hostname'), 100)}"
        summary = statistics(values, n) if n else None
        average = number(values.get("avg"))
        if summary is not None:
            yield figure(metric, unit, summary, pass_name="series", domain=domain, scope="device", source_name=name)
        elif average is not None:
            yield figure(metric, unit, average, pass_name="energy", domain=domain, scope="device", source_name=name)
