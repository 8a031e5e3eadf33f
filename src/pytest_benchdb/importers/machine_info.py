"""What pytest-benchmark says of a machine -> an environment."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pytest_benchdb.environment.collect import environment_id
from pytest_benchdb.environment.fingerprint import kernel_series
from pytest_benchdb.model.environment import Device, Environment
from pytest_benchdb.model.identity import content_id
from pytest_benchdb.model.json_value import json_value

_FINGERPRINT = "fingerprint/pytest-benchmark/1"
_CHANGES_EACH_TIME = ("hz_actual", "hz_actual_raw", "hz_actual_friendly", "flags")
_INT32 = 2**31 - 1


def environment_of(info: Mapping[str, Any]) -> Environment | None:
    """Return the machine of a file; None if it says nothing of it.

    The fingerprint is made of what changes speed, so that files with the same `machine_info` have the same. Where
    the processor is not named (before version 3.1), the host's name tells machines apart.
    """
    if not info:
        return None
    cpu = cpu_of(info)
    model = cpu_model(info)
    threads = cpu.get("count")
    threads = threads if type(threads) is int and 0 < threads <= _INT32 else None
    implementation, version = _text(info, "python_implementation"), _text(info, "python_version")
    node = _text(info, "node")
    fingerprint = content_id(
        _FINGERPRINT,
        _text(info, "machine"),
        model,
        threads,
        _text(info, "system"),
        kernel_series(_text(info, "release")),
        implementation,
        ".".join((version or "").split(".")[:2]),
        None if model else node,
    )
    environment = Environment(
        environment_id="",
        fingerprint=fingerprint,
        hostname_hash=content_id(node) if node else None,
        os=_text(info, "system"),
        kernel=_text(info, "release"),
        cpu_model=model,
        cores=None,
        threads=threads,
        ram_bytes=None,
        virtualization=None,
        python=" ".join(part for part in (implementation, version) if part),
        packages={},
        details=_details(info, cpu),
    )
    return replace(environment, environment_id=environment_id(environment))


def device_of(info: Mapping[str, Any]) -> Device | None:
    """Return the processor as the plugin would record it on that machine; None if it is not named."""
    name = cpu_model(info) or _text(info, "machine")
    if name is None:
        return None
    return Device(device_id=content_id("cpu", name, None), backend="cpu", name=name)


def cpu_of(info: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a file says of the processor; empty if nothing, or not in a form that we know."""
    cpu = info.get("cpu")
    return cpu if isinstance(cpu, Mapping) else {}


def cpu_model(info: Mapping[str, Any]) -> str | None:
    """Return the processor's name, under the key of either generation of py-cpuinfo."""
    cpu = cpu_of(info)
    name = _text(cpu, "brand_raw") or _text(cpu, "brand")
    return None if name is None or name.strip().lower() == "unknown" else name


def _details(info: Mapping[str, Any], cpu: Mapping[str, Any]) -> dict[str, object]:
    """Return the rest, without the host's name and without what differs between two runs on one machine."""
    kept = {key: value for key, value in info.items() if key not in {"node", "cpu"}}
    kept["cpu"] = {key: value for key, value in cpu.items() if key not in _CHANGES_EACH_TIME}
    details = json_value({"machine": info.get("machine"), "machine_info": kept})
    return details if isinstance(details, dict) else {}


def _text(info: Mapping[str, Any], key: str) -> str | None:
    value = info.get(key)
    return value[:1000] if isinstance(value, str) and value.strip() else None
