"""What the whole suite shares: pytest's `pytester` fixture, and Hypothesis without its deadline.

Markers are registered in ``pyproject.toml``: `long` and `hardware(kind)`.
"""

from hypothesis import settings

pytest_plugins = ["pytester"]

# A test that depends on how fast the machine is at the moment is a test that fails on its own.
settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")
