from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_benchdb.environment.files import count_list
from pytest_benchdb.environment.machine.cpu import parse_cpuinfo, read_cpu

WriteTree = Callable[[dict[str, str]], Path]

XEON = """\
processor\t: 0
vendor_id\t: GenuineIntel
cpu family\t: 6
model\t\t: 85
model name\t: Intel(R) Xeon(R)  Platinum 8259CL CPU @ 2.50GHz
stepping\t: 7
microcode\t: 0x5003801
cpu MHz\t\t: {mhz}
physical id\t: 0
siblings\t: 4
core id\t\t: 0
cpu cores\t: 2
flags\t\t: fpu vme sse sse2 ht avx2 avx512f{hypervisor}
bugs\t\t: spectre_v1
power management:

processor\t: 1
model name\t: another
"""
EPYC = """\
processor\t: 0
vendor_id\t: AuthenticAMD
cpu family\t: 25
model\t\t: 1
model name\t: AMD EPYC 7763 64-Core Processor
stepping\t: 1
physical id\t: 0
siblings\t: 128
cpu cores\t: 64
flags\t\t: fpu avx2
"""
GRAVITON = """\
processor\t: 0
BogoMIPS\t: 243.75
Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x3
CPU part\t: 0xd0c
CPU revision\t: 1
"""
POWER = "processor\t: 0\ncpu\t\t: POWER9 (architected), altivec supported\nclock\t\t: 2250MHz\n"


def test_intel_cpu_is_read_with_topology_caches_and_frequencies(write_tree: WriteTree) -> None:
    cpu = "sys/devices/system/cpu"
    root = write_tree(
        {
            "proc/cpuinfo": XEON.format(mhz="2500.000", hypervisor=""),
            f"{cpu}/online": "0-7\n",
            f"{cpu}/smt/active": "1\n",
            f"{cpu}/cpu0/cache/index0/level": "1\n",
            f"{cpu}/cpu0/cache/index0/type": "Data\n",
            f"{cpu}/cpu0/cache/index0/size": "32K\n",
            f"{cpu}/cpu0/cache/index1/level": "3\n",
            f"{cpu}/cpu0/cache/index1/type": "Unified\n",
            f"{cpu}/cpu0/cache/index1/size": "36608K\n",
            f"{cpu}/cpu0/cpufreq/scaling_governor": "performance\n",
            f"{cpu}/cpu0/cpufreq/scaling_max_freq": "3500000\n",
            f"{cpu}/intel_pstate/no_turbo": "1\n",
            "sys/devices/system/node/online": "0-1\n",
        }
    )

    xeon = read_cpu(root)

    assert xeon.model == "Intel(R) Xeon(R) Platinum 8259CL CPU @ 2.50GHz"
    assert (xeon.sockets, xeon.cores, xeon.online) == (2, 4, 8)
    assert xeon.hypervisor is False
    assert xeon.details["vendor"] == "GenuineIntel"
    assert xeon.details["microcode"] == "0x5003801"
    assert xeon.details["smt"] is True
    assert xeon.details["numa_nodes"] == 2
    assert xeon.details["caches"] == {"l1d": "32K", "l3": "36608K"}
    assert xeon.details["frequency"] == {"governor": "performance", "turbo": False, "max_hz": 3_500_000_000}


def test_present_clock_rate_changes_nothing(write_tree: WriteTree) -> None:
    slow = read_cpu(write_tree({"proc/cpuinfo": XEON.format(mhz="1200.000", hypervisor="")}))
    fast = read_cpu(write_tree({"proc/cpuinfo": XEON.format(mhz="3500.000", hypervisor="")}))

    assert slow == fast


def test_amd_boost_is_read_from_cpufreq(write_tree: WriteTree) -> None:
    root = write_tree(
        {
            "proc/cpuinfo": EPYC,
            "sys/devices/system/cpu/online": "0-127",
            "sys/devices/system/cpu/cpufreq/boost": "1",
        }
    )

    epyc = read_cpu(root)

    assert epyc.model == "AMD EPYC 7763 64-Core Processor"
    assert (epyc.sockets, epyc.cores) == (1, 64)
    assert epyc.details["frequency"] == {"turbo": True}


def test_container_with_few_of_the_hosts_processors_has_no_more_cores_than_processors(write_tree: WriteTree) -> None:
    root = write_tree({"proc/cpuinfo": EPYC, "sys/devices/system/cpu/online": "4-5"})

    assert read_cpu(root).cores == 2


def test_arm_cpu_is_named_by_its_codes_and_counted_in_sysfs(write_tree: WriteTree) -> None:
    files = {"proc/cpuinfo": GRAVITON, "sys/devices/system/cpu/online": "0-3"}
    for cpu in range(4):
        topology = f"sys/devices/system/cpu/cpu{cpu}/topology"
        files |= {f"{topology}/thread_siblings_list": f"{cpu}\n", f"{topology}/physical_package_id": "0\n"}

    graviton = read_cpu(write_tree(files))

    assert graviton.model == "ARM Neoverse-N1"
    assert (graviton.sockets, graviton.cores, graviton.online) == (1, 4, 4)
    assert graviton.hypervisor is None
    assert graviton.details["smt"] is False


def test_unknown_arm_part_is_named_by_its_numbers(write_tree: WriteTree) -> None:
    root = write_tree({"proc/cpuinfo": GRAVITON.replace("0xd0c", "0xfff")})

    assert read_cpu(root).model == "ARM implementer 0x41 part 0xfff"


def test_power_cpu_is_named_by_its_own_field(write_tree: WriteTree) -> None:
    assert read_cpu(write_tree({"proc/cpuinfo": POWER})).model == "POWER9 (architected), altivec supported"


def test_empty_tree_gives_nothing_and_no_error(tmp_path: Path) -> None:
    cpu = read_cpu(tmp_path)

    assert (cpu.model, cpu.sockets, cpu.cores, cpu.online, cpu.hypervisor) == (None, None, None, None, None)
    assert cpu.details == {}


@pytest.mark.parametrize("text", ["", ":::\n", "processor\n", "\0\xff: \n", "siblings: x\ncpu cores: 2\n"])
def test_damaged_cpuinfo_gives_no_error(write_tree: WriteTree, text: str) -> None:
    root = write_tree({"proc/cpuinfo": text, "sys/devices/system/cpu/online": "0-1"})

    assert read_cpu(root).cores is None


def test_parse_cpuinfo_stops_at_the_second_processor() -> None:
    assert parse_cpuinfo(XEON.format(mhz=1, hypervisor=""))["model name"].startswith("Intel")


@pytest.mark.parametrize(
    ("text", "count"), [("0", 1), ("0-3", 4), ("0-3,8", 5), ("0,2-3,7", 4), ("", None), ("?", None), (None, None)]
)
def test_count_list_counts_ranges(text: str | None, count: int | None) -> None:
    assert count_list(text) == count
