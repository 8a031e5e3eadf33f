"""Real parsing of temporary trees that replace ``/``."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from pytest_benchdb.measure.sampler.child import SensorSet, _describe, file_sensors

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="os.sysconf and os.pread are POSIX")

PID = 77
S = 1_000_000_000
TICKS_PER_S = os.sysconf("SC_CLK_TCK") if sys.platform != "win32" else 100


class Tree:
    """A replacement of ``/``."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.write("proc/stat", "cpu  0 0 0 0 0 0 0 0 0 0\ncpu0 0 0 0 0\ncpu1 0 0 0 0\nintr 1 2\n")
        self.write(f"proc/{PID}/statm", "5000 1000 10 1 0 400 0\n")
        self.set_cpu(0, 0)

    def write(self, path: str, content: object) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{content}\n" if not str(content).endswith("\n") else str(content))

    def set_cpu(self, user: int, system: int) -> None:
        fields = " ".join(["S", *["0"] * 10, str(user), str(system), *["0"] * 30])
        self.write(f"proc/{PID}/stat", f"{PID} (py) (x y) {fields}")

    def set_machine(self, *ticks: int) -> None:
        self.write("proc/stat", f"cpu  {' '.join(map(str, ticks))}\ncpu0 0\ncpu1 0\nintr 1\n")

    def sensors(self) -> SensorSet:
        config = {"root": str(self.root), "pid": PID, "uuids": [], "folders": {}}
        return SensorSet(config)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def sampled(sensors: SensorSet, *changes: object, step_s: float = 1.0) -> dict[str, list[float]]:
    """Sample, then once more after each change; return the values by metric and domain."""
    now_ns = [0]

    def clock() -> int:
        return now_ns[0]

    sensors.begin()
    sensors.sample(clock)
    for change in changes:
        change()  # type: ignore[operator]
        now_ns[0] += int(step_s * S)
        sensors.sample(clock)
    return values_of(sensors)


def values_of(sensors: SensorSet) -> dict[str, list[float]]:
    return {f"{one['metric']}/{one['domain']}": one["values"] for one in sensors.series()}  # type: ignore[misc]


def nothing() -> None:
    pass


def test_process_whose_name_has_spaces_and_parentheses_reports_memory_and_cpu(tree: Tree) -> None:
    values = sampled(tree.sensors(), lambda: tree.set_cpu(user=TICKS_PER_S, system=TICKS_PER_S // 2))

    assert values["rss/process"] == [1000 * os.sysconf("SC_PAGE_SIZE")] * 2
    assert values["utilization/process"] == [pytest.approx(0.75)]  # 1.5 s of CPU time in 1 s on 2 processors


def test_machine_is_not_busy_while_idle_waiting_or_stolen_from(tree: Tree) -> None:
    tick = TICKS_PER_S // 10
    values = sampled(tree.sensors(), lambda: tree.set_machine(tick, tick, tick, 9999, 9999, tick, tick, 9999, 9999, 0))

    assert values["utilization/machine"] == [pytest.approx(0.25)]  # 5 tenths of a second on 2 processors


def test_group_of_cgroup_v2_reports_cpu_and_memory(tree: Tree) -> None:
    tree.write(f"proc/{PID}/cgroup", "0::/user.slice/job")
    group = "sys/fs/cgroup/user.slice/job"
    tree.write(f"{group}/cgroup.events", "populated 1\nfrozen 0\n")
    tree.write(f"{group}/memory.current", 4096)
    tree.write(f"{group}/cpu.stat", "usage_usec 0\nuser_usec 0\n")

    values = sampled(tree.sensors(), lambda: tree.write(f"{group}/cpu.stat", "usage_usec 500000\nuser_usec 1\n"))

    assert values["utilization/cgroup"] == [pytest.approx(0.25)]
    assert values["tree_memory/cgroup"] == [4096.0, 4096.0]


def test_group_of_cgroup_v1_is_preferred_in_a_hybrid(tree: Tree) -> None:
    tree.write(f"proc/{PID}/cgroup", "5:memory:/job\n4:cpu,cpuacct:/job\n0::/other\n")
    tree.write("sys/fs/cgroup/memory/job/memory.usage_in_bytes", 8192)
    tree.write("sys/fs/cgroup/cpu,cpuacct/job/cpuacct.usage", 0)
    tree.write("sys/fs/cgroup/other/cgroup.events", "populated 1")
    tree.write("sys/fs/cgroup/other/memory.current", 1)

    values = sampled(tree.sensors(), lambda: tree.write("sys/fs/cgroup/cpu,cpuacct/job/cpuacct.usage", S))

    assert values["utilization/cgroup"] == [pytest.approx(0.5)]
    assert values["tree_memory/cgroup"] == [8192.0, 8192.0]


@pytest.mark.parametrize("membership", ["0::/", "5:memory:/\n4:cpuacct:/"], ids=["v2", "v1"])
def test_root_group_has_no_sensors(tree: Tree, membership: str) -> None:
    tree.write(f"proc/{PID}/cgroup", membership)
    tree.write("sys/fs/cgroup/cpu.stat", "usage_usec 1")
    tree.write("sys/fs/cgroup/memory/memory.usage_in_bytes", 1)
    tree.write("sys/fs/cgroup/cpuacct/cpuacct.usage", 1)

    assert not [name for name in sampled(tree.sensors(), nothing) if name.endswith("/cgroup")]


def test_clocks_are_reported_in_hertz_for_each_policy(tree: Tree) -> None:
    tree.write("sys/devices/system/cpu/cpufreq/policy0/scaling_cur_freq", 2_400_000)
    tree.write("sys/devices/system/cpu/cpufreq/policy4/scaling_cur_freq", 1_800_000)

    values = sampled(tree.sensors())

    assert values["clock_frequency/policy0"] == [2.4e9]
    assert values["clock_frequency/policy4"] == [1.8e9]


def test_temperatures_are_reported_in_kelvin_from_zones_and_chips(tree: Tree) -> None:
    tree.write("sys/class/thermal/thermal_zone0/type", "x86_pkg_temp")
    tree.write("sys/class/thermal/thermal_zone0/temp", 46_000)
    tree.write("sys/class/thermal/cooling_device0/type", "Fan")
    tree.write("sys/class/hwmon/hwmon3/name", "coretemp")
    tree.write("sys/class/hwmon/hwmon3/temp1_label", "Core 0")
    tree.write("sys/class/hwmon/hwmon3/temp1_input", -5_000)
    tree.write("sys/class/hwmon/hwmon3/temp1_max", 100_000)

    values = sampled(tree.sensors())

    assert values["temperature/thermal_zone0/x86_pkg_temp"] == [pytest.approx(319.15)]
    assert values["temperature/coretemp/Core 0"] == [pytest.approx(268.15)]
    assert sum(name.startswith("temperature/") for name in values) == 2


def test_chips_of_one_name_are_reported_apart(tree: Tree) -> None:
    for chip, value in (("hwmon0", 10_000), ("hwmon1", 20_000)):
        tree.write(f"sys/class/hwmon/{chip}/name", "nvme")
        tree.write(f"sys/class/hwmon/{chip}/temp1_input", value)

    values = sampled(tree.sensors())

    assert values["temperature/nvme/temp1"] == [pytest.approx(283.15)]
    assert values["temperature/nvme/temp1#2"] == [pytest.approx(293.15)]


def test_power_of_a_chip_is_a_gauge_and_its_energy_a_counter(tree: Tree) -> None:
    chip = "sys/class/hwmon/hwmon0"
    tree.write(f"{chip}/name", "amd_energy")
    tree.write(f"{chip}/power1_input", 15_000_000)
    tree.write(f"{chip}/power1_average", 99_000_000)
    tree.write(f"{chip}/power2_average", 7_000_000)
    tree.write(f"{chip}/energy1_input", 0)
    changes = [lambda joules=joules: tree.write(f"{chip}/energy1_input", joules * 1_000_000) for joules in (40, 80)]

    values = sampled(tree.sensors(), *changes)

    assert values["power/amd_energy/power1"] == [15.0, 15.0, 15.0]
    assert values["power/amd_energy/power2"] == [7.0, 7.0, 7.0]
    assert values["power/amd_energy/energy1"] == [pytest.approx(40.0)]


def test_power_of_nested_zones_wraps_and_none_is_added_up(tree: Tree) -> None:
    folder = "sys/class/powercap"
    tree.write(f"{folder}/intel-rapl/enabled", 1)
    for zone, name in (("intel-rapl:0", "package-0"), ("intel-rapl:0:0", "core"), ("intel-rapl:1", "psys")):
        tree.write(f"{folder}/{zone}/name", name)
        tree.write(f"{folder}/{zone}/max_energy_range_uj", 262_143_328_850)
        tree.write(f"{folder}/{zone}/energy_uj", 262_000_000_000)
    core = f"{folder}/intel-rapl:0:0/energy_uj"
    package = f"{folder}/intel-rapl:0/energy_uj"

    def count(package_uj: int, core_uj: int) -> None:
        tree.write(package, package_uj)
        tree.write(core, core_uj)

    values = sampled(
        tree.sensors(),
        lambda: count(262_100_000_000, 262_010_000_000),
        lambda: count(56_671_150, 262_030_000_000),
    )

    assert values["power/intel-rapl/package-0"] == [pytest.approx(100.0)]
    assert values["power/intel-rapl/package-0/core"] == [pytest.approx(20.0)]
    assert "power/intel-rapl/psys" not in values


def test_zone_that_vanishes_is_left_with_its_points_and_a_reason(tree: Tree) -> None:
    tree.write("sys/class/thermal/thermal_zone0/type", "acpitz")
    tree.write("sys/class/thermal/thermal_zone0/temp", 40_000)
    sensors = tree.sensors()

    values = sampled(sensors, lambda: tree.write("sys/class/thermal/thermal_zone0/temp", "\n"))

    assert values["temperature/thermal_zone0/acpitz"] == [pytest.approx(313.15)]
    assert values["rss/process"] == [1000 * os.sysconf("SC_PAGE_SIZE")] * 2
    assert "could not convert" in sensors.reasons["temperature/thermal_zone0/acpitz"]


def test_sensor_that_failed_is_tried_again_in_the_next_window(tree: Tree) -> None:
    zone = "sys/class/thermal/thermal_zone0/temp"
    tree.write(zone, 40_000)
    sensors = tree.sensors()
    sampled(sensors, lambda: tree.write(zone, "\n"))
    tree.write(zone, 41_000)

    values = sampled(sensors)

    assert values["temperature/thermal_zone0"] == [pytest.approx(314.15)]
    assert sensors.reasons == {}


def test_sensor_that_cannot_be_read_at_first_has_a_reason_and_others_are_read(tree: Tree) -> None:
    tree.write("sys/class/hwmon/hwmon0/name", "acpi")
    tree.write("sys/class/hwmon/hwmon0/temp1_input", "ENODATA")
    tree.write("sys/class/hwmon/hwmon0/temp2_input", 30_000)
    sensors = tree.sensors()

    values = sampled(sensors)

    assert list(sensors.reasons) == ["temperature/acpi/temp1"]
    assert values["temperature/acpi/temp2"] == [pytest.approx(303.15)]


def test_counter_for_root_only_names_the_command_that_would_give_access() -> None:
    path = "/sys/class/powercap/intel-rapl:0/energy_uj"

    assert f"sudo chmod a+r {path}" in _describe(PermissionError(13, "Permission denied", path))


def test_more_sensors_than_the_limit_are_left_out_by_name(tree: Tree) -> None:
    for number in range(70):
        tree.write(f"sys/devices/system/cpu/cpufreq/policy{number:02}/scaling_cur_freq", 1_000_000)
    sensors = tree.sensors()

    values = sampled(sensors)

    assert sum(name.startswith("clock_frequency/") for name in values) == 64
    assert sensors.reasons["clock_frequency/policy69"] == "there are more than 64 sensors of clock_frequency"


def test_every_sensor_on_this_machine_has_a_unique_domain() -> None:
    if not Path("/proc/self/statm").exists():
        pytest.skip("no /proc here")
    names = [(sensor.metric, sensor.domain) for sensor in file_sensors("/", os.getpid())]

    assert {("rss", "process"), ("utilization", "process"), ("utilization", "machine")} <= set(names)


def test_scopes_say_what_a_sensor_covers(tree: Tree) -> None:
    tree.write("sys/devices/system/cpu/cpufreq/policy0/scaling_cur_freq", 1)
    sensors = tree.sensors()
    sampled(sensors, nothing)

    result: Mapping[str, object] = {f"{one['metric']}/{one['domain']}": one["scope"] for one in sensors.series()}

    assert result == {
        "rss/process": "process",
        "utilization/process": "process",
        "utilization/machine": "system",
        "clock_frequency/policy0": "package",
    }
