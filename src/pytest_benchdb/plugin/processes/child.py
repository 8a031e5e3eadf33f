"""Plugins for a pytest process that another one started for some of its tests: one isolated test, or re-runs.

Such a process gets the arguments of the run that started it. It restricts them to its tests, turns off whatever would
write that run's files, and returns its results: the reports of an isolated test, or a database of re-runs.

PYTEST_DONT_REWRITE
"""

import json
import marshal
import os
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from pytest_benchdb.model.run import Run
from pytest_benchdb.plugin.options import ISOLATED_VARIABLE, RERUN_VARIABLE
from pytest_benchdb.plugin.recording.identity import Identifier, is_point
from pytest_benchdb.plugin.settings import OVERRIDES_KEY

_WORKER_CONFIG_KEY = pytest.StashKey[Mapping[str, Any]]()
_LENGTH_BYTES = 8

OFF: Mapping[str, object] = {
    # which tests: only those of the assignment, regardless of the options
    "keyword": "",
    "markexpr": "",
    "deselect": None,
    "lf": False,
    "failedfirst": False,
    "newfirst": False,
    "stepwise": False,
    "stepwise_skip": False,
    "cacheclear": False,
    "maxfail": 0,
    # in this process, even if the run that started it distributes tests
    "numprocesses": None,
    "maxprocesses": None,
    "dist": "no",
    "distload": False,
    "looponfail": False,
    "tx": [],
    # files that the run that started it writes
    "xmlpath": None,
    "log_file": os.devnull,
    "report_log": None,
    "htmlpath": None,
    "json_report": False,
    "pastebin": None,
    "benchmark_json": None,
    "benchmark_autosave": False,
    "benchmark_save": None,
    "benchmark_histogram": None,
    "benchmark_compare": None,
    "benchmark_compare_fail": None,
    "memray": False,
    # output that is not shown
    "no_header": True,
    "no_summary": True,
    "durations": None,
}
"""Options of pytest and of common plugins, and their values in such a process."""


def start(config: pytest.Config) -> None:
    """Take this process's assignment from the environment, and register the plugin for it."""
    if hasattr(config.known_args_namespace, "no_cov"):  # pytest-cov would start now, with the other run's data file
        config.known_args_namespace.no_cov = True
    for variable, plugin in ((ISOLATED_VARIABLE, IsolatedTest), (RERUN_VARIABLE, Rerun)):
        text = os.environ.pop(variable, None)
        if text is not None:
            config.pluginmanager.register(plugin(config, json.loads(text)), "benchdb-child")


def worker_config(config: pytest.Config) -> Mapping[str, Any] | None:
    """Return what `worker_watcher` needs in the process of an isolated test; None in any other process."""
    return config.stash.get(_WORKER_CONFIG_KEY, None)


class IsolatedTest:
    """Runs one isolated test, and sends each report back.

    The assignment has its `nodeid`, the `argument` that collects it, the file for `reports`, and `worker_config`.
    """

    def __init__(self, config: pytest.Config, assignment: Mapping[str, Any]) -> None:
        self._config = config
        self._assignment = assignment
        config.stash[_WORKER_CONFIG_KEY] = assignment["worker_config"]

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_cmdline_main(self, config: pytest.Config) -> Generator[None, Any, Any]:
        """Collect the test, before any plugin looks at its options."""
        _narrow(config, [self._assignment["argument"]], OFF)
        return (yield)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep only the test."""
        items[:] = [item for item in items if item.nodeid == self._assignment["nodeid"]][:1]

    @pytest.hookimpl(optionalhook=True)
    def pytest_benchdb_record(self, run: Run) -> None:
        """Record that the test ran in a separate process."""
        cast("dict[str, object]", run.extra_info)["isolated"] = True

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Append the report to the file."""
        data = self._config.hook.pytest_report_to_serializable(config=self._config, report=report)
        if data is not None:
            write_message(Path(self._assignment["reports"]), data)


class Rerun:
    """Runs suspects of the gate again, records them into a separate folder, and gates nothing.

    The assignment has `root`, the folder that names start from, `names`, full names of benchmarks, and `db`, where to
    record. The tests are selected here because no command-line option can: their names may contain any text that
    parameters contain.
    """

    def __init__(self, config: pytest.Config, assignment: Mapping[str, Any]) -> None:
        self._root = Path(assignment["root"])
        self._names: list[str] = assignment["names"]
        config.stash[OVERRIDES_KEY] = {
            "db": assignment["db"],
            "record": True,
            "report": [],
            "json": None,
            "fail_on": [],
            "strict": False,
        }

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_cmdline_main(self, config: pytest.Config) -> Generator[None, Any, Any]:
        """Collect only the suspects' files, before any plugin looks at its options."""
        files = dict.fromkeys(str(self._root / name.partition("::")[0]) for name in self._names)
        _narrow(config, list(files), {**OFF, "no_benchdb": None, "collectonly": False})
        return (yield)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep the suspects."""
        identifier = Identifier("", self._root)
        suspects = frozenset(self._names)
        names = {item: identifier.benchmark(item).fullname for item in items}
        points = suspects.difference(names.values())  # of sweeps: their tests have shorter names
        items[:] = [
            item for item, name in names.items() if name in suspects or any(is_point(point, name) for point in points)
        ]


def _narrow(config: pytest.Config, arguments: list[str], off: Mapping[str, object]) -> None:
    config.args = arguments
    option = config.option
    for name, value in off.items():
        if hasattr(option, name):
            setattr(option, name, value)
    if option.basetemp is not None:  # the run that started this one would lose its files
        option.basetemp = Path(option.basetemp) / f"benchdb-{os.getpid()}"


def write_message(path: Path, message: Mapping[str, Any]) -> None:
    """Append a message to a file: its length, then its bytes. Values of other than builtin types become text."""
    data = marshal.dumps(_plain(message))
    with path.open("ab") as file:
        file.write(len(data).to_bytes(_LENGTH_BYTES, "big") + data)


def read_messages(path: Path) -> Iterator[Any]:
    """Yield the messages of a file in order; an incomplete last one is left out."""
    try:
        content = path.read_bytes()
    except OSError:
        return
    end = 0
    while end + _LENGTH_BYTES <= len(content):
        begin = end + _LENGTH_BYTES
        end = begin + int.from_bytes(content[end:begin], "big")
        if end > len(content):
            return
        yield marshal.loads(content[begin:end])  # noqa: S302 - written by our own child, in a folder of our own


def _plain(value: Any) -> Any:
    """Return a value as exact builtin types, because `marshal` accepts no others."""
    if value is None or type(value) in {bool, int, float, str, bytes, complex}:
        return value
    if isinstance(value, Mapping):
        return {_plain(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        items = [_plain(item) for item in value]
        return items if isinstance(value, list) else tuple(items)
    if isinstance(value, int):  # only subclasses are left: an enum member, numpy.float64
        return int(value)
    if isinstance(value, float):
        return float(value)
    return bytes(value) if isinstance(value, bytes) else str(value)
