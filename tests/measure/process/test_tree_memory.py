"""Temporary trees with the files of both cgroup versions; unlike cgroup files, they keep what is written."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from pytest_benchdb.measure.process.memory_pass import TreeMemory

PID = 100
V2 = "sys/fs/cgroup/job"
V1 = "sys/fs/cgroup/memory/job"


class Tree:
    """A replacement of ``/``, with processes 1 <- 100 <- 101 <- 102 and 1 <- 200."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for pid, parent in ((1, 0), (PID, 1), (101, PID), (102, 101), (200, 1)):
            self.write(f"proc/{pid}/stat", f"{pid} (a) b) S {parent} 1 1\n")

    def write(self, path: str, content: object) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(str(content))

    def group(self, version: int, pids: Sequence[int], *, peak: int = 0) -> None:
        self.write("proc/self/cgroup", "0::/job\n" if version == 2 else "7:cpu:/\n5:memory:/job\n0::/\n")
        folder = V2 if version == 2 else V1
        self.write(f"{folder}/cgroup.procs", "".join(f"{pid}\n" for pid in pids))
        self.write(f"{folder}/{'memory.current' if version == 2 else 'memory.usage_in_bytes'}", "1000\n")
        self.set_peak(version, peak)

    def set_peak(self, version: int, peak: int) -> None:
        name = f"{V2}/memory.peak" if version == 2 else f"{V1}/memory.max_usage_in_bytes"
        self.write(name, f"{peak}\n")

    def peak_text(self, version: int) -> str:
        return (self.root / (f"{V2}/memory.peak" if version == 2 else f"{V1}/memory.max_usage_in_bytes")).read_text()

    def memory(self) -> TreeMemory:
        return TreeMemory(self.root, PID)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


@pytest.mark.parametrize("version", [1, 2])
def test_group_of_this_tree_alone_is_set_back_and_reports_its_peak(tree: Tree, version: int) -> None:
    tree.group(version, [PID, 101, 102], peak=99_999)
    memory = tree.memory()

    memory.start()
    written = tree.peak_text(version)
    tree.set_peak(version, 5000)
    peak = memory.stop()

    assert written.startswith("reset\n" if version == 2 else "0")
    assert (peak.value, peak.reason) == (5000, None)
    assert peak.details == {"start_bytes": 1000, "other_processes": 0}


def test_shared_group_of_v2_gives_a_value_that_may_not_be_compared(tree: Tree) -> None:
    tree.group(2, [PID, 101, 200])
    memory = tree.memory()

    memory.start()
    tree.set_peak(2, 5000)
    peak = memory.stop()

    assert (peak.value, peak.details) == (5000, {"start_bytes": 1000, "other_processes": 1})
    assert peak.reason == "the control group also holds 1 other processes"


def test_shared_v1_group_is_not_reset(tree: Tree) -> None:
    tree.group(1, [PID, 200], peak=77)
    memory = tree.memory()

    memory.start()
    peak = memory.stop()

    assert tree.peak_text(1) == "77\n"
    assert peak.value is None
    assert "holds other processes" in (peak.reason or "")


def test_process_that_is_gone_counts_as_another_process(tree: Tree) -> None:
    tree.group(1, [PID, 999])
    memory = tree.memory()

    memory.start()

    details = memory.stop().details
    assert details is not None
    assert details["other_processes"] == 1


def test_peak_that_cannot_be_set_back_is_a_reason(tree: Tree) -> None:
    tree.group(2, [PID])
    (tree.root / V2 / "memory.peak").unlink()
    (tree.root / V2 / "memory.peak").mkdir()  # like the file of an old kernel, it cannot be opened for writing
    memory = tree.memory()

    memory.start()
    peak = memory.stop()

    assert peak.value is None
    assert "cannot be reset" in (peak.reason or "")


def test_peak_that_says_nothing_is_a_reason(tree: Tree) -> None:
    tree.group(2, [PID])
    memory = tree.memory()

    memory.start()
    tree.write(f"{V2}/memory.peak", "gone\n")
    peak = memory.stop()

    assert peak.value is None
    assert "cannot be read" in (peak.reason or "")


@pytest.mark.parametrize("membership", [None, "0::/\n", "5:memory:/\n", "7:cpu:/job\n"])
def test_process_without_its_own_group_has_a_reason(tree: Tree, membership: str | None) -> None:
    if membership is not None:
        tree.write("proc/self/cgroup", membership)
    tree.write("sys/fs/cgroup/memory/memory.max_usage_in_bytes", 1)
    memory = tree.memory()

    memory.start()
    peak = memory.stop()

    assert (peak.value, peak.method) == (None, None)
    assert "not in a control group" in (peak.reason or "")


def test_descriptor_is_closed_after_each_block(tree: Tree) -> None:
    if not Path("/proc/self/fd").exists():
        pytest.skip("counts descriptors by /proc")
    tree.group(2, [PID])
    memory = tree.memory()
    before = len(list(Path("/proc/self/fd").iterdir()))

    for _ in range(3):
        memory.start()
        memory.stop()

    assert len(list(Path("/proc/self/fd").iterdir())) == before
