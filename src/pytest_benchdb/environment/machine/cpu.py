"""Reads the processor: model, topology, caches and frequency limits, on Linux."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pytest_benchdb.environment.files import count_list, drop_missing, read_int, read_text
from pytest_benchdb.model.identity import content_id

_CPU = "sys/devices/system/cpu"
_FIRST_BLOCK_BYTES = 8192  # 256 threads fill 400 kB of cpuinfo, and only the first is read here

# MIDR_EL1 codes, from arch/arm64/include/asm/cputype.h of Linux.
_ARM_PARTS = {
    ("0x41", "0xd03"): "ARM Cortex-A53",
    ("0x41", "0xd07"): "ARM Cortex-A57",
    ("0x41", "0xd08"): "ARM Cortex-A72",
    ("0x41", "0xd0b"): "ARM Cortex-A76",
    ("0x41", "0xd0c"): "ARM Neoverse-N1",
    ("0x41", "0xd40"): "ARM Neoverse-V1",
    ("0x41", "0xd41"): "ARM Cortex-A78",
    ("0x41", "0xd49"): "ARM Neoverse-N2",
    ("0x41", "0xd4f"): "ARM Neoverse-V2",
    ("0xc0", "0xac3"): "Ampere-1",
    ("0xc0", "0xac4"): "Ampere-1a",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cpu:
    """A processor; None means unknown.

    Attributes:
        model: marketing name.
        sockets: packages; cores: physical cores of all packages; online: logical processors.
        hypervisor: whether the processor reports a virtual machine; only x86 ones do.
        details: vendor, family, stepping, microcode, flags, SMT, caches, NUMA and frequency limits.
    """

    model: str | None = None
    sockets: int | None = None
    cores: int | None = None
    online: int | None = None
    hypervisor: bool | None = None
    details: Mapping[str, object] = field(default_factory=dict)


def read_cpu(root: Path) -> Cpu:
    """Read the processor of the machine whose ``/`` is `root`."""
    info = parse_cpuinfo(read_text(root / "proc/cpuinfo", _FIRST_BLOCK_BYTES) or "")
    online = count_list(read_text(root / _CPU / "online"))
    sockets, cores = _counts(root, info, online)
    flags = (info.get("flags") or info.get("Features") or "").split()
    smt = read_int(root / _CPU / "smt/active")
    if smt is None and cores and online:
        smt = int(online > cores)
    return Cpu(
        model=_model(info),
        sockets=sockets,
        cores=cores,
        online=online,
        hypervisor="hypervisor" in flags if "flags" in info else None,
        details=drop_missing(
            vendor=info.get("vendor_id") or info.get("CPU implementer"),
            family=info.get("cpu family") or info.get("CPU architecture"),
            model_number=info.get("model") or info.get("CPU part"),
            stepping=info.get("stepping") or info.get("CPU revision"),
            microcode=info.get("microcode"),
            flags_hash=content_id(*sorted(flags)) if flags else None,
            sockets=sockets,
            online=online,
            smt=None if smt is None else bool(smt),
            caches=_caches(root),
            numa_nodes=count_list(read_text(root / "sys/devices/system/node/online")),
            isolated=read_text(root / _CPU / "isolated"),
            frequency=_frequency(root),
        ),
    )


def parse_cpuinfo(text: str) -> dict[str, str]:
    """Return the fields of the first processor in ``/proc/cpuinfo``."""
    fields: dict[str, str] = {}
    for line in text.splitlines():
        name, separator, value = line.partition(":")
        if (name := name.strip()) in fields and name == "processor":
            break
        if separator and value.strip():
            fields.setdefault(name, value.strip())
    return fields


def _model(info: Mapping[str, str]) -> str | None:
    name = info.get("model name") or info.get("cpu") or info.get("uarch") or info.get("cpu model")
    if name:
        return " ".join(name.split())
    if (implementer := info.get("CPU implementer")) and (part := info.get("CPU part")):
        return _ARM_PARTS.get((implementer, part), f"ARM implementer {implementer} part {part}")
    return info.get("isa") or info.get("Hardware")


def _counts(root: Path, info: Mapping[str, str], online: int | None) -> tuple[int | None, int | None]:
    """Return packages and physical cores.

    x86 has both in the first block of cpuinfo; elsewhere they are counted in sysfs, core by core.
    """
    try:
        siblings, per_socket = int(info["siblings"]), int(info["cpu cores"])
    except (KeyError, ValueError):
        return _counts_from_topology(root, online)
    if online is None or siblings < 1:
        return None, None
    sockets = max(1, online // siblings)
    return sockets, min(sockets * per_socket, online)


def _counts_from_topology(root: Path, online: int | None) -> tuple[int | None, int | None]:
    sockets, cores = set(), set()
    for cpu in range(online or 0):
        topology = root / _CPU / f"cpu{cpu}/topology"
        if (siblings := read_text(topology / "thread_siblings_list")) is None:
            return None, None
        cores.add(siblings)
        sockets.add(read_text(topology / "physical_package_id"))
    return len(sockets) or None, len(cores) or None


def _caches(root: Path) -> dict[str, str]:
    caches = {}
    for index in range(8):
        folder = root / _CPU / f"cpu0/cache/index{index}"
        if (level := read_text(folder / "level")) is None:
            break
        kind = {"Data": "d", "Instruction": "i"}.get(read_text(folder / "type") or "", "")
        if size := read_text(folder / "size"):
            caches[f"l{level}{kind}"] = size
    return caches


def _frequency(root: Path) -> dict[str, object]:
    folder = root / _CPU / "cpu0/cpufreq"
    no_turbo = read_int(root / _CPU / "intel_pstate/no_turbo")
    turbo = read_int(root / _CPU / "cpufreq/boost") if no_turbo is None else 1 - no_turbo
    return drop_missing(
        driver=read_text(folder / "scaling_driver"),
        governor=read_text(folder / "scaling_governor"),
        preference=read_text(folder / "energy_performance_preference"),
        turbo=None if turbo is None else bool(turbo),
        min_hz=_hertz(folder / "scaling_min_freq"),
        max_hz=_hertz(folder / "scaling_max_freq"),
        hardware_max_hz=_hertz(folder / "cpuinfo_max_freq"),
    )


def _hertz(path: Path) -> int | None:
    khz = read_int(path)
    return None if khz is None else khz * 1000
