"""Readers of other tools' result files, one module per format; `operations.exchange` stores the results.

`reading` has what all of them need, `tables` long tables, `python`, `languages`, `services`, `serving` and `ml` the
formats of tools, `legacy` the many files of one predecessor.
"""

from pytest_benchdb.interfaces import Importer


def importers() -> tuple[Importer, ...]:
    """Return the built-in importers; a file is read by the first that can."""
    from pytest_benchdb.importers.languages.criterion import Criterion
    from pytest_benchdb.importers.languages.go_bench import GoBench
    from pytest_benchdb.importers.languages.google_benchmark import GoogleBenchmark
    from pytest_benchdb.importers.languages.hyperfine import Hyperfine
    from pytest_benchdb.importers.languages.jmh import Jmh
    from pytest_benchdb.importers.legacy.ipfs_accelerate import IpfsAccelerate
    from pytest_benchdb.importers.ml.lm_eval import LmEval
    from pytest_benchdb.importers.ml.mlperf import MlPerf
    from pytest_benchdb.importers.ml.optimum_benchmark import OptimumBenchmark
    from pytest_benchdb.importers.python.asv import Asv
    from pytest_benchdb.importers.python.codspeed import Codspeed
    from pytest_benchdb.importers.python.pyperf import Pyperf
    from pytest_benchdb.importers.python.pytest_benchmark import PytestBenchmark
    from pytest_benchdb.importers.python.pytest_monitor import PytestMonitor
    from pytest_benchdb.importers.services.bencher import BencherMetricFormat
    from pytest_benchdb.importers.services.conbench import Conbench
    from pytest_benchdb.importers.services.github_action import GithubActionBenchmark
    from pytest_benchdb.importers.services.junit import Junit
    from pytest_benchdb.importers.serving.aiperf import AiPerf
    from pytest_benchdb.importers.serving.guidellm import GuideLlm
    from pytest_benchdb.importers.serving.vllm import VllmServe
    from pytest_benchdb.importers.tables.exported import ExportedTable
    from pytest_benchdb.importers.tables.table import CsvTable, ParquetTable

    of_python = (PytestBenchmark(), Asv(), Pyperf(), Codspeed(), PytestMonitor())
    of_languages = (GoogleBenchmark(), Hyperfine(), Jmh(), GoBench(), Criterion())
    of_models = (VllmServe(), GuideLlm(), AiPerf(), MlPerf(), OptimumBenchmark(), LmEval(), IpfsAccelerate())
    of_services = (GithubActionBenchmark(), Conbench(), BencherMetricFormat(), Junit())
    return (ExportedTable(), *of_python, *of_languages, *of_models, *of_services, ParquetTable(), CsvTable())
