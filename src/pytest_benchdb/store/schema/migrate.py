"""Schema versions: read a file's version, refuse a newer one, migrate an older one.

A migration is ``sql/migrations/NNNN_name.sql``: numbered without gaps from 2, never changed once released, and run in
one transaction with its record in `meta`. It changes tables only: views and comments are always those of
``schema.sql``, and views of an older file are dropped unread. Session files are immutable: an older one is read through
a migrated copy.
"""

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_benchdb.errors import ForeignFileError, SchemaVersionError, StoreError, interruptible
from pytest_benchdb.store import connection as db
from pytest_benchdb.store.file_errors import translated
from pytest_benchdb.store.schema.catalogue import NOT_OURS, check_catalogues
from pytest_benchdb.store.schema.template import FORMAT, SCHEMA_VERSION
from pytest_benchdb.store.statement import identifier, literal, read

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MIGRATIONS = Path(__file__).parents[1] / "sql" / "migrations"
_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")
_REPEATED = re.compile(r"^(?:CREATE VIEW|COMMENT ON) ", re.MULTILINE)


def migrations(folder: Path = MIGRATIONS) -> dict[int, Path]:
    """Return the migrations by number, in order.

    Raises:
        StoreError: a number is missing or used twice, or a name is not ``NNNN_name.sql``.
    """
    steps: dict[int, Path] = {}
    for path in sorted(folder.glob("*.sql")) if folder.is_dir() else []:
        match = _NAME.fullmatch(path.name)
        if match is None or int(match[1]) != len(steps) + 2:
            message = f"{path} is not the next migration; its name must begin with {len(steps) + 2:04}_"
            raise StoreError(message)
        steps[int(match[1])] = path
    return steps


def read_meta(connection: "DuckDBPyConnection", alias: str, path: str | os.PathLike[str]) -> dict[str, str]:
    """Return the keys and values of an attached file's table `meta`.

    Raises:
        ForeignFileError: pytest-benchdb did not write the file.
        CorruptFileError: the file cannot be read.
    """
    with translated(os.fspath(path)):
        try:
            rows = connection.execute(f"SELECT key, value FROM {identifier(alias)}.meta").fetchall()
        except (db.engine().CatalogException, db.engine().BinderException):
            rows = []  # a database without our table
    meta = dict(rows)
    if meta.get("format") != FORMAT:
        message = f"{os.fspath(path)} is a DuckDB database, but not one of pytest-benchdb; name another path"
        raise ForeignFileError(message)
    return meta


def version_of(meta: dict[str, str], path: str | os.PathLike[str], newest: int = SCHEMA_VERSION) -> int:
    """Return the schema version that `meta` states.

    Raises:
        SchemaVersionError: it is newer than `newest`.
    """
    text = meta.get("schema_version", "")
    if not text.isdecimal() or int(text) > newest:
        message = (
            f"{os.fspath(path)} has schema version {text or 'unknown'}, and this pytest-benchdb knows {newest}; "
            f"upgrade with: pip install --upgrade pytest-benchdb"
        )
        raise SchemaVersionError(message)
    return int(text)


def accept(
    connection: "DuckDBPyConnection", paths: Mapping[str, str], newest: int = SCHEMA_VERSION
) -> dict[str, int | StoreError]:
    """Return the schema version of each attached database, or why it must not be read, by alias.

    Args:
        connection: from `connection.connect`; none of the databases may be current.
        paths: the file of each alias.
        newest: the newest version that can be read.
    """
    accepted: dict[str, int | StoreError] = {}
    for alias, catalogue in check_catalogues(connection, paths).items():
        path = paths[alias]
        try:
            if catalogue.foreign is not None:
                raise _foreign(path, catalogue.foreign)
            version = accepted[alias] = version_of(read_meta(connection, alias, path), path, newest)
            if catalogue.differs is not None and version == SCHEMA_VERSION:
                raise _foreign(path, catalogue.differs)
        except StoreError as error:
            accepted[alias] = error
    return accepted


def attach_ours(
    connection: "DuckDBPyConnection", path: str | os.PathLike[str], alias: str, *, read_only: bool = True
) -> int:
    """Attach an existing database and return its schema version; nothing in it is read before it is accepted.

    Raises:
        StoreError: the file is missing, foreign, newer or damaged.
    """
    try:
        db.attach(connection, path, alias, read_only=read_only)
    except SchemaVersionError:
        if not read_only:  # DuckDB refuses to write what another program wrote in a newer format
            attach_ours(connection, path, alias)
            db.detach(connection, alias)
        raise
    with translated(os.fspath(path)):
        version = accept(connection, {alias: os.fspath(path)})[alias]
    if isinstance(version, StoreError):
        raise version
    return version


def _foreign(path: str, reason: str) -> ForeignFileError:
    if reason == NOT_OURS:
        return ForeignFileError(f"{path} is a DuckDB database, but not one of pytest-benchdb; name another path")
    return ForeignFileError(f"{path} is not a plain pytest-benchdb database: {reason}; name another path")


def attach_migrated(connection: "DuckDBPyConnection", path: str, alias: str, scratch: str) -> str:
    """Attach a file read-only, or a migrated copy if it is older; return the path of the attached file.

    Args:
        connection: from `connection.connect`.
        path: the file.
        alias: name of the database within `connection`.
        scratch: folder for the copy.

    Raises:
        StoreError: the file is missing, foreign, newer or damaged.
    """
    if attach_ours(connection, path, alias) == SCHEMA_VERSION:
        return path
    return attach_copy(connection, path, alias, scratch)


def attach_copy(connection: "DuckDBPyConnection", path: str, alias: str, scratch: str) -> str:
    """Replace an attached older file by a migrated copy in the folder `scratch`; return the path of the copy.

    Raises:
        StoreError: the migration failed.
    """
    db.detach(connection, alias)
    copy = os.path.join(scratch, f"{alias}.duckdb")
    shutil.copyfile(path, copy)
    db.attach(connection, copy, alias)
    migrate(connection, alias, copy)
    db.detach(connection, alias)
    db.attach(connection, copy, alias, read_only=True)
    return copy


def migrate(
    connection: "DuckDBPyConnection", alias: str, path: str | os.PathLike[str], folder: Path = MIGRATIONS
) -> int:
    """Migrate an attached file to the newest version in one transaction; return how many migrations ran.

    Raises:
        SchemaVersionError: the file is newer than this program.
        StoreError: a migration failed and all was rolled back.
    """
    steps = migrations(folder)
    newest = max(steps, default=1)
    current = version_of(read_meta(connection, alias, path), path, newest)
    pending = [step for number, step in steps.items() if number > current]
    if not pending:
        return 0
    before = connection.execute("SELECT current_database(), current_schema()").fetchone()
    connection.execute(f"USE {identifier(alias)}; BEGIN")
    try:
        views = connection.execute(f"SELECT view_name FROM duckdb_views() WHERE database_name = {literal(alias)}")
        for (view,) in views.fetchall():
            connection.execute(f"DROP VIEW IF EXISTS {identifier(view)}")
        for step in pending:
            _apply(connection, step, path)
        repeated = (statement for statement in read("schema").split(";\n") if _REPEATED.search(statement))
        connection.execute(";\n".join(repeated))
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    finally:
        if before is not None:
            connection.execute(f"USE {identifier(before[0])}.{identifier(before[1])}")
    return len(pending)


def _apply(connection: "DuckDBPyConnection", step: Path, path: str | os.PathLike[str]) -> None:
    number = step.name[:4]
    record = (
        f"UPDATE meta SET value = '{int(number)}' WHERE key = 'schema_version'; "
        f"INSERT INTO meta VALUES ('migration_{number}', {literal(step.stem)})"
    )
    try:
        with interruptible():
            connection.execute(step.read_text(encoding="utf-8"))
            connection.execute(record)
    except Exception as error:
        message = f"{os.fspath(path)}: migration {step.name} failed and was undone ({error}); report it with this line"
        raise StoreError(message) from error
