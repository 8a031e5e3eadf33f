"""Shared by the whole suite: `pytester`, Hypothesis without its deadline, a cache folder, and a time zone.

Markers are registered in ``pyproject.toml``: `long` and `hardware(kind)`.
"""

import os
import sys
import time
from collections.abc import Iterator

import pytest
from hypothesis import settings

pytest_plugins = ["pytester"]

# A test that depends on how fast the machine is at the moment is a test that fails on its own.
settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")

# Processes that tests start must not take themselves for workers of this run: pytest-benchmark measures nothing there.
# Nor must each of them compile all that it imports: without byte code, pytest starts in 3.3 s instead of 1.4 s.
for name in ("PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT", "PYTEST_XDIST_TESTRUNUID", "PYTHONDONTWRITEBYTECODE"):
    os.environ.pop(name, None)

# Reports show times in the zone of the machine: here it is always the same one.
os.environ["TZ"] = "UTC"
if hasattr(time, "tzset"):
    time.tzset()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option for the tests that are too long even for ``-m long``."""
    parser.addoption(
        "--hostile-full",
        action="store_true",
        help="Run the tests of tests/hostile with all of their kills and mutated inputs (with -m long; about an hour).",
    )


def pytest_sessionfinish() -> None:
    """Save what coverage has measured: xdist kills a worker that takes longer than ten seconds to end."""
    coverage = sys.modules.get("coverage")
    current = coverage and coverage.Coverage.current()
    if current:
        current.save()


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep templates of new files out of the user's cache, and build them once for all tests of a process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield
