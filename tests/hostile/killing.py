"""Kills processes that record or look after a store at random moments, and counts what they left.

A suite writes the name of each test to a file once pytest has reported it as finished. Every such test must be in the
store exactly once, whatever happened after it.
"""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pytest_benchdb.store.history.open import open_history

SUITE = """
import time
import pytest

@pytest.mark.benchdb
@pytest.mark.parametrize("n", range(4))
def test_marked(n):
    time.sleep(0.01)

@pytest.mark.parametrize("n", range(2))
def test_timed(bench_cpu, n):
    bench_cpu.pedantic(sum, args=([1, 2],), rounds=3)
"""
ISOLATED_SUITE = """
import time
import pytest

@pytest.mark.benchdb
@pytest.mark.parametrize("n", range(2))
def test_marked(n):
    time.sleep(0.01)

@pytest.mark.benchdb(isolate=True)
def test_isolated():
    time.sleep(0.01)
"""
CONFTEST = """
import os
import pytest

OWNER = os.environ.setdefault("HOSTILE_OWNER", str(os.getpid()))

@pytest.hookimpl(trylast=True)
def pytest_runtest_logfinish(nodeid):
    if OWNER == str(os.getpid()):
        file = os.open(os.environ["HOSTILE_FINISHED"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(file, nodeid.encode() + b"\\n")
        os.close(file)
"""

Act = Callable[["subprocess.Popen[bytes]", random.Random], None]
"""Sends one or more signals to a process, which leads a group of its own."""

LONGEST_S = 60.0
"""How long a process may take to end after a signal on a busy machine; on a quiet one it takes less than a second."""


def _kill(process: "subprocess.Popen[bytes]", _chance: random.Random) -> None:
    process.kill()


def _kill_group(process: "subprocess.Popen[bytes]", _chance: random.Random) -> None:
    os.killpg(process.pid, signal.SIGKILL)


def _terminate(process: "subprocess.Popen[bytes]", _chance: random.Random) -> None:
    process.terminate()


def _terminate_group(process: "subprocess.Popen[bytes]", _chance: random.Random) -> None:
    os.killpg(process.pid, signal.SIGTERM)


def _interrupt(process: "subprocess.Popen[bytes]", _chance: random.Random) -> None:
    os.killpg(process.pid, signal.SIGINT)


def _interrupt_twice(process: "subprocess.Popen[bytes]", chance: random.Random) -> None:
    _interrupt(process, chance)
    time.sleep(chance.uniform(0.0, 0.1))
    if process.poll() is None:
        _interrupt(process, chance)


def _cancel(process: "subprocess.Popen[bytes]", chance: random.Random) -> None:
    """As GitHub cancels a job, only faster: an interrupt, then a request to end, then the end."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            os.killpg(process.pid, number)
            time.sleep(chance.uniform(0.0, 0.2))


ACTS: dict[str, tuple[Act, int]] = {
    "SIGKILL": (_kill, 6),
    "SIGKILL to the group": (_kill_group, 4),
    "SIGTERM": (_terminate, 3),
    "SIGTERM to the group": (_terminate_group, 2),
    "SIGINT": (_interrupt, 3),
    "SIGINT twice": (_interrupt_twice, 3),
    "SIGINT, SIGTERM, SIGKILL": (_cancel, 2),
}
"""What may happen to a process, and how often in proportion."""


@dataclass(slots=True)
class Victims:
    """Processes that record into `place` or look after it, all in `folder`, and what is known about them.

    Attributes:
        finished: tests that pytest had reported as finished, by label of the session.
        tests: number of tests, by label of the session.
        acts: what happened to the session, by label.
        killed: number of signals that reached a process.
        faults: one line for each thing that went wrong.
    """

    folder: Path
    place: Path
    seed: int
    finished: dict[str, list[str]] = field(default_factory=dict)
    tests: dict[str, int] = field(default_factory=dict)
    acts: dict[str, str | None] = field(default_factory=dict)
    killed: int = 0
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Write the suites."""
        for name, text in (("plain", SUITE), ("isolated", ISOLATED_SUITE)):
            suite = self.folder / name
            suite.mkdir(parents=True, exist_ok=True)
            (suite / "test_it.py").write_text(text, encoding="utf-8")
            (suite / "conftest.py").write_text(CONFTEST, encoding="utf-8")

    def record(self, number: int, chance: random.Random, kind: str, act: str | None) -> None:
        """Record a session, and do `act` to its process at a random moment; None lets it end."""
        label = f"{kind}-{number}"
        witness = self.folder / f"{label}.finished"
        suite = self.folder / ("isolated" if kind == "isolated" else "plain")
        extra = {"xdist": ("-p", "xdist", "-n", "2"), "all": ("--benchdb-all",)}.get(kind, ())
        command = ["-m", "pytest", "-q", "-p", "pytest_benchdb.plugin", "-p", "no:cacheprovider", *extra]
        command += [f"--benchdb={self.place}", f"--benchdb-label={label}", "."]
        whole = 3 if kind == "isolated" else 6
        after = chance.randint(0, whole)

        def moment(process: "subprocess.Popen[bytes]") -> None:
            while after and process.poll() is None and len(_lines(witness)) < after:
                time.sleep(0.002)
            time.sleep(chance.uniform(0.0, 0.4 if after in {0, whole} else 0.02))

        self._run(label, command, suite, act, chance, moment, {"HOSTILE_FINISHED": str(witness)})
        self.finished[label] = _lines(witness)
        self.tests[label] = whole
        self.acts[label] = act

    def upkeep(self, number: int, chance: random.Random, command: Sequence[str], act: str | None) -> None:
        """Run a command of `benchdb`, and do `act` to its process at a random moment; None lets it end."""
        name = f"{command[0]}-{number}"
        start = time.monotonic()

        def moment(process: "subprocess.Popen[bytes]") -> None:
            until = start + chance.uniform(0.1, 0.8)
            while process.poll() is None and time.monotonic() < until:
                time.sleep(0.005)

        self._run(name, ["-m", "pytest_benchdb", *command], self.folder, act, chance, moment, {})

    def _run(  # noqa: PLR0913, PLR0917 - one process, and what happens to it
        self,
        name: str,
        command: Sequence[str],
        cwd: Path,
        act: str | None,
        chance: random.Random,
        moment: Callable[["subprocess.Popen[bytes]"], None],
        variables: dict[str, str],
    ) -> None:
        mark = f"{self.seed}-{name}-{os.getpid()}-{self.folder}"
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST_", "HOSTILE_"))}
        environ = {**kept, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "HOSTILE_MARK": mark, **variables}
        output = self.folder / f"{name}.output"
        with output.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, *command],
                cwd=cwd,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )
        if act is not None:
            moment(process)
            if process.poll() is None:
                self.killed += 1
                ACTS[act][0](process, chance)
        try:
            status = process.wait(LONGEST_S)
        except subprocess.TimeoutExpired:
            self._fault(name, act, f"it had not ended {LONGEST_S:g} s later", output)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return
        text = output.read_text(encoding="utf-8", errors="replace")
        if "INTERNALERROR" in text or "internal error" in text or status == 70:
            self._fault(name, act, f"status {status}, an internal error", output)
        if orphans := _wait_for_no(mark):
            self._fault(name, act, f"left running: {orphans}", output)

    def _fault(self, name: str, act: str | None, what: str, output: Path) -> None:
        text = output.read_text(encoding="utf-8", errors="replace")[-1500:]
        self.faults.append(f"seed {self.seed}, {name}, {act}: {what}\n{text}")

    def check(self, place: Path) -> None:
        """Compare what is stored with what was reported as finished."""
        with open_history([place]) as reader:
            sessions = {row.session_id: row for row in reader.sessions()}
            runs = reader.runs()
            self.faults += [f"seed {self.seed}: {warning}" for warning in reader.warnings]
        stored: dict[str, dict[str, list[str]]] = {label: {} for label in self.finished}
        for run in runs:
            label = str(sessions[run["session_id"]].label)
            stored[label].setdefault(run["fullname"].rpartition("::")[2], []).append(run["outcome"])
        complete = {row.label for row in sessions.values() if row.complete}
        for label, names in self.finished.items():
            for name in names:
                outcomes = stored[label].get(name.rpartition("::")[2], [])
                if outcomes != ["passed"]:
                    self._stored_wrongly(label, f"{name} had finished, and is stored as {outcomes}")
        for label, found in stored.items():
            twice = [name for name, outcomes in found.items() if len(outcomes) > 1]
            if twice:
                self._stored_wrongly(label, f"more than once: {twice}")
            if label in complete and len(found) < self.tests[label]:
                self._stored_wrongly(label, f"complete with {sorted(found)} only")

    def _stored_wrongly(self, label: str, what: str) -> None:
        self.faults.append(f"seed {self.seed}, {label}, {self.acts[label]}: {what}")


def kill_many(
    folder: Path, seed: int, kills: int, kinds: Sequence[str], *, kept: bool = False
) -> tuple[int, list[str]]:
    """Kill processes until `kills` signals have reached one; return their number, and one text for each fault."""
    killed, faults, batch = 0, [], 0
    while killed < kills:
        home = folder / f"{seed}-{batch}"
        place = home / ("results" if batch % 2 else "results.duckdb")
        victims = Victims(home, place, seed * 1000 + batch)
        _one_batch(victims, min(8, kills - killed), kinds)
        killed += victims.killed
        faults += victims.faults
        if not kept and not victims.faults:
            shutil.rmtree(home)
        batch += 1
    return killed, faults


def _one_batch(victims: Victims, kills: int, kinds: Sequence[str]) -> None:
    chance = random.Random(victims.seed)  # noqa: S311
    acts = [name for name, (_, weight) in ACTS.items() for _ in range(weight)]
    number = 0
    while victims.killed < kills:
        number += 1
        victims.record(number, chance, chance.choice(kinds), chance.choice(acts))
        if victims.killed < kills and chance.random() < 0.3 and victims.place.exists():
            command = chance.choice([("recover", str(victims.place)), ("sessions", "--db", str(victims.place))])
            victims.upkeep(number, chance, command, chance.choice(acts))
    victims.record(number + 1, chance, "plain", None)
    other = victims.folder / ("merged" if chance.random() < 0.5 else "merged.duckdb")
    merge = ("merge", str(victims.place), "-o", str(other))
    if chance.random() < 0.3:
        victims.upkeep(number + 1, chance, merge, chance.choice(acts))
    victims.upkeep(number + 2, chance, ("recover", str(victims.place)), None)
    victims.check(victims.place)
    victims.upkeep(number + 3, chance, merge, None)
    victims.check(other)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []


def _wait_for_no(mark: str) -> list[str]:
    """Wait until no process has the mark in its environment; return the command lines of those that stay."""
    deadline = time.monotonic() + LONGEST_S
    while left := list(_marked(mark)):
        if time.monotonic() > deadline:
            return left
        time.sleep(0.02)
    return []


def _marked(mark: str) -> Iterable[str]:
    import psutil

    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):  # it has ended, or belongs to another user
            if process.status() != psutil.STATUS_ZOMBIE and process.environ().get("HOSTILE_MARK") == mark:
                yield " ".join(process.cmdline())[:200]
