"""Benchmarks one at a time under xdist, while no other test runs on this machine: ``--benchdb-serial``.

Every worker holds a lock of its own while it runs a test. A benchmark holds the locks of all workers, and a turnstile
that the others need before their next test. Locks end with the process that holds them, so a worker that crashes never
holds up the others, and waiting for a lock uses no CPU time.

PYTEST_DONT_REWRITE
"""

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_benchdb.store.lock import waiting_lock

_TURNSTILE = "turnstile"


class Turns:
    """The hooks of one xdist worker."""

    def __init__(self, folder: Path, worker: str, is_benchmark: Callable[[pytest.Item], bool]) -> None:
        """Take the folder that all workers of this machine share, and the name of this one."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._own = folder / f"{worker}.lock"
        self._is_benchmark = is_benchmark

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Put benchmarks last, so that they wait for others less often."""
        items.sort(key=self._is_benchmark)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Run a test when it is its turn, its fixtures included."""
        with self._alone() if self._is_benchmark(item) else self._beside_others():
            return (yield)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Keep pytest-benchmark from saying that it was switched off: so it was, but no benchmark ran like that.

        In a worker that ran one this is known by then, but the others may have taken them all.
        """
        benchmarks: Any = getattr(session.config, "_benchmarksession", None)
        if hasattr(benchmarks, "xdist_benchmark_found"):
            benchmarks.xdist_benchmark_found = False

    @contextlib.contextmanager
    def _beside_others(self) -> Iterator[None]:
        with contextlib.ExitStack() as stack:
            with waiting_lock(self._folder / _TURNSTILE):
                stack.enter_context(waiting_lock(self._own))
            yield

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        with contextlib.ExitStack() as stack:
            stack.enter_context(waiting_lock(self._folder / _TURNSTILE))
            # A worker that starts later makes its file behind the turnstile.
            for other in sorted(self._folder.glob("*.lock")):
                stack.enter_context(waiting_lock(other))
            yield


class TurnsFolder:
    """The folder of the locks, which the controller makes for its workers and removes at the end."""

    def __init__(self) -> None:
        self._folder: Path | None = None

    @property
    def path(self) -> str:
        """The folder, made now if it is not there."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="benchdb-turns-"))
        return str(self._folder)

    def remove(self) -> None:
        """Remove the folder."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
