"""The command of a duet for which none is given: the one that recorded the newest session here."""

from collections.abc import Sequence
from pathlib import Path

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.operations.exchange.open import open_source
from pytest_benchdb.operations.pytest_run import own_words
from pytest_benchdb.operations.select.selection import path_exists, stored_sessions
from pytest_benchdb.store.own_commands import recall

_MOST_SESSIONS = 20
"""How many of the newest sessions may lack a command of this user, because they came from elsewhere."""


_KEPT = ("--benchdb-backends", "--benchdb-passes", "--benchdb-all", "--benchdb-raw", "--no-benchdb-raw")
_DROPPED = (
    "--benchdb",
    "--no-benchdb",
    "--benchmark-save",
    "--benchmark-autosave",
    "--benchmark-json",
    "--benchmark-compare",
    "--benchmark-storage",
)
"""Beginnings of options that name the session, gate it or write files."""
_FLAGS = frozenset({"--benchdb-strict", "--no-benchdb", "--benchmark-autosave", "--benchmark-save-data"})


def recorded_words(db: Path, folder: Path, instead: str) -> list[str]:
    """Return the command of the newest session that this user recorded, without what names that session.

    Args:
        db: the history.
        folder: the working folder, in which it was recorded.
        instead: what to type with a command of one's own.

    Raises:
        ConfigError: there is no such session, or its command cannot be run again.
        StoreError: the history cannot be read.
    """
    if not path_exists(db):
        raise ConfigError(f"no command was recorded in {db}; say what to run after --, for example: {instead}")
    with open_source([db]) as reader:
        sessions = stored_sessions(reader, [db])[-_MOST_SESSIONS:]
    known = (recall(session.session_id) for session in reversed(sessions))
    own = next((command for command in known if command is not None), None)
    return without_recording(own_words(own, folder, "duet", instead))


def without_recording(words: Sequence[str]) -> list[str]:
    """Return a command without the options that name its session, gate it or write files.

    >>> without_recording(["pytest", "tests", "-k", "sort", "--benchdb=db", "--benchdb-label", "x", "--benchdb-all"])
    ['pytest', 'tests', '-k', 'sort', '--benchdb-all']
    """
    kept: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        name, equals, _ = word.partition("=")
        if name in _KEPT or not name.startswith(_DROPPED):
            kept.append(word)
        elif not equals and name not in _FLAGS and rest and not rest[0].startswith("-"):
            rest.pop(0)
    return kept
