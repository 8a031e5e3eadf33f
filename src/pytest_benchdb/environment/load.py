"""Reads how busy the machine is."""

import os
from pathlib import Path

from pytest_benchdb.environment.files import read_text
from pytest_benchdb.model.environment import Load

_STEAL_FIELD = 8  # proc_stat(5): cpu user nice system idle iowait irq softirq steal


def read_load(root: Path = Path("/")) -> Load:
    """Read the load average and the stolen time of the machine whose ``/`` is `root`."""
    return Load(load1=_load1(root), steal_s=parse_steal(read_text(root / "proc/stat", 512) or ""))


def parse_steal(stat: str) -> float | None:
    """Return the stolen seconds of all cores from the text of ``/proc/stat``."""
    fields = stat.partition("\n")[0].split()
    if len(fields) <= _STEAL_FIELD or fields[0] != "cpu" or not fields[_STEAL_FIELD].isdigit():
        return None
    return int(fields[_STEAL_FIELD]) / os.sysconf("SC_CLK_TCK")


def _load1(root: Path) -> float | None:
    try:
        if text := read_text(root / "proc/loadavg"):
            return float(text.split()[0])
        return os.getloadavg()[0] if root == Path("/") else None
    except (AttributeError, OSError, ValueError):
        return None
