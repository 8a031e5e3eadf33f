from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_benchdb.environment.machine.host import (
    Limits,
    container,
    hypervisor,
    parse_membership,
    product,
    read_limits,
)

WriteTree = Callable[[dict[str, str]], Path]
DMI = "sys/class/dmi/id"
CLOCKS = "sys/devices/system/clocksource/clocksource0/available_clocksource"


@pytest.mark.parametrize(
    ("files", "hypervisor_flag", "kind"),
    [
        ({f"{DMI}/sys_vendor": "QEMU\n"}, True, "kvm"),
        ({f"{DMI}/sys_vendor": "Amazon EC2\n", f"{DMI}/product_name": "c7i.large\n"}, True, "kvm"),
        ({f"{DMI}/sys_vendor": "Amazon EC2\n", f"{DMI}/product_name": "c7i.metal-24xl\n"}, False, None),
        ({f"{DMI}/sys_vendor": "Amazon EC2\n", f"{DMI}/product_name": "c7g.metal\n"}, None, None),
        ({f"{DMI}/sys_vendor": "Amazon EC2\n", f"{DMI}/product_name": "c7g.large\n"}, None, "kvm"),
        ({f"{DMI}/sys_vendor": "Microsoft Corporation\n", f"{DMI}/product_name": "Surface\n"}, False, None),
        ({f"{DMI}/sys_vendor": "Microsoft Corporation\n"}, True, "hyperv"),
        ({f"{DMI}/sys_vendor": "VMware, Inc.\n"}, True, "vmware"),
        ({f"{DMI}/sys_vendor": "Dell Inc.\n"}, False, None),
        ({CLOCKS: "kvm-clock tsc acpi_pm\n"}, True, "kvm"),
        ({"sys/hypervisor/type": "xen\n"}, True, "xen"),
        ({"proc/device-tree/hypervisor/compatible": "linux,kvm\0"}, None, "kvm"),
        ({"proc/sys/kernel/osrelease": "5.15.153.1-microsoft-standard-WSL2\n"}, True, "wsl"),
        ({}, True, "vm"),
        ({}, None, None),
        ({}, False, None),
    ],
)
def test_hypervisor_is_detected_by_its_files(
    write_tree: WriteTree, files: dict[str, str], *, hypervisor_flag: bool | None, kind: str | None
) -> None:
    assert hypervisor(write_tree(files), hypervisor_flag=hypervisor_flag) == kind


@pytest.mark.parametrize(
    ("files", "environ", "kind"),
    [
        ({".dockerenv": ""}, {}, "docker"),
        ({"run/.containerenv": ""}, {}, "podman"),
        ({"proc/self/cgroup": "0::/kubepods/burstable/pod1\n", ".dockerenv": ""}, {}, "kubernetes"),
        ({}, {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, "kubernetes"),
        ({"run/systemd/container": "systemd-nspawn\n"}, {}, "systemd-nspawn"),
        ({"proc/self/cgroup": "1:cpu:/lxc/web\n"}, {}, "lxc"),
        ({}, {"container": "podman"}, "podman"),
        ({"proc/self/cgroup": "0::/user.slice\n"}, {}, None),
        ({}, {}, None),
    ],
)
def test_container_is_detected_by_its_files(
    write_tree: WriteTree, files: dict[str, str], environ: dict[str, str], kind: str | None
) -> None:
    assert container(write_tree(files), environ) == kind


def test_product_joins_vendor_and_name(write_tree: WriteTree) -> None:
    root = write_tree({f"{DMI}/sys_vendor": "LENOVO\n", f"{DMI}/product_name": "21HM\n"})

    assert product(root) == "LENOVO 21HM"


NO_LIMIT_V1 = "9223372036854771712\n"


def test_container_on_cgroup_v2_is_limited_by_its_own_group(write_tree: WriteTree) -> None:
    root = write_tree(
        {
            "proc/self/cgroup": "0::/\n",
            "sys/fs/cgroup/cpu.max": "150000 100000\n",
            "sys/fs/cgroup/memory.max": "2147483648\n",
        }
    )

    assert read_limits(root) == Limits(cpus=1.5, memory_bytes=2 << 30, version=2)


def test_smallest_limit_of_the_groups_around_counts(write_tree: WriteTree) -> None:
    root = write_tree(
        {
            "proc/self/cgroup": "0::/ci.slice/job.scope\n",
            "sys/fs/cgroup/ci.slice/cpu.max": "200000 100000\n",
            "sys/fs/cgroup/ci.slice/memory.max": "max\n",
            "sys/fs/cgroup/ci.slice/job.scope/cpu.max": "max 100000\n",
            "sys/fs/cgroup/ci.slice/job.scope/memory.max": "1073741824\n",
        }
    )

    assert read_limits(root) == Limits(cpus=2.0, memory_bytes=1 << 30, version=2)


def test_group_path_of_the_host_falls_back_to_the_mount(write_tree: WriteTree) -> None:
    root = write_tree(
        {
            "proc/self/cgroup": "0::/docker/0123456789ab\n",
            "sys/fs/cgroup/cpu.max": "50000 100000\n",
        }
    )

    assert read_limits(root).cpus == 0.5


def test_group_outside_of_the_namespace_reads_only_the_mount(write_tree: WriteTree) -> None:
    root = write_tree(
        {
            "proc/self/cgroup": "0::/../../other\n",
            "sys/fs/cgroup/cpu.max": "50000 100000\n",
            "sys/other/cpu.max": "1000 100000\n",
        }
    )

    assert read_limits(root).cpus == 0.5


def test_container_on_cgroup_v1_is_limited_by_its_controllers(write_tree: WriteTree) -> None:
    root = write_tree(
        {
            "proc/self/cgroup": "5:memory:/docker/ab\n4:cpu,cpuacct:/docker/ab\n1:name=systemd:/docker/ab\n",
            "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "400000\n",
            "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
            "sys/fs/cgroup/memory/docker/ab/memory.limit_in_bytes": "536870912\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": NO_LIMIT_V1,
        }
    )

    assert read_limits(root) == Limits(cpus=4.0, memory_bytes=512 << 20, version=1)


@pytest.mark.parametrize(
    "files",
    [
        {
            "proc/self/cgroup": "0::/\n",
            "sys/fs/cgroup/cpu.max": "max 100000\n",
            "sys/fs/cgroup/memory.max": "max\n",
        },
        {
            "proc/self/cgroup": "4:cpu:/\n5:memory:/\n",
            "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
            "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": NO_LIMIT_V1,
        },
        {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "1 0\n", "sys/fs/cgroup/memory.max": "?\n"},
        {"proc/self/cgroup": "\n:::\nx\n"},
        {},
    ],
    ids=["v2-max", "v1-unlimited", "damaged", "no-groups", "no-files"],
)
def test_no_limit_is_none(write_tree: WriteTree, files: dict[str, str]) -> None:
    limits = read_limits(write_tree(files))

    assert (limits.cpus, limits.memory_bytes) == (None, None)


def test_membership_lists_each_controller() -> None:
    text = "9:name=systemd:/a\n3:cpu,cpuacct:/b:c\n0::/d\n"

    assert parse_membership(text) == {"name=systemd": "/a", "cpu": "/b:c", "cpuacct": "/b:c", "": "/d"}
