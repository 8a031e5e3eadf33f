import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from pytest_benchdb.environment.collect import Snapshot, collect, environment_id
from pytest_benchdb.model.identity import content_id

WriteTree = Callable[[dict[str, str]], Path]

MACHINE = {
    "etc/os-release": 'NAME="Ubuntu"\nVERSION_ID="24.04"\n',
    "proc/sys/kernel/osrelease": "6.8.0-45-generic\n",
    "proc/meminfo": "MemTotal:       16384000 kB\n",
    "proc/loadavg": "0.50 0.40 0.30 1/100 4321\n",
    "proc/cpuinfo": (
        "processor : 0\nmodel name : AMD EPYC 7763 64-Core Processor\n"
        "cpu MHz : 2445.1\nsiblings : 2\ncpu cores : 1\nflags : fpu hypervisor\n"
    ),
    "sys/devices/system/cpu/online": "0-1\n",
    "sys/class/dmi/id/sys_vendor": "QEMU\n",
}


@pytest.fixture
def outside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in no repository."""
    return tmp_path_factory.mktemp("outside")


def test_snapshot_describes_machine_and_cpu_device(write_tree: WriteTree, outside: Path) -> None:
    snapshot = collect(outside, {}, write_tree(MACHINE), platform="linux")

    environment, (device,) = snapshot.environment, snapshot.devices
    assert (environment.os, environment.kernel) == ("Ubuntu 24.04", "6.8.0-45-generic")
    assert (environment.cpu_model, environment.cores) == ("AMD EPYC 7763 64-Core Processor", 1)
    assert environment.virtualization == "kvm"
    assert "pytest" in environment.packages
    assert (device.backend, device.name, device.memory_bytes) == ("cpu", environment.cpu_model, 16_384_000 * 1024)
    assert device.device_id == content_id("cpu", environment.cpu_model, None)
    assert snapshot.load.load1 == 0.5


def test_memory_is_the_containers_limit_where_that_is_smaller(write_tree: WriteTree, outside: Path) -> None:
    limited = {"proc/self/cgroup": "0::/", "sys/fs/cgroup/memory.max": "1073741824"}

    snapshot = collect(outside, {}, write_tree(MACHINE | limited), platform="linux")

    assert snapshot.environment.ram_bytes == snapshot.devices[0].memory_bytes == 1 << 30


@pytest.mark.parametrize(
    "change",
    [
        {"proc/cpuinfo": MACHINE["proc/cpuinfo"].replace("2445.1", "1200.0")},
        {"proc/loadavg": "9.00 9.00 9.00 9/900 9999\n"},
        {"proc/meminfo": "MemTotal:       16384000 kB\nMemFree: 1 kB\n"},
    ],
    ids=["clock-rate", "load", "free-memory"],
)
def test_what_differs_from_minute_to_minute_is_in_no_id(
    write_tree: WriteTree, outside: Path, change: dict[str, str]
) -> None:
    before = collect(outside, {}, write_tree(MACHINE), platform="linux").environment
    after = collect(outside, {}, write_tree(change), platform="linux").environment

    assert before == after


def test_kernel_build_changes_the_id_but_not_the_fingerprint(write_tree: WriteTree, outside: Path) -> None:
    before = collect(outside, {}, write_tree(MACHINE), platform="linux").environment
    newer = write_tree({"proc/sys/kernel/osrelease": "6.8.0-51-generic\n"})
    after = collect(outside, {}, newer, platform="linux").environment

    assert after.fingerprint == before.fingerprint
    assert after.environment_id != before.environment_id


def test_cpu_quota_changes_the_fingerprint(write_tree: WriteTree, outside: Path) -> None:
    free = collect(outside, {}, write_tree(MACHINE), platform="linux").environment
    limited = write_tree({"proc/self/cgroup": "0::/", "sys/fs/cgroup/cpu.max": "100000 100000"})

    assert collect(outside, {}, limited, platform="linux").environment.fingerprint != free.fingerprint


def test_environment_id_covers_every_field(outside: Path) -> None:
    environment = collect(outside, {}).environment
    others = {
        "fingerprint": "x",
        "hostname_hash": "x",
        "os": "x",
        "kernel": "x",
        "cpu_model": "x",
        "cores": 99,
        "threads": 99,
        "ram_bytes": 99,
        "virtualization": "x",
        "python": "x",
        "packages": {"x": "1"},
        "details": {"x": 1},
    }

    assert others.keys() == set(asdict(environment)) - {"environment_id"}
    ids = {environment_id(replace(environment, **{name: value})) for name, value in others.items()}  # type: ignore[arg-type]
    assert len(ids | {environment.environment_id}) == len(others) + 1


def test_commit_and_branch_come_from_ci_where_there_is_no_git(outside: Path) -> None:
    ci = {"GITLAB_CI": "true", "CI_COMMIT_BRANCH": "main", "CI_COMMIT_SHA": "a" * 40}

    commit = collect(outside, ci).commit

    assert (commit.sha, commit.branch, commit.dirty) == ("a" * 40, "main", None)


def test_values_outside_the_named_variables_are_stored_nowhere(outside: Path) -> None:
    environ = {name: f"SECRET-{name}" for name in ("AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "CI_JOB_TOKEN", "MY_VAR")}
    environ |= {"GITLAB_CI": "true", "CI_JOB_URL": "https://x:SECRET@gitlab.com/a/b/-/jobs/1?private_token=SECRET"}

    snapshot = collect(outside, environ)

    assert "SECRET" not in json.dumps(asdict(snapshot), default=str)
    assert snapshot.ci.url == "https://gitlab.com/a/b/-/jobs/1"


def test_snapshot_is_json_as_it_is(outside: Path) -> None:
    snapshot = collect(outside, dict(os.environ))

    assert json.loads(json.dumps(asdict(snapshot))) == json.loads(json.dumps(asdict(snapshot), default=str))


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32", "freebsd14"])
def test_machine_without_any_file_gives_a_snapshot(tmp_path: Path, outside: Path, platform: str) -> None:
    snapshot = collect(outside, {}, tmp_path, platform=platform)

    assert isinstance(snapshot, Snapshot)
    assert snapshot.environment.fingerprint
    assert snapshot.devices[0].name


@pytest.mark.skipif(sys.platform != "linux", reason="reads the real /proc")
def test_this_machine_is_the_same_twice(outside: Path) -> None:
    first, second = collect(outside, {}), collect(outside, {})

    assert first.environment == second.environment
    assert first.environment.threads
    assert first.environment.ram_bytes
