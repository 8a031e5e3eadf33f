"""Readers of other tools' result files, one module per format; `operations.exchange` stores the results.

`reading` has what all of them need, `tables` long tables, `python`, `languages`, `services`, `serving` and `ml` the
formats of tools, `legacy` the many files of one predecessor.
"""

from pytest_benchdb.interfaces import Importer


def importers() -> tuple[Importer, ...]:
    """Return the built-in importers; a file is read by the first that can."""
    from pytest_benchdb.importers.languages.google_benchmark import GoogleBenchmark
    from pytest_benchdb.importers.languages.hyperfine import Hyperfine
    from pytest_benchdb.importers.legacy.ipfs_accelerate import IpfsAccelerate
    from pytest_benchdb.importers.ml.lm_eval import LmEval
    from pytest_benchdb.importers.ml.mlperf import MlPerf
    from pytest_benchdb.importers.ml.optimum_benchmark import OptimumBenchmark
    from pytest_benchdb.importers.python.pytest_benchmark import PytestBenchmark
    from pytest_benchdb.importers.serving.aiperf import AiPerf
    from pytest_benchdb.importers.serving.guidellm import GuideLlm
    from pytest_benchdb.importers.serving.vllm import VllmServe
    from pytest_benchdb.importers.tables.exported import ExportedTable
    from pytest_benchdb.importers.tables.table import CsvTable, ParquetTable

    of_code = (PytestBenchmark(), GoogleBenchmark(), Hyperfine())
    of_models = (VllmServe(), GuideLlm(), AiPerf(), MlPerf(), OptimumBenchmark(), LmEval(), IpfsAccelerate())
    return (ExportedTable(), *of_code, *of_models, ParquetTable(), CsvTable())
