"""The pytest plugin: options, markers and, if this run records, the hooks that record.

`session` uses all the subpackages. Every pytest run in an environment imports this module, so it imports next to
nothing.

PYTEST_DONT_REWRITE
"""

import os
from typing import Any

import pytest

from pytest_benchdb.plugin.options import ISOLATED_VARIABLE, RERUN_VARIABLE, add_options

_MARKER = (
    "benchdb(model, version, framework, framework_version, use_case, implementation, workload, precision, "
    "batch_size, sequence_length, isolate, options, max_time, max_regression, gate): record this test with "
    "pytest-benchdb, under these labels; isolate=True runs it in a process of its own; options={'max_time_s': 5.0} "
    "sets what bench.options does; max_time=0.5 fails it if it takes more seconds; max_regression=0.10 lets it become "
    "10 % worse before the gate fails, gate=False keeps it out of the gate."
)


def pytest_addoption(parser: Any) -> None:
    """Register the options."""
    add_options(parser)


def pytest_addhooks(pluginmanager: Any) -> None:
    """Register the hooks that suites and other plugins may implement."""
    from pytest_benchdb import hookspecs

    pluginmanager.add_hookspecs(hookspecs)


@pytest.hookimpl(wrapper=True)  # a wrapper runs before pytest-cov, which starts in this hook
def pytest_load_initial_conftests(early_config: Any) -> Any:
    """Restrict the run if another pytest process of ours started this one for some of its tests."""
    if ISOLATED_VARIABLE in os.environ or RERUN_VARIABLE in os.environ:
        from pytest_benchdb.plugin.processes import child

        child.start(early_config)
    return (yield)


def pytest_configure(config: Any) -> None:
    """Register the marker and, if this run records, the recorder."""
    from pytest_benchdb.plugin.bench import fixtures

    config.pluginmanager.register(fixtures, "benchdb-fixtures")
    config.addinivalue_line("markers", _MARKER)
    option = config.option
    if option.no_benchdb or option.collectonly or getattr(option, "help", False):
        return
    from pytest_benchdb.plugin.activation import activate

    activate(config)
