"""Import the results of lm-evaluation-harness, 0.3 (2022) to 0.4: one run for each task, one score for each metric."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pytest_benchdb.errors import ImportFormatError
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
    part,
    text,
)
from pytest_benchdb.model.benchmark import Labels
from pytest_benchdb.model.environment import Device
from pytest_benchdb.model.identity import content_id
from pytest_benchdb.model.imported import ImportedRun, ImportedSession, ImportProblem
from pytest_benchdb.model.metric import CENTURY_S, Better
from pytest_benchdb.model.run import Measurement

_TOOL = "lm-evaluation-harness"
_LOWER = ("perplexity", "ppl", "bits_per_byte", "loss", "wer", "brier")
_HIGHER = (
    "acc",
    "exact_match",
    "em",
    "f1",
    "bleu",
    "rouge",
    "chrf",
    "pass@",
    "mcc",
    "mc1",
    "mc2",
    "likelihood_diff_acc",
)
_ARG = re.compile(r"(?P<name>\w+)=(?P<value>[^,]*)")
_LONG = 10
_PRECISIONS = {"float16": "fp16", "bfloat16": "bf16", "float32": "fp32", "half": "fp16"}


class LmEval:
    """The importer of the harness's results; scores are ratios between 0 and 1, or what the task makes of them."""

    name = "lm-eval"

    def can_read(self, _path: Path, head: bytes) -> bool:
        """Return whether the JSON has results and the harness's configuration, versions or their like."""
        json = head_of_json(head)
        if json.kind != "{" or not json.has("results") or "config_general" in json.keys:  # that is lighteval
            return False
        known = {"versions", "config", "n-shot", "configs", "group_subtasks", "higher_is_better"}
        return bool(json.keys & known and re.search(rb'"[\w@.]+(_stderr|,[\w-]+)"', head))

    def read(self, path: Path) -> Iterator[ImportedSession | ImportProblem]:
        """Read the tasks of one evaluation.

        Raises:
            ImportFormatError: it is not a file of results of the harness.
        """
        document = mapping(json_of(path, _TOOL))
        results = mapping(document.get("results")) or _by_prompt(items(document.get("results")))
        if not results:
            raise ImportFormatError('it is not a file of lm-evaluation-harness: it has no "results"')
        runs = []
        for task, scores in results.items():
            run, problem = part((task, scores), f"results.{task}", lambda found: _run(*found, document))
            if problem is not None:
                yield problem
            if run is not None:
                runs.append(run)
        if not runs:
            return
        started_us = moment_us(document.get("date"))
        seconds = _seconds(document.get("total_evaluation_time_seconds"))
        yield ImportedSession(
            started_unix_us=started_us,
            finished_unix_us=started_us + int(seconds * 1e6) if started_us and seconds else started_us,
            tool=_TOOL,
            tool_version=text(document.get("lm_eval_version")) or text(document.get("git_hash")),
            runs=tuple(runs),
            rows=len(runs),
        )


def _by_prompt(entries: Sequence[Any]) -> dict[str, dict[str, Any]]:
    """Return the scores of a fork that writes one metric of one prompt at a time, by task and prompt."""
    results: dict[str, dict[str, Any]] = {}
    for entry in map(mapping, entries):
        task, prompt = text(entry.get("task_name")), text(entry.get("prompt_name"))
        if task is not None:
            scores = {name: value for name, value in entry.items() if number(value) is not None}
            results.setdefault(task if prompt is None else f"{task}/{prompt}", {}).update(scores)
    return results


def _run(task: str, scores: object, document: Mapping[str, Any]) -> ImportedRun:
    if not isinstance(scores, Mapping):
        raise BadPart("it is not an object of scores")
    config = mapping(document.get("config"))
    arguments = _arguments(config.get("model_args"))
    model = text(document.get("model_name")) or arguments.get("pretrained") or arguments.get("model")
    shots = number(mapping(document.get("n-shot")).get(task))
    if shots is None:
        shots = number(config.get("num_fewshot"))
    dtype = arguments.get("dtype") or text(config.get("model_dtype"))
    params: dict[str, object] = {
        "task": task,
        "model": model,
        "adapter": text(config.get("model")) if model is None else None,
        "revision": arguments.get("revision"),
        "peft": arguments.get("peft"),
        "dtype": dtype,
        "shots": None if shots is None else int(shots),
        "limit": config.get("limit"),
    }
    params = {name: value for name, value in params.items() if isinstance(value, (str, int, float))}
    measurements = tuple(_scores(task, scores, document))
    if not measurements:
        raise BadPart("it has no score")
    subtasks = mapping(document.get("group_subtasks")).get(task)
    version = mapping(document.get("versions")).get(task)
    return ImportedRun(
        fullname=named("lm-eval", params),
        params=json_object(params),
        param_id=param_id(params),
        measurements=measurements,
        device=_device(config.get("device")),
        labels=Labels(
            model=model,
            version=arguments.get("revision"),
            framework=text(config.get("model")),
            workload="inference",
            precision=_PRECISIONS.get((dtype or "").removeprefix("torch."), dtype),
            batch_size=_batch_size(config.get("batch_size")),
        ),
        extra_info=json_object(
            {
                "task_version": version,
                **({"group_of": list(subtasks)} if isinstance(subtasks, list) and subtasks else {}),
            }
        ),
    )


def _scores(task: str, scores: Mapping[str, Any], document: Mapping[str, Any]) -> Iterator[Measurement]:
    """Yield the score of each metric with its standard error; ``acc,none`` is ``acc``, another filter is kept."""
    samples = mapping(mapping(document.get("n-samples")).get(task))
    directions = mapping(mapping(document.get("higher_is_better")).get(task))
    for key, value in scores.items():
        name, _, filter_ = key.partition(",")
        score = number(value)
        if score is None or name.endswith("_stderr") or name in {"alias", "sample_len", "samples", "prompt_id"}:
            continue
        error = number(scores.get(f"{name}_stderr,{filter_}" if filter_ else f"{name}_stderr"))
        details = {"stderr": error, "samples": number(samples.get("effective")) or number(scores.get("sample_len"))}
        yield figure(
            name if filter_ in {"", "none"} else key,
            "1",
            score,
            better=_direction(name, directions.get(name)),
            details={what: known for what, known in details.items() if known is not None},
        )


def _direction(name: str, higher: object) -> Better:
    """Return the direction that the file states; that of well-known metrics if it states none."""
    if isinstance(higher, bool):
        return "higher" if higher else "lower"
    if any(word in name for word in _LOWER):
        return "lower"
    return "higher" if name.startswith(_HIGHER) or name.endswith(("_acc", "_f1", "_em")) else "none"


def _arguments(given: object) -> dict[str, str]:
    """Return the arguments of the model: ``pretrained=gpt2,dtype=float16``, or an object since 0.4.9."""
    if isinstance(given, Mapping):
        return {str(name): str(value) for name, value in given.items() if isinstance(value, (str, int, float))}
    return {match["name"]: match["value"] for match in _ARG.finditer(given)} if isinstance(given, str) else {}


def _device(given: object) -> Device | None:
    """Return the kind of device; the file does not name it."""
    kind = text(given, 20)
    kind = kind.partition(":")[0] if kind else None
    return None if not kind else Device(device_id=content_id(kind, kind, None), backend=kind, name=kind)


def _batch_size(given: object) -> int | None:
    """Return the size, which the command line gives as a text; None for ``auto``."""
    return count(int(given) if isinstance(given, str) and given.isdecimal() and len(given) < _LONG else given)


def _seconds(value: object) -> float | None:
    """Return a duration, which is a text in the file."""
    try:
        seconds = number(float(value)) if isinstance(value, (str, int, float)) else None
    except (ValueError, OverflowError):
        return None
    return seconds if seconds is not None and 0 < seconds < CENTURY_S else None
