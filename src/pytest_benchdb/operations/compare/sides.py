"""Find the sessions that SPECs name, in the database, in session files and folders, and in other tools' files."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_benchdb.errors import StoreMissingError
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.operations.exchange.open import SILENT, Feedback, as_sources, open_source
from pytest_benchdb.operations.select.selection import path_exists, stored_sessions
from pytest_benchdb.operations.select.spec.context import SpecContext
from pytest_benchdb.operations.select.spec.resolve import resolve_spec
from pytest_benchdb.operations.select.spec.syntax import Spec, home_path, parse_spec
from pytest_benchdb.store.read.reader import Reader
from pytest_benchdb.store.target import missing_text

LATEST = "latest"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecSource:
    """The database and the files that SPECs name, opened as one history.

    Attributes:
        in_db: the database's sessions, oldest first; empty if only files are named.
        in_files: the sessions of each named file or folder, oldest first.
    """

    reader: Reader
    in_db: Sequence[SessionRow]
    in_files: Mapping[Path, Sequence[SessionRow]]

    def find(self, spec: Spec, context: SpecContext, among: Sequence[SessionRow] | None = None) -> list[SessionRow]:
        """Return the sessions of a SPEC, oldest first.

        Args:
            spec: one of those that the source was opened for.
            context: for resolving it.
            among: sessions of the database to consider; None for all.

        Raises:
            NoBaselineError: the SPEC matches no session.
            ConfigError: the SPEC is ambiguous.
        """
        if spec.path is not None:
            return list(self.in_files[spec.path])
        sessions = resolve_spec(spec, self.in_db if among is None else among, context)
        return sorted(sessions, key=lambda session: session.placed_at)


@contextlib.contextmanager
def open_specs(specs: Sequence[Spec], db: Sequence[Path], feedback: Feedback = SILENT) -> Iterator[SpecSource]:
    """Open the database and the files that SPECs name; they close with the block.

    Args:
        specs: the SPECs of both sides.
        db: the database; empty for none.
        feedback: receives progress, and warnings about unreadable sessions.

    Raises:
        StoreMissingError: a path does not exist, or has no session.
        StoreError: a file cannot be read.
    """
    files = list(dict.fromkeys(spec.path for spec in specs if spec.path is not None))
    for path in (*db, *files):
        if not path_exists(path):
            raise StoreMissingError(missing_text(path))
    with as_sources(files, feedback) as sources:
        ids = {file: _ids_in(source, file) for file, source in zip(files, sources, strict=True)}
        db_ids = {session_id for path in db for session_id in _ids_in(path, path)} if files else None
        with open_source([*db, *sources], feedback) as reader:
            sessions = stored_sessions(reader, [*db, *files])
            yield SpecSource(
                reader=reader,
                in_db=[session for session in sessions if db_ids is None or session.session_id in db_ids],
                in_files={file: [session for session in sessions if session.session_id in ids[file]] for file in files},
            )


def parse_side(text: str) -> Spec:
    """Parse the SPEC of a side; existing files and folders need no ``file:``.

    Raises:
        ConfigError: the SPEC is not valid.
        StoreMissingError: it looks like a path but does not exist.
    """
    if path_exists(home_path(text)):
        return Spec(kind="file", text=text, value=text)
    if "/" in text and ":" not in text and text.endswith((".duckdb", ".db", "/")):
        raise StoreMissingError(missing_text(home_path(text)))
    return parse_spec(text)


def _ids_in(source: Path, file: Path) -> frozenset[str]:
    with open_source((source,)) as reader:
        return frozenset(session.session_id for session in stored_sessions(reader, (file,)))
