"""Import ``benchmark.json`` of optimum-benchmark: one run for each part of the work, such as prefill and decode."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pytest_benchdb.errors import ImportFormatError, NotResultsError
from pytest_benchdb.importers.reading.distribution import latency
from pytest_benchdb.importers.reading.figures import figure, named, param_id
from pytest_benchdb.importers.reading.json_text import head_of_json, json_of
from pytest_benchdb.importers.reading.machine import Machine
from pytest_benchdb.importers.reading.units import UNITS
from pytest_benchdb.importers.reading.values import (
    BadPart,
    count,
    items,
    json_object,
    mapping,
    number,
    part,
    required_numbers,
    text,
)
from pytest_benchdb.model.benchmark import Labels
from pytest_benchdb.model.environment import Device
from pytest_benchdb.model.identity import content_id
from pytest_benchdb.model.imported import ImportedRun, ImportedSession, ImportProblem
from pytest_benchdb.model.run import Measurement

_TOOL = "optimum-benchmark"
_WHOLE, _CONFIG, _REPORT = "benchmark.json", "benchmark_config.json", "benchmark_report.json"
_PARTS = frozenset(
    {"load_model", "load", "prefill", "decode", "per_token", "forward", "call", "train", "warmup", "overall"}
)
_MEMORY = {
    "max_ram": "peak_rss",
    "max_global_vram": "device_used",
    "max_process_vram": "process_vram",
    "max_reserved": "device_reserved",
    "max_allocated": "device_peak",
}
_ENERGY = ("cpu", "gpu", "ram")
_PRECISIONS = {"float32": "fp32", "float16": "fp16", "bfloat16": "bf16", "float64": "fp64"}
_IDENTITY = (
    "task",
    "device",
    "device_ids",
    "device_map",
    "attn_implementation",
    "torch_compile",
    "quantization_scheme",
)


class OptimumBenchmark:
    """The importer of optimum-benchmark's results; it writes no time."""

    name = _TOOL

    def can_read(self, path: Path, head: bytes) -> bool:
        """Return whether the JSON has a configuration and a report, or is one of them under its usual name."""
        json = head_of_json(head)
        if json.has("config", "report") or (json.has("config") and {"backend", "launcher"} <= json.inner):
            return True
        if path.name == _CONFIG:
            return json.has("backend", "launcher")
        return path.name == _REPORT and bool(json.keys & _PARTS)

    def read(self, path: Path) -> Iterator[ImportedSession | ImportProblem]:
        """Read the parts of one benchmark.

        Raises:
            ImportFormatError: it is not JSON of optimum-benchmark.
            NotResultsError: it is a configuration, or a report that another file repeats.
        """
        document = mapping(json_of(path, _TOOL))
        config, report = mapping(document.get("config")), mapping(document.get("report"))
        if path.name == _CONFIG and not report:
            raise NotResultsError("it is the configuration of a benchmark")
        if path.name == _REPORT and not report:
            if (path.parent / _WHOLE).is_file():
                raise NotResultsError(f"its results are read from {_WHOLE} beside it")
            report, config = document, _config_beside(path)
        if not report or not config:
            raise ImportFormatError("it is not a file of optimum-benchmark: it has no config and report")
        runs = []
        machine = _machine(mapping(config.get("environment")))
        for target, measured in report.items():
            if isinstance(measured, Mapping) and any(measured.values()):
                run, problem = part((target, measured), f"report.{target}", lambda found: _run(*found, config, machine))
                if problem is not None:
                    yield problem
                if run is not None:
                    runs.append(run)
        if not runs:
            raise ImportFormatError("its report is empty: nothing was measured")
        yield ImportedSession(
            started_unix_us=None,
            tool=_TOOL,
            tool_version=text(mapping(config.get("environment")).get("optimum_benchmark_version")),
            environment=machine.environment,
            runs=tuple(runs),
            rows=len(runs),
        )


def _config_beside(path: Path) -> Mapping[str, Any]:
    beside = path.parent / _CONFIG
    if not beside.is_file() or beside.is_symlink():
        raise ImportFormatError(f"it does not say what was measured, and {_CONFIG} is not beside it")
    return mapping(json_of(beside, _TOOL))


def _run(target: str, measured: Mapping[str, Any], config: Mapping[str, Any], machine: Machine) -> ImportedRun:
    backend = mapping(config.get("backend"))
    scenario = mapping(config.get("scenario") or config.get("benchmark"))
    shapes = mapping(scenario.get("input_shapes"))
    dtype = text(backend.get("torch_dtype") or backend.get("dtype"))
    scheme = text(backend.get("quantization_scheme"))
    params: dict[str, object] = {
        "part": target,
        "model": text(backend.get("model")),
        "backend": text(backend.get("name")),
        "dtype": dtype,
        **{name: backend.get(name) for name in _IDENTITY},
        **{name: shapes.get(name) for name in ("batch_size", "sequence_length", "num_choices")},
        "max_new_tokens": mapping(scenario.get("generate_kwargs")).get("max_new_tokens") or scenario.get("new_tokens"),
    }
    params = {
        name: value for name, value in params.items() if isinstance(value, (str, int, float)) and value is not False
    }
    name = text(config.get("name") or config.get("experiment_name")) or "benchmark"
    measurements = tuple(_measurements(target, measured))
    if not measurements:
        raise BadPart("it has no latency, memory, throughput or energy")
    return ImportedRun(
        fullname=named(f"{_TOOL} {name}", params),
        group=name,
        params=json_object(params),
        param_id=param_id(params),
        measurements=measurements,
        device=_device(backend, mapping(config.get("environment")), machine),
        labels=Labels(
            model=text(backend.get("model")),
            framework=text(backend.get("name")),
            framework_version=text(backend.get("version")),
            workload="training" if "train" in (target, scenario.get("name")) else "inference",
            precision=scheme or _PRECISIONS.get(dtype or "", dtype),
            batch_size=count(shapes.get("batch_size")),
            sequence_length=count(shapes.get("sequence_length")),
        ),
        rounds=next((len(row.samples) for row in measurements if row.samples), None),
        warmup_rounds=int(warmup) if (warmup := number(scenario.get("warmup_runs"))) is not None else None,
    )


def _measurements(target: str, measured: Mapping[str, Any]) -> Iterator[Measurement]:
    times = mapping(measured.get("latency"))
    metric = "itl" if target == "per_token" else "wall_time"
    unit = text(times.get("unit")) or "s"
    if times.get("values"):
        yield figure(metric, unit, required_numbers(times["values"], "latency.values"))
    elif times:
        values = {**times, "std": times.get("stdev")}
        yield latency(metric, unit, values, n=count(times.get("count")), source_name="latency")
    memory = mapping(measured.get("memory"))
    for name, ours in _MEMORY.items():
        if (value := number(memory.get(name))) is not None:
            yield figure(ours, text(memory.get("unit")) or "MB", value, better="lower", source_name=name)
    yield from _rates(mapping(measured.get("throughput")))
    yield from _energy(mapping(measured.get("energy")), mapping(measured.get("efficiency")))


def _rates(throughput: Mapping[str, Any]) -> Iterator[Measurement]:
    value, unit = number(throughput.get("value")), text(throughput.get("unit")) or ""
    if value is not None:
        yield figure("tokens_per_second" if unit.startswith("token") else "throughput", "1/s", value, source_name=unit)


def _energy(energy: Mapping[str, Any], efficiency: Mapping[str, Any]) -> Iterator[Measurement]:
    """Yield the energy of one iteration, which is what it writes; a part of 0 was not measured."""
    unit = text(energy.get("unit")) or "kWh"
    for name in ("total", *_ENERGY):
        value = number(energy.get(name))
        if value:
            domain = None if name == "total" else name
            yield figure("energy", unit, value, domain=domain, source_name=f"energy.{name}", pass_name="energy")
    value, unit = number(efficiency.get("value")), text(efficiency.get("unit")) or ""
    per = UNITS.get(unit.rpartition("/")[2])
    if value and per is not None and per.si == "J":
        name = f"{unit.partition('/')[0]}_per_joule"
        source = {"source": {"unit": unit, "value": value, "metric": "efficiency"}}
        yield Measurement(
            metric=name,
            unit="1/J",
            better="higher",
            provenance="imported",
            value=value / per.to_si(1.0),
            details=source,
        )


def _machine(environment: Mapping[str, Any]) -> Machine:
    ram_mb = number(environment.get("cpu_ram_mb"))
    version = text(environment.get("python_version"))
    names = [
        name.removesuffix("_version") for name in environment if name.endswith("_version") and name != "python_version"
    ]
    versions = {name: known for name in names if (known := text(environment.get(f"{name}_version")))}
    return Machine(
        os=text(environment.get("system")),
        kernel=text(environment.get("platform")),
        architecture=text(environment.get("machine")),
        cpu_model=(text(environment.get("cpu")) or "").strip() or None,
        threads=count(environment.get("cpu_count")),
        ram_bytes=int(ram_mb * 1e6) if ram_mb is not None else None,
        runtime=f"CPython {version}" if version else "",
        packages=versions,
        details={"gpu": list(items(environment.get("gpu")))} if environment.get("gpu") else {},
    )


def _device(backend: Mapping[str, Any], environment: Mapping[str, Any], machine: Machine) -> Device | None:
    kind = text(backend.get("device"))
    if kind is None or kind == "cpu":
        return machine.processor if kind else None
    gpus = [name for name in items(environment.get("gpu")) if isinstance(name, str)]
    name = gpus[0] if gpus else kind
    backend_name = "rocm" if kind == "cuda" and "AMD" in name.upper() else kind
    return Device(device_id=content_id(backend_name, name, None), backend=backend_name, name=name)
