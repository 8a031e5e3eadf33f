"""Readers of other tools' result files, one module per format; `operations.exchange` stores the results.

`reading` has what all of them need, `tables` long tables, `python`, `languages` and `services` the formats of tools.
"""

from pytest_benchdb.interfaces import Importer


def importers() -> tuple[Importer, ...]:
    """Return the built-in importers; a file is read by the first that can."""
    from pytest_benchdb.importers.languages.google_benchmark import GoogleBenchmark
    from pytest_benchdb.importers.languages.hyperfine import Hyperfine
    from pytest_benchdb.importers.python.pytest_benchmark import PytestBenchmark
    from pytest_benchdb.importers.tables.exported import ExportedTable
    from pytest_benchdb.importers.tables.table import CsvTable, ParquetTable

    return (ExportedTable(), PytestBenchmark(), GoogleBenchmark(), Hyperfine(), ParquetTable(), CsvTable())
