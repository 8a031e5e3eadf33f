"""Runs pytest on small suites, in a process of its own."""

import json
import warnings
from collections.abc import Sequence
from typing import Any

import pytest
from tests.plugin.recorded import FAST, BenchmarkJson, Record, Recorded

UNUSED = ("-p", "no:hypothesispytest", "-p", "no:anyio")
"""Plugins of this environment that no suite here uses; loading them takes a third of the time of a small run."""


@pytest.fixture
def _own_environment(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(pytester.path.parent / "cache"))
    for name in ("CI", "GITHUB_ACTIONS", "PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT", "PYTEST_ADDOPTS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def record(pytester: pytest.Pytester, _own_environment: None) -> Record:
    """Return a function that writes a suite and runs pytest on it with ``--benchdb=results``."""

    def run(
        suite: str | None = None, *args: str, fast: bool = True, path: str = "results", timeout: float = 120
    ) -> Recorded:
        options = _options(pytester, suite, args, fast=fast, path=path)
        return Recorded(pytester.runpytest_subprocess(*options, timeout=timeout), pytester.path / path)

    return run


@pytest.fixture
def record_here(pytester: pytest.Pytester, _own_environment: None) -> Record:
    """Return the function of `record`, but run pytest in this process: in half of the time, where that is no matter."""

    def run(suite: str | None = None, *args: str, fast: bool = True, path: str = "results") -> Recorded:
        options = _options(pytester, suite, args, fast=fast, path=path)
        with warnings.catch_warnings():
            warnings.simplefilter("default")  # an error is what they are for the tests of this project
            return Recorded(pytester.runpytest_inprocess(*options), pytester.path / path)

    return run


def _options(pytester: pytest.Pytester, suite: str | None, args: Sequence[str], *, fast: bool, path: str) -> list[str]:
    if suite is not None:
        pytester.makepyfile(test_suite=suite)
    return [*UNUSED, *(FAST if fast else ()), f"--benchdb={path}", *args]


@pytest.fixture
def benchmark_json(pytester: pytest.Pytester) -> BenchmarkJson:
    """Return a function that reads what pytest-benchmark itself wrote, by full name."""

    def read(name: str = "own.json") -> dict[str, Any]:
        content = json.loads((pytester.path / name).read_text())
        return {entry["fullname"]: entry for entry in content["benchmarks"]}

    return read
