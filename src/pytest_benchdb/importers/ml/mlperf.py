"""Import MLPerf logs: the summary or the detail of an inference run, and the ``:::MLLOG`` lines of a training run."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pytest_benchdb.errors import ImportFormatError, NotResultsError
from pytest_benchdb.importers.ml.mlperf_training import training_session
from pytest_benchdb.importers.reading.distribution import latency
from pytest_benchdb.importers.reading.figures import figure, named, param_id
from pytest_benchdb.importers.reading.files import opened, read_whole
from pytest_benchdb.importers.reading.json_text import MOST_BYTES, decoded
from pytest_benchdb.importers.reading.machine import Machine
from pytest_benchdb.importers.reading.values import json_object, moment_us, number, text
from pytest_benchdb.model.benchmark import Labels
from pytest_benchdb.model.imported import ImportedRun, ImportedSession, ImportProblem
from pytest_benchdb.model.run import Measurement, Outcome

SUMMARY, DETAIL = "mlperf_log_summary.txt", "mlperf_log_detail.txt"
_TITLE = "MLPerf Results Summary"
_MARK = ":::MLLOG"
_HEAD_BYTES = 1 << 20
_SCENARIOS = frozenset({"offline", "server", "singlestream", "multistream", "interactive"})
_LATENCIES = {
    # what the summary calls it, what the detail calls it
    "e2e_latency": (r"{} latency (ns)", "result_{}_latency_ns"),
    "ttft": (r"{} first token latency (ns)", "result_first_token_{}_latency_ns"),
    "tpot": (r"{} time to output token (ns)", "result_time_to_output_token_{}"),
}
_RATES = {
    "samples per second": "throughput",
    "completed samples per second": "throughput",
    "qps w/ loadgen overhead": "throughput",
    "completed tokens per second": "tokens_per_second",
    "tokens per second": "tokens_per_second",
}
_DETAIL_RATES = {
    "result_samples_per_second": "throughput",
    "result_completed_samples_per_sec": "throughput",
    "result_qps_with_loadgen_overhead": "throughput",
    "result_completed_tokens_per_second": "tokens_per_second",
    "result_token_throughput": "tokens_per_second",
}
_PERCENTILES = {"50.00": "p50", "90.00": "p90", "95.00": "p95", "97.00": "p97", "99.00": "p99", "99.90": "p99.9"}
_STATISTICS = {
    **{name: name for name in ("min", "max", "mean")},
    **{f"{k} percentile": v for k, v in _PERCENTILES.items()},
}
_LINE = re.compile(r"(?P<name>[^:]+?)\s*:\s*(?P<value>.*)")
_FIRST_MARK = re.compile(rb"^[^\n]{0,40}:::MLLOG ", re.MULTILINE)


class MlPerf:
    """The importer of MLPerf logs: one run for an inference log, one for a training log."""

    name = "mlperf"

    def can_read(self, path: Path, head: bytes) -> bool:
        """Return whether it is a summary, or has lines of MLLOG."""
        return _TITLE.encode() in head[:1000] or path.name in {SUMMARY, DETAIL} or bool(_FIRST_MARK.search(head))

    def read(self, path: Path) -> Iterator[ImportedSession | ImportProblem]:
        """Read the one run of a log.

        Raises:
            ImportFormatError: it is not an MLPerf log.
            NotResultsError: it is the log of an accuracy run, or the detail of a log whose summary is beside it.
        """
        # Logs have the output of every process of a run in them, whatever its encoding.
        content = decoded(read_whole(path, MOST_BYTES), "replace")
        if not content.strip():
            raise ImportFormatError("it is empty: its writer died, or has not finished")
        if _TITLE in content[:1000] or path.name == SUMMARY:
            yield _inference(path, *_of_summary(content, path))
            return
        if path.name == DETAIL and (path.parent / SUMMARY).is_file():
            raise NotResultsError(f"its results are read from {SUMMARY} beside it")
        lines = list(_mllog(content))
        if not lines:
            raise ImportFormatError("it has no line of :::MLLOG; import the summary of a log before loadgen 1.0")
        if any(line["key"] == "submission_benchmark" or line["key"] == "run_start" for line in lines):
            yield training_session(lines)
        else:
            yield _inference(path, *_of_detail(lines))


def _of_summary(content: str, path: Path) -> tuple[dict[str, str], dict[str, str], dict[str, object]]:
    """Return results and parameters by name, and the facts that only the detail beside it has."""
    results: dict[str, str] = {}
    parameters: dict[str, str] = {}
    target, after = results, ""
    for line in content.splitlines():
        if line.startswith("Test Parameters Used"):
            target = parameters
        elif match := _LINE.fullmatch(line.strip()):
            target.setdefault(match["name"].strip(), match["value"].strip())
            after = match["name"]
        elif line.strip().startswith("* ") and after == "Recommendations":
            results[after] = f"{results[after]} {line.strip()[2:]}".strip()
        elif line.rstrip().endswith("encountered during test."):
            parameters["log"] = line.strip()
    if "Scenario" not in results and "Result is" not in results:
        raise NotResultsError("it is the log of an accuracy run, which has no performance")
    return results, parameters, _facts(path.parent / DETAIL)


def _of_detail(lines: list[dict[str, Any]]) -> tuple[dict[str, str], dict[str, str], dict[str, object]]:
    """Return the same of a detail, under the names of the summary."""
    facts = {line["key"]: line.get("value") for line in lines}
    if "result_validity" not in facts:
        raise NotResultsError("it is the log of an accuracy run or of one that was cut off: it has no result_validity")
    results = {
        "SUT name": str(facts.get("sut_name") or ""),
        "Scenario": str(facts.get("effective_scenario") or facts.get("requested_scenario") or ""),
        "Mode": str(facts.get("effective_test_mode") or ""),
        "Result is": str(facts["result_validity"]),
        "Recommendations": " ".join(str(line["value"]) for line in lines if line["key"] == "result_invalid_reason"),
    }
    for name, value in facts.items():
        if name.startswith("result_"):
            results[name] = str(value)
    parameters = {k.removeprefix("effective_"): str(v) for k, v in facts.items() if k.startswith("effective_")}
    return results, parameters, facts


def _facts(detail: Path) -> dict[str, object]:
    """Return what the detail says at its beginning: when, and with what data."""
    if not detail.is_file() or detail.is_symlink():
        return {}
    try:
        with opened(detail) as file:
            head = file.read(_HEAD_BYTES)
    except ImportFormatError:
        return {}
    return {line["key"]: line.get("value") for line in _mllog(decoded(head, "replace"))}


def _mllog(content: str) -> Iterator[dict[str, Any]]:
    """Yield the objects of the lines of MLLOG; one that was cut off is left out."""
    for line in content.splitlines():
        _, mark, rest = line.partition(f"{_MARK} ")
        if mark:
            try:
                entry = json.loads(rest)
            except (ValueError, RecursionError):
                continue
            if isinstance(entry, dict) and isinstance(entry.get("key"), str):
                yield entry


def _inference(
    path: Path, results: Mapping[str, str], parameters: Mapping[str, str], facts: Mapping[str, object]
) -> ImportedSession:
    place = _place(path)
    params: dict[str, object] = {
        "model": place.get("model"),
        "scenario": re.sub(r"\s+", "", results.get("Scenario", "")) or None,
        "test": place.get("test"),
        "data": text(facts.get("qsl_name"), 200),
        "sut": text(results.get("SUT name"), 200),
    }
    params = {name: value for name, value in params.items() if value is not None}
    measurements = tuple(_measurements(results))
    if not measurements:
        raise NotResultsError("it is the log of an accuracy run, which has no performance")
    outcome, reason = _outcome(results, parameters)
    extra = {"parameters": dict(parameters), **{k: v for k, v in place.items() if k not in params}}
    started_us = moment_us(facts.get("test_datetime"))
    run = ImportedRun(
        fullname=named("mlperf inference", params),
        params=json_object(params),
        param_id=param_id(params),
        measurements=measurements,
        labels=Labels(model=place.get("model"), workload="inference"),
        outcome=outcome,
        reason=reason,
        extra_info=json_object(extra),
    )
    system = "/".join(filter(None, (place.get("submitter"), place.get("system"))))
    return ImportedSession(
        started_unix_us=started_us,
        finished_unix_us=started_us,
        tool="mlperf loadgen",
        tool_version=text(facts.get("loadgen_version")),
        environment=Machine(hostname=system or None, details={"system": system}).environment if system else None,
        runs=(run,),
        rows=1,
    )


def _place(path: Path) -> dict[str, str]:
    """Return what the folders of a submission say: ``WHO/results/SYSTEM/MODEL/SCENARIO/performance/run_1``."""
    folders = path.absolute().parent.parts
    index = next((i for i in range(len(folders) - 1, 2, -1) if folders[i].lower() in _SCENARIOS), None)
    if index is None:
        return {}
    place = {"model": folders[index - 1], "system": folders[index - 2]}
    if folders[index - 3] in {"results", "compliance", "measurements"} and index > 3:  # noqa: PLR2004 - its parent
        place["submitter"] = folders[index - 4]
    test = next((folder for folder in folders[index + 1 :] if folder.upper().startswith("TEST")), None)
    return {**place, **({"test": test} if test else {})}


def _measurements(results: Mapping[str, str]) -> Iterator[Measurement]:
    lowered = {name.lower(): value for name, value in results.items()}
    for metric, (in_summary, in_detail) in _LATENCIES.items():
        values = {}
        for name, ours in _STATISTICS.items():
            keys = (in_summary.format(name), in_detail.format(name.replace(" ", "_")))
            found = next((_number(lowered[key]) for key in keys if key in lowered), None)
            if found is None and metric == "tpot":
                key = f"result_time_per_output_token_{name.replace(' ', '_')}_ns"
                found = _number(lowered.get(key, ""))
            if found is None and metric == "e2e_latency":  # a stream of queries of several samples
                found = _number(lowered.get(in_detail.format(name.replace(" percentile", "_percentile_per_query")), ""))
                found = found or _number(lowered.get(f"result_{name}_query_latency_ns", ""))
            if found is not None:
                values[ours] = found
        if values:
            yield latency(metric, "ns", values, n=None, source_name=in_summary.format("...").lower())
    seen = set()
    for name, metric in (*_RATES.items(), *_DETAIL_RATES.items()):
        value = _number(lowered.get(name, ""))
        if value is not None and metric not in seen:
            seen.add(metric)
            yield figure(metric, "1/s", value, source_name=name)


def _number(value: str) -> float | None:
    try:
        return number(float(value))
    except ValueError:
        return None


def _outcome(results: Mapping[str, str], parameters: Mapping[str, str]) -> tuple[Outcome, str | None]:
    """Return whether loadgen called the run valid, else which of its conditions were not met and what it advises."""
    verdict = results.get("Result is", "").strip()
    if verdict.upper() == "VALID":
        return "passed", None
    unmet = [name for name, value in results.items() if value.upper() == "NO"]
    advice = results.get("Recommendations", "")
    errors = parameters.get("log", "") if "ERROR" in parameters.get("log", "") else ""
    parts = [verdict or "without a verdict", ", ".join(unmet), advice, errors]
    return "failed", ": ".join(filter(None, parts))[:500]
