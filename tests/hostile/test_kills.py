"""Kill processes at random moments: whatever pytest had reported as finished is stored exactly once."""

import os
from pathlib import Path

import pytest
from tests.hostile.counts import counted
from tests.hostile.killing import kill_many

KINDS = ("plain", "plain", "all", "xdist", "isolated")
pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no signals to send to a group")


@counted(sample=4, long=40, full=1000)
def test_kills_lose_nothing_double_nothing_and_leave_no_process(count: int, tmp_path: Path) -> None:
    killed, faults = kill_many(tmp_path, seed=1, kills=count, kinds=KINDS)

    assert killed >= count
    assert faults == []
