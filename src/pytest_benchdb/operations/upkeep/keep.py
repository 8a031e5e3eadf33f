"""Check, repair, pack, upgrade, back up and restore a store."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_benchdb.errors import ConfigError, StoreError, StoreMissingError
from pytest_benchdb.operations.exchange.open import SILENT, Feedback, open_source
from pytest_benchdb.operations.select.filters.instant import parse_instant
from pytest_benchdb.operations.upkeep.annotate import parse_days
from pytest_benchdb.store.target import resolve
from pytest_benchdb.store.upkeep.backup import BackedUp, Backup, back_up, backups_in, restore
from pytest_benchdb.store.upkeep.check import CheckResult, validate
from pytest_benchdb.store.upkeep.files import existing_target, held
from pytest_benchdb.store.upkeep.packing import Packed, pack
from pytest_benchdb.store.upkeep.rewrite import rewrite
from pytest_benchdb.store.upkeep.upgrade import Upgraded, upgrade

_REPAIRED = frozenset({"duplicate_keys", "impossible"})
"""Checks whose problems can be repaired without losing anything that was measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """The outcome of checking a store.

    Attributes:
        result: what the check found; after the repair, if there was one.
        repaired: files that were written anew.
        problems: one line for each thing that could not be repaired.
    """

    result: CheckResult
    repaired: tuple[Path, ...] = ()
    problems: tuple[str, ...] = ()


def check_store(db: Path, *, fix: bool = False, feedback: Feedback = SILENT) -> Checked:
    """Read and check every value of a store.

    `fix` folds what sessions that died left behind, writes rows once that occur several times, makes impossible values
    not valid, and removes the history that is made again. What else is wrong needs a good copy of the file.

    Raises:
        StoreMissingError: the place does not exist.
        StoreError: it cannot be written, or is in use.
    """
    target = existing_target(db)
    result = validate(target.path, progress=feedback.progress)
    if not fix:
        return Checked(result=result)
    repaired: list[Path] = []
    with held(target) as problems:
        of_file: dict[Path, set[str]] = {}
        for problem in result.problems:
            of_file.setdefault(problem.path, set()).add(problem.check)
        for path, checks in of_file.items():
            if checks & _REPAIRED and not checks & {"open", "read"}:
                try:
                    rewrite(path, path, repair=True)
                    repaired.append(path)
                except StoreError as error:
                    problems.append(str(error))
    return Checked(
        result=validate(target.path, progress=feedback.progress),
        repaired=tuple(repaired),
        problems=tuple(dict.fromkeys(problems)),
    )


def optimize(db: Path, *, feedback: Feedback = SILENT) -> Packed:
    """Pack a store, and make the history of a folder anew.

    Raises:
        StoreError: the place is missing, cannot be written, or is in use.
    """
    packed = pack(existing_target(db), progress=feedback.progress)
    with open_source([db]):
        return packed


def upgrade_files(db: Path, *, feedback: Feedback = SILENT) -> Upgraded:
    """Write every file of an older schema anew, in the newest.

    Raises:
        StoreError: the place is missing, cannot be written, or is in use.
    """
    return upgrade(existing_target(db), progress=feedback.progress)


def back_up_store(
    db: Path,
    folder: Path,
    *,
    full: bool = False,
    retain: str | None = None,
    now: dt.datetime | None = None,
    feedback: Feedback = SILENT,
) -> BackedUp:
    """Back a store up.

    Args:
        db: the store.
        folder: of backups, which may be new.
        full: copy every file anew.
        retain: span after which earlier backups go, as in ``30d`` or ``8w``; None keeps them all.
        now: the current time, timezone-aware; None reads the clock.
        feedback: receives progress.

    Raises:
        ConfigError: the span or the folder is not valid.
        StoreError: something cannot be read or written; there is no new backup then.
    """
    span = None if retain is None else parse_days(retain)
    if retain is not None and span is None:
        raise ConfigError(f"--retain {retain!r}: not a span; write 30d or 8w")
    now = (now or dt.datetime.now(dt.timezone.utc)).astimezone(dt.timezone.utc)
    return back_up(existing_target(db), folder, now=now, full=full, retain=span, progress=feedback.progress)


def restore_store(
    folder: Path,
    path: str,
    *,
    at: str | None = None,
    now: dt.datetime | None = None,
    feedback: Feedback = SILENT,
) -> Backup:
    """Restore the newest backup, or the newest at a time, to a place where nothing is; return it.

    Args:
        folder: of backups.
        path: the new folder or file, as for ``--benchdb=PATH``.
        at: a date, which includes that day, a time, or a span before now; None for the newest backup.
        now: the current time, timezone-aware; None reads the clock.
        feedback: receives progress.

    Raises:
        ConfigError: the time or the place is not valid, or something is there.
        StoreMissingError: there is no backup, or none of that time.
        StoreError: the backup is damaged, or the place cannot be written.
    """
    backups = backups_in(folder)
    chosen = _newest(backups, at, now or dt.datetime.now(dt.timezone.utc))
    if chosen is None:
        oldest = f"; the oldest is of {backups[0].created_at:%Y-%m-%d %H:%M} UTC" if backups else ""
        raise StoreMissingError(f"{folder} has no backup{' of ' + at if at and backups else ''}{oldest}")
    restore(chosen, resolve(path, Path.cwd()), progress=feedback.progress)
    return chosen


def _newest(backups: Sequence[Backup], at: str | None, now: dt.datetime) -> Backup | None:
    if at is None:
        return backups[-1] if backups else None
    last = dt.datetime.fromisoformat(parse_instant("--until", at, now)).replace(tzinfo=dt.timezone.utc)
    return next((backup for backup in reversed(backups) if backup.created_at <= last), None)
