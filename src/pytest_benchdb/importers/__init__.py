"""Readers of other tools' result files, one module per format; `operations.exchange` stores the results."""

from pytest_benchdb.interfaces import Importer


def importers() -> tuple[Importer, ...]:
    """Return the built-in importers; a file is read by the first that can."""
    from pytest_benchdb.importers.pytest_benchmark import PytestBenchmark
    from pytest_benchdb.importers.table import CsvTable, ParquetTable

    return (PytestBenchmark(), ParquetTable(), CsvTable())
