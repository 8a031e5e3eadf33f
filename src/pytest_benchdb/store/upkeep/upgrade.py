"""Upgrades stored files to the newest schema; readers do so with a copy each time."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pytest_benchdb.errors import StoreError
from pytest_benchdb.store.schema.template import SCHEMA_VERSION
from pytest_benchdb.store.target import Target
from pytest_benchdb.store.upkeep.files import content_of, files_of, held
from pytest_benchdb.store.upkeep.rewrite import rewrite


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgraded:
    """The outcome of an upgrade.

    Attributes:
        upgraded: files that were written anew.
        current: number of files that had the newest schema.
        problems: one line for each file that stayed as it was.
    """

    upgraded: tuple[Path, ...]
    current: int
    problems: tuple[str, ...]


def upgrade(target: Target, *, progress: Callable[[int, int], None] = lambda _done, _total: None) -> Upgraded:
    """Upgrade every file of an existing folder, or the single file; what an interrupted upgrade left is done next time.

    Raises:
        StoreLockedError: other processes use the store.
        StoreError: it cannot be written.
    """
    upgraded: list[Path] = []
    current = 0
    with held(target) as problems:
        files = files_of(target)
        for done, file in enumerate(files):
            progress(done, len(files))
            try:
                if content_of(file).version == SCHEMA_VERSION:
                    current += 1
                    continue
                rewrite(file, file)
                upgraded.append(file)
            except StoreError as error:
                problems.append(str(error))
    return Upgraded(upgraded=tuple(upgraded), current=current, problems=tuple(dict.fromkeys(problems)))
