"""The sessions of a history, and those that SPECs name."""

import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from pytest_benchdb.environment.git.ancestry import open_ancestry
from pytest_benchdb.errors import StoreMissingError
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.operations.select.spec.context import SpecContext
from pytest_benchdb.operations.select.spec.resolve import resolve_spec
from pytest_benchdb.operations.select.spec.syntax import parse_spec
from pytest_benchdb.store.read.reader import Reader


def missing_text(path: Path) -> str:
    """Return the message for a path that does not exist."""
    return f"{path} does not exist; record into it with: pytest --benchdb={path}, or name another path"


def no_session_text(paths: Sequence[Path]) -> str:
    """Return the message for files and folders without a session."""
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
    """Return the sessions that SPECs name, each once, in the order of the SPECs.

    Args:
        specs: several sessions of one SPEC (a label, a commit, a branch) give the newest, except for ``window:N``.
        sessions: oldest first.
        context: pinned baselines, runs and git; None knows no baselines and no runs.

    Raises:
        NoBaselineError: a SPEC fits no session.
        ConfigError: a SPEC fits several, or cannot be read.
    """
    context = context or SpecContext(git=cache(lambda: open_ancestry(Path.cwd(), os.environ)))
    named: dict[str, SessionRow] = {}
    for text in specs:
        spec = parse_spec(text)
        fitting = resolve_spec(spec, sessions, context)
        named |= {session.session_id: session for session in (fitting if spec.kind == "window" else fitting[-1:])}
    return list(named.values())
