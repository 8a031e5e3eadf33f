import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_benchdb.environment.machine.host import parse_steal, read_load

WriteTree = Callable[[dict[str, str]], Path]
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="os.sysconf is POSIX")


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


def test_load_without_files_is_unknown(tmp_path: Path) -> None:
    load = read_load(tmp_path)

    assert (load.load1, load.steal_s) == (None, None)


@pytest.mark.parametrize("text", ["", "cpu 1 2 3\n", "intr 1 2 3 4 5 6 7 8 9\n", "cpu a b c d e f g h\n"])
def test_steal_that_is_not_told_is_none(text: str) -> None:
    assert parse_steal(text) is None


@pytest.mark.skipif(sys.platform != "linux", reason="reads the real /proc")
def test_load_of_this_machine_is_told() -> None:
    load = read_load()

    assert load.load1 is not None
    assert load.load1 >= 0
