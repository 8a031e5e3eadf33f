"""Reads everything that a session records about its environment, once, when it starts."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from pytest_benchdb.environment.ci import read_ci
from pytest_benchdb.environment.fingerprint import SpeedParts, fingerprint
from pytest_benchdb.environment.git.checkout import read_commit
from pytest_benchdb.environment.machine.host import Host, read_host, read_load
from pytest_benchdb.environment.python import Python, read_python, read_versions
from pytest_benchdb.model.environment import CiJob, Commit, CountingMethod, Device, Environment, Load
from pytest_benchdb.model.identity import content_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The environment at the start of a session.

    Attributes:
        devices: the CPU; backends add others.
        load: at the start; `machine.host.read_load` reads it again at the end.
    """

    environment: Environment
    devices: tuple[Device, ...]
    commit: Commit
    ci: CiJob
    load: Load


def collect(
    root: Path,
    environ: Mapping[str, str],
    proc_root: Path = Path("/"),
    *,
    platform: str = sys.platform,
    counting: CountingMethod | None = None,
) -> Snapshot:
    """Read machine, interpreter, commit and CI job; a value that cannot be read is None.

    Args:
        root: a folder of the checkout whose commit is read.
        environ: environment variables; only those named in `ci`, `python` and `machine.host` are read.
        proc_root: folder to read instead of ``/``.
        platform: `sys.platform`.
        counting: how the session counts instructions; None if it times.
    """
    load = read_load(proc_root)  # first, because the rest adds to it
    host = read_host(proc_root, environ, platform)
    ci = read_ci(environ)
    commit = read_commit(root, environ)
    return Snapshot(
        environment=environment_of(host, read_python(environ), read_versions(sys.path), counting),
        devices=(cpu_device(host),),
        commit=replace(commit, sha=commit.sha or ci.sha, branch=commit.branch or ci.branch),
        ci=ci,
        load=load,
    )


def environment_of(
    host: Host, python: Python, packages: Mapping[str, str], counting: CountingMethod | None = None
) -> Environment:
    """Combine a machine and an interpreter into an environment with its fingerprint and id."""
    parts = SpeedParts(
        machine=host.machine,
        cpu_model=host.cpu.model,
        cores=host.cpu.cores,
        threads=host.threads,
        ram_bytes=_ram_bytes(host),
        os_name=host.os_name,
        kernel=host.kernel,
        virtualization=(host.hypervisor, host.virtualization),
        cpu_quota=host.limits.cpus,
        python_implementation=python.implementation,
        python_version=python.version,
        python_build=python.build,
        libc=_libc(),
        counting=counting,
    )
    environment = Environment(
        environment_id="",
        fingerprint=fingerprint(parts),
        hostname_hash=host.hostname_hash,
        os=" ".join(part for part in (host.os_name, host.os_version) if part) or None,
        kernel=host.kernel,
        cpu_model=host.cpu.model,
        cores=host.cpu.cores,
        threads=host.threads,
        ram_bytes=_ram_bytes(host),
        virtualization=host.virtualization,
        python=python.text,
        packages=packages,
        details={
            **host.details,
            "python": dict(python.details),
            **({} if counting is None else {"counting": asdict(counting)}),
        },
    )
    return replace(environment, environment_id=environment_id(environment))


def environment_id(environment: Environment) -> str:
    """Return the content hash of every field except the id itself."""
    fields = {name: getattr(environment, name) for name in environment.__slots__ if name != "environment_id"}
    fields |= {"packages": dict(environment.packages), "details": dict(environment.details)}
    return content_id("environment/1", json.dumps(fields, sort_keys=True))


def cpu_device(host: Host) -> Device:
    """Return the CPU as a device, the default of every benchmark."""
    name = host.cpu.model or host.machine or "unknown"
    return Device(
        device_id=content_id("cpu", name, None),
        backend="cpu",
        name=name,
        memory_bytes=_ram_bytes(host),
        details={"cores": host.cpu.cores, "threads": host.threads},
    )


def _libc() -> str | None:
    try:
        return os.confstr("CS_GNU_LIBC_VERSION")
    except (AttributeError, ValueError, OSError):  # another system, or another C library
        return None


def _ram_bytes(host: Host) -> int | None:
    sizes = [size for size in (host.ram_bytes, host.limits.memory_bytes) if size]
    return min(sizes, default=None)
