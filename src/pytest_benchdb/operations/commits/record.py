"""Record the benchmarks of past commits: `open_recorder`, then `CommitRecorder.record` for each commit.

Each run is a fresh pytest process in a folder of the commit's own. What it records has the commit's hash, subject and
date, because pytest runs in a checkout of that commit, and the true time at which it was measured.
"""

import contextlib
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pytest_benchdb.environment.ci import PAST_BRANCH
from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.model.wording import counted
from pytest_benchdb.operations.commits.checkout import BenchmarkFiles, OpenCommit, Origin, check_arguments, open_commit
from pytest_benchdb.operations.commits.environments import Environments, StepError, python_of, run_step
from pytest_benchdb.operations.commits.import_probe import (
    PLUGIN,
    Imported,
    classify_modules,
    find_packages,
    modules_text,
    read_modules,
    write_probe,
)
from pytest_benchdb.operations.count.wrap import COUNTING_PATIENCE_S, wrap_counting
from pytest_benchdb.operations.exchange.open import open_source
from pytest_benchdb.operations.pytest_run import PATIENCE_S, last_line, run_to_end
from pytest_benchdb.operations.upkeep.annotate import exclude_sessions

FailureKind = Literal["checkout", "setup", "build", "start", "no-benchmark", "tests", "imports"]
"""What failed: git, a command of the user, pytest itself, or the suite, which measured nothing or other code."""

_NO_MODULE = re.compile("No module named '?pytest(_benchdb)?'?")
_NO_TESTS = 5
_COLLECTION_FAILED = 2
_USAGE = 4
_RECORDED = frozenset({0, 1})
"""Exit statuses of pytest after which the outcome of each test is recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitSuite:
    """What to run at each commit.

    Attributes:
        program: the command that runs pytest; ``("pytest",)`` is the environment's own, else this Python's.
        arguments: pytest's arguments.
        database: folder or file to record into.
        pythonpath: folders to put first on Python's path, relative to the working folder; empty for ``src`` and the
            working folder, and those of the top folder.
        setup: command that makes an environment for a set of dependencies; None to use this Python.
        build: command to run in each checkout before its benchmarks; None for none.
        files: benchmark files to use at every commit; None for each commit's own.
        branch: that the commits are on; None if unknown.
        counts: whether instructions are counted instead of times.
        cache: whether caches are simulated as well, if `counts`.
    """

    program: tuple[str, ...]
    arguments: tuple[str, ...]
    database: Path
    pythonpath: tuple[str, ...] = ()
    setup: str | None = None
    build: str | None = None
    files: BenchmarkFiles | None = None
    branch: str | None = None
    counts: bool = False
    cache: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a commit has no figures; the text is one line."""

    kind: FailureKind
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What one run of a commit gave.

    Attributes:
        sessions: what was recorded, also of benchmarks that failed; mostly one.
        failure: why it cannot be used; None if some benchmark passed.
        notes: one line each about what was measured.
        files: files of the commit that Python imported, relative to its top folder; None if that is not known.
    """

    sha: str
    sessions: tuple[SessionRow, ...] = ()
    failure: Failure | None = None
    notes: tuple[str, ...] = ()
    files: tuple[str, ...] | None = None


class CommitRecorder:
    """Checks out commits and records their benchmarks; use `open_recorder`."""

    def __init__(self, origin: Origin, suite: CommitSuite, temporary: Path, say: Callable[[str], None]) -> None:
        """Write the import probe.

        Args:
            origin: the user's checkout.
            suite: what to run.
            temporary: folder for checkouts, for pytest's output and the probe's report.
            say: called with one line per warning.
        """
        self._origin = origin
        self._suite = suite
        self._temporary = temporary
        self._say = say
        self.log = temporary / "output.log"
        """What the last command printed."""
        self._report = write_probe(temporary)
        self._known: set[str] | None = None

    @contextlib.contextmanager
    def checked_out(self, sha: str) -> Iterator[OpenCommit]:
        """Check out a commit for the length of a block; several may be open at a time.

        Raises:
            ConfigError: git cannot check it out, or it lacks the working folder.
        """
        with open_commit(self._origin, sha, self._temporary, self._say, files=self._suite.files) as commit:
            yield commit

    def record_commit(self, sha: str, tags: Mapping[str, str]) -> Recorded:
        """Check out a commit, record its benchmarks once, and remove the checkout; see `record`."""
        try:
            with self.checked_out(sha) as commit:
                return self.record(commit, tags)
        except ConfigError as error:
            return Recorded(sha=sha, failure=Failure(kind="checkout", text=str(error)))

    def record(self, commit: OpenCommit, tags: Mapping[str, str]) -> Recorded:
        """Record the benchmarks of a commit once; a failure is in the result, and only Ctrl-C and a lost store raise.

        Args:
            commit: from `checked_out`.
            tags: tags of the session.

        Raises:
            BackendUnavailableError: instructions cannot be counted here.
            ConfigError: the program that runs pytest does not exist.
            StoreError: the database cannot be read.
        """
        if self._known is None:
            self._known = {session.session_id for session in self._sessions()}
        try:
            environment = self._prepare(commit)
        except _PrepareError as error:
            return Recorded(sha=commit.sha, failure=error.failure)
        options = [f"--benchdb-tag={name}={value}" for name, value in tags.items()]
        own = [*self._suite.arguments, f"--benchdb={self._suite.database.absolute()}", *options]
        with self._counted(self._program(environment), self._variables(commit)) as (program, environ):
            patience_s = COUNTING_PATIENCE_S if self._suite.counts else PATIENCE_S
            try:
                status = run_to_end(
                    [*program, *own], folder=commit.folder, environ=environ, log=self.log, patience_s=patience_s
                )
            except OSError as error:
                raise ConfigError(f"cannot start {program[0]}: {error.strerror}; name a program that exists") from error
        return self._result(commit, status)

    @contextlib.contextmanager
    def _counted(
        self, program: tuple[str, ...], environ: Mapping[str, str]
    ) -> Iterator[tuple[tuple[str, ...], Mapping[str, str]]]:
        """Yield the program and its variables, wrapped so that it counts if that is what the suite is for."""
        if not self._suite.counts:
            yield program, environ
            return
        with tempfile.TemporaryDirectory(dir=self._temporary, prefix="dumps-", ignore_cleanup_errors=True) as dumps:
            wrapped = wrap_counting(program, environ, dumps=Path(dumps), cache=self._suite.cache)
            yield wrapped.command, wrapped.environ

    def _prepare(self, commit: OpenCommit) -> Path | None:
        """Make or find the environment, and build."""
        suite, environment = self._suite, None
        kind: FailureKind = "setup"
        try:
            if suite.setup is not None:
                own = Environments(origin=self._origin, setup=suite.setup, log=self.log)
                environment = own.prepare(commit)
            kind = "build"
            if suite.build is not None:
                environ = self._origin.environ
                run_step("--build", suite.build, commit, environ, self.log, environment=environment)
        except StepError as error:
            raise _PrepareError(Failure(kind=kind, text=str(error))) from error
        except OSError as error:
            raise _PrepareError(Failure(kind=kind, text=f"--{kind}: {error}")) from error
        return environment

    def _program(self, environment: Path | None) -> tuple[str, ...]:
        if self._suite.program != ("pytest",):
            return self._suite.program
        return ((environment and python_of(environment)) or sys.executable, "-m", "pytest")

    def _folders(self, commit: OpenCommit) -> list[Path]:
        own = self._suite.pythonpath
        if own:
            return [commit.folder / entry for entry in own]
        usual = (commit.folder / "src", commit.folder, commit.root / "src", commit.root)
        return [folder for folder in dict.fromkeys(usual) if folder.is_dir()]

    def _variables(self, commit: OpenCommit) -> dict[str, str]:
        environ = self._origin.environ
        path = [*map(os.fspath, self._folders(commit)), os.fspath(self._temporary), environ.get("PYTHONPATH", "")]
        plugins = [environ.get("PYTEST_PLUGINS", ""), PLUGIN]
        return {
            **environ,
            "PYTHONPATH": os.pathsep.join(filter(None, path)),
            # A variable rather than an option, so that the recorded command is the user's own.
            "PYTEST_PLUGINS": ",".join(filter(None, plugins)),
            PAST_BRANCH: self._suite.branch or "",
        }

    def _result(self, commit: OpenCommit, status: int) -> Recorded:
        sessions = self._new_sessions(commit.sha)
        modules = read_modules(self._report)
        imported = self._classified(commit, modules) if modules else None
        failure = _imports_failure(imported) or self._failure(status, sessions)
        if failure is not None and failure.kind == "imports" and sessions:
            exclude_sessions(
                self._suite.database,
                [f"session:{session.session_id}" for session in sessions],
                f"measured other code: {failure.text}",
                environ=self._origin.environ,
            )
        return Recorded(
            sha=commit.sha,
            sessions=sessions,
            failure=failure,
            notes=_notes(imported, sessions) if failure is None else (),
            files=_own_files(commit.root, modules) if modules else None,
        )

    def _failure(self, status: int, sessions: tuple[SessionRow, ...]) -> Failure | None:
        """Return why a run cannot be used; None if it can."""
        runs = sum(session.runs for session in sessions)
        if runs:
            if runs > sum(session.not_passed for session in sessions):
                return None
            return Failure(kind="tests", text=f"none of {counted(runs, 'benchmark')} passed{last_line(self.log)}")
        ending = last_line(self.log)
        text = self.log.read_text(encoding="utf-8", errors="replace")
        if _NO_MODULE.search(text) or ("unrecognized arguments" in text and "--benchdb" in text):
            advice = "pytest or pytest-benchdb is missing in the environment; install both in --setup"
            return Failure(kind="start", text=f"{advice}{ending}")
        if status in {*_RECORDED, _NO_TESTS} or (status == _USAGE and "not found" in ending):
            return Failure(kind="no-benchmark", text=f"it has no such benchmark{ending}")
        if status == _COLLECTION_FAILED:
            return Failure(kind="tests", text=f"its tests cannot be collected{ending}")
        return Failure(kind="start", text=f"pytest ended with exit status {status}{ending}")

    def _classified(self, commit: OpenCommit, modules: Mapping[str, str]) -> Imported:
        inner = [os.path.relpath(folder, commit.root) for folder in self._folders(commit)]
        packages = find_packages(commit.root, [path for path in inner if path != "."])
        return classify_modules(modules, side=commit.root, checkout=commit.checkout, packages=packages)

    def _sessions(self) -> list[SessionRow]:
        if not self._suite.database.exists():
            return []
        with open_source([self._suite.database]) as reader:
            return reader.sessions()

    def _new_sessions(self, sha: str) -> tuple[SessionRow, ...]:
        known = self._known or set()
        new = [session for session in self._sessions() if session.session_id not in known]
        self._known = known | {session.session_id for session in new}
        return tuple(session for session in new if session.commit_sha == sha)


def _own_files(root: Path, modules: Mapping[str, str]) -> tuple[str, ...]:
    top = root.resolve()
    paths = (Path(file) for file in modules.values())
    return tuple(sorted({path.relative_to(top).as_posix() for path in paths if path.is_relative_to(top)}))


class _PrepareError(Exception):
    """A commit cannot be run."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.text)
        self.failure = failure


def _imports_failure(imported: Imported | None) -> Failure | None:
    if imported is None or not (imported.foreign or imported.installed):
        return None
    place = "your checkout" if imported.foreign else "an installed package"
    advice = "put the commit's own folder first with --pythonpath"
    text = f"it imported {modules_text(imported.foreign or imported.installed)} from {place}; {advice}"
    return Failure(kind="imports", text=text)


def _notes(imported: Imported | None, sessions: tuple[SessionRow, ...]) -> tuple[str, ...]:
    notes = []
    failed = sum(session.not_passed for session in sessions)
    if failed:
        runs = sum(session.runs for session in sessions)
        notes.append(f"{failed} of {counted(runs, 'benchmark')} did not pass")
    if imported is None:
        notes.append("where its modules came from is not known")
    elif not imported.own:
        notes.append("the tests imported nothing of the project itself")
    return tuple(notes)


@contextlib.contextmanager
def open_recorder(origin: Origin, suite: CommitSuite, say: Callable[[str], None]) -> Iterator[CommitRecorder]:
    """Return a recorder of commits; its checkouts are removed with the block, also after Ctrl-C.

    Args:
        origin: the user's checkout.
        suite: what to run.
        say: called with one line per warning.

    Raises:
        ConfigError: an argument of pytest means the user's checkout whichever commit runs.
    """
    check_arguments(suite.arguments, origin.folder)
    with tempfile.TemporaryDirectory(prefix="benchdb-commits-", ignore_cleanup_errors=True) as name:
        yield CommitRecorder(origin, suite, Path(name), say)
