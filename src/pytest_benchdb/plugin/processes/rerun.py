"""The plugin of a pytest process that runs suspects of the gate again: ``-p pytest_benchdb.plugin.processes.rerun``.

It has the arguments of the run that is judged. The tests are chosen here and not on the command line, where no option
says exactly which: names may hold whatever parameters hold. It records into a folder of its own, turns off whatever
would write a file that belongs to the other run, and gates nothing.

PYTEST_DONT_REWRITE
"""

import json
import os
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

import pytest

from pytest_benchdb.plugin.processes.isolated import OFF
from pytest_benchdb.plugin.recording.identity import Identifier
from pytest_benchdb.plugin.settings import OVERRIDES_KEY

VARIABLE = "BENCHDB_RERUN"
"""Environment variable that tells the process what to run; taken away before anything else starts.

Its JSON has `root`, the folder that names begin at, `names`, full names of benchmarks, and `db`, where to record.
"""

_ASSIGNMENT_KEY = pytest.StashKey[Mapping[str, Any]]()


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Take the assignment; keep pytest-cov, which starts now, from the data file of the other run."""
    assignment = json.loads(os.environ.pop(VARIABLE))
    early_config.stash[_ASSIGNMENT_KEY] = assignment
    early_config.stash[OVERRIDES_KEY] = {
        "db": assignment["db"],
        "record": True,
        "report": [],
        "json": None,
        "fail_on": [],
        "strict": False,
    }
    if hasattr(early_config.known_args_namespace, "no_cov"):
        early_config.known_args_namespace.no_cov = True


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> Generator[None, Any, Any]:
    """Collect the files of the suspects only, before any plugin looks at its options."""
    assignment = config.stash[_ASSIGNMENT_KEY]
    root = Path(assignment["root"])
    config.args = list(dict.fromkeys(str(root / name.partition("::")[0]) for name in assignment["names"]))
    option = config.option
    for name, value in {**OFF, "no_benchdb": None, "collectonly": False}.items():
        if hasattr(option, name):
            setattr(option, name, value)
    if option.basetemp is not None:  # the other run would lose its files
        option.basetemp = Path(option.basetemp) / f"rerun-{os.getpid()}"
    return (yield)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the suspects."""
    assignment = config.stash[_ASSIGNMENT_KEY]
    identifier = Identifier("", Path(assignment["root"]))
    wanted = frozenset(assignment["names"])
    items[:] = [item for item in items if identifier.benchmark(item).fullname in wanted]
