"""Reads the machine, its operating system, and how busy it is; on macOS and Windows through `portable`."""

import os
import platform as platform_module
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_benchdb.environment.files import drop_missing, read_int, read_text
from pytest_benchdb.environment.machine.container import Limits, container, hypervisor, product, read_limits
from pytest_benchdb.environment.machine.cpu import Cpu, read_cpu
from pytest_benchdb.model.environment import Load
from pytest_benchdb.model.identity import content_id

_ADDR_NO_RANDOMIZE = 0x0040000  # the bit of `personality(2)` that `setarch -R` sets
_STEAL_FIELD = 8  # proc_stat(5): cpu user nice system idle iowait irq softirq steal


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A machine; None means not known.

    Attributes:
        machine: architecture: ``x86_64``.
        os_name: operating system without its version: ``Debian GNU/Linux``.
        os_version: ``12``.
        ram_bytes: memory of the machine; `limits` may be lower.
        threads: logical processors that this process may use.
        virtualization: ``container:docker``, ``kvm``, ``wsl``: the innermost.
        hypervisor: the virtual machine, even if a container runs inside it.
        details: everything else that was read.
    """

    hostname_hash: str | None
    machine: str
    os_name: str | None
    os_version: str | None
    kernel: str | None
    cpu: Cpu
    limits: Limits
    ram_bytes: int | None
    threads: int | None
    virtualization: str | None
    hypervisor: str | None
    details: Mapping[str, object]


def read_host(root: Path, environ: Mapping[str, str], platform: str = sys.platform) -> Host:
    """Read the machine whose ``/`` is `root`; only Linux describes itself in files."""
    return _read_linux(root, environ) if platform == "linux" else _read_elsewhere(platform)


def _read_linux(root: Path, environ: Mapping[str, str]) -> Host:
    cpu = read_cpu(root)
    limits = read_limits(root)
    release = parse_os_release(read_text(root / "etc/os-release") or read_text(root / "usr/lib/os-release") or "")
    virtual_machine = hypervisor(root, cpu_says_virtual=cpu.hypervisor)
    around = container(root, environ)
    return Host(
        hostname_hash=hostname_hash(),
        machine=platform_module.machine(),
        os_name=release.get("NAME"),
        os_version=release.get("VERSION_ID"),
        kernel=read_text(root / "proc/sys/kernel/osrelease"),
        cpu=cpu,
        limits=limits,
        ram_bytes=parse_ram(read_text(root / "proc/meminfo", 256) or ""),
        threads=usable_threads(),
        virtualization=f"container:{around}" if around else virtual_machine,
        hypervisor=virtual_machine,
        details=drop_missing(
            machine=platform_module.machine(),
            hypervisor=virtual_machine,
            product=product(root),
            libc=libc(),
            cpu=dict(cpu.details),
            cpu_quota=limits.cpus,
            memory_limit_bytes=limits.memory_bytes,
            cgroup_version=limits.version,
            aslr=_aslr(root),
            transparent_hugepages=_chosen(read_text(root / "sys/kernel/mm/transparent_hugepage/enabled")),
        ),
    )


def _read_elsewhere(platform: str) -> Host:
    from pytest_benchdb.environment.machine import portable

    cpu = portable.read_cpu(platform)
    return Host(
        hostname_hash=hostname_hash(),
        machine=platform_module.machine(),
        os_name=portable.os_name(platform),
        os_version=portable.os_version(platform),
        kernel=platform_module.release() or None,
        cpu=cpu,
        limits=Limits(),
        ram_bytes=portable.ram_bytes(),
        threads=usable_threads(),
        virtualization=None,
        hypervisor=None,
        details=drop_missing(machine=platform_module.machine(), cpu=dict(cpu.details)),
    )


def hostname_hash() -> str | None:
    """Return a hash that distinguishes hosts without naming them."""
    name = platform_module.node()
    return content_id(name) if name else None


def usable_threads() -> int | None:
    """Return the logical processors that this process may run on."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count()


def parse_os_release(text: str) -> dict[str, str]:
    """Return the fields of an `os-release(5)` file, without quotes."""
    pairs = (line.partition("=") for line in text.splitlines() if not line.startswith("#"))
    return {name.strip(): value.strip().strip("\"'") for name, _, value in pairs if value.strip()}


def parse_ram(meminfo: str) -> int | None:
    """Return the memory of the machine from the text of ``/proc/meminfo``."""
    for line in meminfo.splitlines():
        fields = line.split()
        if len(fields) > 1 and fields[0] == "MemTotal:" and fields[1].isdigit():
            return int(fields[1]) * 1024
    return None


def libc() -> str | None:
    """Return the C library and its version; None where it cannot be asked."""
    # `platform.libc_ver` searches the interpreter's binary for the same answer: milliseconds.
    try:
        return os.confstr("CS_GNU_LIBC_VERSION") or None
    except (AttributeError, OSError, ValueError):
        return None


def _aslr(root: Path) -> bool | None:
    mode = read_int(root / "proc/sys/kernel/randomize_va_space")
    if mode is None:
        return None
    personality = read_text(root / "proc/self/personality")
    try:
        return mode > 0 and not int(personality or "0", 16) & _ADDR_NO_RANDOMIZE
    except ValueError:
        return mode > 0


def _chosen(text: str | None) -> str | None:
    return text.partition("[")[2].partition("]")[0] if text else None


def read_load(root: Path = Path("/")) -> Load:
    """Read the load average and the stolen time of the machine whose ``/`` is `root`."""
    return Load(load1=_load1(root), steal_s=parse_steal(read_text(root / "proc/stat", 512) or ""))


def parse_steal(stat: str) -> float | None:
    """Return the stolen seconds of all cores from the text of ``/proc/stat``."""
    fields = stat.partition("\n")[0].split()
    if len(fields) <= _STEAL_FIELD or fields[0] != "cpu" or not fields[_STEAL_FIELD].isdigit():
        return None
    return int(fields[_STEAL_FIELD]) / os.sysconf("SC_CLK_TCK")


def _load1(root: Path) -> float | None:
    try:
        if text := read_text(root / "proc/loadavg"):
            return float(text.split()[0])
        return os.getloadavg()[0] if root == Path("/") else None
    except (AttributeError, OSError, ValueError):
        return None
