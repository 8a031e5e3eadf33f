"""The states of a cell of the compatibility matrix, what they mean, and how a cell can change."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, get_args

State = Literal["pass", "degraded", "fail", "oom", "timeout", "unsupported", "skipped", "untested"]
"""What is known of a cell. The view `hardware_compatibility` of ``schema.sql`` has the same words and the same rule."""

STATES: tuple[State, ...] = get_args(State)
"""All states, in the order of legends and totals."""

RULE = (
    "A cell sums up the newest run of each benchmark in each configuration (implementation, workload, precision, "
    "batch size, sequence length). Older runs of the same do not count, and neither do simulated ones."
)

MEANINGS: Mapping[State, str] = MappingProxyType(
    {
        "pass": "every run that was not skipped passed",
        "degraded": "some passed, others did not",
        "fail": "none passed, and at least one failed, crashed or ended in an error",
        "oom": "none passed, and all that failed ran out of memory",
        "timeout": "none passed, and all that failed ran out of time",
        "unsupported": "none could run: the backend, or what they need of it, was not there",
        "skipped": "all were skipped",
        "untested": "nothing was run here, so nothing is known",
    }
)
"""What each state says."""

Change = Literal["fixed", "broken", "newly tested", "no longer tested", "changed"]
"""What happened to a cell between two sides; ``changed`` is another state that is neither better nor worse."""

CHANGES: tuple[Change, ...] = get_args(Change)
