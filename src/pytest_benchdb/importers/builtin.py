"""The importers of this package."""

from pytest_benchdb.importers.pytest_benchmark import PytestBenchmark
from pytest_benchdb.importers.table import CsvTable, ParquetTable
from pytest_benchdb.interfaces import Importer


def importers() -> tuple[Importer, ...]:
    """Return them; a file is read by the first that can."""
    return (PytestBenchmark(), ParquetTable(), CsvTable())
