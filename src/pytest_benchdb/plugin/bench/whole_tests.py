"""The meters around whole tests, for tests without a fixture that times part of them.

PYTEST_DONT_REWRITE
"""

from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from pytest_benchdb.measure.timing.tracers import untraced
from pytest_benchdb.plugin.bench.devices import devices_of
from pytest_benchdb.plugin.bench.passes import ALLOCATIONS, PROFILE
from pytest_benchdb.plugin.recording.attempt import ATTEMPT_KEY, Attempt, OnceWithin

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
            attempt.again = self._again(item, attempt)
            return (yield)
        try:
            with block:
                return (yield)
        finally:
            metered = block.result(cut="the test did not run to its end")
            attempt.metered = metered if attempt.metered is None else metered.with_profile(attempt.metered)

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> Generator[None, object, object]:
        """Count what a marked test executes in its only run, whose time is then no measurement."""
        attempt = pyfuncitem.stash.get(ATTEMPT_KEY, None)
        passes = devices_of(pyfuncitem.config).passes
        if attempt is None or attempt.bench is not None or attempt.fixture is not None or attempt.asked_by is None:
            return (yield)
        if PROFILE not in passes.names:
            return (yield)
        from pytest_benchdb.measure.profiling.profile_pass import Counting

        attempt.traced_by = "the profile pass"
        counting = Counting(Path.cwd())
        with counting:
            result = yield
        attempt.metered = passes.metered_of(counting.profile())
        return result

    @staticmethod
    def _again(item: pytest.Item, attempt: Attempt) -> Callable[[OnceWithin], None] | None:
        """Return what makes the passes of another plugin's `benchmark` fixture; None if none can."""
        passes = devices_of(item.config).passes
        if not {PROFILE, ALLOCATIONS} & {*passes.names}:
            return None
        refused = attempt.metered

        def again(once: OnceWithin) -> None:
            if attempt.block.unawaited is None:
                with untraced():
                    profiled = passes.again(once)
                attempt.metered = profiled if refused is None else refused.with_profile(profiled)

        return again
