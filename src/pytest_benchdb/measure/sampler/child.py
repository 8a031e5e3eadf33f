"""The process that samples sensors while a benchmark repeats: standard library only, one per session.

`sampler` starts it with ``python -I -S`` (about 21 ms) and exchanges lines of JSON with it: ``start`` and ``stop``
on its input, ``ready``, ``started`` and ``stopped`` on its output. It exits when its input or its parent ends.
NVML, and psutil on systems without ``/proc``, are imported only when needed.

Sensors read from files (Linux' `Documentation/ABI/testing/sysfs-class-{hwmon,powercap,thermal}`,
`admin-guide/pm/cpufreq.rst`, `admin-guide/cgroup-v2.rst`; `proc_pid_stat(5)`, `proc_stat(5)`):

- resident set and CPU time of the process: ``statm`` and ``stat``; CPU time of the machine: the first line of
  ``/proc/stat`` without idle, waiting and stolen time. CPU times tick every 10 ms.
- CPU time and memory of the control group: ``cpu.stat`` and ``memory.current``, or their counterparts in cgroup v1.
- clocks: ``scaling_cur_freq``; temperatures: thermal zones and hwmon; power: ``powerN_input`` of hwmon, and
  differences of ``energyN_input`` and of powercap's ``energy_uj``.

Utilization is a share of all processors of the machine: 1.0 means that all are busy.
"""

import json
import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from pytest_benchdb.measure.sampler.sensor import CELSIUS_K, Sensor, SensorFile, list_names, read_text

PARENT_CHECK_S = 5.0
"""How often an idle child checks that its parent lives: a forked process may keep the child's input open."""
DOMAIN_LIMIT = 64
"""Most sensors of one metric, so that a machine with 256 processors does not need 256 readings in each period."""
Command = Mapping[str, Any]


def file_sensors(root: str, pid: int) -> Iterator[Sensor]:
    """Find every sensor of the machine and of the benchmark's process.

    Some may turn out to be unreadable. `root` replaces ``/`` and ends in ``/``.
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
        # The program's name, in parentheses, may contain anything; utime and stime are fields 12 and 13 after it.
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
    for line in read_text(f"{root}proc/{pid}/cgroup").splitlines():
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
    if not groups.keys() & {"cpuacct", "memory"} and "cgroup.events" in list_names(folder):  # the root group has none
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
    for policy in list_names(folder):
        file = SensorFile(f"{folder}/{policy}/scaling_cur_freq")  # kHz
        yield Sensor("clock_frequency", "Hz", policy, file.number, scale=1e3, scope="package")


def _thermal_zones(folder: str) -> Iterator[Sensor]:
    for zone in list_names(folder):
        if zone.startswith("thermal_zone"):
            domain = f"{zone}/{read_text(f'{folder}/{zone}/type')}".rstrip("/")
            yield _temperature(f"{folder}/{zone}/temp", domain)


def _hwmon(folder: str) -> Iterator[Sensor]:
    for chip in list_names(folder):
        names = list_names(f"{folder}/{chip}")
        for name in names:
            channel, _, suffix = name.rpartition("_")
            quantity = channel.rstrip("0123456789")
            averaged = quantity == "power" and suffix == "average" and f"{channel}_input" not in names
            if averaged or (suffix == "input" and quantity in {"temp", "power", "energy"}):
                label = read_text(f"{folder}/{chip}/{channel}_label") or channel
                domain = f"{read_text(f'{folder}/{chip}/name') or chip}/{label}"
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
    for zone in list_names(folder):
        path = f"{folder}/{zone}/energy_uj"
        if ":" not in zone or not os.path.exists(path):  # noqa: PTH110 - pathlib costs the child 5 ms
            continue
        control, first, *deeper = zone.split(":")
        outer = f"{read_text(f'{folder}/{control}:{first}/name')}/" if deeper else ""
        name = read_text(f"{folder}/{zone}/name")
        wrap = read_text(f"{folder}/{zone}/max_energy_range_uj")
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
    lines = read_text(f"{root}proc/stat").splitlines()
    return sum(line.startswith("cpu") for line in lines[1:]) or os.cpu_count() or 1


def nvml_sensors(nvml: Any, uuids: Sequence[str]) -> Iterator[Sensor]:
    """Find power, temperature, clock, load and memory sensors of NVIDIA devices; `uuids` come from NVML or torch.

    Some may turn out to be unreadable; a Jetson supports none.
    """
    nvml.nvmlInit()
    for uuid in uuids:
        named = uuid if uuid.startswith(("GPU-", "MIG-")) else f"GPU-{uuid}"
        yield from _nvml_device(nvml, nvml.nvmlDeviceGetHandleByUUID(named), uuid)


def _nvml_device(nvml: Any, handle: Any, uuid: str) -> Iterator[Sensor]:
    readings = (
        ("power", "W", 1e-3, lambda: _nvml_power_mw(nvml, handle)),
        ("temperature", "K", 1.0, lambda: nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU) + CELSIUS_K),
        ("clock_frequency", "Hz", 1e6, lambda: nvml.nvmlDeviceGetClockInfo(handle, nvml.NVML_CLOCK_SM)),
        ("utilization", "1", 1e-2, lambda: nvml.nvmlDeviceGetUtilizationRates(handle).gpu),
        ("device_used", "B", 1.0, lambda: nvml.nvmlDeviceGetMemoryInfo(handle).used),
    )
    for metric, unit, scale, read in readings:
        yield Sensor(metric, unit, f"{uuid}/{metric}", read, scale=scale, scope="device", device=uuid)


def _nvml_power_mw(nvml: Any, handle: Any) -> float:
    # Since Ampere, nvmlDeviceGetPowerUsage is the average over 1 s; the field is the instantaneous power.
    field = nvml.nvmlDeviceGetFieldValues(handle, [nvml.NVML_FI_DEV_POWER_INSTANT])[0]
    if field.nvmlReturn == nvml.NVML_SUCCESS:
        return int(field.value.uiVal)
    return int(nvml.nvmlDeviceGetPowerUsage(handle))


def portable_sensors(psutil: Any, pid: int) -> Iterator[Sensor]:
    """Find the sensors of psutil for the machine and the benchmark's process."""
    process, cpus = psutil.Process(pid), os.cpu_count() or 1

    def used_s() -> float:
        times = process.cpu_times()
        return float(times.user + times.system)

    def busy_s() -> float:
        times = psutil.cpu_times()
        # guest time is counted in user time as well
        idle = ("idle", "iowait", "steal", "guest", "guest_nice")
        return float(sum(times) - sum(getattr(times, name, 0.0) for name in idle))

    yield Sensor("rss", "B", "process", lambda: process.memory_info().rss, scope="process")
    yield Sensor("utilization", "1", "process", used_s, kind="flow", scale=1 / cpus, scope="process")
    yield Sensor("utilization", "1", "machine", busy_s, kind="flow", scale=1 / cpus, scope="system")


class SensorSet:
    """All readable sensors; one that fails is left out of the window, with the reason.

    Attributes:
        reasons: why there are no points, by ``metric/domain`` or by library.
    """

    def __init__(self, config: Mapping[str, Any], load: Callable[[str, str | None], Any] | None = None) -> None:
        """Find the sensors.

        `config` has `root`, `pid`, `uuids`, and `folders`, the folders of libraries by name; `load` imports a library
        from its folder.
        """
        self._sensors: list[Sensor] = []
        self._missing: dict[str, str] = {}
        self._failed: dict[str, str] = {}
        self._names: set[tuple[str, str]] = set()
        self._folders: Mapping[str, str | None] = config["folders"]
        self._load = load or _import_from
        root, pid = str(config["root"]).rstrip("/") + "/", int(config["pid"])
        if os.access(f"{root}proc/{pid}/statm", os.R_OK):
            self._add(file_sensors(root, pid))
        else:
            self._add_library("psutil", lambda psutil: portable_sensors(psutil, pid))
        if uuids := config["uuids"]:
            self._add_library("pynvml", lambda nvml: nvml_sensors(nvml, uuids))

    @property
    def reasons(self) -> dict[str, str]:
        """Why there are no points, for every sensor and library that was tried."""
        return self._missing | self._failed

    def begin(self) -> None:
        """Forget the points and the failures of the last window."""
        self._failed.clear()
        for sensor in self._sensors:
            sensor.begin()

    def sample(self, clock: Callable[[], int] = time.monotonic_ns) -> None:
        """Read every sensor once."""
        for sensor in self._sensors:
            if _name(sensor) not in self._failed:
                try:
                    sensor.sample(clock)
                except Exception as error:  # noqa: BLE001 - the other sensors must still be read
                    self._failed[_name(sensor)] = _describe(error)

    def series(self) -> list[dict[str, object]]:
        """Return the series that have points."""
        return [sensor.series() for sensor in self._sensors if sensor.values]

    def _add(self, sensors: Iterator[Sensor]) -> None:
        for sensor in sensors:
            self._make_unique(sensor)
            if sum(other.metric == sensor.metric for other in self._sensors) >= DOMAIN_LIMIT:
                self._missing[_name(sensor)] = f"there are more than {DOMAIN_LIMIT} sensors of {sensor.metric}"
                continue
            try:
                sensor.read()
            except Exception as error:  # noqa: BLE001 - as above
                self._missing[_name(sensor)] = _describe(error)
            else:
                self._sensors.append(sensor)

    def _add_library(self, name: str, find: Callable[[Any], Iterator[Sensor]]) -> None:
        try:
            self._add(find(self._load(name, self._folders.get(name))))
        except Exception as error:  # noqa: BLE001 - a vendor's library may raise anything
            self._missing[name] = _describe(error)

    def _make_unique(self, sensor: Sensor) -> None:
        name, number = sensor.domain, 1
        while (sensor.metric, sensor.domain) in self._names:
            number += 1
            sensor.domain = f"{name}#{number}"
        self._names.add((sensor.metric, sensor.domain))


def main() -> None:
    """Serve commands until the input or the parent ends."""
    config = json.loads(sys.argv[2])
    parent = os.getppid()
    commands: queue.SimpleQueue[Command | None] = queue.SimpleQueue()
    threading.Thread(target=_read_commands, args=(commands,), daemon=True).start()
    sensors = SensorSet(config)
    _answer({"k": "ready"})
    serve(sensors, commands.get, period_ns=int(1e9 / config["rate_hz"]), orphaned=lambda: os.getppid() != parent)


def serve(
    sensors: SensorSet,
    next_command: Callable[[bool, float], Command | None],
    *,
    period_ns: int,
    orphaned: Callable[[], bool],
) -> None:
    """Sample between ``start`` and ``stop`` until the commands end.

    `next_command` waits like `queue.Queue.get`; None means the end. A late sample keeps the time of its reading, and
    missed samples are not repeated. `orphaned` returns whether the parent is gone.
    """
    due_ns: int | None = None
    while not orphaned():
        wait_s = PARENT_CHECK_S if due_ns is None else max(0.0, (due_ns - time.monotonic_ns()) / 1e9)
        try:
            command = next_command(True, wait_s)
        except queue.Empty:
            if due_ns is not None:
                sensors.sample()
                due_ns = max(due_ns + period_ns, time.monotonic_ns())
            continue
        if command is None:
            return
        if command["k"] == "start":
            _avoid_cpus(command["avoid"])
            sensors.begin()
            sensors.sample()
            due_ns = time.monotonic_ns() + period_ns
            _answer({"k": "started"})
        else:
            # Counters tick every 10 ms: a much shorter last interval would only show the ticks.
            if due_ns is not None and time.monotonic_ns() > due_ns - period_ns // 2:
                sensors.sample()
            due_ns = None
            _answer({"k": "stopped", "series": sensors.series(), "reasons": sensors.reasons})


def _read_commands(commands: "queue.SimpleQueue[Command | None]") -> None:
    for line in sys.stdin:
        commands.put(json.loads(line))
    commands.put(None)


def _answer(answer: Mapping[str, object]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def _avoid_cpus(cpus: Sequence[int]) -> None:
    """Run on other CPUs than the benchmark's, if there are any and we may use them."""
    if sys.platform != "linux":
        return
    others = set(range(os.cpu_count() or 1)) - set(cpus)
    if others:
        try:
            os.sched_setaffinity(0, others)
        except OSError:
            return


def _import_from(name: str, folder: str | None) -> Any:
    """Import a library from the folder where the parent found it, which ``-S`` leaves out of the path."""
    if folder is not None and folder not in sys.path:
        sys.path.append(folder)
    return __import__(name)


def _name(sensor: Sensor) -> str:
    return f"{sensor.metric}/{sensor.domain}"


def _describe(error: Exception) -> str:
    if isinstance(error, PermissionError) and isinstance(error.filename, str):
        return f"{error.filename} cannot be read; to let everybody read it: sudo chmod a+r {error.filename}"
    return " ".join(f"{type(error).__name__}: {error}".split())
