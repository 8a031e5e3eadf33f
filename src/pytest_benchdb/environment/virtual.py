"""Tells a virtual machine and a container from bare metal, by the files that they leave."""

from collections.abc import Mapping
from pathlib import Path

from pytest_benchdb.environment.files import read_text

# What firmware says of itself (`systemd-detect-virt` reads the same strings).
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
    """Return the kind of virtual machine; None on bare metal or where it cannot be told.

    Args:
        root: folder that stands for ``/``.
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
    # A cloud's bare-metal instances carry its firmware too; only x86 processors tell them apart.
    firmware = product(root) or ""
    named = next((kind for text, kind in _FIRMWARE.items() if text in firmware), None)
    if named and "metal" not in firmware:
        return named
    clocks = read_text(root / "sys/devices/system/clocksource/clocksource0/available_clocksource") or ""
    return next((kind for text, kind in _CLOCKS.items() if text in clocks), "vm" if cpu_says_virtual else None)


def product(root: Path) -> str | None:
    """Return what the firmware calls the machine: ``Amazon EC2 c7i.xlarge``."""
    parts = [read_text(root / "sys/class/dmi/id" / name) for name in ("sys_vendor", "product_name")]
    return " ".join(part for part in parts if part) or None


def container(root: Path, environ: Mapping[str, str]) -> str | None:
    """Return what runs the container; None outside a container."""
    groups = read_text(root / "proc/self/cgroup") or ""
    if "KUBERNETES_SERVICE_HOST" in environ:
        return "kubernetes"
    if (root / "run/.containerenv").exists():
        return "podman"
    named = next((kind for text, kind in _GROUPS.items() if text in groups), None)
    if (root / ".dockerenv").exists():
        return named or "docker"
    return named or read_text(root / "run/systemd/container") or environ.get("container") or None
