"""Measures commands and stores them as a session: what `benchdb run` does."""

import os
import shlex
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pytest_benchdb.environment.toml_files import project_name
from pytest_benchdb.errors import ConfigError
from pytest_benchdb.measure.command.runner import Runner
from pytest_benchdb.model.answer.commands import CommandResults
from pytest_benchdb.model.identity import uuid7
from pytest_benchdb.operations.adhoc.as_run import benchmark_of, full_name, result_of, run_of
from pytest_benchdb.operations.adhoc.commands import (
    Command,
    CommandRequest,
    find_program,
    missing_program,
    read_commands,
)
from pytest_benchdb.operations.adhoc.measure import (
    Measured,
    RoundRules,
    Tell,
    measure_commands,
    startup_of,
    takes_turns,
)
from pytest_benchdb.operations.record import Context, SessionRecorder, project_root, start_session
from pytest_benchdb.store.fold_process import FoldResult
from pytest_benchdb.store.journal.lines import begin_line, run_lines
from pytest_benchdb.store.target import Target, resolve


@dataclass(frozen=True, slots=True, kw_only=True)
class AdhocRequest:
    """What `benchdb run` measures, and where it stores it.

    Attributes:
        target: a folder or a file, as for ``--benchdb=PATH``.
        argv: the command line of `benchdb run` itself.
        only: full names of the benchmarks to measure, for a re-run of the gate; None for all.
    """

    commands: CommandRequest
    rules: RoundRules
    target: str
    argv: Sequence[str]
    project: str | None = None
    label: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    note: str | None = None
    only: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AdhocOutcome:
    """What was measured, and how it was stored.

    Attributes:
        stored: None if there was nothing to store, or if it could not be.
        problem: what is lost or went elsewhere; None if all is well.
    """

    results: CommandResults
    session_id: str
    stored: FoldResult | None
    problem: str | None


def run_commands(request: AdhocRequest, tell: Tell) -> AdhocOutcome:
    """Measure commands and store the session; what Ctrl-C leaves is stored too, as an interrupted session.

    Args:
        request: what to measure.
        tell: is called between rounds, with all commands and the next one.

    Raises:
        ConfigError: a command, a file or the target cannot be used.
        MeasurementError: this system cannot start commands.
    """
    commands = read_commands(request.commands)
    commands = tuple(each for each in commands if request.only is None or full_name(each) in request.only)
    _check(commands, request.rules)
    target = _target(request.target)
    start = start_session(_context(request))
    recorder = SessionRecorder(start, target)
    session = _Session(recorder, request.rules, commands)
    with Runner() as runner:
        session.startup_s = _startup(commands, runner)
        session.begin()
        interrupted = measure_commands(session.series, request.rules, runner, _now_us, tell)
    session.store(interrupted=interrupted)
    failed = any(each.outcome != "passed" for each in session.series)
    stored = recorder.finish(
        outcome="interrupted" if interrupted else "failed" if failed else "passed",
        exit_status=None,
        complete=not interrupted,
        row_limit=0,
    )
    return AdhocOutcome(
        results=session.results(interrupted=interrupted),
        session_id=start.session_id,
        stored=stored,
        problem=recorder.problem or (stored.message if stored else None),
    )


class _Session:
    """The runs of a session."""

    def __init__(self, recorder: SessionRecorder, rules: RoundRules, commands: Sequence[Command]) -> None:
        self.series = [Measured(command=command) for command in commands]
        self.startup_s: float | None = None
        self._recorder = recorder
        self._rules = rules
        self._in_turns = takes_turns(commands, rules)
        self._benchmarks = [benchmark_of(command, recorder.start.project) for command in commands]
        self._run_ids = [uuid7() for _ in commands]

    def begin(self) -> None:
        """Write down what is about to run, so that a session that dies shows it."""
        for benchmark, run_id in zip(self._benchmarks, self._run_ids, strict=True):
            line = begin_line(run_id, benchmark, started_unix_us=_now_us(), attempt=1, worker=None)
            self._recorder.append(line)

    def store(self, *, interrupted: bool) -> None:
        """Write the runs down; a command that Ctrl-C left without a round has none to show."""
        devices = self._recorder.start.devices
        for each, benchmark, run_id in zip(self.series, self._benchmarks, self._run_ids, strict=True):
            if interrupted and each.outcome == "passed" and not each.rounds:
                each.fail("error", "interrupted before its first round had ended")
            facts: dict[str, object] = {"order": "in turns" if self._in_turns else "one after another"}
            if each.command.shell is not None:
                facts |= {"shell": each.command.shell, "shell_startup_s": self.startup_s}
            run = run_of(each, benchmark, self._rules, run_id=run_id, facts=facts)
            device_id = devices[0].device_id if devices else None
            started_us = each.began_unix_us or _now_us()
            self._recorder.append(run_lines(replace(run, device_id=device_id, started_unix_us=started_us)))

    def results(self, *, interrupted: bool) -> CommandResults:
        """Return what to show."""
        return CommandResults(
            commands=tuple(result_of(each, self._rules) for each in self.series),
            in_turns=self._in_turns,
            shell_startup_s=self.startup_s,
            interrupted=interrupted,
        )


def _check(commands: Sequence[Command], rules: RoundRules) -> None:
    """Check before anything runs what can be checked: a command may be built by what is set up for it."""
    for command in commands:
        if not {"setup", "prepare"} & set(command.hooks) and find_program(command) is None:
            raise ConfigError(missing_program(command))
    if not os.access(rules.input, os.R_OK) or Path(rules.input).is_dir():
        raise ConfigError(f"--input {rules.input}: there is no such file, or it cannot be read")
    if rules.output is not None and not Path(rules.output).absolute().parent.is_dir():
        raise ConfigError(f"--stdout {rules.output}: there is no folder {Path(rules.output).absolute().parent}")
    if rules.output is not None and Path(rules.output).is_dir():
        raise ConfigError(f"--stdout {rules.output}: a folder; give the name of a file, or null")


def _startup(commands: Sequence[Command], runner: Runner) -> float | None:
    shell = next((command.shell for command in commands if command.shell is not None), None)
    return None if shell is None else startup_of(shlex.split(shell), runner)


def _context(request: AdhocRequest) -> Context:
    folder = Path.cwd()
    root = project_root(folder)
    return Context(
        root=root,
        environ=os.environ,
        argv=request.argv,
        project=request.project or project_name(root) or project_name(folder),
        label=request.label,
        tags=request.tags,
        note=request.note,
        suite={},
        unmeasured={},
        kind="api",
        runs_again=request.only is None,
    )


def _target(path: str) -> Target:
    try:
        return resolve(path, Path.cwd())
    except ConfigError as error:
        raise ConfigError(str(error).replace("--benchdb=", "--db ", 1)) from error


def _now_us() -> int:
    return time.time_ns() // 1000
