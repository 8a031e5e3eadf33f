"""The request of a duet, its result, and the order of its runs."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pytest_benchdb.model.report import SessionRow

Role = Literal["base", "head"]

DUET_TAG = "duet"
"""Tag of a session: the duet that it belongs to."""
SIDE_TAG = "side"
"""Tag of a session: ``base`` or ``head``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SideRequest:
    """What one side runs.

    Attributes:
        commit: as the user names it; None is the working tree as it is.
        program: the words that replace `pytest` on the command line.
        name: of the side, for people; None names it by its commit.
    """

    commit: str | None
    program: tuple[str, ...]
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Duet:
    """What is to be run.

    Attributes:
        arguments: what follows `pytest` on the command line, the same for both sides.
        pairs: sessions of each side.
        database: folder or file that takes the sessions.
        pythonpath: folders of each side that Python looks into first, relative to the user's working folder.
        module: module that each side must import, from its own folder if it is a commit; None looks at all of them.
    """

    base: SideRequest
    head: SideRequest
    arguments: tuple[str, ...]
    pairs: int
    database: Path
    pythonpath: tuple[str, ...] = ()
    module: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DuetResult:
    """What a duet recorded; sessions oldest first.

    Attributes:
        notes: one line each: what readers must know about how it was run.
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
