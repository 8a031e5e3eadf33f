"""``@pytest.mark.benchdb(isolate=True)``: the test runs in a fresh process, and its reports come back.

Memory use depends on what earlier tests left in the allocators; a fresh process starts clean. It is pytest again, with
the arguments of this run, for this one test (`processes.child`). Its reports, with the journal lines on them, come
through a file that is read once the process has ended, so that nothing runs beside it.

PYTEST_DONT_REWRITE
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest

from pytest_benchdb.model.run import Outcome
from pytest_benchdb.model.value.number import plain
from pytest_benchdb.plugin.options import ISOLATED_VARIABLE
from pytest_benchdb.plugin.processes.child import read_messages, worker_config
from pytest_benchdb.plugin.recording.identity import Identifier
from pytest_benchdb.plugin.recording.run import crashed_lines
from pytest_benchdb.plugin.recording.watcher import LINES_ATTRIBUTE

DEFAULT_LIMIT_S = 3600.0
"""How long an isolated test may take if pytest-timeout sets no limit."""
START_LIMIT_S = 60.0
"""How much longer than pytest-timeout's limit the process may take: pytest has to start, and that plugin to act."""
_GRACE_S = 5.0
_TAIL_LINES = 40

# As this run was started: `python -m pytest` has the working directory in ``sys.path``, the script `pytest` does not.
_BOOT = """
import os, sys
if sys.path[0] == "": sys.path[:1] = [os.getcwd()] if sys.argv.pop(1) == "cwd" else []
else: sys.argv.pop(1)
import pytest
raise SystemExit(pytest.main(sys.argv[1:]))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessEnd:
    """How an isolated test's process ended.

    Attributes:
        status: exit status, negative for a signal; None if it was killed at its limit.
        limit_s: how long it was allowed to take.
        output: its last lines of output.
    """

    status: int | None
    limit_s: float
    output: str

    @property
    def outcome(self) -> Outcome:
        """The outcome of a test that did not end."""
        return "timeout" if self.status is None else "crashed"

    @property
    def reason(self) -> str:
        """Why the test did not end, in one line."""
        if self.status is None:
            return f"Timeout >{self.limit_s:g}s: the test's own process did not end and was killed"
        if self.status < 0:
            return f"the test's own process was killed by {_signal_name(-self.status)}"
        last = next((f": {line}" for line in reversed(self.output.splitlines()) if line.strip()), "")
        return f"the test's own process ended with exit status {self.status} before the test did{last}"


def register(
    config: pytest.Config,
    worker: Mapping[str, Any],
    *,
    append: Callable[[bytes], None] | None = None,
    limit_s: float = DEFAULT_LIMIT_S,
) -> None:
    """Run the marked tests of this process in separate processes; do nothing within one of those.

    Args:
        config: of the process that writes results, or of an xdist worker.
        worker: configuration for `plugin.recording.watcher.worker_watcher`, as JSON values.
        append: writes journal lines of a test that Ctrl-C interrupts; None in an xdist worker, which cannot.
        limit_s: how long a test may take if pytest-timeout sets no limit.
    """
    if worker_config(config) is None:
        config.pluginmanager.register(IsolatePlugin(config, worker, append, limit_s), "benchdb-isolate")


def is_isolated(item: pytest.Item) -> bool:
    """Return whether the closest `benchdb` marker that has `isolate` sets it to True."""
    values = (plain(marker.kwargs["isolate"]) for marker in item.iter_markers("benchdb") if "isolate" in marker.kwargs)
    return bool(next(values, False))


class IsolatePlugin:
    """Runs marked tests in other processes, and logs their reports here."""

    def __init__(
        self,
        config: pytest.Config,
        worker: Mapping[str, Any],
        append: Callable[[bytes], None] | None,
        limit_s: float,
    ) -> None:
        self._config = config
        self._worker_config = worker
        self._append = append
        self._limit_s = limit_s
        self._identifier = Identifier(worker["project"], Path(worker["root"]))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        """Run a marked test in its own process, unless a debugger needs it in this one."""
        option = self._config.option
        if not is_isolated(item) or option.usepdb or option.trace or option.setuponly or option.setupplan:
            return None
        _stop_timer(item)
        hook = item.ihook
        hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        torn_down = self._tear_down_others(item, nextitem)
        for report in self._reports(item):
            hook.pytest_runtest_logreport(report=report)
        if torn_down.failed:
            hook.pytest_runtest_logreport(report=torn_down)
        hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    def _tear_down_others(self, item: pytest.Item, nextitem: pytest.Item | None) -> pytest.TestReport:
        """Tear down fixtures of earlier tests that later ones do not share, as this test's end would."""
        state = item.session._setupstate  # noqa: SLF001 - there is no public way
        call = pytest.CallInfo.from_call(
            lambda: state.teardown_exact(nextitem), "teardown", reraise=(KeyboardInterrupt, pytest.exit.Exception)
        )
        # Not through the hook: other plugins expect that this test was set up in this process.
        return pytest.TestReport.from_item_and_call(item, call)

    def _reports(self, item: pytest.Item) -> Iterator[pytest.TestReport]:
        begun: dict[str, Any] = {
            "benchmark": asdict(self._identifier.benchmark(item)),
            "worker": self._worker_config["worker"],
        }
        last = None
        with tempfile.TemporaryDirectory(prefix="benchdb-isolated-", ignore_cleanup_errors=True) as folder:
            try:
                ended = self._run(item, Path(folder))
            except BaseException:  # Ctrl-C, which logs no reports
                if self._append is not None:
                    self._append(self._lines_of_interrupted(Path(folder), begun))
                raise
            for report in self._reports_in(Path(folder)):
                report.nodeid = item.nodeid
                if report.when == "setup" and (lines := getattr(report, LINES_ATTRIBUTE, None)) is not None:
                    begun = json.loads(lines)
                last = report.when
                yield report
        if last != "teardown":
            yield self._crashed(item, ended, begun, "call" if last in {None, "setup"} else "teardown")

    def _reports_in(self, folder: Path) -> Iterator[pytest.TestReport]:
        for message in read_messages(folder / "reports"):
            report = self._config.hook.pytest_report_from_serializable(config=self._config, data=message)
            if isinstance(report, pytest.TestReport):
                yield report

    def _lines_of_interrupted(self, folder: Path, begun: Mapping[str, Any]) -> bytes:
        """Return the journal lines of a test whose process was interrupted, perhaps after the test ended."""
        for report in self._reports_in(folder):
            if report.when == "teardown" and (lines := getattr(report, LINES_ATTRIBUTE, None)) is not None:
                return bytes(lines)
        return self._lines_without_end(begun, "interrupted", "error")

    def _lines_without_end(self, begun: Mapping[str, Any], reason: str, outcome: Outcome) -> bytes:
        """Return the journal lines of a test that never ended."""
        parallel = self._worker_config["worker"] is not None
        return crashed_lines(begun, self._identifier, reason, outcome=outcome, parallel=parallel)

    def _crashed(self, item: pytest.Item, ended: ProcessEnd, begun: Mapping[str, Any], when: Any) -> pytest.TestReport:
        report = pytest.TestReport(
            nodeid=item.nodeid,
            location=item.location,
            keywords={},
            outcome="failed",
            longrepr=ended.reason,
            when=when,
            sections=[("Output of the test's own process", ended.output)] if ended.output else [],
        )
        setattr(report, LINES_ATTRIBUTE, self._lines_without_end(begun, ended.reason, ended.outcome))
        return report

    def _run(self, item: pytest.Item, folder: Path) -> ProcessEnd:
        """Run pytest for the test, and wait for it."""
        parameters = self._config.invocation_params
        assignment = {
            "nodeid": _nodeid(item),
            "argument": f"{item.path}::{_nodeid(item).partition('::')[2]}".removesuffix("::"),
            "reports": str(folder / "reports"),
            "worker_config": dict(self._worker_config),
        }
        cwd_is_in_path = {"", str(parameters.dir)} & set(sys.path)
        command = [
            *_interpreter(),
            "-c",
            _BOOT,
            "cwd" if cwd_is_in_path else "script",
            *(str(argument) for argument in parameters.args),
        ]
        environ = {**os.environ, ISOLATED_VARIABLE: json.dumps(assignment)}
        shows_output = self._config.option.capture == "no"
        limit_s = _limit_s(item, self._limit_s)
        with (folder / "output").open("w+b") as output:
            status = run_limited(
                command, limit_s, cwd=str(parameters.dir), env=environ, output=None if shows_output else output
            )
            output.seek(0)
            lines = output.read().decode("utf-8", "replace").splitlines()
        return ProcessEnd(status=status, limit_s=limit_s, output="\n".join(lines[-_TAIL_LINES:]))


def run_limited(
    command: Sequence[str], limit_s: float, *, cwd: str, env: Mapping[str, str], output: Any = None
) -> int | None:
    """Run a program; return its exit status, or None if it was killed at its limit.

    It stays in this process's group, so that Ctrl-C and a kill of the group reach it. At the limit its children are
    killed too. Its output goes to the file `output`; None shares this process's output.
    """
    process = subprocess.Popen(command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        return process.wait(limit_s)
    except subprocess.TimeoutExpired:
        _kill_tree(process)
        return None
    except BaseException:  # Ctrl-C, which the program got as well: let it end its test properly
        try:
            process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            _kill_tree(process)
        raise


def _kill_tree(process: "subprocess.Popen[bytes]") -> None:
    import psutil

    try:
        children = psutil.Process(process.pid).children(recursive=True)
    except psutil.Error:
        children = []
    process.kill()
    for child in children:
        with contextlib.suppress(psutil.Error):  # it ended by itself
            child.kill()
    # With a limit, because a Ctrl-C at the wrong moment leaves a lock of `Popen` behind, and every later wait on it.
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_GRACE_S)


def _limit_s(item: pytest.Item, otherwise_s: float) -> float:
    """Return how long a test's process may take, from pytest-timeout's limit if there is one."""
    config = item.config
    marker = item.get_closest_marker("timeout")
    limit: Any = None
    if marker is not None:
        limit = marker.args[0] if marker.args else marker.kwargs.get("timeout")
    elif config.pluginmanager.hasplugin("timeout"):
        limit = config.getoption("timeout", None) or os.environ.get("PYTEST_TIMEOUT") or config.getini("timeout")
    try:
        limit_s = float(limit or 0)
    except (TypeError, ValueError):
        limit_s = 0.0
    return limit_s + START_LIMIT_S if limit_s > 0 else otherwise_s


def _stop_timer(item: pytest.Item) -> None:
    """Stop pytest-timeout's timer in this process, because the test's own process has one.

    With ``timeout_method=thread`` it would end the whole session.
    """
    cancel = getattr(item.config.hook, "pytest_timeout_cancel_timer", None)
    if cancel is not None:
        cancel(item=item)


def _nodeid(item: pytest.Item) -> str:
    """Return the node id without the ``@group`` that xdist's loadgroup adds before pytest 9.2."""
    marker = item.get_closest_marker("xdist_group") if hasattr(item.config, "workerinput") else None
    if marker is None:
        return item.nodeid
    group = marker.args[0] if marker.args else marker.kwargs.get("name", "default")
    return item.nodeid.removesuffix(f"@{group}")


def _interpreter() -> list[str]:
    """Return this interpreter with the flags that affect tests."""
    flags = ["-I"] if sys.flags.isolated else []
    flags += ["-O"] * sys.flags.optimize
    return [sys.executable, *flags, *(f"-W{text}" for text in sys.warnoptions)]


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
