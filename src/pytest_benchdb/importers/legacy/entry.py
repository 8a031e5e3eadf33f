"""One result among the files: its figures with their units, whether they were measured, and whether it worked."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from pytest_benchdb.importers.reading.figures import figure, named, param_id
from pytest_benchdb.importers.reading.files import unix_us
from pytest_benchdb.importers.reading.machine import Machine
from pytest_benchdb.importers.reading.values import (
    count,
    items,
    json_object,
    mapping,
    moment_us,
    number,
    outcome_of,
    provenance_of,
    text,
)
from pytest_benchdb.model.benchmark import Labels
from pytest_benchdb.model.environment import Device
from pytest_benchdb.model.identity import content_id
from pytest_benchdb.model.imported import ImportedRun
from pytest_benchdb.model.metric import Provenance
from pytest_benchdb.model.run import Measurement, Outcome, Summary

_WALL = (
    ("latencies", "s"),
    ("latencies_ms", "ms"),
    ("avg_latency", "s"),
    ("avg_latency_ms", "ms"),
    ("latency_ms", "ms"),
    ("average_latency_ms", "ms"),
    ("inference_time_ms", "ms"),
    ("inference_time", "s"),
    ("time_ms", "ms"),
    ("avg_time", "s"),
    ("elapsed_time", "s"),
    ("execution_time", "s"),
    ("time_taken", "s"),
    ("response_time", "s"),
    ("generation_time", "s"),
    ("generation_time_sec", "s"),
    ("total_time", "s"),
    ("processing_time_ms", "ms"),
)
"""Names of the time of one call, best first: an entry may repeat it as an average."""
_FIGURES: Mapping[str, tuple[str, str, str]] = {
    "load_time_ms": ("load_time", "ms", "lower"),
    "model_load_time": ("load_time", "s", "lower"),
    "initialization_time_ms": ("initialization_time", "ms", "lower"),
    "first_inference_time_ms": ("first_call_time", "ms", "lower"),
    "queue_time": ("server_queue_time", "s", "lower"),
    "processing_time": ("server_processing_time", "s", "lower"),
    "throughput": ("throughput", "1/s", "higher"),
    "throughput_items_per_second": ("throughput", "1/s", "higher"),
    "tokens_per_second": ("tokens_per_second", "1/s", "higher"),
    "real_time_factor": ("real_time_factor", "1", "none"),
    "memory_mb": ("memory_use", "MiB", "lower"),
    "memory_usage_mb": ("memory_use", "MiB", "lower"),
    "memory_peak_mb": ("memory_use", "MiB", "lower"),
    "gpu_memory_mb": ("gpu_memory", "MiB", "lower"),
    "memory_allocated_mb": ("gpu_memory", "MiB", "lower"),
    "gpu_memory_allocated_gb": ("gpu_memory", "GiB", "lower"),
}
"""Other figures; its programs divide bytes by 1024 * 1024 and call that MB."""
_NESTED = ("metrics", "performance_metrics")
_MARKED_KEYS = (
    "implementation_type",
    "implementation",
    "device",
    "output",
    "text",
    "content",
    "result",
    "note",
    "status",
    "backend",
)
_MARK = re.compile(r"\bmock|simulat|placeholder", re.IGNORECASE)
_ERROR_TEXT = re.compile(r"\s*(error\b|traceback \(most recent|failed\b)", re.IGNORECASE)
_ABSENT = re.compile(r"not (available|installed|found|supported|detected|tested)|skipped|no compatible", re.IGNORECASE)
_FEW_DIGITS = 4
_STAMP = re.compile(r"(\d{8})_(\d{6})")
PLATFORMS = ("cpu", "cuda", "openvino", "apple", "mps", "rocm", "qualcomm", "webnn", "webgpu")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What becomes one session: the results of one time.

    Attributes:
        runs: its results.
        started_us: when, microseconds since the epoch; None if the file does not say.
        key: tells parts of one time apart.
        machine: what is said of the machine.
    """

    runs: tuple[ImportedRun, ...]
    started_us: int | None
    key: str | None = None
    machine: Machine = Machine()  # noqa: RUF009 - it is frozen


def run_of(
    name: str,
    entry: Mapping[str, Any],
    params: Mapping[str, object],
    *,
    hardware: object = None,
    simulated: bool = False,
    outcome: tuple[Outcome, str | None] | None = None,
) -> ImportedRun:
    """Return the run of an entry.

    Args:
        name: what ran.
        entry: has the figures, and says whether it worked.
        params: ``model``, ``batch_size``, ... in the order in which they name it.
        hardware: where: ``cpu``, ``cuda``, ``webnn``, or a device.
        simulated: whether something around the entry says so.
        outcome: what else is known of it.
    """
    known = {key: value for key, value in params.items() if value is not None}
    device = hardware if isinstance(hardware, Device) else device_of(text(hardware, 40))
    provenance: Provenance = "simulated" if simulated or is_simulated(entry) else "imported"
    figures = tuple(measurements_of(entry, provenance))
    state, reason = outcome or outcome_of_entry(entry)
    if not figures:
        figures = (Measurement.of("wall_time", provenance=provenance, reason=reason or "its file has no time"),)
    model = text(known.get("model"))
    named_params = {**known, **({"hardware": device.backend} if device else {})}
    return ImportedRun(
        fullname=named(name, named_params),
        params=json_object(named_params),
        param_id=param_id(named_params) if named_params else None,
        device=device,
        measurements=figures,
        labels=Labels(
            model=model,
            precision=text(known.get("precision")),
            batch_size=count(known.get("batch_size")),
            sequence_length=count(known.get("sequence_length")),
            workload="inference" if model else None,
        ),
        outcome=state,
        reason=reason,
        started_unix_us=stamp_us(entry.get("timestamp")),
        rounds=next((len(row.samples) for row in figures if row.samples), None),
    )


def measurements_of(entry: Mapping[str, Any], provenance: Provenance) -> Iterator[Measurement]:
    """Yield the figures of an entry; 0 means not measured in these files."""
    flat = dict(entry)
    for name in _NESTED:
        flat = {**mapping(entry.get(name)), **flat}
    if provenance == "imported" and _is_written(flat):
        provenance = "simulated"
    for name, unit in _WALL:
        values = [exact for value in items(flat.get(name)) if (exact := number(value)) is not None]
        exact = number(flat.get(name))
        if values or exact:
            yield _wall(flat, name, unit, values or exact or 0.0, provenance)
            break
    seen = set()
    for name, (metric, unit, better) in _FIGURES.items():
        exact = number(flat.get(name))
        if exact and metric not in seen:
            seen.add(metric)
            yield figure(metric, unit, exact, better=better, source_name=name, provenance=provenance)


def _wall(
    flat: Mapping[str, Any], name: str, unit: str, values: float | Sequence[float], provenance: Provenance
) -> Measurement:
    low, high = number(flat.get("min_time")), number(flat.get("max_time"))
    if name == "avg_time" and isinstance(values, float) and low is not None and high is not None:
        summary = Summary(n=count(flat.get("num_runs")), mean=values, min=low, max=high)
        reason = "its file has no median"
        return figure("wall_time", unit, summary, source_name=name, provenance=provenance, valid=False, reason=reason)
    if name.startswith(("avg_", "average_")):
        return figure(
            "wall_time",
            unit,
            Summary(n=count(flat.get("iterations")), mean=values if isinstance(values, float) else None),
            source_name=name,
            provenance=provenance,
            valid=False,
            reason="its file has no median",
        )
    return figure("wall_time", unit, values, source_name=name, provenance=provenance)


def _is_written(flat: Mapping[str, Any]) -> bool:
    """Return whether a time, or all rates of an entry without times, have so few digits that a program wrote them down.

    No clock reads 0.1 s, and no allocator 3.8 GiB. A rate that was computed from such a time has all its digits.
    """
    of_times = [name for name, _ in _WALL] + [
        name for name, (_, unit, _) in _FIGURES.items() if unit in {"s", "ms", "GiB"}
    ]
    of_rates = [name for name, (_, unit, _) in _FIGURES.items() if unit in {"1/s", "1"}]
    times = [values for name in of_times if (values := _numbers(flat.get(name)))]
    rates = [value for name in of_rates for value in _numbers(flat.get(name))]
    return any(all(map(_is_short, values)) for values in times) or (
        not times and bool(rates) and all(map(_is_short, rates))
    )


def _numbers(value: object) -> list[float]:
    listed = value if isinstance(value, list) else (value,)
    return [exact for each in listed if (exact := number(each))]


def _is_short(value: float) -> bool:
    digits = f"{abs(value):.12e}".partition("e")[0].replace(".", "").rstrip("0")
    return len(digits) <= _FEW_DIGITS


def is_simulated(entry: Mapping[str, Any]) -> bool:
    """Return whether an entry says that it was simulated, or comes from a mock."""
    support = mapping(entry.get("platform_support"))
    if provenance_of(entry, support) == "simulated" or entry.get("is_simulation") is True:
        return True
    if entry.get("browser_opened") is False or entry.get("simulation_warning") or entry.get("is_real") is False:
        return True
    return any(isinstance(value := entry.get(key), str) and bool(_MARK.search(value)) for key in _MARKED_KEYS)


def are_simulated(document: Mapping[str, Any], hardware: str | None) -> bool:
    """Return whether a document says that results of a kind of hardware, or all of them, were simulated."""
    listed = {str(name).lower() for name in items(document.get("simulated_hardware"))}
    marked = document.get("WARNING") is not None or provenance_of(document) == "simulated"
    return marked or (hardware or "").lower() in listed


def outcome_of_entry(entry: Mapping[str, Any]) -> tuple[Outcome, str | None]:
    """Return whether an entry worked: an error text outweighs ``success: true``, wherever it stands."""
    error = text(entry.get("error")) or next(
        (found for name, value in entry.items() if name.endswith("_error") and (found := text(value))), None
    )
    for key in ("content", "text", "output", "result"):
        message = entry.get(key)
        if error is None and isinstance(message, str) and _ERROR_TEXT.match(message):
            error = message[:300]
    status = next((entry[key] for key in ("success", "status") if isinstance(entry.get(key), (bool, str))), None)
    if status is None:
        status = next((value for name, value in entry.items() if name.endswith("_success")), None)
    code = entry.get("return_code", entry.get("returncode"))
    if status is None and isinstance(code, int):
        status = code == 0
        error = error or (None if status else text(entry.get("stderr"), 300))
    if isinstance(status, str):
        return outcome_of_text(status, error)
    outcome, reason = outcome_of(status, error)
    return (outcome or "passed", None if outcome is None else reason)


def outcome_of_text(status: str, error: str | None = None) -> tuple[Outcome, str | None]:
    """Return the outcome that a status in words means: ``Success (MOCK)``, ``Error: ...``, ``CUDA not available``.

    >>> outcome_of_text("Success (REAL)"), outcome_of_text("CUDA not available")
    (('passed', None), ('skipped', 'CUDA not available'))
    """
    outcome, reason = outcome_of(status.partition(" (")[0].partition(" - ")[0], error)
    if outcome is not None:
        return outcome, reason
    if _ABSENT.search(status):
        return "skipped", status[:300]
    if _ERROR_TEXT.match(status):
        return "failed", status[:300]
    return "passed", None


def device_of(hardware: str | None, name: str | None = None) -> Device | None:
    """Return a device by its kind, and its name if that is known."""
    if hardware is None:
        return None
    backend = hardware.lower()
    return Device(device_id=content_id(backend, name or backend, None), backend=backend, name=name or backend)


def stamp_us(value: object) -> int | None:
    """Return a time: ``20250303_050235``, ISO 8601, or seconds since the epoch."""
    if isinstance(value, str) and (match := _STAMP.fullmatch(value.strip())):
        try:
            return unix_us(datetime.strptime("".join(match.groups()), "%Y%m%d%H%M%S").replace(tzinfo=timezone.utc))
        except ValueError:
            return None
    return moment_us(value)


def stamp_in(name: str) -> int | None:
    """Return the time in a file's name; None without one."""
    match = _STAMP.search(name)
    return stamp_us(match.group()) if match else None
