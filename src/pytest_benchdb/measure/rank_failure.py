"""Why a world of ranks failed: the rank that failed first, in one line. Pure functions."""

import re
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pytest_benchdb.measure.rank_exchange import RankReport

_SAME_TIME_NS = 250_000_000
"""How much later a death without a word may be noticed than the broken connections of its peers are told."""
_ROOT_CAUSE = re.compile(r"Root Cause.*?rank\s*:\s*(\d+).*?exitcode\s*:\s*(-?\d+)", re.DOTALL)
"""What `torchrun` writes of the process that it saw fail first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How the process of a rank, or the launcher of all ranks, ended.

    Attributes:
        rank: which; None for a launcher of all ranks.
        code: exit code, negative for a signal; None if it had to be stopped.
        ended_ns: when, by `time.monotonic_ns`; None if it had to be stopped.
    """

    rank: int | None
    code: int | None
    ended_ns: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What the processes wrote to their standard error.

    Attributes:
        last: last line of each rank that wrote something, by rank.
        launcher: everything that a launcher wrote.
    """

    last: Mapping[int, str]
    launcher: str = ""


def why_failed(
    ends: Sequence[End], reports: Sequence[RankReport | None], words: Words, *, timeout_s: float
) -> str | None:
    """Return why a world failed; None if every rank came to its end.

    A rank that died hard takes the connections of the others with it, and they say so before its death is
    noticed: it comes first, unless another had failed clearly earlier.

    Args:
        ends: how the processes ended.
        reports: what each rank came to; None for one that never said.
        words: what the processes wrote.
        timeout_s: the time limit they had.
    """
    size = len(reports)
    failures = [*_told(reports), *_died(ends, reports, words), *_blamed(reports, words)]
    if failures:
        return min(failures)[1]
    silent = [rank for rank, report in enumerate(reports) if report is None]
    hung = [end.rank for end in ends if end.code is None]
    late = silent or [rank for rank in hung if rank is not None]
    who = " and ".join(f"rank {rank} of {size}" for rank in late)
    said = _said(next((words.last[rank] for rank in late if rank in words.last), None))
    if hung:
        return f"{who or 'the launcher'} did not end within {timeout_s:g} s and was stopped{said}"
    if silent:
        return f"{who} ended without figures{said}"
    code = next((end.code for end in ends if end.code), None)
    return None if code is None else f"the launcher of {size} ranks {_how_ended(code)}"


def _told(reports: Sequence[RankReport | None]) -> list[tuple[int, str]]:
    return [
        (report.failed_ns or 0, f"rank {report.rank} of {len(reports)} failed: {report.error}")
        for report in reports
        if report is not None and report.error is not None
    ]


def _died(ends: Sequence[End], reports: Sequence[RankReport | None], words: Words) -> list[tuple[int, str]]:
    found = []
    for end in ends:
        if end.rank is None or not end.code:
            continue
        report = reports[end.rank]
        if report is None or report.error is None:
            text = f"rank {end.rank} of {len(reports)} {_how_ended(end.code)}{_said(words.last.get(end.rank))}"
            found.append(((end.ended_ns or 0) - _SAME_TIME_NS, text))
    return found


def _blamed(reports: Sequence[RankReport | None], words: Words) -> list[tuple[int, str]]:
    """Return what a launcher says of a rank that said nothing itself; it watched, so it comes first."""
    match = _ROOT_CAUSE.search(words.launcher)
    if match is None or not int(match[1]) < len(reports) or reports[int(match[1])] is not None:
        return []
    rank = int(match[1])
    return [(-1, f"rank {rank} of {len(reports)} {_how_ended(int(match[2]))}{_said(words.last.get(rank))}")]


def _how_ended(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"


def _said(words: str | None) -> str:
    return f": {words}" if words else ""
