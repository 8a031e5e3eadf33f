"""A replacement of ``/``, with the files of powercap and perf as the kernel lays them out."""

from pathlib import Path

CLASS = "sys/class/powercap"


def add_zone(root: Path, name: str, label: str, energy_uj: int, *, range_uj: int | None = 262_143_328_850) -> Path:
    """Add a zone: a folder under ``devices`` and a link to it in the class's folder, as in sysfs."""
    control = name.partition(":")[0]
    parent = name.rpartition(":")[0] if name.count(":") > 1 else ""
    folder = root / "sys/devices/virtual/powercap" / control / parent / name
    folder.mkdir(parents=True)
    (folder / "name").write_text(f"{label}\n", encoding="utf-8")
    (folder / "energy_uj").write_text(f"{energy_uj}\n", encoding="utf-8")
    if range_uj is not None:
        (folder / "max_energy_range_uj").write_text(f"{range_uj}\n", encoding="utf-8")
    links = root / CLASS
    links.mkdir(parents=True, exist_ok=True)
    (links / name).symlink_to(folder)
    return folder


def add_power_events(
    root: Path,
    *,
    kind: int = 23,
    cpumask: str = "0\n",
    packages: dict[int, int] | None = None,
    dies: dict[int, int] | None = None,
) -> None:
    """Add the events of perf's ``power`` on machines whose processors belong to these packages and dies."""
    events = root / "sys/bus/event_source/devices/power/events"
    events.mkdir(parents=True)
    (events.parent / "type").write_text(f"{kind}\n", encoding="utf-8")
    (events.parent / "cpumask").write_text(cpumask, encoding="utf-8")
    for cpu, package in (packages or {0: 0}).items():
        topology = root / f"sys/devices/system/cpu/cpu{cpu}/topology"
        topology.mkdir(parents=True)
        (topology / "physical_package_id").write_text(f"{package}\n", encoding="utf-8")
        if dies is not None:
            (topology / "die_id").write_text(f"{dies[cpu]}\n", encoding="utf-8")


def add_power_event(root: Path, name: str, config: str, *, scale: str = "2.3283064365386962890625e-10") -> None:
    """Add one event."""
    events = root / "sys/bus/event_source/devices/power/events"
    (events / name).write_text(f"event={config}\n", encoding="utf-8")
    (events / f"{name}.scale").write_text(f"{scale}\n", encoding="utf-8")
    (events / f"{name}.unit").write_text("Joules\n", encoding="utf-8")
