"""Import the JSON of ``vllm bench serve --save-result``, and of its predecessor ``benchmark_serving.py``."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from glob import escape
from pathlib import Path
from typing import Any

from pytest_benchdb.errors import ImportFormatError, NotResultsError
from pytest_benchdb.importers.reading.distribution import framework_of, latency, outcome_of_requests, readings
from pytest_benchdb.importers.reading.figures import figure, named, param_id
from pytest_benchdb.importers.reading.files import unix_us
from pytest_benchdb.importers.reading.json_text import head_of_json, json_of
from pytest_benchdb.importers.reading.values import (
    BadPart,
    count,
    items,
    json_object,
    mapping,
    moment_us,
    number,
    required_name,
    text,
)
from pytest_benchdb.model.benchmark import Labels
from pytest_benchdb.model.imported import ImportedRun, ImportedSession, ImportProblem
from pytest_benchdb.model.run import Measurement

_TOOL = "vllm bench serve"
_KEYS = ("model_id", "num_prompts", "completed", "request_throughput")
_RATES = {
    "request_throughput": "requests_per_second",
    "request_goodput": "goodput",
    "output_throughput": "tokens_per_second",
    "total_token_throughput": "total_tokens_per_second",
    "max_output_tokens_per_s": "peak_tokens_per_second",
    "max_concurrent_requests": "peak_concurrency",
}
_LATENCIES = {"ttft": "ttft", "tpot": "tpot", "itl": "itl", "e2el": "e2e_latency"}
_STATISTIC = re.compile(r"(?P<name>mean|median|std|p\d+(?:\.\d+)?)_(?P<metric>ttft|tpot|itl|e2el)_ms")
_LISTS = ("input_lens", "output_lens", "ttfts", "itls", "generated_texts", "errors", "start_times")
"""One entry per request, with ``--save-detailed``; the texts of a model are not measurements."""
_IDENTITY = ("backend", "request_rate", "burstiness", "max_concurrency", "num_prompts")
_MEASURED = {
    *_KEYS,
    *_RATES,
    *_IDENTITY,
    *_LISTS,
    "date",
    "endpoint_type",
    "label",
    "tokenizer_id",
    "duration",
    "failed",
}
_MERGED = re.compile(r"all[-_ ]?(parts?)?|merged|combined|total", re.IGNORECASE)
_MOST_SIBLINGS = 1000
_DATE = "%Y%m%d-%H%M%S"


class VllmServe:
    """The importer of the results of vLLM's load generator, one run per file."""

    name = "vllm-serve"

    def can_read(self, _path: Path, head: bytes) -> bool:
        """Return whether the JSON has the load and the first of its results."""
        json = head_of_json(head)
        return json.kind == "{" and json.has(*_KEYS)

    def read(self, path: Path) -> Iterator[ImportedSession | ImportProblem]:
        """Read the one run of a file.

        Raises:
            ImportFormatError: it is not JSON of vLLM's load generator.
            NotResultsError: it adds up other files.
        """
        result = json_of(path, _TOOL)
        if not isinstance(result, dict) or not all(key in result for key in _KEYS):
            raise ImportFormatError(f"it is not a file of {_TOOL}: it has not all of {', '.join(_KEYS)}")
        parts = _parts_of(path, result)
        if parts:
            raise NotResultsError(
                f"it adds up the {len(parts)} files {path.name} in {', '.join(parts[:3])}, ... beside it"
            )
        try:
            run = _run(result)
        except BadPart as error:
            raise ImportFormatError(str(error)) from error
        started_us = _moment_us(result.get("date"))
        yield ImportedSession(
            started_unix_us=started_us,
            finished_unix_us=started_us,
            tool=_TOOL,
            label=text(result.get("label")),
            runs=(run,),
            rows=1,
        )


def _run(result: Mapping[str, Any]) -> ImportedRun:
    model = required_name(result["model_id"], "model_id")
    params: dict[str, object] = {"model": model}
    for key in _IDENTITY:
        if result.get(key) is not None:
            params[key] = _plain(result[key])
    params |= {key: value for key, value in _metadata(result).items() if not isinstance(value, (dict, list))}
    outcome, reason = outcome_of_requests(result["completed"], result["num_prompts"], "prompts")
    return ImportedRun(
        fullname=named(_TOOL, params),
        params=json_object(params),
        param_id=param_id(params),
        measurements=(*_latencies(result), *readings(result, _RATES), *_failures(result)),
        labels=Labels(model=model, framework=framework_of(result.get("backend")), workload="serving"),
        outcome=outcome,
        reason=reason,
        duration_s=number(result.get("duration")),
        extra_info=json_object(
            {
                key: result[key]
                for key in ("tokenizer_id", "endpoint_type", "completed", "total_input_tokens", "total_output_tokens")
                if result.get(key) is not None
            }
        ),
    )


def _plain(value: object) -> object:
    """Return a parameter as the tool's option had it: ``inf`` is a rate too, and no number of JSON."""
    return value if isinstance(value, str) or number(value) is not None else str(value)


def _metadata(result: Mapping[str, Any]) -> dict[str, object]:
    """Return what ``--metadata KEY=VALUE`` and sweeps have added."""
    return {
        key: _plain(value)
        for key, value in result.items()
        if key not in _MEASURED
        and not _STATISTIC.fullmatch(key)
        and not key.startswith("total_")
        and value is not None
        and key not in {"rtfx", "run_number", "dataset_path"}
    }


def _latencies(result: Mapping[str, Any]) -> Iterator[Measurement]:
    """Yield each latency: the value of every request if the file has them, else statistics."""
    found: dict[str, dict[str, Any]] = {}
    for key, value in result.items():
        if (match := _STATISTIC.fullmatch(key)) and value is not None:
            found.setdefault(match["metric"], {})[match["name"]] = value
    rounds = _rounds(result)
    for name, values in found.items():
        if rounds.get(name):
            yield figure(_LATENCIES[name], "s", rounds[name], source_name=f"{name}s", method=_TOOL)
        else:
            n = count(result["completed"]) if name in {"ttft", "e2el"} else None
            yield latency(_LATENCIES[name], "ms", values, n=n, source_name=f"{name}_ms", method=_TOOL)


def _rounds(result: Mapping[str, Any]) -> dict[str, list[float]]:
    """Return the first-token times and gaps, in seconds, of the requests that were answered."""
    errors, ttfts, gaps = (items(result.get(key)) for key in ("errors", "ttfts", "itls"))
    if not (errors and len(errors) == len(ttfts) == len(gaps)):
        return {}
    answered = [index for index, error in enumerate(errors) if not error]
    firsts = [number(ttfts[index]) for index in answered]
    between = [number(gap) for index in answered for gap in items(gaps[index])]
    if len(answered) != result["completed"] or None in firsts or None in between:
        return {}
    return {
        "ttft": [value for value in firsts if value is not None],
        "itl": [gap for gap in between if gap is not None],
    }


def _failures(result: Mapping[str, Any]) -> Iterator[Measurement]:
    failed, sent, completed = (number(result.get(key)) for key in ("failed", "num_prompts", "completed"))
    if failed is None and sent is not None and completed is not None and sent >= completed:
        failed = sent - completed
    if failed is not None:
        yield figure("failed_requests", "1", failed)


def _moment_us(date: object) -> int | None:
    """Return ``20251102-112902``, the client's clock without a zone, as UTC."""
    if isinstance(date, str):
        try:
            return unix_us(datetime.strptime(date, _DATE).replace(tzinfo=timezone.utc))
        except ValueError:
            pass
    return moment_us(date)


def _parts_of(path: Path, result: Mapping[str, Any]) -> list[str]:
    """Return the folders beside whose files of the same name add up to this one, which is named after that."""
    if not _MERGED.fullmatch(path.parent.name):
        return []
    totals = dict.fromkeys(("completed", "total_input_tokens", "total_output_tokens"), 0.0)
    folders = []
    for other in sorted(path.parent.parent.glob(f"*/{escape(path.name)}"))[:_MOST_SIBLINGS]:
        if other.parent != path.parent and other.is_file() and not other.is_symlink():
            try:
                part = mapping(json_of(other, _TOOL))
            except ImportFormatError:
                return []
            totals = {key: total + (number(part.get(key)) or 0.0) for key, total in totals.items()}
            folders.append(other.parent.name)
    return folders if folders and all(number(result.get(key)) == total for key, total in totals.items()) else []
