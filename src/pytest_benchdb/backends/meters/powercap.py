"""RAPL through the files of powercap: each zone is a folder with `energy_uj` (`Documentation/power/powercap`)."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pytest_benchdb.model.reading import Domain, Reading

TICK_S = 1e-3
"""The registers are updated about every millisecond (Intel SDM volume 3, 16.10; kernel, `amd_energy.rst`)."""
_ZONE = re.compile(r"^(intel-rapl|intel-rapl-mmio):(\d+)(?::(\d+))?$")
_UJ = 1e-6
_NUMBER_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """One folder of powercap.

    Attributes:
        path: the folder.
        control: ``intel-rapl`` (registers) or ``intel-rapl-mmio`` (the same values, memory-mapped).
        indices: its numbers; a subzone has two.
        label: ``package-0``, ``core``, ``dram``, ``psys``, ...
        range_j: energy at which its counter wraps; None if unknown.
    """

    path: Path
    control: str
    indices: tuple[int, ...]
    label: str
    range_j: float | None


class Powercap:
    """The zones of a machine.

    Attributes:
        name: of this source.
        reason: why the zones cannot be read; None if they can.
        exists: whether the kernel has the files.
    """

    name = "powercap"

    def __init__(self, root: Path, *, monotonic_ns: Callable[[], int]) -> None:
        self.reason: str | None = None
        self.exists = False
        self._folder = root / "sys/class/powercap"
        self._monotonic_ns = monotonic_ns
        self._zones: dict[str, Zone] = {}
        self._domains: list[Domain] = []

    def open(self) -> bool:
        """Find the zones that can be read; return whether there is one."""
        try:
            names = sorted(path.name for path in self._folder.iterdir() if _ZONE.match(path.name))
        except OSError:
            names = []
        self.exists = bool(names)
        readable: list[Zone] = []
        problems: list[tuple[str, Exception]] = []
        for name in names:
            try:
                readable.append(self._zone(name))
            except (OSError, ValueError) as error:  # noqa: PERF203 - the other zones must still be read
                problems.append((name, error))
        zones = self._zones = _by_name(readable)
        self._domains = [energy_domain(name, zone.range_j, has_psys="psys" in zones) for name, zone in zones.items()]
        self.reason = None if zones else self._why(problems)
        return bool(zones)

    def domains(self) -> list[Domain]:
        """Return a counter for each zone."""
        return self._domains

    def read(self) -> dict[str, Reading]:
        """Read every zone; one that has vanished has no value."""
        return {name: self._reading(name, zone.path / "energy_uj") for name, zone in self._zones.items()}

    def _reading(self, name: str, path: Path) -> Reading:
        try:
            joules = _number(path) * _UJ
        except (OSError, ValueError) as error:
            text = error.strerror if isinstance(error, OSError) else "its content is not a number"
            return Reading(None, self._monotonic_ns(), f"{name}: {path} cannot be read: {text}")
        return Reading(joules, self._monotonic_ns())

    def _zone(self, name: str) -> Zone:
        """Read the description of a zone, and its counter once."""
        match = _ZONE.match(name)
        if match is None:
            raise ValueError(f"{name} is not a zone")
        path = self._folder / name
        label = (path / "name").read_text(encoding="utf-8").strip()
        _number(path / "energy_uj")
        try:
            range_j = _number(path / "max_energy_range_uj") * _UJ
        except (OSError, ValueError):
            range_j = None
        indices = tuple(int(number) for number in match.groups()[1:] if number is not None)
        return Zone(path=path, control=match[1], indices=indices, label=label, range_j=range_j)

    def _why(self, problems: list[tuple[str, Exception]]) -> str:
        denied = [name for name, error in problems if isinstance(error, PermissionError)]
        if denied:
            path = self._folder / denied[0] / "energy_uj"
            command = f"sudo chmod a+r {self._folder}/*/energy_uj"
            return f"{path} may only be read by root; to open it until the next boot, run: {command}"
        if problems:
            name, error = problems[0]
            return f"{self._folder / name} cannot be read, as in a container that hides it: {error}"
        return f"{self._folder} has no RAPL zone: a virtual machine, or a processor without such counters"


def _by_name(zones: list[Zone]) -> dict[str, Zone]:
    """Return the zones by domain name: ``package-0``, ``package-0/core``, ...

    A package may be under both ``intel-rapl`` and ``intel-rapl-mmio``: only the first is kept.
    Two zones with the same label and control, such as the ``psys`` of two sockets, are distinguished by number.
    """
    labels = {(zone.control, zone.indices): zone.label for zone in zones}
    named: dict[str, Zone] = {}
    for zone in sorted(zones, key=lambda zone: (zone.control != "intel-rapl", len(zone.indices), zone.indices)):
        name = zone.label
        if len(zone.indices) > 1:
            outer = labels.get((zone.control, zone.indices[:1]), f"{zone.control}:{zone.indices[0]}")
            name = f"{outer}/{zone.label}"
        if name not in named:
            named[name] = zone
        elif named[name].control == zone.control:
            named[f"{name}@{zone.path.name}"] = zone
    return named


def _number(path: Path) -> int:
    """Return the number in a file, with three system calls: `pathlib` would take twice as long."""
    fd = os.open(path, os.O_RDONLY)
    try:
        return int(os.read(fd, _NUMBER_BYTES))
    finally:
        os.close(fd)


def energy_domain(name: str, range_j: float | None, *, has_psys: bool) -> Domain:
    """Return the domain of a RAPL counter: ``psys`` includes packages; a package includes its parts, except memory."""
    parent, _, part = name.rpartition("/")
    within: str | None = None
    if part in {"core", "uncore"} and parent:
        within = parent
    elif not parent and has_psys and not _is_psys(part):
        within = "psys"
    return Domain(
        name=name,
        metric="energy",
        unit="J",
        kind="counter",
        scope="system" if _is_psys(name) else "package",
        tick_s=TICK_S,
        range=range_j,
        within=within,
    )


def _is_psys(name: str) -> bool:
    return name.partition("@")[0] == "psys"
