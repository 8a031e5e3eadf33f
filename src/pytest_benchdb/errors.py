"""The errors that users can meet, one class per kind.

A message says in one line what went wrong, with the value, where, and what to do about it.
`slug` names the error's section in ``docs/reference/errors.md``.
"""

import contextlib
from collections.abc import Iterator


class BenchdbError(Exception):
    """Base class of every error that pytest-benchdb raises on purpose."""

    slug = "error"


class ConfigError(BenchdbError):
    """An option, an ini key, an environment variable or an argument cannot be used."""

    slug = "config"


class NoBaselineError(ConfigError):
    """There is nothing to compare with: a SPEC matches no session, or only the candidate itself."""

    slug = "no-baseline"


class StoreError(BenchdbError):
    """A database or a journal cannot be read or written."""

    slug = "store"


class StoreMissingError(StoreError):
    """There is no database, or no session, at a path."""

    slug = "store-missing"


class StoreLockedError(StoreError):
    """Another process holds the file for longer than we wait."""

    slug = "store-locked"


class ForeignFileError(StoreError):
    """The file is not a database, or not one that pytest-benchdb wrote."""

    slug = "store-foreign"


class CorruptFileError(StoreError):
    """The file is ours but damaged: truncated, or a checksum does not match."""

    slug = "store-corrupt"


class SchemaVersionError(StoreError):
    """The file was written by a newer pytest-benchdb, or its storage by a newer DuckDB."""

    slug = "store-newer"


class QueryError(BenchdbError):
    """A SQL statement was refused, failed, or exceeded a limit."""

    slug = "query"


class MissingExtraError(BenchdbError):
    """A feature needs a package that an extra of pytest-benchdb installs."""

    slug = "missing-extra"


class BackendUnavailableError(BenchdbError):
    """A backend or a device is missing; a test that requests it is skipped with this text."""

    slug = "backend-unavailable"


class MeasurementError(BenchdbError):
    """A test used its `bench_*` fixture in a way that gives no valid result."""

    slug = "measurement"


class ImportFormatError(BenchdbError):
    """A file cannot be imported: it is in another format, or damaged."""

    slug = "import-format"


class NotResultsError(ImportFormatError):
    """A file belongs to a tool whose results can be imported, and has none by design: a description, an index."""

    slug = "not-results"


def is_interrupt(error: BaseException) -> bool:
    """Return whether the error is Ctrl-C: DuckDB raises `RuntimeError` for one that reaches it within a query."""
    return isinstance(error, KeyboardInterrupt) or (type(error) is RuntimeError and str(error) == "Query interrupted")


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Let Ctrl-C end a block as it ends any other code, also if it reaches DuckDB within a query.

    Raises:
        KeyboardInterrupt: Ctrl-C reached DuckDB.
    """
    try:
        yield
    except RuntimeError as error:
        if is_interrupt(error):
            raise KeyboardInterrupt from error
        raise
