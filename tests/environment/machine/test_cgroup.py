from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_benchdb.environment.machine.container import Limits, parse_membership, read_limits

WriteTree = Callable[[dict[str, str]], Path]
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
