"""Detects virtual machines and containers by their files, and reads the limits that they set on CPU time and memory.

Formats of cgroup v1 and v2: `cgroup-v2.rst` and `cgroup-v1/memory.rst` in `Documentation/admin-guide` of Linux, and
`scheduler/sched-bwc.rst`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pytest_benchdb.environment.files import read_int, read_text

# Names that firmware gives itself (`systemd-detect-virt` reads the same strings).
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


def hypervisor(root: Path, *, cpu_says_virtual: bool | None) -> str | None:
    """Return the kind of virtual machine; None on bare metal or if it cannot be detected.

    Args:
        root: folder to read instead of ``/``.
        cpu_says_virtual: whether x86's `hypervisor` flag is set; None on other processors.
    """
    if "microsoft" in (read_text(root / "proc/sys/kernel/osrelease") or "").lower():
        return "wsl"
    if kind := read_text(root / "sys/hypervisor/type"):
        return kind
    tree = read_text(root / "proc/device-tree/hypervisor/compatible")
    if tree:
        return tree.split("\0")[0].removeprefix("linux,")
    if cpu_says_virtual is False:
        return None
    # A cloud's bare-metal instances have its firmware too; only x86 processors can be distinguished from virtual ones.
    firmware = product(root) or ""
    named = next((kind for text, kind in _FIRMWARE.items() if text in firmware), None)
    if named and "metal" not in firmware:
        return named
    clocks = read_text(root / "sys/devices/system/clocksource/clocksource0/available_clocksource") or ""
    return next((kind for text, kind in _CLOCKS.items() if text in clocks), "vm" if cpu_says_virtual else None)


def product(root: Path) -> str | None:
    """Return the firmware's name of the machine: ``Amazon EC2 c7i.xlarge``."""
    parts = [read_text(root / "sys/class/dmi/id" / name) for name in ("sys_vendor", "product_name")]
    return " ".join(part for part in parts if part) or None


def container(root: Path, environ: Mapping[str, str]) -> str | None:
    """Return the program that runs the container: ``docker``; None outside of one."""
    groups = read_text(root / "proc/self/cgroup") or ""
    if "KUBERNETES_SERVICE_HOST" in environ:
        return "kubernetes"
    if (root / "run/.containerenv").exists():
        return "podman"
    named = next((kind for text, kind in _GROUPS.items() if text in groups), None)
    if (root / ".dockerenv").exists():
        return named or "docker"
    return named or read_text(root / "run/systemd/container") or environ.get("container") or None


_MOUNT = "sys/fs/cgroup"
_NO_LIMIT_BYTES = 1 << 60
# cgroup v1 writes "no limit" as the largest multiple of a page.


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of a control group; None means no limit.

    Attributes:
        cpus: CPU seconds per second: 1.5 means one processor and a half.
        version: of the control groups, 1 or 2; None without any.
    """

    cpus: float | None = None
    memory_bytes: int | None = None
    version: int | None = None


def read_limits(root: Path) -> Limits:
    """Read the limits of this process: the smallest of its group and the groups around it."""
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
    """Return this process's group by controller; the empty name is the single hierarchy of cgroup v2."""
    groups = {}
    for line in text.splitlines():
        _, separator, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if separator and path.startswith("/"):
            groups.update(dict.fromkeys(controllers.split(","), path))
    return groups


def _ancestors(mount: Path, path: str) -> Iterator[Path]:
    # A container that shares the host's cgroup namespace gets a path that it cannot see: the folders are missing then,
    # and only the mount itself, which is its own group, is read.
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
