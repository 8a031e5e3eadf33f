"""Watches tests in the process that runs them, and turns each finished one into journal lines.

PYTEST_DONT_REWRITE
"""

import contextlib
import functools
import os
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from pytest_benchdb.measure.process.block_usage import BlockProbe
from pytest_benchdb.measure.timing.tracers import tracer_name, untraced
from pytest_benchdb.plugin.recording import codspeed
from pytest_benchdb.plugin.recording.attempt import ATTEMPT_KEY, Attempt, Block
from pytest_benchdb.plugin.recording.counting import counter_of
from pytest_benchdb.plugin.recording.fixture import kind_of, observe
from pytest_benchdb.plugin.recording.identity import MARKERS, Identifier, labels_of, markers_of, max_time_of
from pytest_benchdb.plugin.recording.outcome import Phase, phase_of, with_expected_failure, with_subtests
from pytest_benchdb.plugin.recording.points import SweepPoints
from pytest_benchdb.plugin.recording.pytest_benchmark import enable_under_xdist
from pytest_benchdb.plugin.recording.run import Keeping, finished_run, stored_lines, timing_of
from pytest_benchdb.plugin.recording.time_budget import TimeBudget
from pytest_benchdb.plugin.settings import Settings
from pytest_benchdb.store.journal.lines import begin_line

LINES_ATTRIBUTE = "_benchdb_lines"
"""Attribute of a report that carries journal lines from the process that ran the test to the one that writes them."""
REFUSED_ATTRIBUTE = "_benchdb_refused"
"""Attribute of a report that carries what of its run is not stored, one line each."""
WORKER_KEY = "benchdb"
"""Key under which xdist's controller sends its workers the configuration for `worker_watcher`."""

TURNS_KEY = "turns"
"""Key in that configuration of the folder of locks by which benchmarks run alone; missing if they run beside others."""

_FIXTURES = frozenset({"benchmark", "benchmark_weave", "codspeed_benchmark"})
_attempts_key = pytest.StashKey[int]()
_points_key = pytest.StashKey[SweepPoints]()


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """The process that runs tests, and where the lines of its runs go.

    Attributes:
        append: writes journal lines; None sends them with the reports.
        attachments: the store's folder for attachments.
        worker: name of this xdist worker; None without xdist.
        is_serial: whether benchmarks run alone although there are other workers.
        device_id: the device that tests run on.
    """

    append: Callable[[bytes], None] | None
    attachments: Path
    worker: str | None = None
    is_serial: bool = False
    device_id: str | None = None


def worker_watcher(settings: Settings, config: Mapping[str, Any], fixtures: set[str]) -> "TestWatcher":
    """Return the watcher of an xdist worker or an isolated test, which sends its lines with the reports.

    Args:
        settings: what to record.
        config: from `SessionPlugin.worker_config` in the process that writes.
        fixtures: names of the ``bench_*`` fixtures.
    """
    process = Process(
        append=None,
        attachments=Path(config["attachments"]),
        worker=config["worker"],
        is_serial=TURNS_KEY in config,
        device_id=config["device_id"],
    )
    identifier = Identifier(config["project"], Path(config["root"]))
    return TestWatcher(identifier, BlockProbe(), settings, process, fixtures)


class TestWatcher:
    """The hooks around each test; one object per process that runs tests."""

    __test__ = False

    def __init__(
        self, identifier: Identifier, probe: BlockProbe, settings: Settings, process: Process, fixtures: set[str]
    ) -> None:
        """Create a watcher; tests that use one of `fixtures`, the ``bench_*`` fixtures, are recorded."""
        self._identifier = identifier
        self._probe = probe
        self._settings = settings
        self._process = process
        self._bench_fixtures = fixtures
        self._pid = os.getpid()
        self._codspeed: Any = None
        self._refused: list[str] = []
        self._keeping = Keeping(
            keep_rounds=settings.keep_rounds,
            attachments=process.attachments,
            gco2_per_kwh=settings.grid_gco2_per_kwh,
        )
        self._counter = counter_of(settings.passes)
        self._open: pytest.Item | None = None
        self._calling: pytest.Item | None = None

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, None, None]:
        """Start an attempt if the test is recorded."""
        item.stash[_attempts_key] = item.stash.get(_attempts_key, 0) + 1
        problem = self._begin(item).problem if self._is_recorded(item) else None
        yield
        if problem is not None:
            pytest.fail(problem, pytrace=False)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
    ) -> Generator[None, object, object]:
        """Observe the `benchmark` fixture, even if another fixture requested it."""
        value = yield
        if fixturedef.argname in _FIXTURES and kind_of(value) is not None:
            item = request.node
            if isinstance(item, pytest.Item):
                attempt = item.stash.get(ATTEMPT_KEY, None) or self._begin(item)
                if attempt.fixture is None:
                    observe(value, attempt)
                    if attempt.alone:
                        enable_under_xdist(value, item.config)
        return value

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, None, None]:
        """Time the whole test, unless it has a fixture that times part of it."""
        self._calling = item
        attempt = item.stash.get(ATTEMPT_KEY, None)
        try:
            with contextlib.nullcontext() if attempt is None else self._begin_call(item, attempt):
                result = yield
            if attempt is not None and attempt.own_block is not None and attempt.asked_by is not None:
                attempt.count_again(item.runtest)
            if attempt is not None and attempt.time_budget is not None and not attempt.is_counted_only:
                self._check_budget(item, attempt, attempt.time_budget)
            return result
        finally:
            self._calling = None

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Collect the phases; after the last one, write or send the run."""
        report = yield
        attempt = item.stash.get(ATTEMPT_KEY, None)
        if attempt is None:
            return report
        if self._calling is item:  # within the call, reports are those of subtests
            attempt.failed_subtests += report.outcome == "failed"
            return report
        phase = phase_of(report, call.excinfo)
        if call.excinfo is not None and attempt.ran_out_of_memory(call.excinfo.value):
            phase = replace(phase, oom=True)
        if call.when == "setup":
            attempt.setup = phase
            if self._append is None:
                setattr(report, LINES_ATTRIBUTE, self._begin_line(attempt))
        elif call.when == "call":
            attempt.call = with_subtests(phase, attempt.failed_subtests)
            attempt.duration_s = call.duration
        else:
            attempt.teardown = phase
            self._finish(item, attempt, report)
        return report

    def finish_interrupted(self) -> None:
        """Record the test that Ctrl-C, `pytest.exit` or a broken hook left unfinished, or finished but not written."""
        item, self._open = self._open, None
        if item is not None and (attempt := item.stash.get(ATTEMPT_KEY, None)) is not None:
            self._finish(item, attempt, None)

    def _begin_line(self, attempt: Attempt) -> bytes:
        """Return the journal line of an attempt that begins."""
        return begin_line(
            attempt.run_id,
            attempt.benchmark,
            started_unix_us=attempt.started_unix_us,
            attempt=attempt.number,
            worker=self._process.worker,
        )

    def _lines_of(self, item: pytest.Item, attempt: Attempt) -> bytes:
        """Return the journal lines of a finished attempt, and note what of it cannot be stored."""
        worker = self._process.worker
        attempt.refused.clear()
        make = functools.partial(
            finished_run,
            item,
            attempt,
            codspeed_plugin=self._codspeed_of(item),
            device_id=self._process.device_id,
            worker=worker,
        )
        lines, refused = stored_lines(attempt, make, self._keeping, worker=worker)
        # They know the attempt: a cycle would keep what the test returned until the garbage is collected.
        attempt.bench = attempt.points = None
        self._refused += (f"{item.nodeid}: {text}" for text in refused)
        return lines

    def _write(self, lines: bytes) -> bool:
        """Write journal lines now; False if this process must send them with a report instead."""
        if self._append is None:
            return False
        self._append(lines)
        return True

    def is_benchmark(self, item: pytest.Item) -> bool:
        """Return whether a test asks to be timed, by a fixture or a marker."""
        names = getattr(item, "fixturenames", ())
        if not _FIXTURES.isdisjoint(names) or not self._bench_fixtures.isdisjoint(names):
            return True
        return any(marker.name in MARKERS for marker in item.iter_markers())

    def _is_recorded(self, item: pytest.Item) -> bool:
        return self._settings.everything or self.is_benchmark(item)

    def _begin_call(self, item: pytest.Item, attempt: Attempt) -> contextlib.AbstractContextManager[None]:
        attempt.codspeed_seen = len(codspeed.results(self._codspeed_of(item)))
        if attempt.fixture is not None or attempt.bench is not None:
            return contextlib.nullcontext()
        attempt.own_block = Block(self._probe)
        names = {marker.name for marker in markers_of(item)}
        attempt.asked_by = "benchdb" if "benchdb" in names else "codspeed" if names else None
        if attempt.is_counted_only:
            codspeed.switch_off(item, self._codspeed_of(item))
        return self._whole_test(attempt, attempt.own_block)

    def _check_budget(self, item: pytest.Item, attempt: Attempt, budget: TimeBudget) -> None:
        """Check the budget of the whole test; the points of its sweeps were checked at their ends."""
        if not item.stash[_points_key].were_measured or not attempt.bench.is_unused():
            budget.check(timing_of(attempt, self._codspeed_of(item)))

    @staticmethod
    @contextlib.contextmanager
    def _whole_test(attempt: Attempt, block: Block) -> Iterator[None]:
        """Time a test that asked for it without tracers; any other test belongs to its coverage."""
        if attempt.asked_by is None:
            attempt.traced_by = tracer_name()
            with block:
                yield
            return
        with untraced(), block:
            yield

    def _begin(self, item: pytest.Item) -> Attempt:
        markers = markers_of(item)
        labels, problem = labels_of(item.nodeid, markers)
        most_s = max_time_of(markers)
        attempt = Attempt(
            benchmark=self._identifier.benchmark(item),
            labels=labels,
            problem=problem,
            number=item.stash.get(_attempts_key, 1),
            block=Block(self._probe),
            identifier=self._identifier,
            alone=self._process.is_serial and self.is_benchmark(item),
            counter=self._counter,
            time_budget=None if most_s is None else TimeBudget(item, most_s),
        )
        attempt.points = item.stash[_points_key] = SweepPoints(
            attempt,
            write=self._write,
            begin_line=self._begin_line,
            lines_of=functools.partial(self._lines_of, item),
            expected=functools.partial(with_expected_failure, item=item),
        )
        if self._calling is item:  # the test requested the fixture in its body
            attempt.setup = Phase(outcome="passed")
        item.stash[ATTEMPT_KEY] = attempt
        self._open = item
        if self._append is not None:
            self._append(self._begin_line(attempt))
        return attempt

    @property
    def _append(self) -> Callable[[bytes], None] | None:
        # In a forked child (pytest-forked), a test sends its lines with its report.
        return self._process.append if os.getpid() == self._pid else None

    def _finish(self, item: pytest.Item, attempt: Attempt, report: pytest.TestReport | None) -> None:
        points = item.stash[_points_key]
        lines = points.lines
        if not points.are_the_whole_test:
            lines += self._lines_of(item, attempt)  # if Ctrl-C cuts this short, `finish_interrupted` repeats it
        del item.stash[ATTEMPT_KEY]
        del item.stash[_points_key]
        self._open = None
        if self._append is not None:
            self._append(lines)
        elif report is not None:
            setattr(report, LINES_ATTRIBUTE, lines)
        refused, self._refused = self._refused, []
        if refused and report is not None:
            setattr(report, REFUSED_ATTRIBUTE, refused)

    def _codspeed_of(self, item: pytest.Item) -> Any:
        if self._codspeed is None:
            self._codspeed = item.config.pluginmanager.get_plugin("codspeed_plugin") or False
        return self._codspeed
