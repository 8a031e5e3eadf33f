"""Whether this run records, decided at start-up; what recording needs is imported only if it does.

PYTEST_DONT_REWRITE
"""

import os
from typing import Any

import pytest

from pytest_benchdb.errors import ConfigError, MissingExtraError
from pytest_benchdb.plugin.settings import Settings, Sources, read_settings, recording_is_on


def activate(config: Any) -> None:
    """Register the recorder if the command line or the configuration asks for it.

    Raises:
        pytest.UsageError: a setting cannot be used.
    """
    try:
        sources = Sources(config, os.environ)
        if not recording_is_on(sources):
            return
        plugin = _recorder(config, read_settings(config, sources))
    except (ConfigError, MissingExtraError) as error:
        raise pytest.UsageError(str(error)) from error
    if plugin is not None:
        config.pluginmanager.register(plugin, "benchdb-recorder")


def _recorder(config: pytest.Config, settings: Settings) -> object | None:
    """Return the plugin object that records in this process; an xdist worker's only watches.

    None in a worker whose controller does not record: only one process writes a session.
    """
    from pytest_benchdb.plugin.processes import isolate, isolated
    from pytest_benchdb.plugin.recording.recording import WORKER_KEY, worker_watcher
    from pytest_benchdb.plugin.recording.session import SessionPlugin
    from pytest_benchdb.store.target import resolve

    if (told := isolated.told_of(config)) is not None:
        return worker_watcher(settings, told)
    if hasattr(config, "workerinput"):
        told = config.workerinput.get(WORKER_KEY)
        if told is None:
            return None
        isolate.register(config, told)
        return worker_watcher(settings, told)
    return SessionPlugin(config, settings, resolve(settings.path, config.invocation_params.dir))
