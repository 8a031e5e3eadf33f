"""Shared by the whole suite: pytest's `pytester` fixture, and Hypothesis without its deadline.

Markers are registered in ``pyproject.toml``: `long` and `hardware(kind)`.
"""

import os

from hypothesis import settings

pytest_plugins = ["pytester"]

# A test that depends on how fast the machine is at the moment is a test that fails on its own.
settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")

# Processes that tests start must not take themselves for workers of this run: pytest-benchmark measures nothing there.
# Nor must each of them compile all that it imports: without byte code, pytest starts in 3.3 s instead of 1.4 s.
for name in ("PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT", "PYTEST_XDIST_TESTRUNUID", "PYTHONDONTWRITEBYTECODE"):
    os.environ.pop(name, None)
