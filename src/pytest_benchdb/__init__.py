"""pytest-benchdb: records the benchmarks of any pytest suite into DuckDB.

PYTEST_DONT_REWRITE
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pytest_benchdb.model.answer.noise import NoiseScore as NoiseScore
    from pytest_benchdb.model.answer.trend import Trends as Trends
    from pytest_benchdb.model.comparison import Comparison as Comparison
    from pytest_benchdb.model.comparison import Gate as Gate
    from pytest_benchdb.operations.api import History as History
    from pytest_benchdb.operations.api import open_history as open  # noqa: A004 - as in gzip and tarfile
    from pytest_benchdb.operations.read.table import Table as Table
    from pytest_benchdb.scripts.session import session as session

__version__ = "0.1.0"
__all__ = ["Comparison", "Gate", "History", "NoiseScore", "Table", "Trends", "__version__", "open", "session"]

# Imported late, because every pytest run imports this package, recording or not.
_LATE = {
    "Comparison": ("model.comparison", "Comparison"),
    "Gate": ("model.comparison", "Gate"),
    "History": ("operations.api", "History"),
    "NoiseScore": ("model.answer.noise", "NoiseScore"),
    "Table": ("operations.read.table", "Table"),
    "Trends": ("model.answer.trend", "Trends"),
    "open": ("operations.api", "open_history"),
    "session": ("scripts.session", "session"),
}


def __getattr__(name: str) -> object:
    if name in _LATE:
        from importlib import import_module

        module, attribute = _LATE[name]
        return getattr(import_module(f"pytest_benchdb.{module}"), attribute)
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
