"""Decides at start-up whether this run records, and only then imports what recording needs.

PYTEST_DONT_REWRITE
"""

import os
from pathlib import Path
from typing import Any

import pytest

from pytest_benchdb.errors import ConfigError, MissingExtraError
from pytest_benchdb.plugin.settings import (
    Settings,
    Sources,
    passes_selected,
    read_settings,
    recording_is_on,
    without_effect,
)


def activate(config: Any) -> None:
    """Register the recorder if the command line or the configuration turns recording on.

    Raises:
        pytest.UsageError: a setting cannot be used.
    """
    try:
        sources = Sources(config, os.environ)
        if not recording_is_on(sources):
            if (line := without_effect(sources)) is not None:
                config.pluginmanager.register(_NotRecording(line), "benchdb-idle")
            return
        plugin = _recorder(config, read_settings(config, sources))
    except (ConfigError, MissingExtraError) as error:
        from pytest_benchdb.present.writing.text import sanitize

        raise pytest.UsageError(sanitize(str(error))) from error
    if plugin is not None:
        config.pluginmanager.register(plugin, "benchdb-recorder")
        if passes_selected(sources):
            from pytest_benchdb.plugin.bench.whole_tests import WholeTests

            config.pluginmanager.register(WholeTests(), "benchdb-meters")


class _NotRecording:
    """Names in the header the settings without effect."""

    def __init__(self, line: str) -> None:
        self._line = line

    def pytest_report_header(self) -> str:
        return self._line


def _recorder(config: pytest.Config, settings: Settings) -> object | None:
    """Return the plugin object for this process; in an xdist worker it only watches tests.

    None in a worker whose controller does not record.
    """
    from pytest_benchdb.plugin.bench.fixtures import NAMES
    from pytest_benchdb.plugin.processes import child, isolate
    from pytest_benchdb.plugin.processes.turns import Turns
    from pytest_benchdb.plugin.recording.watcher import TURNS_KEY, WORKER_KEY, worker_watcher

    if (worker_config := child.worker_config(config)) is not None:
        return worker_watcher(settings, worker_config, NAMES)
    if hasattr(config, "workerinput"):
        worker_config = config.workerinput.get(WORKER_KEY)
        if worker_config is None:
            return None
        isolate.register(config, worker_config)
        watcher = worker_watcher(settings, worker_config, NAMES)
        if (turns := worker_config.get(TURNS_KEY)) is not None:
            hooks = Turns(Path(turns), worker_config["worker"], watcher.is_benchmark)
            config.pluginmanager.register(hooks, "benchdb-turns")
        return watcher
    from pytest_benchdb.plugin.ending.gate import refuse_unknown_metrics
    from pytest_benchdb.plugin.session import SessionPlugin
    from pytest_benchdb.store.target import resolve

    folder = config.invocation_params.dir
    target = resolve(settings.path, folder)
    refuse_unknown_metrics(settings, target, folder)
    return SessionPlugin(config, settings, target)
