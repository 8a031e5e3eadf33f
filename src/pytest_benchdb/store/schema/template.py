"""Creates database files by copying a template from the user's cache, which is built from ``schema.sql``.

The comments in the schema cost 50 ms of CPU time per file, a copy less than one. A template is keyed by the text of the
schema and the version of DuckDB; a missing or unusable one is rebuilt.
"""

import contextlib
import os
import zlib
from typing import TYPE_CHECKING

from pytest_benchdb.errors import StoreError
from pytest_benchdb.store import connection as db
from pytest_benchdb.store.file_errors import is_database_error, translated
from pytest_benchdb.store.statement import literal, read

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


FORMAT = "pytest-benchdb"
SCHEMA_VERSION = 4
"""Number of the last migration; `store.schema.migrate` upgrades older files to it."""

_METRICS = os.path.join(os.path.dirname(__file__), os.pardir, os.pardir, "model", "metric.py")


def attach_new(
    connection: "DuckDBPyConnection",
    path: str,
    alias: str,
    *,
    file_kind: str,
    block_bytes: int,
    cache: str | None = None,
) -> None:
    """Create a file with our schema, attach it as `alias`, and make it the current database.

    Args:
        connection: from `connection.connect`.
        path: the file; it must not exist.
        alias: name of the database within `connection`.
        file_kind: ``session``, ``annotation`` or ``history``.
        block_bytes: size of its blocks.
        cache: folder of templates; None builds the file from the schema.

    Raises:
        StoreError: the file cannot be created.
    """
    if cache is not None and _copy_template(connection, path, alias, file_kind, block_bytes, cache):
        return
    with translated(path):
        _build(connection, path, alias, file_kind, block_bytes)


def schema_statements(file_kind: str) -> str:
    """Return the statements that fill an empty database: schema, metrics, and facts about the file."""
    from pytest_benchdb.model.metric import METRICS

    facts = {
        "format": FORMAT,
        "schema_version": str(SCHEMA_VERSION),
        "file_kind": file_kind,
        "created_by": created_by(),
    }
    metrics = ", ".join(
        f"({', '.join(map(literal, (metric.name, metric.unit, metric.better, metric.kind, metric.description)))})"
        for metric in METRICS.values()
    )
    meta = ", ".join(f"({literal(key)}, {literal(value)})" for key, value in facts.items())
    return f"{read('schema')}; INSERT INTO metric VALUES {metrics}; INSERT INTO meta VALUES {meta}"


def created_by() -> str:
    """Return the name and version of this program."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"{FORMAT} {version(FORMAT)}"
    except PackageNotFoundError:
        return FORMAT


def _build(connection: "DuckDBPyConnection", path: str, alias: str, file_kind: str, block_bytes: int) -> None:
    db.attach(connection, path, alias, block_bytes=block_bytes)
    connection.execute(f"USE {alias}")
    connection.execute(f"BEGIN; {schema_statements(file_kind)}; COMMIT")


def _copy_template(
    connection: "DuckDBPyConnection", path: str, alias: str, file_kind: str, block_bytes: int, cache: str
) -> bool:
    """Copy the template to `path`, building it first if it is missing; return whether that worked."""
    try:
        template = os.path.join(cache, f"{file_kind}-{block_bytes}-{template_key()}.duckdb")
        if not os.path.exists(template):
            _make_template(connection, template, file_kind, block_bytes)
        with open(template, "rb") as source, open(path, "wb") as target:
            target.write(source.read())
        db.attach(connection, path, alias)
        connection.execute(f"USE {alias}")
        if connection.execute("SELECT value FROM meta WHERE key = 'schema_version'").fetchone() == (
            str(SCHEMA_VERSION),
        ):
            return True
    except Exception as error:
        if not (isinstance(error, (OSError, StoreError)) or is_database_error(error)):
            raise
    with contextlib.suppress(Exception):
        connection.execute("USE memory")
        connection.execute(f"DETACH {alias}")
    with contextlib.suppress(OSError):
        os.unlink(template)
    with contextlib.suppress(OSError):
        os.unlink(path)
    return False


def _make_template(connection: "DuckDBPyConnection", template: str, file_kind: str, block_bytes: int) -> None:
    part = f"{template}.{os.getpid()}.part"
    try:
        _build(connection, part, "template", file_kind, block_bytes)
        connection.execute("USE memory; DETACH template")
        os.replace(part, template)
    finally:
        with contextlib.suppress(OSError):
            os.unlink(part)


def template_key() -> str:
    """Return a text that changes with the schema, the metrics and the version of DuckDB."""
    with open(_METRICS, "rb") as file:
        metrics = file.read()
    schema = read("schema").encode()
    version = getattr(db.engine(), "__version__", "")
    return f"{version}-{len(schema)}-{zlib.crc32(schema):08x}-{zlib.crc32(metrics):08x}"
