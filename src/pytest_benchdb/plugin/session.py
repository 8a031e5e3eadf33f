"""The hooks around the session, in the process that writes results: a plain run or xdist's controller.

PYTEST_DONT_REWRITE
"""

import json
import os
import sys
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from pytest_benchdb.environment.toml_files import project_name
from pytest_benchdb.measure.process.block_usage import BlockProbe
from pytest_benchdb.measure.timing.tracers import NO_OBSERVERS, observers
from pytest_benchdb.model.environment import CountingMethod, SessionOutcome, SessionStart
from pytest_benchdb.model.value.json_value import json_value
from pytest_benchdb.operations.record import Context, SessionRecorder, project_root, start_session
from pytest_benchdb.plugin.bench.fixtures import NAMES, devices_of
from pytest_benchdb.plugin.ending import changes, gate, summary
from pytest_benchdb.plugin.ending.outputs import Outputs, write_outputs
from pytest_benchdb.plugin.ending.own_command import shown_path
from pytest_benchdb.plugin.processes import isolate
from pytest_benchdb.plugin.processes.turns import TurnsFolder
from pytest_benchdb.plugin.recording.counting import counting_method
from pytest_benchdb.plugin.recording.identity import Identifier
from pytest_benchdb.plugin.recording.interrupt import interrupt_held
from pytest_benchdb.plugin.recording.run import crashed_lines
from pytest_benchdb.plugin.recording.watcher import (
    LINES_ATTRIBUTE,
    REFUSED_ATTRIBUTE,
    TURNS_KEY,
    WORKER_KEY,
    Process,
    TestWatcher,
)
from pytest_benchdb.plugin.settings import Settings
from pytest_benchdb.present.writing.text import sanitize
from pytest_benchdb.registry import load_entry_points
from pytest_benchdb.store.fold_process import FoldResult
from pytest_benchdb.store.target import Target

_OUTCOMES: dict[int, SessionOutcome] = {0: "passed", 1: "failed", 2: "interrupted", 5: "empty"}
_ENDED_BY_ITSELF = frozenset({0, 1, 5})
_INTERRUPTIONS = (KeyboardInterrupt, pytest.exit.Exception)


COUNTED_TAG = "counted"
"""Tag of a session that counts instructions instead of timing; its value says by what."""


def begin_session(config: pytest.Config, settings: Settings, root: Path, probe: BlockProbe) -> SessionStart:
    """Read the machine, the commit and the suite's facts."""
    counting = counting_method(settings.passes)
    return start_session(
        Context(
            root=root,
            environ=os.environ,
            argv=["pytest", *config.invocation_params.args],
            project=settings.project or project_name(root) or project_name(config.rootpath),
            label=settings.label,
            tags={**_rank_tags(os.environ), **_counting_tags(counting), **settings.tags},
            note=settings.note,
            suite=_suite_facts(config),
            unmeasured=probe.unmeasured(),
            counting=counting,
        )
    )


def _counting_tags(counting: CountingMethod | None) -> dict[str, str]:
    return {} if counting is None else {COUNTED_TAG: f"{counting.method} as {counting.cpu_features}"}


def _rank_tags(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the tags of a session that torchrun started as one of several."""
    if "RANK" not in environ:
        return {}
    from pytest_benchdb.measure.distributed.ranks import rank_of, rank_tags

    info = rank_of(environ)
    return {} if info is None else rank_tags(info)


def _suite_facts(config: pytest.Config) -> dict[str, object]:
    facts: dict[str, object] = {**observers().facts()}
    hook = config.hook.pytest_benchdb_environment
    for answer in hook(config=config) if hook.get_hookimpls() else ():
        if isinstance(answer, Mapping):
            facts.update({str(key): json_value(value) for key, value in answer.items()})
    return facts


class _Ending(NamedTuple):
    """How a session ended: `by_itself`, not by an interruption, and `complete` if every selected test ran."""

    outcome: SessionOutcome
    status: int
    by_itself: bool
    complete: bool


class SessionPlugin:
    """Records one session; tests that run in this process are watched by a `TestWatcher`."""

    # Set in `pytest_sessionstart`, before pytest calls any other hook that uses them.
    _recorder: SessionRecorder
    _identifier: Identifier
    _watcher: TestWatcher

    def __init__(self, config: pytest.Config, settings: Settings, target: Target) -> None:
        self._config = config
        self._settings = settings
        self._target = target
        self._probe = BlockProbe()
        self._root = project_root(config.rootpath)
        self._turns = TurnsFolder()
        self._running: dict[str, bytes] = {}
        self._loop_ended = False
        self._cut_by: BaseException | None = None
        self._refused: list[str] = []
        self._observers = NO_OBSERVERS
        self._result: FoldResult | None = None
        self._outputs = Outputs()
        self._gate: gate.GateReport | None = None
        self._comparison: list[str] | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Start the session's record, and begin to watch tests."""
        load_entry_points(self._config.pluginmanager)  # environment probes among them
        self._config.add_cleanup(self._turns.remove)  # when no worker needs it any more
        if self._settings.backends:
            devices_of(self._config)  # now, so that a wrong name ends the run before its first test
        start = begin_session(self._config, self._settings, self._root, self._probe)
        self._recorder = SessionRecorder(start, self._target)
        self._identifier = Identifier(start.project, self._root)
        self._watcher = TestWatcher(
            self._identifier,
            self._probe,
            self._settings,
            Process(append=self._recorder.append, attachments=self._target.attachments, device_id=self._device_id),
            NAMES,
        )
        self._config.pluginmanager.register(self._watcher, "benchdb-watcher")
        isolate.register(self._config, self.worker_config(None), append=self._recorder.append)

    def pytest_report_header(self) -> str:
        """Show where the results go."""
        return f"benchdb: recording into {sanitize(shown_path(self._target.path, self._config))}"

    def pytest_collection_finish(self) -> None:
        """Note what observes the tests: pytest-cov ends before the session does."""
        self._observers = observers()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(self) -> Generator[None, object, object]:
        """Note whether the loop came to its end: after a second Ctrl-C, pytest's exit status is that of success."""
        try:
            result = yield
        except BaseException as error:
            self._cut_by = error
            with interrupt_held():
                self._watcher.finish_interrupted()
            raise
        self._loop_ended = True
        return result

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Send an xdist worker the configuration that it cannot determine itself."""
        turns = {TURNS_KEY: self._turns.path} if self._settings.serial else {}
        node.workerinput[WORKER_KEY] = {**self.worker_config(node.gateway.id), **turns}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Write the lines that a worker or a forked child sent; remove them, so that no other plugin dumps them."""
        self._refused += report.__dict__.pop(REFUSED_ATTRIBUTE, ())
        lines = report.__dict__.pop(LINES_ATTRIBUTE, None)
        if lines is None:
            return
        if report.when == "setup":
            self._running[report.nodeid] = lines
        else:
            self._running.pop(report.nodeid, None)
        self._recorder.append(lines)

    @pytest.hookimpl(optionalhook=True)
    def pytest_handlecrashitem(self, crashitem: str, report: pytest.TestReport) -> None:
        """Record the test that crashed its xdist worker."""
        begun = self._running.pop(crashitem, None)
        if begun is not None:
            self._recorder.append(crashed_lines(json.loads(begun), self._identifier, str(report.longrepr)))
        elif self._settings.everything:
            self._recorder.append(crashed_lines({"nodeid": crashitem}, self._identifier, str(report.longrepr)))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> Generator[None, None, None]:
        """Store the session before other plugins save theirs, because they may raise."""
        if self._recorder.is_copy:
            return (yield)
        if self._observers.stay and not self._recorder.is_empty:
            self._refused.insert(
                0,
                f"{' and '.join(self._observers.stay)} observed this session and is in its times, at least in those of "
                "phases, steps and pytest-benchmark; run without it for times to compare",
            )
        ending = self._ending(int(exitstatus), session)
        with interrupt_held():
            self._finish_running()
            summary.announce(self._config, self._recorder)
            self._result = self._recorder.finish(
                outcome=ending.outcome,
                exit_status=ending.status,
                complete=ending.complete,
                row_limit=summary.ROW_LIMIT,
                earlier=changes.are_shown(self._config, self._settings),
            )
        session_id = self._recorder.start.session_id
        self._outputs = write_outputs(
            self._settings,
            session_id,
            self._result,
            self._config.invocation_params.dir,
            lambda path: shown_path(path, self._config),
        )
        self._comparison = changes.compare(self._config, self._settings, self._target, session_id, self._result)
        if ending.by_itself and self._settings.fail_on:
            gate.announce(self._config, self._settings)
            self._gate = gate.judge_run(self._config, self._settings, self._target, session_id, self._result)
        undecided = self._gate is not None and self._gate.trouble is not None
        if self._settings.strict and (self._is_lost or self._outputs.trouble or undecided):
            session.exitstatus = max(int(exitstatus), 1)
        if self._gate is not None and self._gate.failed and int(session.exitstatus) in _ENDED_BY_ITSELF:
            session.exitstatus = 1
        return (yield)

    def _ending(self, status: int, session: pytest.Session) -> "_Ending":
        """Tell how the session ended; after a second Ctrl-C, pytest's exit status is still that of success."""
        raised = self._cut_by or sys.exc_info()[1]
        if status == 0 and isinstance(raised, KeyboardInterrupt):
            status = int(pytest.ExitCode.INTERRUPTED)
        interrupted = isinstance(raised, _INTERRUPTIONS)
        by_itself = status in _ENDED_BY_ITSELF and not interrupted
        return _Ending(
            outcome="interrupted" if interrupted else _OUTCOMES.get(status, "error"),
            status=status,
            by_itself=by_itself,
            complete=by_itself and self._loop_ended and not session.shouldstop and not session.shouldfail,
        )

    def _finish_running(self) -> None:
        """Record the tests that the end of the session left unfinished, here or in xdist's workers."""
        self._watcher.finish_interrupted()
        for begun in self._running.values():
            self._recorder.append(crashed_lines(json.loads(begun), self._identifier, "interrupted", outcome="error"))
        self._running.clear()

    @pytest.hookimpl(wrapper=True)
    def pytest_terminal_summary(self, terminalreporter: "pytest.TerminalReporter") -> Generator[None, None, None]:
        """Print the table after every other section, even if one of them raises."""
        if self._recorder.is_copy:
            return (yield)
        try:
            return (yield)
        finally:
            summary.write(
                terminalreporter,
                self._config,
                self._recorder,
                self._result,
                self._outputs,
                summary.Content(
                    refused=self._refused,
                    columns=self._settings.columns,
                    traced_by=self._observers.taken_off,
                    serial=self._settings.serial,
                    next_command=self._comparison is None and not (self._gate is not None and self._gate.failed),
                ),
            )
            if self._comparison is not None:
                changes.write_comparison(terminalreporter, self._comparison)
            if self._gate is not None:
                gate.write(terminalreporter, self._config, self._gate)

    def worker_config(self, worker: str | None) -> dict[str, str | None]:
        """Return the configuration of another process that runs tests of this session; `worker` is its xdist name."""
        return {
            "project": self._recorder.start.project,
            "root": str(self._root),
            "worker": worker,
            "device_id": self._device_id,
            "attachments": str(self._target.attachments),
        }

    @property
    def _device_id(self) -> str | None:
        devices = self._recorder.start.devices
        return devices[0].device_id if devices else None

    @property
    def _is_lost(self) -> bool:
        if self._recorder.is_empty:
            return False
        return self._result is None or self._result.status != "stored" or self._recorder.problem is not None
