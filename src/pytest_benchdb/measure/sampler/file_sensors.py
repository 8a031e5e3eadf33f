"""Sensors in files of Linux, below a root that tests can choose; for the process that samples.

Where the readings come from (Linux' `Documentation/ABI/testing/sysfs-class-{hwmon,powercap,thermal}`,
`admin-guide/pm/cpufreq.rst`, `admin-guide/cgroup-v2.rst`; `proc_pid_stat(5)`, `proc_stat(5)`):

- resident set and CPU time of the process: ``statm`` and ``stat``; CPU time of the machine: the first line of
  ``/proc/stat`` without idle, waiting and stolen time. Both tick every 10 ms.
- CPU time and memory of the control group: ``cpu.stat`` and ``memory.current``, or their counterparts in cgroup v1.
- clocks: ``scaling_cur_freq``; temperatures: thermal zones and hwmon; power: ``powerN_input`` of hwmon, and
  differences of ``energyN_input`` and of powercap's ``energy_uj``.

Utilization is a share of all processors of the machine, so that 1.0 is all of them busy.
"""

import os
from collections.abc import Iterator

from pytest_benchdb.measure.sampler.sensor import CELSIUS_K, Sensor, SensorFile, listed, text_of


def file_sensors(root: str, pid: int) -> Iterator[Sensor]:
    """Find every sensor of the machine and of the process that the benchmark runs in.

    Whether one can be read, its first reading shows. `root` replaces ``/`` and ends in ``/``.
    """
    cpus = _cpu_count(root)
    yield from _process(root, pid, cpus)
    yield from _machine(root, cpus)
    yield from _cgroup(root, pid, cpus)
    yield from _clocks(f"{root}sys/devices/system/cpu/cpufreq")
    yield from _thermal_zones(f"{root}sys/class/thermal")
    yield from _hwmon(f"{root}sys/class/hwmon")
    yield from _powercap(f"{root}sys/class/powercap")


def _process(root: str, pid: int, cpus: int) -> Iterator[Sensor]:
    statm, stat = SensorFile(f"{root}proc/{pid}/statm"), SensorFile(f"{root}proc/{pid}/stat")
    page, ticks = os.sysconf("SC_PAGE_SIZE"), os.sysconf("SC_CLK_TCK")

    def cpu_ticks() -> int:
        # The program's name, in parentheses, may hold anything; utime and stime are the 12th and 13th field after it.
        fields = stat.content().rpartition(b")")[2].split()
        return int(fields[11]) + int(fields[12])

    yield Sensor("rss", "B", "process", lambda: int(statm.content().split()[1]) * page, scope="process")
    yield Sensor("utilization", "1", "process", cpu_ticks, kind="flow", scale=1 / (ticks * cpus), scope="process")


def _machine(root: str, cpus: int) -> Iterator[Sensor]:
    stat, ticks = SensorFile(f"{root}proc/stat"), os.sysconf("SC_CLK_TCK")

    def busy_ticks() -> int:
        user, nice, system, _idle, _iowait, irq, softirq = map(int, stat.content().split(b"\n", 1)[0].split()[1:8])
        return user + nice + system + irq + softirq

    yield Sensor("utilization", "1", "machine", busy_ticks, kind="flow", scale=1 / (ticks * cpus), scope="system")


def _cgroup(root: str, pid: int, cpus: int) -> Iterator[Sensor]:
    groups: dict[str, str] = {}
    for line in text_of(f"{root}proc/{pid}/cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        groups.update(dict.fromkeys(controllers.split(","), path.strip("/")))
    for controller, folders, name in (
        ("cpuacct", ("cpuacct", "cpu,cpuacct"), "cpuacct.usage"),
        ("memory", ("memory",), "memory.usage_in_bytes"),
    ):
        for folder in folders if groups.get(controller) else ():  # the root group is the machine
            yield from _cgroup_sensor(f"{root}sys/fs/cgroup/{folder}/{groups[controller]}/{name}", cpus)
    folder = f"{root}sys/fs/cgroup/{groups.get('')}"
    if not groups.keys() & {"cpuacct", "memory"} and "cgroup.events" in listed(folder):  # the root group has none
        yield from _cgroup_sensor(f"{folder}/cpu.stat", cpus)
        yield from _cgroup_sensor(f"{folder}/memory.current", cpus)


def _cgroup_sensor(path: str, cpus: int) -> Iterator[Sensor]:
    if not os.access(path, os.R_OK):
        return
    name, file = path.rpartition("/")[2], SensorFile(path)
    if name == "cpu.stat":  # its first line is "usage_usec N"
        yield Sensor(
            "utilization", "1", "cgroup", lambda: int(file.content().split()[1]), kind="flow", scale=1e-6 / cpus
        )
    elif name == "cpuacct.usage":
        yield Sensor("utilization", "1", "cgroup", file.number, kind="flow", scale=1e-9 / cpus)
    else:
        yield Sensor("tree_memory", "B", "cgroup", file.number)


def _clocks(folder: str) -> Iterator[Sensor]:
    for policy in listed(folder):
        file = SensorFile(f"{folder}/{policy}/scaling_cur_freq")  # kHz
        yield Sensor("clock_frequency", "Hz", policy, file.number, scale=1e3, scope="package")


def _thermal_zones(folder: str) -> Iterator[Sensor]:
    for zone in listed(folder):
        if zone.startswith("thermal_zone"):
            domain = f"{zone}/{text_of(f'{folder}/{zone}/type')}".rstrip("/")
            yield _temperature(f"{folder}/{zone}/temp", domain)


def _hwmon(folder: str) -> Iterator[Sensor]:
    for chip in listed(folder):
        names = listed(f"{folder}/{chip}")
        for name in names:
            channel, _, suffix = name.rpartition("_")
            quantity = channel.rstrip("0123456789")
            averaged = quantity == "power" and suffix == "average" and f"{channel}_input" not in names
            if averaged or (suffix == "input" and quantity in {"temp", "power", "energy"}):
                label = text_of(f"{folder}/{chip}/{channel}_label") or channel
                domain = f"{text_of(f'{folder}/{chip}/name') or chip}/{label}"
                yield _hwmon_sensor(quantity, f"{folder}/{chip}/{name}", domain)


def _hwmon_sensor(quantity: str, path: str, domain: str) -> Sensor:
    if quantity == "temp":
        return _temperature(path, domain)
    kind = "tick" if quantity == "energy" else "gauge"
    return Sensor("power", "W", domain, SensorFile(path).number, scale=1e-6, kind=kind)


def _temperature(path: str, domain: str) -> Sensor:
    file = SensorFile(path)  # thousandths of a degree Celsius
    return Sensor("temperature", "K", domain, lambda: file.number() / 1e3 + CELSIUS_K)


def _powercap(folder: str) -> Iterator[Sensor]:
    for zone in listed(folder):
        path = f"{folder}/{zone}/energy_uj"
        if ":" not in zone or not os.path.exists(path):  # noqa: PTH110 - pathlib costs the child 5 ms
            continue
        control, first, *deeper = zone.split(":")
        outer = f"{text_of(f'{folder}/{control}:{first}/name')}/" if deeper else ""
        name = text_of(f"{folder}/{zone}/name")
        wrap = text_of(f"{folder}/{zone}/max_energy_range_uj")
        yield Sensor(
            "power",
            "W",
            f"{control}/{outer}{name}",
            SensorFile(path).number,
            kind="tick",
            scale=1e-6,
            wrap=float(wrap) if wrap else None,
            scope="system" if name == "psys" else "package",
        )


def _cpu_count(root: str) -> int:
    lines = text_of(f"{root}proc/stat").splitlines()
    return sum(line.startswith("cpu") for line in lines[1:]) or os.cpu_count() or 1
