import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_benchdb.environment.machine.host import parse_os_release, parse_ram, parse_steal, read_host, read_load

WriteTree = Callable[[dict[str, str]], Path]


def test_linux_host_is_read_from_its_files(write_tree: WriteTree) -> None:
    root = write_tree(
        {
            "etc/os-release": 'PRETTY_NAME="Ubuntu 24.04.1 LTS"\nNAME="Ubuntu"\nVERSION_ID="24.04"\nID=ubuntu\n',
            "proc/sys/kernel/osrelease": "6.8.0-45-generic\n",
            "proc/meminfo": "MemTotal:       16384000 kB\nMemFree:          120000 kB\n",
            "proc/sys/kernel/randomize_va_space": "2\n",
            "proc/self/personality": "00000000\n",
            "sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never\n",
        }
    )

    host = read_host(root, {}, "linux")

    assert (host.os_name, host.os_version, host.kernel) == ("Ubuntu", "24.04", "6.8.0-45-generic")
    assert host.ram_bytes == 16_384_000 * 1024
    assert host.virtualization is None
    assert host.details["aslr"] is True
    assert host.details["transparent_hugepages"] == "madvise"


@pytest.mark.parametrize(
    ("mode", "personality", "randomised"),
    [("2", "00000000", True), ("0", "00000000", False), ("2", "00040000", False), ("2", "?", True)],
)
def test_aslr_is_off_by_the_kernel_or_by_setarch(
    write_tree: WriteTree, mode: str, personality: str, *, randomised: bool
) -> None:
    root = write_tree({"proc/sys/kernel/randomize_va_space": mode, "proc/self/personality": personality})

    assert read_host(root, {}, "linux").details["aslr"] is randomised


def test_container_in_a_virtual_machine_keeps_both(write_tree: WriteTree) -> None:
    root = write_tree(
        {
            ".dockerenv": "",
            "sys/hypervisor/type": "xen",
            "proc/self/cgroup": "0::/",
            "sys/fs/cgroup/cpu.max": "200000 100000",
        }
    )

    host = read_host(root, {}, "linux")

    assert (host.virtualization, host.hypervisor) == ("container:docker", "xen")
    assert host.details["cpu_quota"] == 2.0


def test_host_without_any_file_is_unknown_and_no_error(tmp_path: Path) -> None:
    host = read_host(tmp_path, {}, "linux")

    assert (host.os_name, host.kernel, host.ram_bytes, host.cpu.model) == (None, None, None, None)


@pytest.mark.parametrize(("platform", "name"), [("darwin", "macOS"), ("win32", "Windows")])
def test_host_without_proc_is_read_through_python(tmp_path: Path, platform: str, name: str) -> None:
    pytest.importorskip("psutil")

    host = read_host(tmp_path, {}, platform)

    assert host.os_name == name
    assert host.ram_bytes is not None
    assert host.ram_bytes > 1 << 26
    assert host.threads


def test_hostname_is_stored_as_a_hash_only(tmp_path: Path) -> None:
    import platform

    assert platform.node()
    assert platform.node() not in repr(read_host(tmp_path, {}, "linux"))


def test_os_release_is_read_without_quotes_and_comments() -> None:
    assert parse_os_release("# x=1\nNAME='Arch Linux'\n\nBUILD_ID=rolling\nEMPTY=\n") == {
        "NAME": "Arch Linux",
        "BUILD_ID": "rolling",
    }


@pytest.mark.parametrize("text", ["", "MemTotal:\n", "MemTotal: x kB\n", "MemFree: 12 kB\n"])
def test_memory_that_is_missing_is_none(text: str) -> None:
    assert parse_ram(text) is None


posix_only = pytest.mark.skipif(sys.platform == "win32", reason="os.sysconf is POSIX")


@posix_only
def test_load_is_read_from_its_files(write_tree: WriteTree) -> None:
    ticks = 7 * os.sysconf("SC_CLK_TCK")
    root = write_tree(
        {
            "proc/loadavg": "1.25 0.80 0.60 2/345 6789\n",
            "proc/stat": f"cpu  10 0 10 100 5 0 1 {ticks} 0 0\ncpu0 1\n",
        }
    )

    load = read_load(root)

    assert (load.load1, load.steal_s) == (1.25, 7.0)


@posix_only
def test_load_without_files_is_unknown(tmp_path: Path) -> None:
    load = read_load(tmp_path)

    assert (load.load1, load.steal_s) == (None, None)


@posix_only
@pytest.mark.parametrize("text", ["", "cpu 1 2 3\n", "intr 1 2 3 4 5 6 7 8 9\n", "cpu a b c d e f g h\n"])
def test_steal_that_is_missing_is_none(text: str) -> None:
    assert parse_steal(text) is None


@pytest.mark.skipif(sys.platform != "linux", reason="reads the real /proc")
def test_load_of_this_machine_is_read() -> None:
    load = read_load()

    assert load.load1 is not None
    assert load.load1 >= 0
