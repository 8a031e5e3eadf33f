"""The hooks of pytest-benchdb. Implement them in a conftest.py or a plugin, like any pytest hook.

PYTEST_DONT_REWRITE
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    import pytest

    from pytest_benchdb.interfaces import Backend, Exporter, Importer, Meter
    from pytest_benchdb.model.run import Run

hookspec = pluggy.HookspecMarker("pytest")


@hookspec
def pytest_benchdb_environment(config: "pytest.Config") -> Mapping[str, object]:  # type: ignore[empty-body]
    """Return facts about the machine or the build to store with the session.

    They go into `environment.details` under ``suite`` and do not change the fingerprint.
    Values must be JSON values; never return a secret.
    """


@hookspec
def pytest_benchdb_record(item: "pytest.Item", run: "Run") -> None:
    """Inspect a finished run just before it is written; under xdist, in the worker that ran it.

    You may add to the dict `run.extra_info`. If the hook raises, the run is recorded anyway, with the error in
    `run.extra_info` as ``pytest_benchdb_record_error``.
    """


@hookspec
def pytest_benchdb_backends() -> "Sequence[Backend]":  # type: ignore[empty-body]
    """Return backends; each gets a fixture ``bench_<name>`` and a name for ``--benchdb-backends``.

    A package registers the module with this function as an entry point in the group ``pytest_benchdb``. Do not
    touch any hardware here: `Backend.probe` is called when a test first needs the backend.
    """


@hookspec
def pytest_benchdb_meters() -> "Sequence[Meter]":  # type: ignore[empty-body]
    """Return meters of energy, power, temperature, clocks or utilization; registered like backends."""


@hookspec
def pytest_benchdb_importers() -> "Sequence[Importer]":  # type: ignore[empty-body]
    """Return importers; each adds a FORMAT to ``benchdb import`` and ``file:PATH``; registered like backends.

    The command line calls this hook without pytest, so only entry points are used, not conftest.py.
    """


@hookspec
def pytest_benchdb_exporters() -> "Sequence[Exporter]":  # type: ignore[empty-body]
    """Return exporters; each adds a FORMAT to ``benchdb export``; registered like backends.

    The command line calls this hook without pytest, so only entry points are used, not conftest.py.
    """
