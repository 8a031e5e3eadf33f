"""Results of the tests of skills: a map of statuses, where each platform's keys begin with its name."""

from collections.abc import Iterator, Mapping
from typing import Any

from pytest_benchdb.errors import NotResultsError
from pytest_benchdb.importers.legacy.entry import (
    PLATFORMS,
    Part,
    is_simulated,
    outcome_of_entry,
    outcome_of_text,
    run_of,
    stamp_us,
)
from pytest_benchdb.importers.reading.values import items, mapping, text
from pytest_benchdb.model.imported import ImportedRun
from pytest_benchdb.model.run import Outcome

_STATUS_ENDS = ("_init", "_handler", "_tests", "_creation", "tests")
_ERROR = "test_error"
"""The only status of a skill whose test ended early: the text of its error."""
_CALLS = ("_output", "_example", "_transcription", "_embedding", "_similarity", "_benchmark", "_result")
_GENERAL = "general"


def skill(document: Mapping[str, Any], name: str) -> Iterator[Part]:
    """Yield the platforms of one skill, and each call of it that has a time.

    Args:
        document: a map of statuses, or ``{status, examples, metadata}``.
        name: of the skill.
    """
    metadata = mapping(document.get("metadata"))
    statuses = mapping(document.get("status")) or document
    started = stamp_us(metadata.get("timestamp") or metadata.get("test_timestamp") or document.get("timestamp"))
    failure = text(statuses.get(_ERROR), 300)
    failed = [] if failure is None else [run_of("skill", {}, {"skill": name}, outcome=("failed", failure))]
    runs = [
        *failed,
        *_platforms(name, {key: value for key, value in statuses.items() if key != _ERROR}),
        *(run for example in items(document.get("examples")) for run in _example(name, mapping(example))),
    ]
    times = [run.started_unix_us for run in runs if run.started_unix_us]
    if runs:
        yield Part(runs=tuple(runs), started_us=started or min(times, default=None))


def _platforms(name: str, statuses: Mapping[str, Any]) -> Iterator[ImportedRun]:
    by_platform: dict[str, dict[str, Any]] = {}
    for key, value in statuses.items():
        if key in {"metadata", "examples", "status", "timestamp"}:
            continue
        platform = next((known for known in PLATFORMS if key.startswith(f"{known}_")), _GENERAL)
        by_platform.setdefault(platform, {})[key] = value
    for platform, values in by_platform.items():
        texts = [value for key, value in values.items() if isinstance(value, str) and _is_status(key, value)]
        mocked = any("mock" in value.lower() for value in values.values() if isinstance(value, str))
        hardware = None if platform == _GENERAL else platform
        if texts:
            outcome = _worst(texts)
            params = {"skill": name}
            yield run_of("skill", {}, params, hardware=hardware, simulated=mocked, outcome=outcome)
        for key, value in values.items():
            if isinstance(value, Mapping) and any(key.endswith(end) for end in _CALLS) and _has_time(value):
                params = {"skill": name, "call": key}
                yield run_of(
                    "skill call", value, params, hardware=hardware, simulated=mocked and _is_mocked(key, values)
                )


def _is_mocked(key: str, values: Mapping[str, Any]) -> bool:
    """Return whether a call went to a mock: it says so, or its handler does."""
    entry = mapping(values[key])
    handlers = [
        value for name, value in values.items() if name.endswith(("_handler", "_init")) and isinstance(value, str)
    ]
    return is_simulated(entry) or any("mock" in handler.lower() for handler in handlers)


def _is_status(key: str, value: str) -> bool:
    words = ("success", "error", "failed", "valid", "invalid", "skipped", "exception")
    status = value.strip().lower()
    return (
        key.endswith(_STATUS_ENDS) or status.startswith(words) or "not available" in status or "not installed" in status
    )


def _worst(texts: list[str]) -> tuple[Outcome, str | None]:
    """Return the outcome of all statuses together: a failure outweighs a platform that is not there."""
    outcomes = [outcome_of_text(status) for status in texts]
    for wanted in ("failed", "error", "skipped", "unsupported"):
        found = next((outcome for outcome in outcomes if outcome[0] == wanted), None)
        if found is not None:
            return found
    return "passed", None


def _has_time(value: Mapping[str, Any]) -> bool:
    flat = {**mapping(value.get("performance_metrics")), **value}
    return any(isinstance(flat.get(key), (int, float)) for key in flat if "time" in key and key != "timestamp")


def _example(name: str, example: Mapping[str, Any]) -> Iterator[ImportedRun]:
    output = mapping(example.get("output"))
    if _has_time({**output, **example}):
        entry = {**mapping(output.get("performance_metrics")), **{k: v for k, v in example.items() if k != "output"}}
        entry |= {key: output[key] for key in ("is_simulated", "implementation_type") if key in output}
        call = text(example.get("test_type") or example.get("method")) or "call"
        params = {"skill": name, "call": call, "input": text(example.get("input"), 100)}
        hardware = text(example.get("platform"), 40)
        yield run_of("skill call", entry, params, hardware=hardware)


def pipelines(document: Mapping[str, Any], name: str) -> Iterator[Part]:
    """Yield ``{results: {pipeline_cuda: {pipeline_success, ...}}, performance: {pipeline_cuda: {avg_time}}}``."""
    metadata, performance = mapping(document.get("metadata")), mapping(document.get("performance"))
    if "test_file" in metadata or "test_files" in metadata:
        yield from _test_files(document, metadata)
        return
    runs = []
    for key, result in mapping(document.get("results")).items():
        entry = {**mapping(result), **mapping(performance.get(key))}
        hardware = text(mapping(result).get("device"), 40) or (key if key in PLATFORMS else None)
        params = {"model": metadata.get("model") or metadata.get("model_id") or name, "call": key}
        runs.append(run_of("skill call", entry, params, hardware=hardware, outcome=outcome_of_entry(entry)))
    if runs:
        yield Part(runs=tuple(runs), started_us=stamp_us(metadata.get("timestamp")))


def _test_files(document: Mapping[str, Any], metadata: Mapping[str, Any]) -> Iterator[Part]:
    """Yield the time of test files, and the skills that they report."""
    results = mapping(document.get("results"))
    file = text(metadata.get("test_file"))
    tests = results if file is None else {file: {"execution_time": metadata.get("execution_time"), "skill": results}}
    runs: list[ImportedRun] = []
    for name, result in tests.items():
        entry = {key: value for key, value in mapping(result).items() if key in {"status", "execution_time", "error"}}
        runs.append(run_of("test file", entry, {"test_file": name}))
        skilled = mapping(mapping(result).get("skill"))
        for platform in mapping(mapping(result).get("performance_metrics")).values():
            skilled = {**skilled, **mapping(platform)}
        for part in skill(skilled, name.rpartition("/")[2].removesuffix(".py").removeprefix("test_")):
            runs += part.runs
    if runs:
        yield Part(runs=tuple(runs), started_us=stamp_us(metadata.get("timestamp")))


def performance_test(document: Mapping[str, Any]) -> Iterator[Part]:
    """Yield the test files of ``{skill_tests: {FILE: {elapsed_time, return_code, json_result}}}``, and their skills.

    The time of a file is that of a whole process with its imports.

    Raises:
        NotResultsError: there are no tests.
    """
    tests = mapping(document.get("skill_tests") or document.get("api_tests"))
    if not tests and "test_file" in document:
        tests = {str(document["test_file"]): document}
    if not tests:
        raise NotResultsError("its filter has chosen no test")
    runs: list[ImportedRun] = []
    for file, result in tests.items():
        entry = {key: mapping(result).get(key) for key in ("elapsed_time", "return_code", "error")}
        runs.append(run_of("test file", {k: v for k, v in entry.items() if v is not None}, {"test_file": file}))
        for part in skill(mapping(mapping(result).get("json_result")), file.removesuffix(".py").removeprefix("test_")):
            runs += part.runs
    if runs:
        yield Part(runs=tuple(runs), started_us=stamp_us(document.get("timestamp")))
