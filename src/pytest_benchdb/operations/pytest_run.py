"""Run pytest, or `benchdb run`, in a subprocess: for a side of a duet, or to rerun the gate's suspects."""

import contextlib
import json
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_benchdb.errors import ConfigError, StoreError
from pytest_benchdb.model.benchmark import COMMAND_FILE
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.model.series import SessionValue
from pytest_benchdb.operations.exchange.open import open_source
from pytest_benchdb.store.own_commands import OwnCommand

PATIENCE_S = 10.0
"""How long an interrupted pytest may take to store its session."""
VARIABLE = "BENCHDB_RERUN"
"""Environment variable that passes the benchmarks to rerun to our plugin in the child process."""

PAUSE_VARIABLE = "BENCHDB_CONFIRM_PAUSE"
"""Environment variable with the seconds between two re-runs."""
PAUSE_S = 60.0
"""Seconds. Disturbances last for tens of seconds, so back-to-back re-runs would all suffer from the same one.

With a pause before the second re-run, suites of identical code that failed fell from 4 of 57 to none, on a machine
under load; see docs/explanation/regression-quality.md. It costs nothing where the first re-run clears all suspects.
"""

_USABLE = frozenset({0, 1})
"""Exit statuses of pytest after which the outcome of each test is recorded."""
_MASK = "***"
_COMMANDS = ("pytest", "benchdb")
_OWN_RUN = (sys.executable, "-m", "pytest_benchdb", "run")
_PYTEST = frozenset({"pytest", "py.test"})

# Like the `pytest` script: `python -m pytest` would add the working directory to the path.
_SCRIPT = "import sys; del sys.path[0]; import pytest; raise SystemExit(pytest.main(sys.argv[1:]))"


def run_to_end(
    command: Sequence[str], *, folder: Path, environ: Mapping[str, str], log: Path, patience_s: float = PATIENCE_S
) -> int:
    """Run a program and return its exit status.

    Ctrl-C reaches the program too; it gets time to finish, so that its results are not lost, but never outlives us.

    Args:
        command: the program and its arguments.
        folder: the working folder.
        environ: its environment variables.
        log: file for its output.
        patience_s: how long it may take to finish after Ctrl-C.

    Raises:
        OSError: the program cannot be started.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    with _ended(process, patience_s):
        return process.wait()


@contextlib.contextmanager
def _ended(process: "subprocess.Popen[bytes]", patience_s: float) -> Iterator[None]:
    """Give a process time to end by itself after the block, then stop it."""
    try:
        yield
    finally:
        stops: tuple[Callable[[], None], ...] = (process.terminate, process.kill)
        for stop in stops:
            if not _has_ended(process, patience_s):
                stop()
        _has_ended(process, patience_s)


def _has_ended(process: "subprocess.Popen[bytes]", patience_s: float) -> bool:
    try:
        process.wait(patience_s)
    except subprocess.TimeoutExpired:
        return False
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """How to run the judged suite.

    Attributes:
        program: the command that runs pytest.
        arguments: pytest's arguments.
        folder: the working folder.
    """

    program: tuple[str, ...]
    arguments: tuple[str, ...]
    folder: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Rerun:
    """The result of one re-run.

    Attributes:
        session: the recorded session; None if there is none.
        values: empty if nothing was recorded.
        problem: why the re-run is not usable, in one line; None if it is.
    """

    session: SessionRow | None = None
    values: tuple[SessionValue, ...] = ()
    problem: str | None = None


Runner = Callable[[Sequence[str]], Rerun]
"""Reruns benchmarks, given their full names."""


def parse_suite(words: Sequence[str], folder: Path) -> Suite:
    """Parse a user's command: ``pytest ARGS``, ``python -m pytest ARGS``, ``benchdb run ARGS`` or pytest's arguments.

    >>> parse_suite(["pytest", "-q", "tests"], Path()).arguments
    ('-q', 'tests')
    """
    words = list(words)
    if words[:1] in (["pytest"], ["py.test"]):
        return Suite(program=_own_pytest(), arguments=tuple(words[1:]), folder=folder)
    if words[:2] == ["benchdb", "run"]:
        return Suite(program=_OWN_RUN, arguments=tuple(words[2:]), folder=folder)
    if words[1:3] == ["-m", "pytest"]:
        return Suite(program=tuple(words[:3]), arguments=tuple(words[3:]), folder=folder)
    if words and Path(words[0]).name in {"pytest", "pytest.exe"}:
        return Suite(program=tuple(words[:1]), arguments=tuple(words[1:]), folder=folder)
    return Suite(program=_own_pytest(), arguments=tuple(words), folder=folder)


def split_command(words: Sequence[str], example: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the program of a command that runs pytest, and pytest's arguments.

    Args:
        words: the command.
        example: what to type instead, for messages.

    Raises:
        ConfigError: there is none, or it does not run pytest.

    >>> split_command(["uv", "run", "pytest", "-q", "tests"], "")
    (('uv', 'run', 'pytest'), ('-q', 'tests'))
    """
    if not words:
        raise ConfigError(f"say what to run after --, for example: {example}")
    at = next((at for at, word in enumerate(words) if Path(word).name in _PYTEST), None)
    if at is None:
        raise ConfigError(f"-- {shlex.join(words)}: this does not run pytest; write: -- pytest {shlex.join(words)}")
    return tuple(words[: at + 1]), tuple(words[at + 1 :])


def own_suite(own: OwnCommand | None, folder: Path) -> Suite:
    """Return how to run a session again that this user recorded here.

    Args:
        own: how it was started; None if it was recorded elsewhere.
        folder: the working folder of the re-run.

    Raises:
        ConfigError: the command cannot be run again.
    """
    instead = "benchdb regress --confirm 2 -- pytest ARGS"
    return parse_suite(own_words(own, folder, "--confirm", instead, programs=_COMMANDS), folder)


def own_words(
    own: OwnCommand | None, folder: Path, what: str, instead: str, *, programs: Sequence[str] = ("pytest",)
) -> list[str]:
    """Return the words of the command by which this user recorded a session here.

    Args:
        own: how it was started; None if it was recorded elsewhere.
        folder: the working folder, which must be the same.
        what: the option or command that wants to run it, for messages.
        instead: what to type with a command of one's own.
        programs: which programs it may call.

    Raises:
        ConfigError: the command cannot be run again.
    """
    advice = f"give the command yourself: {instead}"
    if own is None:
        message = f"{what}: you did not record the session on this machine, so its command is not run"
        raise ConfigError(f"{message}; {advice}")
    if Path(own.folder) != folder.resolve():
        raise ConfigError(f"{what}: the session was recorded in {own.folder}; run it there, or {advice}")
    if _MASK in own.command:
        raise ConfigError(f"{what}: secrets were masked in the command ({own.command}); {advice}")
    words = shlex.split(own.command)
    if words[0] not in programs:
        raise ConfigError(f"{what}: the command does not call pytest ({own.command}); {advice}")
    return words


def find_root(folder: Path, names: Sequence[str]) -> Path | None:
    """Return the folder that benchmarks' full names are relative to; for command lines it is the working folder.

    It is the root of the working copy, or else the nearest parent folder with their files; None if there is none.
    """
    above = [folder, *folder.parents]
    copies = [parent for parent in above if (parent / ".git").exists()]
    files = {name.partition("::")[0] for name in names}
    if COMMAND_FILE in files:
        return folder
    return next((parent for parent in [*copies[:1], *above] if any((parent / file).is_file() for file in files)), None)


class ProcessRunner:
    """A `Runner` that starts a process for each re-run, with a pause between them."""

    def __init__(
        self, suite: Suite, environ: Mapping[str, str], *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        """Check the pause, and start nothing yet.

        Args:
            suite: how to run pytest.
            environ: environment variables for the processes.
            sleep: waits for a number of seconds.

        Raises:
            ConfigError: the pause in `environ` is not a number of seconds.
        """
        self._suite = suite
        self._environ = environ
        self.pause_s = _pause_s(environ.get(PAUSE_VARIABLE, ""))
        self._sleep = sleep
        self._has_run = False

    @property
    def command(self) -> str:
        """The command in shell syntax, as people would type it."""
        names = {_own_pytest(): ["pytest"], _OWN_RUN: ["benchdb", "run"]}
        program = names.get(self._suite.program, self._suite.program)
        return shlex.join([*program, *self._suite.arguments])

    def __call__(self, names: Sequence[str]) -> Rerun:
        """Rerun benchmarks; failures are reported in `Rerun.problem`, and only Ctrl-C raises."""
        if self._has_run:
            self._sleep(self.pause_s)
        self._has_run = True
        root = find_root(self._suite.folder, names)
        if root is None:
            file = names[0].partition("::")[0]
            return Rerun(problem=f"there is no {file} in or above {self._suite.folder}")
        files = {name: name.partition("::")[0] for name in names}
        there = [name for name, file in files.items() if file == COMMAND_FILE or (root / file).is_file()]
        with tempfile.TemporaryDirectory(prefix="benchdb-rerun-", ignore_cleanup_errors=True) as name:
            folder = Path(name)
            status = _run(self._suite, self._variables(root, there, folder), folder / "output")
            return _read(folder, status, self._suite)

    def _variables(self, root: Path, names: Sequence[str], folder: Path) -> dict[str, str]:
        assignment = {"root": str(root), "names": list(names), "db": str(folder / "db")}
        kept = {name: text for name, text in self._environ.items() if name != "PYTEST_CURRENT_TEST"}
        return {**kept, VARIABLE: json.dumps(assignment)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """What a `benchdb run` that a re-run started is to measure.

    Attributes:
        names: full names of the benchmarks.
        target: where it records.
    """

    names: frozenset[str]
    target: str


def read_assignment(environ: Mapping[str, str]) -> Assignment | None:
    """Return the assignment of a re-run; None if this process is not one."""
    if VARIABLE not in environ:
        return None
    assignment = json.loads(environ[VARIABLE])
    return Assignment(names=frozenset(assignment["names"]), target=assignment["db"])


def _pause_s(text: str) -> float:
    if not text:
        return PAUSE_S
    try:
        pause_s = float(text)
    except ValueError:
        pause_s = -1.0
    if not 0 <= pause_s < float("inf"):
        raise ConfigError(f"{PAUSE_VARIABLE}={text!r}: give a number of seconds, 0 for no pause between re-runs")
    return pause_s


def _own_pytest() -> tuple[str, ...]:
    return (sys.executable, "-c", _SCRIPT)


def _run(suite: Suite, environ: Mapping[str, str], log: Path) -> int | str:
    """Return the exit status of pytest, or why it could not be started."""
    command = [*suite.program, *suite.arguments]
    try:
        return run_to_end(command, folder=suite.folder, environ=environ, log=log)
    except OSError as error:
        return f"cannot start {command[0]}: {error.strerror}"


def _read(folder: Path, status: int | str, suite: Suite) -> Rerun:
    if isinstance(status, str):
        return Rerun(problem=status)
    if status not in _USABLE:
        return Rerun(problem=f"{_name_of(suite)} ended with exit status {status}{last_line(folder / 'output')}")
    try:
        with open_source((folder / "db",)) as reader:
            sessions = reader.sessions()
            values = reader.session_values([session.session_id for session in sessions])
    except StoreError as error:
        last = last_line(folder / "output")
        return Rerun(problem=f"it recorded nothing{last}" if not (folder / "db").exists() else str(error))
    if not sessions:
        return Rerun(problem="it recorded nothing")
    return Rerun(session=sessions[-1], values=tuple(values))


def _name_of(suite: Suite) -> str:
    return "benchdb run" if suite.program == _OWN_RUN else "pytest"


def last_line(log: Path) -> str:
    """Return a colon and the last line of a program's output, of its errors if it has some; empty without output."""
    lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines()]
    texts = [line for line in lines if line.strip("= ")]
    errors = [line for line in texts if line.startswith(("ERROR", "E  "))]
    return f": {(errors or texts)[-1]}" if texts else ""
