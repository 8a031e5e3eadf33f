"""The error tree: every failure that a user can meet, one class each.

A message says what went wrong with the value, where, and what to do about it, in one line.
`slug` names the error's section in ``docs/reference/errors.md``.
"""


class BenchdbError(Exception):
    """Base of every error that pytest-benchdb raises on purpose."""

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
    """There is no database, or no session, at the path that was given."""

    slug = "store-missing"


class StoreLockedError(StoreError):
    """Another process holds the file for longer than we wait."""

    slug = "store-locked"


class ForeignFileError(StoreError):
    """The file is not a database, or it is one that pytest-benchdb did not write."""

    slug = "store-foreign"


class CorruptFileError(StoreError):
    """The file is ours but damaged: truncated, or a checksum does not match."""

    slug = "store-corrupt"


class SchemaVersionError(StoreError):
    """The file was written by a newer pytest-benchdb, or its storage by a newer DuckDB."""

    slug = "store-newer"


class QueryError(BenchdbError):
    """A statement was refused, failed, or ran past one of its limits."""

    slug = "query"


class MissingExtraError(BenchdbError):
    """A feature needs a package that an extra of pytest-benchdb installs."""

    slug = "missing-extra"


class BackendUnavailableError(BenchdbError):
    """A backend or a device is not there; a test that asked for it is skipped with this text."""

    slug = "backend-unavailable"


class MeasurementError(BenchdbError):
    """A test used its `bench_*` fixture in a way that gives no sound figure."""

    slug = "measurement"


class ImportFormatError(BenchdbError):
    """Nothing of a file can be imported: it is not of the format, or it is damaged."""

    slug = "import-format"
