"""Results of benchmarks: of suites of model families, of single models, in batches, and by batch size."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pytest_benchdb.importers.legacy.entry import Part, are_simulated, device_of, run_of, stamp_us
from pytest_benchdb.importers.reading.machine import Machine
from pytest_benchdb.importers.reading.values import count, items, mapping, number, text
from pytest_benchdb.model.imported import ImportedRun
from pytest_benchdb.model.run import Outcome

_CASE = re.compile(r"batch_(?P<batch>\d+)(?:_seq_(?P<seq>\d+))?(?:_(?P<rest>.+))?")


def suite(document: Mapping[str, Any]) -> Iterator[Part]:
    """Yield the results of ``{benchmarks: {FAMILY: {MODEL: {HARDWARE: {benchmark_results: {CASE: ...}}}}}}``."""
    machine, devices = _machine(document)
    runs: list[ImportedRun] = []
    for models in mapping(document.get("benchmarks")).values():
        for model, places in mapping(models).items():
            for hardware, result in mapping(places).items():
                if isinstance(result, Mapping):
                    runs += _of_model(model, hardware, result, document, devices.get(hardware))
    if runs:
        yield Part(runs=tuple(runs), started_us=stamp_us(document.get("timestamp")), key="suite", machine=machine)


def _of_model(
    model: str, hardware: str, result: Mapping[str, Any], document: Mapping[str, Any], device: str | None
) -> Iterator[ImportedRun]:
    simulated = are_simulated(document, hardware)
    cases = mapping(result.get("benchmark_results"))
    place = device_of(hardware, device)
    if not cases:
        yield run_of("benchmark", result, {"model": model}, hardware=place, simulated=simulated)
    for name, case in cases.items():
        match = _CASE.fullmatch(name)
        params: dict[str, object] = {"model": model}
        if match is None:
            params["case"] = name
        else:
            params |= {"batch_size": int(match["batch"]), "sequence_length": match["seq"] and int(match["seq"])}
            params["input"] = match["rest"]
        cut_off = _cut_off(mapping(case))
        yield run_of("benchmark", mapping(case), params, hardware=place, simulated=simulated, outcome=cut_off)
    if number(result.get("model_load_time")):
        loaded = {"model_load_time": result["model_load_time"], "timestamp": result.get("timestamp")}
        yield run_of("load", loaded, {"model": model}, hardware=place, simulated=simulated)


def _cut_off(case: Mapping[str, Any]) -> tuple[Outcome, str | None] | None:
    """Return that a case hit its time limit before all iterations, though its status says completed."""
    done, asked = number(case.get("completed_iterations")), count(case.get("iterations"))
    if done is not None and asked is not None and done < asked:
        return "timeout", f"{done:g} of {asked} iterations in the time limit"
    return None


def _machine(document: Mapping[str, Any]) -> tuple[Machine, dict[str, str]]:
    """Return the machine, and the names of its devices by kind of hardware."""
    facts, hardware = mapping(document.get("system_info")), mapping(document.get("hardware_details"))
    gpus = [text(mapping(gpu).get("name")) for gpu in items(facts.get("cuda_devices") or hardware.get("cuda_devices"))]
    processor = text(mapping(hardware.get("openvino_device_info")).get("CPU"))
    devices = {"cuda": gpus[0] if gpus else None, "cpu": processor, "openvino": processor}
    version = text(facts.get("python_version"))
    machine = Machine(
        hostname=text(facts.get("hostname")),
        os=text(facts.get("os")),
        kernel=text(facts.get("os_release")),
        architecture=text(facts.get("architecture")),
        cpu_model=processor,
        cores=count(facts.get("cpu_count_physical")),
        threads=count(facts.get("cpu_count_logical")),
        runtime=f"CPython {version}" if version else "",
    )
    return machine, {kind: name for kind, name in devices.items() if name is not None}


def run_of_suite(document: Mapping[str, Any]) -> Iterator[Part]:
    """Yield what a run of all suites collected: each suite with its results or error, and the checks of each model."""
    from pytest_benchdb.importers.legacy.checks import functionality

    runs = []
    for family, result in mapping(document.get("performance_benchmarks")).items():
        if mapping(result).get("benchmarks"):
            yield from suite(mapping(result))
        elif isinstance(result, Mapping) and (result.get("error") or result.get("status")):
            runs.append(run_of("benchmark suite", result, {"family": family}))
    if runs:
        yield Part(runs=tuple(runs), started_us=stamp_us(document.get("timestamp")), key="suites")
    for checked in mapping(document.get("functionality_verification")).values():
        if isinstance(checked, Mapping):
            inherited = {key: document[key] for key in ("simulated_hardware",) if key in document}
            yield from functionality({**inherited, **checked})


def direct(document: Mapping[str, Any]) -> Iterator[Part]:
    """Yield the results of one model on one kind of hardware: ``{batch_results: {"1": {latencies_ms: [...]}}}``."""
    hardware, model = text(document.get("hardware"), 40), document.get("model")
    simulated = are_simulated(document, hardware)
    runs = []
    for size, result in mapping(document.get("batch_results")).items():
        params = {"model": model, "batch_size": _size(size)}
        runs.append(run_of("direct benchmark", mapping(result), params, hardware=hardware, simulated=simulated))
    runs = runs or [run_of("direct benchmark", document, {"model": model}, hardware=hardware, simulated=simulated)]
    yield Part(runs=tuple(runs), started_us=stamp_us(document.get("timestamp")))


def batch(document: Mapping[str, Any]) -> Iterator[Part]:
    """Yield the results of several models, each of which a process of its own has measured."""
    runs = []
    for model, result in mapping(document.get("results")).items():
        entry = mapping(result)
        inner = mapping(entry.get("benchmark_results") or entry.get("result") or entry.get("results"))
        if inner.get("batch_results"):
            runs += [run for part in direct({**entry, **inner}) for run in part.runs]
        else:
            runs.append(run_of("batch benchmark", entry, {"model": model}, hardware=entry.get("hardware")))
    yield Part(runs=tuple(runs), started_us=stamp_us(document.get("timestamp")))


def by_batch_size(document: Mapping[str, Any]) -> Iterator[Part]:
    """Yield ``{batch_sizes: {"1": {throughput: ..., latency_ms: ...}}}``."""
    hardware = document.get("hardware_key") or document.get("hardware")
    runs = [
        run_of(
            "benchmark",
            mapping(result),
            {"model": document.get("model_path") or document.get("model"), "batch_size": _size(size)},
            hardware=hardware,
            simulated=are_simulated(document, text(hardware)),
        )
        for size, result in mapping(document.get("batch_sizes")).items()
    ]
    yield Part(runs=tuple(runs), started_us=stamp_us(document.get("timestamp")))


def performance(document: Mapping[str, Any]) -> Iterator[Part]:
    """Yield results as its database took them: ``[{model_name, hardware_type, batch_size, average_latency_ms}]``."""
    for entry in map(mapping, items(document.get("results"))):
        names = ("batch_size", "precision", "test_case")
        params = {"model": entry.get("model_name"), **{name: entry.get(name) for name in names}}
        device = device_of(text(entry.get("hardware_type"), 40), text(entry.get("device_name")))
        run = run_of("benchmark", entry, params, hardware=device)
        moment = stamp_us(entry.get("timestamp") or mapping(entry.get("metadata")).get("timestamp"))
        yield Part(runs=(run,), started_us=moment, key=run.fullname)


def _size(value: str) -> object:
    return int(value) if value.isdecimal() and len(value) < 10 else value  # noqa: PLR2004 - no batch is larger
