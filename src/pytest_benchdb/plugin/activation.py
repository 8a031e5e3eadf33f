"""Whether this run records, decided at start-up; what recording needs is imported only if it does.

PYTEST_DONT_REWRITE
"""

import os
from typing import Any

import pytest

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.plugin.settings import Sources, read_settings, recording_is_on


def activate(config: Any) -> None:
    """Register the recorder if the command line or the configuration asks for it.

    Raises:
        pytest.UsageError: a setting cannot be used.
    """
    try:
        sources = Sources(config, os.environ)
        if not recording_is_on(sources):
            return
        settings = read_settings(config, sources)
        from pytest_benchdb.plugin import recording

        plugin = recording.make_plugin(config, settings)
    except ConfigError as error:
        raise pytest.UsageError(str(error)) from error
    config.pluginmanager.register(plugin, "benchdb-recorder")
