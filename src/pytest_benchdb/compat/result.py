"""What a result of the older database means here: its run, or why it cannot be stored."""

import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.benchmark import WORKLOADS, Labels
from pytest_benchdb.model.environment import Device
from pytest_benchdb.model.identity import content_id, uuid7
from pytest_benchdb.model.imported import ImportedRun
from pytest_benchdb.model.metric import Provenance
from pytest_benchdb.model.run import Measurement, Outcome, Run, Summary, Timing
from pytest_benchdb.model.value.json_value import json_value
from pytest_benchdb.operations.exchange.as_journal import benchmark_of

_MB = 1e6
_MS = 1e3
_ZERO_CELSIUS = 273.15
_STATUSES: Mapping[str, Outcome] = {
    **dict.fromkeys(("success", "successful", "pass", "passed", "ok", "completed", "full", "supported"), "passed"),
    **dict.fromkeys(("fail", "failed", "failure", "error", "partial", "limited"), "failed"),
    **dict.fromkeys(("skip", "skipped"), "skipped"),
    **dict.fromkeys(("unsupported", "not supported", "not_supported", "incompatible"), "unsupported"),
    "timeout": "timeout",
    "oom": "oom",
    "crashed": "crashed",
}
_ERRORS = ("error_message", "error", "error_details")
_LABELS = ("batch_size", "sequence_length", "precision", "implementation")
_METHOD = "stated by the caller of TestResultsDBHandler"


@dataclass(frozen=True, slots=True, kw_only=True)
class LegacyRun:
    """A result as a run, and what in it could not be taken as a figure."""

    run: Run
    remarks: tuple[str, ...]


def run_of(result: Mapping[str, Any], project: str, host: Device | None = None) -> LegacyRun:
    """Return the run that a result describes.

    Args:
        result: `model_name`, `hardware_type`, `test_type`, `status`, `success`, `execution_time` in seconds,
            `memory_usage` in MB, `details`; optionally `performance`, `power_metrics`, `compatibility`.
        project: name of the project.
        host: the processor of this machine, which ``cpu`` means unless `device_name` says another.

    Raises:
        ConfigError: it does not name a model or a test, or does not say how it ended.
    """
    if not isinstance(result, Mapping):
        raise ConfigError(f"the result is a {type(result).__name__}; give a dictionary")
    model = _text(result, "model_name")
    test = _text(result, "test_name") or _text(result, "test_type")
    if model is None and test is None:
        raise ConfigError("the result has neither model_name nor test_type; say what was tested")
    remarks: list[str] = []
    facts = {**_part(result, "details"), **_part(result, "performance"), **result}
    outcome, reason = _outcome(result)
    provenance: Provenance = "simulated" if result.get("is_simulated") else "measured"
    backend = _text(result, "hardware_type") or _text(result, "platform")
    device = None if backend is None else _device(backend, _text(result, "device_name"), host)
    labels = _labels(facts, model, test)
    measurements = tuple(_measurements(result, backend, provenance, remarks))
    at = _started_us(result, remarks)
    return LegacyRun(
        run=Run(
            run_id=uuid7(at // 1000),
            benchmark=benchmark_of(_identity(test or "test", model, labels), project),
            labels=labels,
            device_id=None if device is None else device.device_id,
            outcome=outcome,
            reason=reason,
            started_unix_us=at,
            duration_s=_number(result, ("execution_time", "execution_time_seconds"), remarks),
            timing=Timing(
                measurements=measurements,
                invalid=None if outcome == "passed" else reason or f"the result is {outcome}",
                provenance=provenance,
            ),
            extra_info=_extra(result),
            devices=() if device is None else (device,),
        ),
        remarks=tuple(remarks),
    )


def _identity(test: str, model: str | None, labels: Labels) -> ImportedRun:
    """Return the name and the parameters that identify the benchmark."""
    params: dict[str, object] = {} if model is None else {"model_name": model}
    params |= {name: value for name in _LABELS if (value := getattr(labels, name)) is not None}
    shown = "-".join([model or "", *(f"{name}={value}" for name, value in params.items() if name != "model_name")])
    fullname = f"{test}[{shown.strip('-')}]" if params else test
    return ImportedRun(fullname=fullname, measurements=(), params=params or None)


def _labels(facts: Mapping[str, Any], model: str | None, test: str | None) -> Labels:
    counts: dict[str, Any] = {
        name: value
        for name in ("batch_size", "sequence_length")
        if isinstance(value := facts.get(name), int) and not isinstance(value, bool) and value > 0
    }
    return Labels(
        model=model,
        version=_text(facts, "model_version"),
        precision=_text(facts, "precision"),
        implementation=_text(facts, "implementation"),
        workload=test if test in WORKLOADS else None,
        **counts,
    )


def _device(backend: str, name: str | None, host: Device | None) -> Device:
    if name is None and host is not None and backend == host.backend:
        return host
    return Device(device_id=content_id(backend, name or backend, None), backend=backend, name=name or backend)


def _outcome(result: Mapping[str, Any]) -> tuple[Outcome, str | None]:
    """Return how the test ended; a success with an error is a failure.

    Raises:
        ConfigError: the result does not say.
    """
    error = next((text for name in _ERRORS if (text := _text(result, name)) is not None), None)
    status = (_text(result, "status") or "").lower()
    stated = _STATUSES.get(status)
    success = result.get("success")
    if stated is None and not isinstance(success, bool):
        known = ", ".join(sorted(_STATUSES))
        raise ConfigError(f"status is {status[:40]!r} and success is not there; write success, or a status of {known}")
    if success is False or (error is not None and stated in {None, "passed"}):
        outcome: Outcome = stated if stated is not None and stated != "passed" else "failed"
        return outcome, error or f"status {status}" if status else error or "success is False"
    if stated is not None and stated != "passed":
        return stated, error or f"status {status}"
    return "passed", None


def _measurements(
    result: Mapping[str, Any], backend: str | None, provenance: Provenance, remarks: list[str]
) -> Iterator[Measurement]:
    performance, power = _part(result, "performance"), _part(result, "power_metrics")

    def value(part: Mapping[str, Any], *names: str) -> float | None:
        return _number(part, names, remarks)

    def reading(metric: str, number: float | None) -> Iterator[Measurement]:
        if number is not None:
            yield Measurement.of(metric, value=number, provenance=provenance, method=_METHOD)

    yield from _latency(performance, provenance, remarks)
    yield from reading("throughput", value(performance, "throughput_items_per_second", "throughput"))
    used, peak = value(result, "memory_usage", "memory_usage_mb"), value(performance, "memory_peak_mb")
    on_device = peak is not None and backend not in {None, "cpu"}
    yield from reading("peak_rss", _times(used if on_device or peak is None else peak, _MB))
    yield from reading("device_peak", _times(peak, _MB) if on_device else None)
    yield from reading("power", value({**performance, **power}, "power_watts_avg", "power_watts"))
    celsius = value(power, "temperature_celsius_avg")
    yield from reading("temperature", None if celsius is None else celsius + _ZERO_CELSIUS)


def _latency(performance: Mapping[str, Any], provenance: Provenance, remarks: list[str]) -> Iterator[Measurement]:
    """Yield the wall time; a mean alone is that of one timed block, because a median was not stated."""
    mean, median = (
        _times(_number(performance, names, remarks), 1 / _MS)
        for names in (("average_latency_ms", "latency_ms", "latency_avg"), ("p50_latency_ms",))
    )
    high = {
        name: number
        for name in ("p90_latency_ms", "p95_latency_ms", "p99_latency_ms")
        if (number := _number(performance, (name,), remarks)) is not None
    }
    known: dict[str, Any] = {"provenance": provenance, "method": _METHOD, "details": high or None}
    if mean is not None and median is not None:
        yield Measurement.of("wall_time", summary=Summary(mean=mean, median=median), **known)
    elif mean is not None:
        yield Measurement.of("wall_time", samples=[mean], **{**known, "details": {**high, "statistic": "mean"}})
    elif median is not None:
        yield Measurement.of("wall_time", summary=Summary(median=median), **known)


def _times(number: float | None, factor: float) -> float | None:
    return None if number is None else number * factor


def _number(part: Mapping[str, Any], names: tuple[str, ...], remarks: list[str]) -> float | None:
    """Return the first figure that is there; one that is not a finite number is only remarked."""
    for name in names:
        value = part.get(name)
        if value is None:
            continue
        if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
            return float(value)
        remarks.append(f"{name} is {str(value)[:40]!r}, not a finite number, and is not stored as a figure")
    return None


def _part(result: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = result.get(name)
    return part if isinstance(part, Mapping) else {}


def _text(part: Mapping[str, Any], name: str) -> str | None:
    value = part.get(name)
    text = value.strip() if isinstance(value, str) else ""
    return text or None


def _started_us(result: Mapping[str, Any], remarks: list[str]) -> int:
    """Return the stated time in microseconds; now if there is none. A time without an offset is local, as it was."""
    stated = result.get("timestamp")
    if stated is None:
        return time.time_ns() // 1000
    try:
        moment = stated if isinstance(stated, datetime) else datetime.fromisoformat(str(stated).replace("Z", "+00:00"))
        seconds = moment.astimezone(timezone.utc).timestamp()
    except (ValueError, OverflowError, OSError):
        seconds = -1.0
    if seconds < 0:
        remarks.append(f"timestamp is {str(stated)[:40]!r}, not a time from 1970 on; the time of the call is stored")
        return time.time_ns() // 1000
    return round(seconds * 1e6)


def _extra(result: Mapping[str, Any]) -> Mapping[str, object]:
    """Return everything as it was given, so that nothing is lost that has no place of its own."""
    kept = json_value({str(name): value for name, value in result.items()})
    return kept if isinstance(kept, dict) else {"result": kept}
