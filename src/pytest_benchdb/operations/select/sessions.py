"""What a user names: files and folders to read, and sessions within them."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pytest_benchdb.environment.git.ancestry import open_ancestry
from pytest_benchdb.errors import StoreMissingError
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.operations.select.spec.resolve import SpecContext, parse_spec, resolve_spec
from pytest_benchdb.store.read.reader import Reader


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
        if spec.strip() and parse_spec(spec).kind not in {"word", "file"}:
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


def stored_sessions(reader: Reader, paths: Sequence[Path]) -> list[SessionRow]:
    """Return every session of a history, oldest first.

    Raises:
        StoreMissingError: there is none.
    """
    sessions = reader.sessions()
    if not sessions:
        raise StoreMissingError(no_session_text(paths))
    return sessions


def find_sessions(
    specs: Sequence[str], sessions: Sequence[SessionRow], context: SpecContext | None = None
) -> list[SessionRow]:
    """Return the sessions that names stand for, each once, in the order of the names.

    Args:
        specs: SPECs as `baseline_spec` reads them. What stands for several sessions (a label, a commit, a branch)
            gives its newest one, but for ``window:N``.
        sessions: oldest first.
        context: pinned baselines, runs and git; None knows no baselines and no runs.

    Raises:
        NoBaselineError: a name fits no session.
        ConfigError: a name fits several, or cannot be read.
    """
    known = context or SpecContext(git=cache(lambda: open_ancestry(Path.cwd(), os.environ)))
    found: dict[str, SessionRow] = {}
    for text in specs:
        spec = parse_spec(text)
        fitting = resolve_spec(spec, sessions, known)
        found |= {one.session_id: one for one in (fitting if spec.kind == "window" else fitting[-1:])}
    return list(found.values())


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _looks_like_path(spec: str) -> bool:
    return "/" in spec or "\\" in spec or spec.endswith((".duckdb", ".db")) or spec.startswith((".", "~"))
