"""When a session was measured whose file does not say: the user does, and the session keeps that in its note."""

import datetime as dt
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_benchdb.errors import ConfigError, ImportFormatError
from pytest_benchdb.importers.reading.files import unix_us
from pytest_benchdb.model.imported import ImportedSession

MTIME, COMMIT = "mtime", "commit"
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingTimes:
    """Where times come from that files do not have.

    Attributes:
        source: ``mtime``, ``commit``, or None for `stated_us`.
        stated_us: what the user said, microseconds since the epoch; None to refuse sessions without a time.
    """

    source: str | None = None
    stated_us: int | None = None

    @classmethod
    def of(cls, at: str | None) -> "MissingTimes":
        """Read the option ``--at``.

        Raises:
            ConfigError: it is neither a time nor one of the words.
        """
        if at is None or at in {MTIME, COMMIT}:
            return cls(source=at)
        try:
            return cls(stated_us=unix_us(at))
        except (ValueError, OverflowError) as error:
            raise ConfigError(f"--at {error}, {MTIME} or {COMMIT}") from error

    @property
    def is_of_copy(self) -> bool:
        """Whether another copy of a file may get another time, so that time does not distinguish sessions."""
        return self.source is not None

    def complete(self, session: ImportedSession, path: Path) -> ImportedSession:
        """Return a session with a time and, if it is not from its file, with a note about it.

        Raises:
            ImportFormatError: the time is not known.
        """
        if session.started_unix_us is not None:
            return session
        if self.source == MTIME:
            return _at(session, path.stat().st_mtime_ns // 1000, "the time of its file's last change")
        if self.source == COMMIT:
            if session.commit.committed_at is None:
                raise ImportFormatError("it has no time, nor that of a commit; say when it was measured: --at TIME")
            return _at(session, unix_us(session.commit.committed_at), "the time of its commit")
        if self.stated_us is not None:
            return _at(session, self.stated_us, "the time stated at the import")
        words = f"{MTIME} (of the file)" + (f" or {COMMIT}" if session.commit.committed_at else "")
        raise ImportFormatError(f"it does not say when it was measured; say so: --at 2026-01-31T14:00, or --at {words}")


def _at(session: ImportedSession, us: int, what: str) -> ImportedSession:
    return replace(session, started_unix_us=us, finished_unix_us=us, note=f"imported without a time; has {what}")
