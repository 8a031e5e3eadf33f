"""pytest-benchdb: records the benchmarks of any pytest suite into DuckDB.

PYTEST_DONT_REWRITE
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pytest_benchdb.operations.read.api import History as History
    from pytest_benchdb.operations.read.api import open_history as open  # noqa: A004 - as in gzip and tarfile
    from pytest_benchdb.scripts.session import session as session

__version__ = "0.1.0"
__all__ = ["History", "__version__", "open", "session"]


def __getattr__(name: str) -> object:
    # Imported late, because every pytest run imports this package, recording or not.
    if name in {"History", "open"}:
        from pytest_benchdb.operations.read import api as read

        return getattr(read, {"History": "History", "open": "open_history"}[name])
    if name == "session":
        from pytest_benchdb.scripts.session import session

        return session
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)
