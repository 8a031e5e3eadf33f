"""The plugin of a process that runs one isolated test: ``-p pytest_benchdb.plugin.processes.isolated``.

It is to `plugin.isolate` what a worker is to xdist's controller: it narrows the run to its test, turns off whatever
would write a file that belongs to the run around it, and sends each report back.

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

VARIABLE = "BENCHDB_ISOLATED"
"""Environment variable that tells the process its test; taken away before the test runs."""

_ASSIGNMENT_KEY = pytest.StashKey[Mapping[str, Any]]()
_LENGTH_BYTES = 8

OFF: Mapping[str, object] = {
    # which tests: only the one, whatever selected it
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
    # in this process, whoever else is distributing
    "numprocesses": None,
    "maxprocesses": None,
    "dist": "no",
    "distload": False,
    "looponfail": False,
    "tx": [],
    # files that the run around it writes
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
    # what nobody reads
    "no_header": True,
    "no_summary": True,
    "durations": None,
}
"""Options of pytest and of widespread plugins, by name, and what they are in such a process."""


def worker_config(config: pytest.Config) -> Mapping[str, Any] | None:
    """Return what `plugin.recording.watcher.worker_watcher` needs; None in any other process."""
    assignment = config.stash.get(_ASSIGNMENT_KEY, None)
    return None if assignment is None else assignment["worker_config"]


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Take the assignment; keep pytest-cov, which starts now, from the data file of the run around."""
    early_config.stash[_ASSIGNMENT_KEY] = json.loads(os.environ.pop(VARIABLE))
    if hasattr(early_config.known_args_namespace, "no_cov"):
        early_config.known_args_namespace.no_cov = True


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> Generator[None, Any, Any]:
    """Narrow the run, before any plugin looks at its options."""
    config.args = [config.stash[_ASSIGNMENT_KEY]["argument"]]
    option = config.option
    for name, value in OFF.items():
        if hasattr(option, name):
            setattr(option, name, value)
    if option.basetemp is not None:  # the run around would lose its files
        option.basetemp = Path(option.basetemp) / f"isolated-{os.getpid()}"
    return (yield)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the one test."""
    nodeid = config.stash[_ASSIGNMENT_KEY]["nodeid"]
    items[:] = [item for item in items if item.nodeid == nodeid][:1]


@pytest.hookimpl(optionalhook=True)
def pytest_benchdb_record(run: Run) -> None:
    """Say of the run that it was alone in its process."""
    cast("dict[str, object]", run.extra_info)["isolated"] = True


class _Sender:
    """Sends the reports; a plugin of its own, because only an object knows the configuration."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._path = Path(config.stash[_ASSIGNMENT_KEY]["reports"])

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Append the report to the file."""
        told = self._config.hook.pytest_report_to_serializable(config=self._config, report=report)
        if told is not None:
            write_message(self._path, told)


def pytest_configure(config: pytest.Config) -> None:
    """Send reports from here on."""
    config.pluginmanager.register(_Sender(config), "benchdb-isolated-sender")


def write_message(path: Path, message: Mapping[str, Any]) -> None:
    """Append a message to a file: its length, then its bytes. What is no builtin value is sent as its text."""
    data = marshal.dumps(_plain(message))
    with path.open("ab") as file:
        file.write(len(data).to_bytes(_LENGTH_BYTES, "big") + data)


def read_messages(path: Path) -> Iterator[Any]:
    """Yield the messages of a file in their order; a last one that was not written to its end is left out."""
    try:
        content = path.read_bytes()
    except OSError:
        return
    at = 0
    while at + _LENGTH_BYTES <= len(content):
        begin = at + _LENGTH_BYTES
        at = begin + int.from_bytes(content[at:begin], "big")
        if at > len(content):
            return
        yield marshal.loads(content[begin:at])  # noqa: S302 - written by our own child, in a folder of our own


def _plain(value: Any) -> Any:
    """Return a value as exact builtin types, which is all that `marshal` takes."""
    if value is None or type(value) in {bool, int, float, str, bytes, complex}:
        return value
    if isinstance(value, Mapping):
        return {_plain(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        items = [_plain(item) for item in value]
        return items if isinstance(value, list) else tuple(items)
    if isinstance(value, int):  # these are subclasses: an enum's member, numpy.float64
        return int(value)
    if isinstance(value, float):
        return float(value)
    return bytes(value) if isinstance(value, bytes) else str(value)
