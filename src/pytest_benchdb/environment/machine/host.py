"""Reads the machine: operating system, load, virtualization, and limits on CPU time and memory.

`portable` reads macOS and Windows. Formats of cgroup v1 and v2: `cgroup-v2.rst` and `cgroup-v1/memory.rst` in Linux's
`Documentation/admin-guide`, and `scheduler/sched-bwc.rst`.
"""

import os
import platform as platform_module
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pytest_benchdb.environment.files import drop_missing, read_int, read_text
from pytest_benchdb.environment.machine.cpu import Cpu, read_cpu
from pytest_benchdb.model.environment import Load
from pytest_benchdb.model.identity import content_id

# Vendor and product names in the firmware (`systemd-detect-virt` reads the same strings)
_FIRMWARE = {
    "QEMU": "kvm",
    "KVM": "kvm",
    "Amazon EC2": "kvm",
    "Google Compute Engine": "kvm",
    "DigitalOcean": "kvm",
    "Hetzner": "kvm",
    "OpenStack": "kvm",
    "VMware": "vmware",
    "innotek": "virtualbox",
    "VirtualBox": "virtualbox",
    "Microsoft Corporation": "hyperv",
    "Xen": "xen",
    "Parallels": "parallels",
    "Apple Virtualization": "apple",
    "Bochs": "bochs",
}
_CLOCKS = {"kvm-clock": "kvm", "xen": "xen", "hyperv_clocksource": "hyperv"}
_GROUPS = {
    "kubepods": "kubernetes",
    "docker": "docker",
    "libpod": "podman",
    "lxc": "lxc",
    "containerd": "containerd",
}
_MOUNT = "sys/fs/cgroup"
_NO_LIMIT_BYTES = 1 << 60  # cgroup v1 writes "no limit" as the largest multiple of a page
_ADDR_NO_RANDOMIZE = 0x0040000  # the bit of `personality(2)` that `setarch -R` sets
_STEAL_FIELD = 8  # proc_stat(5): cpu user nice system idle iowait irq softirq steal


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of a control group; None means no limit.

    Attributes:
        cpus: CPU seconds per second: 1.5 means one and a half processors.
        version: version of the control groups, 1 or 2; None without control groups.
    """

    cpus: float | None = None
    memory_bytes: int | None = None
    version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A machine; None means unknown.

    Attributes:
        machine: architecture, such as ``x86_64``.
        os_name: operating system without its version, such as ``Debian GNU/Linux``.
        os_version: such as ``12``.
        ram_bytes: memory of the machine; `limits` may be lower.
        threads: logical processors that this process may use.
        virtualization: the innermost layer: ``container:docker``, ``kvm``, ``wsl``.
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


def hypervisor(root: Path, *, hypervisor_flag: bool | None) -> str | None:
    """Return the kind of virtual machine; None on bare metal or if it cannot be detected.

    Args:
        root: folder to read instead of ``/``.
        hypervisor_flag: whether x86's `hypervisor` flag is set; None on other processors.
    """
    if "microsoft" in (read_text(root / "proc/sys/kernel/osrelease") or "").lower():
        return "wsl"
    if kind := read_text(root / "sys/hypervisor/type"):
        return kind
    tree = read_text(root / "proc/device-tree/hypervisor/compatible")
    if tree:
        return tree.split("\0")[0].removeprefix("linux,")
    if hypervisor_flag is False:
        return None
    # Bare-metal cloud instances have the same firmware; only on x86 does the CPU flag tell them from virtual machines.
    firmware = product(root) or ""
    named = next((kind for text, kind in _FIRMWARE.items() if text in firmware), None)
    if named and "metal" not in firmware:
        return named
    clocks = read_text(root / "sys/devices/system/clocksource/clocksource0/available_clocksource") or ""
    return next((kind for text, kind in _CLOCKS.items() if text in clocks), "vm" if hypervisor_flag else None)


def product(root: Path) -> str | None:
    """Return the machine's name in the firmware, such as ``Amazon EC2 c7i.xlarge``."""
    parts = [read_text(root / "sys/class/dmi/id" / name) for name in ("sys_vendor", "product_name")]
    return " ".join(part for part in parts if part) or None


def container(root: Path, environ: Mapping[str, str]) -> str | None:
    """Return the program that runs the container, such as ``docker``; None outside a container."""
    groups = read_text(root / "proc/self/cgroup") or ""
    if "KUBERNETES_SERVICE_HOST" in environ:
        return "kubernetes"
    if (root / "run/.containerenv").exists():
        return "podman"
    named = next((kind for text, kind in _GROUPS.items() if text in groups), None)
    if (root / ".dockerenv").exists():
        return named or "docker"
    return named or read_text(root / "run/systemd/container") or environ.get("container") or None


def read_limits(root: Path) -> Limits:
    """Read the limits of this process: the smallest ones of its group and all parent groups."""
    groups = parse_membership(read_text(root / "proc/self/cgroup") or "")
    quotas: list[float | None] = []
    memory: list[int | None] = []
    if "" in groups:
        for mount in (root / _MOUNT, root / _MOUNT / "unified"):
            folders = list(_ancestors(mount, groups[""]))
            quotas += map(_quota_v2, folders)
            memory += [read_int(folder / "memory.max") for folder in folders]
    if "cpu" in groups:
        for name in ("cpu", "cpu,cpuacct"):
            quotas += map(_quota_v1, _ancestors(root / _MOUNT / name, groups["cpu"]))
    if "memory" in groups:
        memory += map(_memory_v1, _ancestors(root / _MOUNT / "memory", groups["memory"]))
    return Limits(
        cpus=min((quota for quota in quotas if quota), default=None),
        memory_bytes=min((limit for limit in memory if limit), default=None),
        version=None if not groups else 1 if groups.keys() & {"cpu", "memory"} else 2,
    )


def parse_membership(text: str) -> dict[str, str]:
    """Return this process's group by controller; the empty name is cgroup v2's single hierarchy."""
    groups = {}
    for line in text.splitlines():
        _, separator, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if separator and path.startswith("/"):
            groups.update(dict.fromkeys(controllers.split(","), path))
    return groups


def _ancestors(mount: Path, path: str) -> Iterator[Path]:
    # In a container that shares the host's cgroup namespace the path is the host's, and its folders are missing here;
    # then only the mount itself, which is the container's own group, is read.
    relative = PurePosixPath(path.lstrip("/"))
    if ".." in relative.parts:
        relative = PurePosixPath()
    yield mount / relative
    yield from (mount / parent for parent in relative.parents)


def _quota_v2(folder: Path) -> float | None:
    quota, _, period = (read_text(folder / "cpu.max") or "").partition(" ")
    return int(quota) / int(period) if quota.isdigit() and period.isdigit() and int(period) else None


def _quota_v1(folder: Path) -> float | None:
    quota, period = read_int(folder / "cpu.cfs_quota_us"), read_int(folder / "cpu.cfs_period_us")
    return quota / period if quota and period and quota > 0 else None


def _memory_v1(folder: Path) -> int | None:
    limit = read_int(folder / "memory.limit_in_bytes")
    return limit if limit and limit < _NO_LIMIT_BYTES else None


def read_host(root: Path, environ: Mapping[str, str], platform: str = sys.platform) -> Host:
    """Read the machine whose ``/`` is `root`; `root` matters only on Linux."""
    return _read_linux(root, environ) if platform == "linux" else _read_elsewhere(platform)


def _read_linux(root: Path, environ: Mapping[str, str]) -> Host:
    cpu = read_cpu(root)
    limits = read_limits(root)
    release = parse_os_release(read_text(root / "etc/os-release") or read_text(root / "usr/lib/os-release") or "")
    virtual_machine = hypervisor(root, hypervisor_flag=cpu.hypervisor)
    engine = container(root, environ)
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
        virtualization=f"container:{engine}" if engine else virtual_machine,
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
            transparent_hugepages=_bracketed(read_text(root / "sys/kernel/mm/transparent_hugepage/enabled")),
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
    """Return a hash that distinguishes hosts without revealing their names."""
    name = platform_module.node()
    return content_id(name) if name else None


def usable_threads() -> int | None:
    """Return the number of logical processors that this process may use."""
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
    """Return the C library and its version; None if it is not glibc."""
    # `platform.libc_ver` searches the interpreter's binary for the same answer, which takes milliseconds.
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


def _bracketed(text: str | None) -> str | None:
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
