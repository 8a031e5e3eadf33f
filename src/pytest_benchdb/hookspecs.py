"""Every hook of pytest-benchdb. Implement one in a conftest.py or a plugin, as any pytest hook.

PYTEST_DONT_REWRITE
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    import pytest

    from pytest_benchdb.interfaces import Backend, Importer, Meter
    from pytest_benchdb.model.run import Run

hookspec = pluggy.HookspecMarker("pytest")


@hookspec
def pytest_benchdb_environment(config: "pytest.Config") -> Mapping[str, object]:  # type: ignore[empty-body]
    """Return facts about the machine or the build to keep with the session.

    They are stored in `environment.details` under ``suite`` and do not change the fingerprint.
    Values must be JSON values; never return a secret.
    """


@hookspec
def pytest_benchdb_record(item: "pytest.Item", run: "Run") -> None:
    """See a finished run just before it is written; under xdist, in the worker that ran it.

    `run.extra_info` is a dict that may be added to. An exception is kept there, as
    ``pytest_benchdb_record_error``, and the run is recorded anyway.
    """


@hookspec
def pytest_benchdb_backends() -> "Sequence[Backend]":  # type: ignore[empty-body]
    """Return backends: each gets a fixture ``bench_<name>`` and a place in ``--benchdb-backends``.

    A package adds its own through one entry point in the group ``pytest_benchdb`` that names the module
    with this function. Nothing may be touched yet: `Backend.probe` is called when a test first needs it.
    """


@hookspec
def pytest_benchdb_meters() -> "Sequence[Meter]":  # type: ignore[empty-body]
    """Return meters of energy, power, temperature, clocks or utilization; found like backends."""


@hookspec
def pytest_benchdb_importers() -> "Sequence[Importer]":  # type: ignore[empty-body]
    """Return importers: each is a FORMAT of ``benchdb import``, and of ``file:PATH``; found like backends.

    The command line calls this hook without pytest, so only entry points take part, not conftest.py.
    """
