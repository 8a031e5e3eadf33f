"""Enables pytest's `pytester` fixture for the suite; nothing else is shared between tests.

Markers are registered in ``pyproject.toml``: `long` and `hardware(kind)`.
"""

pytest_plugins = ["pytester"]
