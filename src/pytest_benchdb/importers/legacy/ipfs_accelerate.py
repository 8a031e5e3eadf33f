"""Import the JSON files of ipfs_accelerate_py: recognise the family of each by its keys."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pytest_benchdb.errors import ImportFormatError, NotResultsError
from pytest_benchdb.importers.legacy import apis, checks, skills, suites, web
from pytest_benchdb.importers.legacy.entry import Part, stamp_in
from pytest_benchdb.importers.reading.json_text import JsonHead, head_of_json, json_of
from pytest_benchdb.importers.reading.values import BadPart, mapping
from pytest_benchdb.model.imported import ImportedSession, ImportProblem

_TOOL = "ipfs_accelerate_py"
Reader = Callable[[Mapping[str, Any]], Iterator[Part]]
Named = Callable[[Mapping[str, Any], str], Iterator[Part]]

_FAMILIES: tuple[tuple[frozenset[str], Reader], ...] = tuple(
    (frozenset(keys.split()), reader)
    for keys, reader in (
        ("performance_benchmarks functionality_verification models", suites.run_of_suite),
        ("benchmarks system_info hardware_info", suites.suite),
        ("batch_results model hardware", suites.direct),
        ("batch_sizes models results hardware", suites.batch),
        ("batch_sizes hardware_key model", suites.by_batch_size),
        ("detailed_results model_results stats", checks.functionality),
        ("hardware_types model_families", checks.compatibility),
        ("completed_benchmarks failed_benchmarks skipped_benchmarks", checks.progress),
        ("model_results summary test_timestamp", checks.model_tests),
        ("generation_results execution_results generation_stats", checks.generation),
        ("success_count success_rate tests total_tests", checks.named_tests),
        ("error status timestamp traceback", checks.one_attempt),
        ("model platform success execution_time", checks.one_attempt),
        ("model_key platform platform_support status", web.page),
        ("headless models_tested platform results", web.pages),
        ("results_by_modality test_environment", web.comparison),
        ("browser list_pattern standard_text", web.prediction),
        ("multimodal vision-language multi-task", web.parallel_loading),
        ("backoff_test queue_test api", apis.requests),
        ("results successful_requests total_requests model", apis.requests),
        ("tests keys_added total_requests", apis.requests),
        ("models timestamp", apis.models),
        ("apis timestamp", apis.implementations),
        ("skill_tests command python_version", skills.performance_test),
        ("api_tests command python_version", skills.performance_test),
        ("test_file elapsed_time return_code", skills.performance_test),
        ("timestamp model tests", checks.model_tests),
    )
)
"""Families by the keys that each of their files has, special ones first."""

_INNER: tuple[tuple[frozenset[str], frozenset[str], Reader], ...] = (
    (frozenset({"summary", "tests"}), frozenset({"platform_status", "elapsed_time", "model"}), checks.model_tests),
)
"""Families whose own keys are too common: with keys of their results."""

_LISTS: tuple[tuple[frozenset[str], Reader], ...] = (
    (frozenset({"model_name", "hardware_type", "throughput_items_per_second"}), suites.performance),
    (frozenset({"model", "platform", "file_path", "returncode"}), checks.validations),
)
"""Families of lists, by the keys of each of their results."""

_NAMED: tuple[tuple[frozenset[str], Named], ...] = (
    (frozenset({"status", "examples", "metadata"}), skills.skill),
    (frozenset({"results", "metadata", "hardware"}), skills.pipelines),
    (frozenset({"results", "metadata", "examples"}), skills.pipelines),
    (frozenset({"results", "metadata"}), skills.pipelines),
)

_NO_RESULTS: tuple[tuple[frozenset[str], str], ...] = tuple(
    (frozenset(keys.split()), reason)
    for keys, reason in (
        ("batch_sizes benchmark_iterations hardware_types model_families", "it is the configuration of a benchmark"),
        ("batch_sizes available_hardware hardware_types models", "it is the configuration of a benchmark"),
        ("hardware_types model_families performance_comparison", "it sums up the benchmark_results.json beside it"),
        ("files_details files_fixed total_files", "it lists changes of test files"),
        ("files_analyzed issue_types total_issues", "it lists what is wrong with test files"),
        ("analyze_only changed_files results total_files", "it lists changes of test files"),
        ("average_coverage model_results platform_coverage", "it says which methods test files have, not what works"),
        ("hardware details errors", "it says which hardware was found, and measures nothing"),
        ("cpu cuda mps openvino_devices", "it says which hardware was found, and measures nothing"),
        ("standard comprehensive combined differences", "it compares ways to find hardware, and measures nothing"),
        ("browser webgpu webnn wasm", "it says what a browser offers, and measures nothing"),
        ("inference training hardware_compatibility", "its aggregates are of other files, or empty"),
        ("by_family success_rate total_models", "it sums up the results of other files"),
        ("components_by_file implementation_status", "it says which parts are written"),
        ("cid name data", "it is a checkpoint of a cache"),
        ("known_models api_models missing_models", "it lists models of a service"),
        ("known_models discovered_models", "it lists models of a service"),
        ("streaming_results temperature_results", "it has answers of a model, and no times"),
        ("browsers webgpu_available test_files", "it is a configuration"),
    )
)
_SKILL_FILE = re.compile(r"(?:hf_)?(?P<name>.+?)_test_results\.json.*")
_SKILL_KEYS = frozenset(
    {"init", "cpu_init", "cpu_tests", "apple_tests", "cuda_tests", "qualcomm_tests", "openvino_tests"}
)
_FAILED_KEYS = frozenset({"test_error"})
_API_KEYS = frozenset(
    {"endpoint_handler", "test_endpoint", "chat_method", "post_request", "chat_completion", "streaming"}
)
_SKILL_RESULTS = frozenset({"pipeline", "from_pretrained", "execution_time", "test_file", "test_files"})
_MANY_SKILLS = re.compile(r"test_(hf|default|ipfs)_\w+")


class IpfsAccelerate:
    """The importer of ipfs_accelerate_py's result files."""

    name = "ipfs-accelerate"

    def can_read(self, path: Path, head: bytes) -> bool:
        """Return whether the keys are those of a family, or of a file of that project without results."""
        json = head_of_json(head)
        if json.kind == "[":
            return any(json.keys >= keys for keys, _ in _LISTS)
        return json.kind == "{" and (_has_family(json) or _is_skill(json.keys, path.name))

    def read(self, path: Path) -> Iterator[ImportedSession | ImportProblem]:
        """Read the sessions of a file: one, or one for each time in it.

        Raises:
            ImportFormatError: it belongs to no family.
            NotResultsError: it belongs to one without results, or has none of them.
        """
        document = json_of(path, _TOOL)
        if isinstance(document, list):
            document = {"results": document}
        elif not isinstance(document, dict):
            raise ImportFormatError("it belongs to no family of ipfs_accelerate_py")
        try:
            parts = [part for part in _parts_of(document, path.name) if part.runs]
        except BadPart as error:
            raise ImportFormatError(str(error)) from error
        if not parts:
            raise NotResultsError("it has no result of any family")
        written_us = stamp_in(path.name)
        for part in parts:
            started_us = part.started_us or written_us
            yield ImportedSession(
                started_unix_us=started_us,
                finished_unix_us=started_us,
                tool=_TOOL,
                source_key=part.key,
                environment=part.machine.environment,
                runs=tuple(_apart(part)),
                rows=len(part.runs),
            )


def _apart(part: Part) -> Iterator[Any]:
    """Yield the runs; of equal names, each after the first is a repetition that says so."""
    seen: dict[tuple[str, str | None], int] = {}
    for run in part.runs:
        key = (run.fullname, run.device.backend if run.device else None)
        seen[key] = seen.get(key, 0) + 1
        yield run if seen[key] == 1 else replace(run, fullname=f"{run.fullname}#{seen[key]}")


def _has_family(json: JsonHead) -> bool:
    known = (*(keys for keys, _ in _FAMILIES), *(keys for keys, _ in _NAMED[:3]), *(keys for keys, _ in _NO_RESULTS))
    if any(json.keys >= keys and json.inner >= inner for keys, inner, _ in _INNER):
        return True
    if json.has("results", "metadata") and json.inner & _SKILL_RESULTS:
        return True
    return any(json.keys >= keys for keys in known) or any(_MANY_SKILLS.fullmatch(key) for key in json.keys)


def _is_skill(keys: frozenset[str], file: str) -> bool:
    few = 2
    return _SKILL_FILE.fullmatch(file) is not None or len(keys & _SKILL_KEYS) >= few or len(keys & _API_KEYS) >= few + 1


def _parts_of(document: Mapping[str, Any], file: str) -> Iterator[Part]:
    keys = frozenset(document)
    reason = next((reason for required, reason in _NO_RESULTS if keys >= required), None)
    if reason is not None:
        raise NotResultsError(reason)
    read = next((read for required, read in _families_of(document) if keys >= required), None)
    if read is not None:
        yield from read(document)
        return
    match = _SKILL_FILE.fullmatch(file)
    name = match["name"] if match else file.partition(".json")[0]
    read_named = next((read for required, read in _NAMED if keys >= required), None)
    if read_named is not None:
        yield from read_named(document, name)
    elif any(_MANY_SKILLS.fullmatch(key) for key in keys):
        for key, statuses in document.items():
            yield from _one_of_many(key, statuses)
    elif len(keys & _API_KEYS) > len(keys & _SKILL_KEYS):
        yield from apis.status_map(document, name)
    elif keys & (_SKILL_KEYS | _FAILED_KEYS) or match:
        yield from skills.skill(document, name)
    else:
        raise ImportFormatError("it belongs to no family of ipfs_accelerate_py")


def _families_of(document: Mapping[str, Any]) -> Iterator[tuple[frozenset[str], Reader]]:
    """Yield the families that a document may belong to, with the keys that it must have."""
    results = document.get("results")
    if document.keys() == {"results"} and isinstance(results, list):
        first = frozenset(mapping(results[0])) if results else frozenset()
        yield from ((frozenset({"results"}), read) for required, read in _LISTS if first >= required)
    else:
        yield from _FAMILIES
        yield from ((required, read) for required, _, read in _INNER)


def _one_of_many(key: str, statuses: object) -> Iterator[Part]:
    """Yield a skill of a file that collects them; a mere text is the error that kept it from running."""
    name = key.removeprefix("test_").removeprefix("hf_")
    if isinstance(statuses, str):
        statuses = {"init": f"Error: {statuses}"}
    for part in skills.skill(mapping(statuses), name):
        yield replace(part, key=key)
