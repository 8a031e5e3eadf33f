"""RAPL by powercap and by perf, on real files in a temporary tree; never run with a real counter."""

import errno
import os
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.backends.meters.powercap_tree import CLASS, add_power_event, add_power_events, add_zone

from pytest_benchdb.backends.meters.perf_events import perf_event_open
from pytest_benchdb.backends.meters.rapl import PerfPower, RaplMeter
from pytest_benchdb.measure.energy.counter import delta
from pytest_benchdb.measure.energy.energy_pass import measure_energy, prepare
from pytest_benchdb.measure.energy.sensors import Sensors
from pytest_benchdb.measure.energy.window import EnergyPlan
from pytest_benchdb.model.reading import Domain

is_root = os.name == "posix" and hasattr(os, "geteuid") and os.geteuid() == 0


def domains_of(meter: RaplMeter) -> dict[str, Domain]:
    return {domain.name: domain for domain in meter.domains()}


def open_descriptors() -> int:
    """Return how many files this process has open; 0 if unknown."""
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.exists() else 0


def two_sockets(root: Path) -> None:
    add_zone(root, "intel-rapl:0", "package-0", 100_000_000)
    add_zone(root, "intel-rapl:0:0", "core", 40_000_000)
    add_zone(root, "intel-rapl:0:1", "dram", 7_000_000, range_uj=65_712_999_613)
    add_zone(root, "intel-rapl:1", "package-1", 200_000_000)
    add_zone(root, "intel-rapl:1:0", "core", 90_000_000)


def test_meter_of_two_sockets_names_parts_by_their_package(tmp_path: Path) -> None:
    two_sockets(tmp_path)
    meter = RaplMeter(tmp_path)

    values = {name: reading.value for name, reading in meter.read().items()}

    assert values == pytest.approx(
        {
            "package-0": 100.0,
            "package-0/core": 40.0,
            "package-0/dram": 7.0,
            "package-1": 200.0,
            "package-1/core": 90.0,
        }
    )
    assert meter.probe().versions == {"source": "powercap"}


def test_meter_domains_nest_and_sum_to_packages_and_memory(tmp_path: Path) -> None:
    two_sockets(tmp_path)
    add_zone(tmp_path, "intel-rapl:2", "psys", 900_000_000)

    domains = domains_of(RaplMeter(tmp_path))

    assert {name: domain.within for name, domain in domains.items()} == {
        "package-0": "psys",
        "package-1": "psys",
        "psys": None,
        "package-0/core": "package-0",
        "package-0/dram": None,
        "package-1/core": "package-1",
    }
    assert domains["psys"].scope == "system"
    assert {domain.scope for name, domain in domains.items() if name != "psys"} == {"package"}


def test_meter_domains_report_range_and_tick(tmp_path: Path) -> None:
    two_sockets(tmp_path)
    add_zone(tmp_path, "intel-rapl:3", "psys", 1, range_uj=None)

    domains = domains_of(RaplMeter(tmp_path))

    assert domains["package-0"].range == pytest.approx(262_143.328850)
    assert domains["package-0/dram"].range == pytest.approx(65_712.999613)
    assert domains["psys"].range is None
    assert {domain.tick_s for domain in domains.values()} == {0.001}


def test_meter_of_a_package_with_two_zones_keeps_the_registers(tmp_path: Path) -> None:
    add_zone(tmp_path, "intel-rapl:0", "package-0", 100_000_000)
    add_zone(tmp_path, "intel-rapl:0:0", "core", 40_000_000)
    add_zone(tmp_path, "intel-rapl-mmio:0", "package-0", 999_000_000)
    add_zone(tmp_path, "intel-rapl-mmio:0:0", "dram", 5_000_000)

    values = {name: reading.value for name, reading in RaplMeter(tmp_path).read().items()}

    assert values == pytest.approx({"package-0": 100.0, "package-0/core": 40.0, "package-0/dram": 5.0})


def test_meter_of_a_package_in_mmio_alone_reads_it(tmp_path: Path) -> None:
    add_zone(tmp_path, "intel-rapl-mmio:0", "package-0", 12_000_000)

    assert RaplMeter(tmp_path).read()["package-0"].value == pytest.approx(12.0)


def test_meter_of_two_zones_of_one_label_reports_them_apart(tmp_path: Path) -> None:
    add_zone(tmp_path, "intel-rapl:0", "psys", 1_000_000)
    add_zone(tmp_path, "intel-rapl:1", "psys", 2_000_000)

    domains = domains_of(RaplMeter(tmp_path))

    assert list(domains) == ["psys", "psys@intel-rapl:1"]
    assert {domain.scope for domain in domains.values()} == {"system"}


def test_meter_leaves_other_powercap_zones_alone(tmp_path: Path) -> None:
    add_zone(tmp_path, "intel-rapl:0", "package-0", 1_000_000)
    add_zone(tmp_path, "dtpm:0", "package", 1_000_000)
    (tmp_path / CLASS / "intel-rapl").mkdir()

    assert list(domains_of(RaplMeter(tmp_path))) == ["package-0"]


def test_meter_of_a_counter_that_wraps_gives_the_true_difference(tmp_path: Path) -> None:
    folder = add_zone(tmp_path, "intel-rapl:0", "package-0", 65_532_000_000, range_uj=65_532_610_987)
    clock = iter([0, 1_000_000_000])
    meter = RaplMeter(tmp_path, monotonic_ns=lambda: next(clock))
    (domain,) = meter.domains()
    before = meter.read()["package-0"]

    (folder / "energy_uj").write_text("99389013\n", encoding="utf-8")
    moved = delta(domain, before, meter.read()["package-0"])

    assert moved.value == pytest.approx(100.0)
    assert not moved.may_lack_wrap


def test_meter_of_a_zone_that_vanishes_reports_its_reason_and_reads_the_others(tmp_path: Path) -> None:
    two_sockets(tmp_path)
    meter = RaplMeter(tmp_path)
    meter.domains()

    shutil.rmtree((tmp_path / CLASS / "intel-rapl:1").resolve())
    readings = meter.read()

    assert readings["package-1"].value is None
    assert "energy_uj cannot be read: No such file or directory" in (readings["package-1"].reason or "")
    assert readings["package-0"].value == pytest.approx(100.0)


def test_meter_of_a_file_that_holds_no_number_reports_its_reason(tmp_path: Path) -> None:
    folder = add_zone(tmp_path, "intel-rapl:0", "package-0", 1)
    meter = RaplMeter(tmp_path)
    meter.domains()

    (folder / "energy_uj").write_text("\n", encoding="utf-8")

    assert (meter.read()["package-0"].reason or "").endswith("its content is not a number")


@pytest.mark.skipif(is_root, reason="root may read everything; the test below covers the refusal")
def test_probe_without_permission_reports_the_command_for_real(tmp_path: Path) -> None:
    folder = add_zone(tmp_path, "intel-rapl:0", "package-0", 1)
    (folder / "energy_uj").chmod(0)

    assert "sudo chmod a+r" in (RaplMeter(tmp_path).probe().reason or "")


@pytest.fixture
def root_only(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Refuse a file like the kernel does for ordinary users: tests may run as root, who may read everything."""
    refused: set[Path] = set()
    real_open = os.open

    def guarded(path: Path, flags: int) -> int:
        if Path(path).resolve() in refused:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return real_open(path, flags)

    monkeypatch.setattr(os, "open", guarded)
    return lambda path: refused.add(path.resolve())


def test_probe_without_permission_reports_the_one_command(tmp_path: Path, root_only: Callable[[Path], None]) -> None:
    folder = add_zone(tmp_path, "intel-rapl:0", "package-0", 1)
    root_only(folder / "energy_uj")

    probe = RaplMeter(tmp_path).probe()

    assert not probe.available
    assert probe.reason == (
        f"{tmp_path}/{CLASS}/intel-rapl:0/energy_uj may only be read by root; "
        f"to open it until the next boot, run: sudo chmod a+r {tmp_path}/{CLASS}/*/energy_uj"
    )


def test_command_in_the_reason_opens_every_zone(tmp_path: Path) -> None:
    two_sockets(tmp_path)
    files = [path.resolve() for path in (tmp_path / CLASS).glob("*/energy_uj")]
    for file in files:
        file.chmod(0o400)

    code = os.system(f"chmod a+r {tmp_path}/{CLASS}/*/energy_uj")  # noqa: S605 - the command is what is tested

    assert code == 0
    assert len(files) == 5
    assert {file.stat().st_mode & 0o777 for file in files} == {0o444}


def test_meter_with_one_refused_zone_reads_the_others(tmp_path: Path, root_only: Callable[[Path], None]) -> None:
    two_sockets(tmp_path)
    root_only(tmp_path / CLASS / "intel-rapl:1/energy_uj")

    names = set(domains_of(RaplMeter(tmp_path)))

    assert "package-1" not in names
    assert "package-0" in names


def test_probe_of_a_container_that_hides_the_zones_says_so(tmp_path: Path) -> None:
    folder = add_zone(tmp_path, "intel-rapl:0", "package-0", 1)
    shutil.rmtree(folder)

    assert "as in a container that hides it" in (RaplMeter(tmp_path).probe().reason or "")


def test_probe_of_a_virtual_machine_says_so(tmp_path: Path) -> None:
    probe = RaplMeter(tmp_path).probe()

    assert not probe.available
    assert "a virtual machine, or a processor without such counters" in (probe.reason or "")
    assert RaplMeter(tmp_path).read() == {}


class FakeKernel:
    """perf events whose counts the test sets: each is a real descriptor of a real file."""

    def __init__(self, folder: Path, *, refuse: int | None = None) -> None:
        self.opened: list[tuple[int, int, int]] = []
        self._folder = folder
        self._refuse = refuse

    def open(self, kind: int, config: int, cpu: int) -> int:
        if self._refuse is not None:
            raise OSError(self._refuse, os.strerror(self._refuse))
        self.opened.append((kind, config, cpu))
        path = self._folder / f"count-{config}-{cpu}"
        path.write_bytes(struct.pack("=Q", (config * 1000 + cpu) << 32))
        return os.open(path, os.O_RDONLY)


def perf_meter(root: Path, kernel: FakeKernel) -> RaplMeter:
    clock = iter(range(1, 10_000))
    perf = PerfPower(root, monotonic_ns=lambda: next(clock), open_event=kernel.open)
    return RaplMeter(root, perf=perf)


def test_meter_prefers_perf_and_reads_each_package_once(tmp_path: Path) -> None:
    two_sockets(tmp_path)
    add_power_events(tmp_path, cpumask="0,28-29\n", packages={0: 0, 28: 1, 29: 1})
    add_power_event(tmp_path, "energy-pkg", "0x02")
    add_power_event(tmp_path, "energy-cores", "0x01")
    add_power_event(tmp_path, "energy-ram", "0x03")
    add_power_event(tmp_path, "energy-psys", "0x05")
    kernel = FakeKernel(tmp_path)
    meter = perf_meter(tmp_path, kernel)

    values = {name: reading.value for name, reading in meter.read().items()}

    assert values == pytest.approx(
        {
            "package-0": 2000.0,
            "package-1": 2028.0,
            "package-0/core": 1000.0,
            "package-1/core": 1028.0,
            "package-0/dram": 3000.0,
            "package-1/dram": 3028.0,
            "psys": 5000.0,
        }
    )
    assert (23, 2, 28) in kernel.opened
    assert meter.probe().versions == {"source": "perf"}
    assert {domain.range for domain in meter.domains()} == {None}
    assert domains_of(meter)["package-0/core"].within == "package-0"
    assert domains_of(meter)["package-1"].within == "psys"
    meter.close()


def test_meter_of_a_package_with_two_dies_counts_both(tmp_path: Path) -> None:
    add_power_events(tmp_path, cpumask="0,24,48\n", packages={0: 0, 24: 0, 48: 1}, dies={0: 0, 24: 1, 48: 0})
    add_power_event(tmp_path, "energy-pkg", "0x02")
    add_power_event(tmp_path, "energy-ram", "0x03")
    meter = perf_meter(tmp_path, FakeKernel(tmp_path))

    values = {name: reading.value for name, reading in meter.read().items()}

    assert values == pytest.approx(
        {
            "package-0-die-0": 2000.0,
            "package-0-die-1": 2024.0,
            "package-1": 2048.0,
            "package-0-die-0/dram": 3000.0,
            "package-0-die-1/dram": 3024.0,
            "package-1/dram": 3048.0,
        }
    )
    assert {domain.within for domain in meter.domains()} == {None}
    meter.close()


def test_meter_that_may_not_use_perf_takes_powercap(tmp_path: Path) -> None:
    two_sockets(tmp_path)
    add_power_events(tmp_path)
    add_power_event(tmp_path, "energy-pkg", "0x02")

    meter = perf_meter(tmp_path, FakeKernel(tmp_path, refuse=errno.EACCES))

    assert meter.probe().versions == {"source": "powercap"}
    assert "package-1" in domains_of(meter)


def test_probe_of_perf_alone_without_permission_reports_the_command(tmp_path: Path) -> None:
    add_power_events(tmp_path)
    add_power_event(tmp_path, "energy-pkg", "0x02")

    probe = perf_meter(tmp_path, FakeKernel(tmp_path, refuse=errno.EACCES)).probe()

    assert (probe.reason or "").endswith(
        "to open them until the next boot, run: sudo sysctl kernel.perf_event_paranoid=0"
    )


def test_meter_that_fails_halfway_through_perf_closes_what_it_opened(tmp_path: Path) -> None:
    two_sockets(tmp_path)
    add_power_events(tmp_path)
    add_power_event(tmp_path, "energy-pkg", "0x02")
    add_power_event(tmp_path, "energy-ram", "nonsense")
    before = open_descriptors()

    meter = perf_meter(tmp_path, FakeKernel(tmp_path))

    assert meter.probe().versions == {"source": "powercap"}
    assert open_descriptors() == before


def test_meter_close_reads_again(tmp_path: Path) -> None:
    add_power_events(tmp_path)
    add_power_event(tmp_path, "energy-pkg", "0x02")
    meter = perf_meter(tmp_path, FakeKernel(tmp_path))
    meter.read()

    meter.close()
    meter.close()

    assert meter.read()["package-0"].value == pytest.approx(2000.0)
    meter.close()


def test_perf_event_open_counts_for_real(tmp_path: Path) -> None:
    """The kernel's software clock replaces the power unit: it has type 1, event 0 and counts nanoseconds."""
    add_power_events(tmp_path, kind=1)
    add_power_event(tmp_path, "energy-pkg", "0x00", scale="1e-9")
    try:
        os.close(perf_event_open(1, 0, 0))
    except OSError as error:
        pytest.skip(f"perf_event_open is refused here: {error}")
    meter = RaplMeter(tmp_path)

    begin = meter.read()["package-0"]
    sum(range(200_000))
    end = meter.read()["package-0"]
    meter.close()

    assert begin.value is not None
    assert end.value is not None
    assert end.value > begin.value
    passed_s = (end.monotonic_ns - begin.monotonic_ns) / 1e9
    assert end.value - begin.value == pytest.approx(passed_s, rel=0.5)


def test_energy_without_permission_reports_the_command(tmp_path: Path, root_only: Callable[[Path], None]) -> None:
    root_only(add_zone(tmp_path, "intel-rapl:0", "package-0", 1) / "energy_uj")

    (row,) = measure_energy(lambda: None, Sensors([RaplMeter(tmp_path)]), EnergyPlan(rounds_hint_s=0.01))

    assert row.value is None
    assert f"sudo chmod a+r {tmp_path}/{CLASS}/*/energy_uj" in (row.reason or "")


def test_measure_energy_of_two_packages_gives_each_its_row(tmp_path: Path) -> None:
    folders = [add_zone(tmp_path, f"intel-rapl:{index}", f"package-{index}", 262_143_000_000) for index in range(2)]
    now = [0]

    def clock() -> int:
        pass_s(1e-5)
        return now[0]

    def pass_s(seconds: float) -> None:
        before_ms, now[0] = now[0] // 1_000_000, now[0] + round(seconds * 1e9)
        if before_ms == now[0] // 1_000_000:
            return
        for watts, folder in zip((50, 150), folders, strict=True):
            shown_uj = (262_143_000_000 + watts * (now[0] // 1_000_000) * 1000) % 262_143_328_850
            (folder / "energy_uj").write_text(f"{shown_uj}\n", encoding="utf-8")

    sensors = Sensors([RaplMeter(tmp_path, monotonic_ns=clock)], sleep=pass_s)

    plan = EnergyPlan(rounds_hint_s=0.02, iterations=4)
    prepare(sensors, plan)
    rows = measure_energy(lambda: pass_s(0.02), sensors, plan)

    energy = {row.domain: row for row in rows if row.metric == "energy"}
    assert energy["package-0"].value == pytest.approx(50 * 0.005, rel=0.02)
    assert energy["package-1"].value == pytest.approx(150 * 0.005, rel=0.02)
    assert energy[None].value == pytest.approx(200 * 0.005, rel=0.02)
    assert all(row.valid for row in rows)
    assert (energy["package-0"].scope, energy["package-0"].method) == ("package", "rapl")
    assert (energy["package-0"].window_s or 0) >= 0.1
