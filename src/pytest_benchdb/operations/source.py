"""What a user names: files and folders to read, and sessions within them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_benchdb.errors import ConfigError, StoreMissingError
from pytest_benchdb.model.report import SessionRow

_LATEST = re.compile(r"latest(?:~(?P<back>\d{1,6}))?")
_HEX = re.compile(r"[0-9a-f-]{4,36}")
_MOST_CANDIDATES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where to read, and what.

    Attributes:
        paths: files and folders.
        sessions: names of sessions within them: ``latest~1``, ids, labels; empty for no choice.
    """

    paths: tuple[Path, ...]
    sessions: tuple[str, ...]


def split_specs(specs: Sequence[str], db: Path, *, sessions: Sequence[str] = ()) -> Source:
    """Tell paths from names of sessions.

    What exists is a path; so is what looks like one. Everything else names a session in the paths, or in
    `db` if there are none.

    Args:
        specs: as the user wrote them.
        db: the database when no path is given.
        sessions: names that are not paths, whatever they look like.

    Raises:
        StoreMissingError: a path does not exist.
    """
    paths: list[Path] = []
    names = list(sessions)
    for spec in specs:
        kind, _, rest = spec.partition(":")
        if (kind in {"session", "label"} and rest) or _LATEST.fullmatch(spec):
            names.append(spec)
        else:
            path = Path(rest if kind == "file" and rest else spec).expanduser()
            if _exists(path):
                paths.append(path)
            elif kind == "file" or _looks_like_path(spec):
                raise StoreMissingError(missing_text(path))
            else:
                names.append(spec)
    if not paths:
        if not _exists(db):
            named = f"there is no file, folder or session {names[0]!r}, and " if names else ""
            raise StoreMissingError(f"{named}{missing_text(db)}")
        paths.append(db)
    return Source(paths=tuple(dict.fromkeys(paths)), sessions=tuple(dict.fromkeys(names)))


def missing_text(path: Path) -> str:
    """Return what to say of a path where nothing is."""
    return f"{path} does not exist; record into it with: pytest --benchdb={path}, or name another path"


def no_session_text(paths: Sequence[Path]) -> str:
    """Return what to say of a place that holds no session."""
    return f"{', '.join(map(str, paths))} holds no session; record one with: pytest --benchdb={paths[0]}"


def find_sessions(specs: Sequence[str], sessions: Sequence[SessionRow]) -> list[SessionRow]:
    """Return the sessions that names stand for, each once, in the order of the names.

    Args:
        specs: ``latest``, ``latest~N``, ``session:ID``, ``label:NAME``; a bare word is a label or the
            beginning of an id. A label stands for its newest session.
        sessions: oldest first.

    Raises:
        ConfigError: a name fits no session, or several.
    """
    found = {session.session_id: session for session in (_find(spec, sessions) for spec in specs)}
    return list(found.values())


def _find(spec: str, sessions: Sequence[SessionRow]) -> SessionRow:
    latest = _LATEST.fullmatch(spec)
    if latest:
        back = int(latest["back"] or 0)
        if back >= len(sessions):
            raise ConfigError(f"{spec}: there are only {len(sessions)} of them; see them with: benchdb sessions")
        return sessions[-1 - back]
    kind, _, rest = spec.partition(":")
    name = rest if kind in {"session", "label"} and rest else spec
    labelled = [session for session in sessions if session.label == name]
    if kind != "session" and labelled:
        return labelled[-1]
    prefix = name.lower()
    fitting = [session for session in sessions if session.session_id.startswith(prefix)]
    if kind == "label" or not _HEX.fullmatch(prefix) or not fitting:
        raise ConfigError(f"{spec!r} is no session: no label or id fits; see them with: benchdb sessions")
    if len(fitting) > 1:
        names = ", ".join(f"{session.session_id} ({session.started_at[:16]})" for session in fitting[:_MOST_CANDIDATES])
        more = f" and {len(fitting) - _MOST_CANDIDATES} more" if len(fitting) > _MOST_CANDIDATES else ""
        raise ConfigError(f"{spec!r} fits {len(fitting)} sessions: {names}{more}; write more of the id")
    return fitting[0]


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _looks_like_path(spec: str) -> bool:
    return "/" in spec or "\\" in spec or spec.endswith((".duckdb", ".db")) or spec.startswith((".", "~"))
