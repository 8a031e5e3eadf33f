"""Writers of other tools' formats, one module per format, and of profilers'; CI formats are in `present.verdicts`.

Parquet is written by the store, which has DuckDB.
"""

from pytest_benchdb.interfaces import Exporter


def exporters() -> tuple[Exporter, ...]:
    """Return the built-in exporters but Parquet's."""
    from pytest_benchdb.exporters.asv import Asv
    from pytest_benchdb.exporters.ci_services import Bencher, GithubActionBenchmark
    from pytest_benchdb.exporters.excel import Excel
    from pytest_benchdb.exporters.openmetrics import OpenMetrics
    from pytest_benchdb.exporters.otava import Otava
    from pytest_benchdb.exporters.pytest_benchmark import PytestBenchmark
    from pytest_benchdb.exporters.sqlite import Sqlite
    from pytest_benchdb.exporters.table import CsvTable, JsonLines, JsonTable

    return (
        CsvTable(),
        JsonTable(),
        JsonLines(),
        PytestBenchmark(),
        Asv(),
        Bencher(),
        GithubActionBenchmark(),
        OpenMetrics(),
        Otava(),
        Sqlite(),
        Excel(),
    )
