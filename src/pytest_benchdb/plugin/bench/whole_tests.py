"""The meters around whole tests, for tests without a fixture that times part of them.

PYTEST_DONT_REWRITE
"""

from collections.abc import Generator

import pytest

from pytest_benchdb.plugin.bench.devices import devices_of
from pytest_benchdb.plugin.recording.attempt import ATTEMPT_KEY

_OF_OTHERS = "the benchmark fixture of another plugin is not metered; use a bench_* fixture"


class WholeTests:
    """The hooks around each test of a run with passes; outside of those that time it."""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, None, None]:
        """Measure the host's idle power before the fixtures of the first test that is recorded."""
        if ATTEMPT_KEY in item.stash:
            devices_of(item.config).passes.prepare(None)
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, None, None]:
        """Read the meters at both ends of a test, unless a fixture times part of it."""
        attempt = item.stash.get(ATTEMPT_KEY, None)
        if attempt is None or attempt.bench is not None:
            return (yield)
        from pytest_benchdb.measure.work import NO_BOUNDARY, Work

        meters = devices_of(item.config).passes.meters(attempt.block.probe)
        # The watcher reads the process's usage around every test.
        block = meters.block(Work(what="whole tests", boundary=NO_BOUNDARY))
        if attempt.fixture is not None:
            attempt.metered = meters.refused(_OF_OTHERS)
            return (yield)
        try:
            with block:
                return (yield)
        finally:
            attempt.metered = block.result(cut="the test did not run to its end")
