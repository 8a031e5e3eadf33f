"""The request of a duet, its result, and the order of its runs."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pytest_benchdb.model.report import SessionRow

Role = Literal["base", "head"]

DUET_TAG = "duet"
"""Session tag with the duet's id."""
SIDE_TAG = "side"
"""Session tag with ``base`` or ``head``."""
RECOUNT_PAIRS = 4
"""Processes of each side in which a gate counts suspects again.

How memory is laid out differs between processes, and moves the counts of a few benchmarks by more than the limit.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SideRequest:
    """What one side runs.

    Attributes:
        commit: as the user wrote it; None for the working tree.
        program: the command that runs pytest.
        name: display name of the side; None for its commit.
    """

    commit: str | None
    program: tuple[str, ...]
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Duet:
    """What to run.

    Attributes:
        arguments: pytest's arguments, the same for both sides.
        pairs: number of sessions per side.
        database: folder or file to record into.
        pythonpath: folders of each side to put first on Python's path, relative to the user's working folder.
        module: module that each side must import, from its own folder if it is a commit; None for no such check.
        only_own: whether a side is refused that measures an installed package instead of its own.
        counted: whether instructions are counted instead of timed.
    """

    base: SideRequest
    head: SideRequest
    arguments: tuple[str, ...]
    pairs: int
    database: Path
    pythonpath: tuple[str, ...] = ()
    module: str | None = None
    only_own: bool = False
    counted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DuetResult:
    """The sessions that a duet recorded, oldest first.

    Attributes:
        notes: one line each about how it was run.
    """

    duet_id: str
    base_name: str
    head_name: str
    base: tuple[SessionRow, ...]
    head: tuple[SessionRow, ...]
    notes: tuple[str, ...] = ()


def schedule(pairs: int) -> Iterator[Role]:
    """Yield the side of each turn: base, head, head, base, base, head, ...

    A slow drift of the machine cancels out in this order, and neither side is always the first of a pair.

    >>> list(schedule(3))
    ['base', 'head', 'head', 'base', 'base', 'head']
    """
    for pair in range(pairs):
        turns: tuple[Role, Role] = ("head", "base") if pair % 2 else ("base", "head")
        yield from turns
