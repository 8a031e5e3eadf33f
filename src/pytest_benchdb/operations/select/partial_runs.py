"""Runs of a part of the suite: which benchmarks a session left out by its command, and where their newest runs are.

A benchmark is missing from a session only if the session's command selected it. After `pytest -k parse` the other
benchmarks are as good as they were: reports and comparisons take the newest run of each.
"""

import shlex
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from pytest_benchdb.model.benchmark import COMMAND_FILE
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.store.read.reader import Reader

MOST_EARLIER = 30
"""How many sessions back the newest runs are looked for."""

_SELECTING = (
    "-k",
    "-m",
    "--lf",
    "--last-failed",
    "--sw",
    "--stepwise",
    "--deselect",
    "--ignore",
    "--ignore-glob",
    "--shard-id",
    "--splits",
)
"""Options that select tests by other means than paths, so that the selection is unknown from the command line."""

_COMMAND_LINES = "benchdb run "
"""How the command of a session of command lines begins: it runs what it names, and no tests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionNames:
    """A session with the full names of its benchmarks, and the command that started it; None if it has none."""

    session: SessionRow
    names: Collection[str]
    command: str | None

    def lost(self, earlier: "SessionNames") -> list[str]:
        """Return the benchmarks of an earlier session that this one should have run but did not."""
        return missing_names(
            earlier.names, self.names, commands=(earlier.command, self.command), complete=self.session.complete
        )

    def covers(self, names: Iterable[str]) -> bool:
        """Return whether its command selected all of the suite, as far as it ran: what it lacks is gone."""
        return self.session.complete and (self.command is None or _paths_in(self.command, names) == [])


def read_recent(reader: Reader, newest: SessionRow, sessions: Iterable[SessionRow]) -> list[SessionNames]:
    """Return `newest` and the sessions before it that it may lack benchmarks of, newest first.

    Raises:
        StoreError: the history cannot be read.
    """
    recent = [newest, *earlier_sessions(sessions, newest)]
    alone = SessionNames(session=newest, names=(), command=reader.commands([newest.session_id]).get(newest.session_id))
    if len(recent) == 1 or alone.covers(reader.benchmark_names()):
        recent = [newest]
    return read_names(reader, recent)


def read_names(reader: Reader, sessions: Sequence[SessionRow]) -> list[SessionNames]:
    """Return sessions with their benchmarks and commands, in the same order.

    Raises:
        StoreError: the history cannot be read.
    """
    ids = [session.session_id for session in sessions]
    names, commands = reader.benchmarks_of(ids), reader.commands(ids)
    return [
        SessionNames(session=session, names=names.get(session.session_id, ()), command=commands.get(session.session_id))
        for session in sessions
    ]


def earlier_sessions(sessions: Iterable[SessionRow], newest: SessionRow) -> list[SessionRow]:
    """Return the sessions of the same project and machine before `newest`, newest first, at most `MOST_EARLIER`.

    Those excluded from the history are left out.
    """
    own = (newest.project, newest.fingerprint)
    before = [
        session
        for session in sessions
        if session.placed_at < newest.placed_at
        and (session.project, session.fingerprint) == own
        and session.excluded is None
    ]
    return before[::-1][:MOST_EARLIER]


def newest_runs(recent: Sequence[SessionNames]) -> dict[str, str]:
    """Return the session that has the newest run of each benchmark, by full name.

    Benchmarks that a later session selected and did not run are gone, and left out.

    Args:
        recent: at least one session, newest first.
    """
    names = [name for session in recent for name in session.names]
    newest = dict.fromkeys(recent[0].names, recent[0].session.session_id)
    gone: set[str] = set()
    for place, session in enumerate(recent):
        gone.update(name for later in recent[:place] for name in later.lost(session))
        for name in session.names:
            if name not in gone:
                newest.setdefault(name, session.session.session_id)
        if session.covers(names):
            break
    return newest


def missing_names(
    baseline: Collection[str],
    candidate: Collection[str],
    *,
    commands: tuple[str | None, str | None],
    complete: bool,
) -> list[str]:
    """Return the baseline's benchmarks that the candidate should have run but did not, in the baseline's order.

    Args:
        baseline: full names of the newest session of the baseline.
        candidate: full names of the candidate.
        commands: command lines of both, in this order; None if one has none.
        complete: whether every test that the candidate selected ran.
    """
    absent = [name for name in baseline if name not in candidate]
    if not absent or not complete:
        return []
    before, after = commands
    if after is None or before == after:
        return absent
    absent = [name for name in absent if not name.startswith(f"{COMMAND_FILE}::")]  # no test suite has them
    paths = _paths_in(after, [*baseline, *candidate])
    return [] if paths is None else [name for name in absent if not paths or any(_is_in(name, path) for path in paths)]


def _paths_in(command: str, names: Iterable[str]) -> list[str] | None:
    """Return the files, folders and node ids in a command; None if it selects by other means."""
    try:
        words = shlex.split(command)[1:]
    except ValueError:
        return None
    if command.startswith(_COMMAND_LINES) or any(map(_selects, words)):
        return None
    files = {name.partition("::")[0] for name in names}
    paths = [word.removeprefix("./").rstrip("/") for word in words if not word.startswith("-")]
    if "." in paths:
        return []
    return [path for path in paths if _is_path(path) or any(_is_in(file, path) for file in files)]


def _selects(word: str) -> bool:
    return word.partition("=")[0] in _SELECTING or (word[:2] in {"-k", "-m"} and not word.startswith("--"))


def _is_path(word: str) -> bool:
    return word.endswith(".py") or "::" in word


def _is_in(name: str, path: str) -> bool:
    """Return whether a benchmark is in a path of a command, which may be relative to a subfolder.

    >>> _is_in("tests/unit/test_a.py::test_x[1]", "unit"), _is_in("tests/test_a.py", "est_a.py")
    (True, False)
    """
    file = name.partition("::")[0]
    starts = [0, *(at + 1 for at, char in enumerate(file) if char == "/")]
    return any(name.startswith(path, at) and name[at + len(path) :][:1] in {"", "/", "[", ":"} for at in starts)
