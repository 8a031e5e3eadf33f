"""Run two sides in turn, in fresh pytest processes, so that disturbances of the machine affect both equally.

Sides that alternate share the slow drift of a machine (Bulej et al., "Duet Benchmarking", ICPE 2020); what this
gains here is measured in docs/explanation/regression-quality.md. Each process is checked to measure its own side.
"""

import contextlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.comparison import Comparison, Side
from pytest_benchdb.model.metric import METRICS, metrics_of
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.operations.commits.checkout import check_arguments
from pytest_benchdb.operations.commits.import_probe import (
    PLUGIN,
    Imported,
    classify_modules,
    find_packages,
    modules_text,
    read_modules,
    write_probe,
)
from pytest_benchdb.operations.compare.run import CompareRequest, compare
from pytest_benchdb.operations.count.wrap import COUNTING_PATIENCE_S, wrap_counting
from pytest_benchdb.operations.duet.checkouts import OpenSide, open_sides
from pytest_benchdb.operations.duet.plan import DUET_TAG, SIDE_TAG, Duet, DuetResult, Role, schedule
from pytest_benchdb.operations.exchange.open import SILENT, Feedback, open_source
from pytest_benchdb.operations.pytest_run import PATIENCE_S, VARIABLE, find_root, run_to_end

TESTS_FAILED = 1
_USABLE = frozenset({0, TESTS_FAILED, 5})
"""Exit statuses of pytest after which sessions may have been recorded; 5 means that no test was collected."""
_TAIL_LINES = 15
_ID_BYTES = 4
ENOUGH_PAIRS = 5
SHARE = 0.03
"""Smallest change of a time that counts, with `ENOUGH_PAIRS` or more.

Other comparisons need 5 % below ten sessions, because their sides did not run in turn; the cost in false alarms is in
docs/explanation/regression-quality.md.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """The end of one pytest process.

    Attributes:
        status: exit status of pytest.
        imported: where its modules came from; None if it did not report that.
    """

    status: int
    imported: Imported | None


class TurnRunner:
    """Runs the turns of a duet."""

    def __init__(
        self,
        duet: Duet,
        duet_id: str,
        temporary: Path,
        environ: Mapping[str, str],
        say: Callable[[str], None],
    ) -> None:
        """Write the import probe.

        Args:
            duet: what to run.
            duet_id: tag of the sessions.
            temporary: folder for pytest's output and the probe's report.
            environ: environment variables for the processes.
            say: called with the last lines of pytest's output after a failure.
        """
        self._duet = duet
        self._duet_id = duet_id
        self._temporary = temporary
        self._report = write_probe(temporary)
        self._environ = environ
        self._say = say

    def run(self, side: OpenSide, names: Sequence[str] = ()) -> Turn:
        """Run pytest on a side.

        Args:
            side: where to run it.
            names: full names of the benchmarks to run; none for all that the command selects.

        Raises:
            ConfigError: pytest could not be run, or imported another checkout's code.
            BackendUnavailableError: nothing can count here.
        """
        log = self._temporary / "pytest.log"
        with self._prepared(side, self._variables(side, names)) as (program, environ):
            status = _wait([*program, *self._arguments(side)], side, environ, log, counted=self._duet.counted)
        text = log.read_text(encoding="utf-8", errors="replace")
        if status not in _USABLE or (status == TESTS_FAILED and "No module named pytest" in text):
            self.show(text)
            raise ConfigError(f"{side.name}: pytest ended with exit status {status} in {side.folder}; {_advice(text)}")
        modules = read_modules(self._report)
        imported = None
        if modules:
            imported = self._sorted(side, modules)
            self._check(side, modules, imported)
        return Turn(status=status, imported=imported)

    def show(self, text: str | None = None) -> None:
        """Show the last lines that pytest printed."""
        if text is None:
            text = (self._temporary / "pytest.log").read_text(encoding="utf-8", errors="replace")
        for line in [line for line in text.splitlines() if line.strip()][-_TAIL_LINES:]:
            self._say(f"  {line}")

    @contextlib.contextmanager
    def _prepared(
        self, side: OpenSide, environ: Mapping[str, str]
    ) -> Iterator[tuple[tuple[str, ...], Mapping[str, str]]]:
        """Return the words that run pytest and its variables; if it counts, under a counter."""
        if not self._duet.counted:
            yield side.program, environ
            return
        with tempfile.TemporaryDirectory(prefix="benchdb-count-", ignore_cleanup_errors=True) as dumps:
            wrapped = wrap_counting(side.program, environ, dumps=Path(dumps))
            yield wrapped.command, wrapped.environ

    def _arguments(self, side: OpenSide) -> list[str]:
        tags = [f"--benchdb-tag={DUET_TAG}={self._duet_id}", f"--benchdb-tag={SIDE_TAG}={side.role}"]
        label = f"--benchdb-label=duet-{self._duet_id}-{side.role}"
        database = f"--benchdb={self._duet.database.absolute()}"
        return [*self._duet.arguments, database, label, *tags]

    def _variables(self, side: OpenSide, names: Sequence[str]) -> dict[str, str]:
        own = [os.fspath(side.folder / entry) for entry in self._duet.pythonpath]
        path = os.pathsep.join([*own, os.fspath(self._temporary), *self._inherited("PYTHONPATH")])
        # A variable rather than an option, so that the recorded command is the user's own.
        plugins = ",".join([*self._inherited("PYTEST_PLUGINS"), PLUGIN])
        return {**self._environ, **self._assignment(side, names), "PYTHONPATH": path, "PYTEST_PLUGINS": plugins}

    def _assignment(self, side: OpenSide, names: Sequence[str]) -> dict[str, str]:
        if not names:
            return {}
        root = find_root(side.folder, names) or side.folder
        there = [name for name in names if (root / name.partition("::")[0]).is_file()]
        database = os.fspath(self._duet.database.absolute())
        return {VARIABLE: json.dumps({"root": os.fspath(root), "names": there, "db": database})}

    def _inherited(self, name: str) -> list[str]:
        value = self._environ.get(name)
        return [value] if value else []

    def _sorted(self, side: OpenSide, modules: Mapping[str, str]) -> Imported:
        inner = [os.path.relpath(side.folder / entry, side.root) for entry in self._duet.pythonpath]
        return classify_modules(
            modules,
            side=side.root,
            checkout=side.checkout or side.root,
            packages=find_packages(side.root, inner),
        )

    def _check(self, side: OpenSide, modules: Mapping[str, str], imported: Imported) -> None:
        advice = "put its folder first with --pythonpath (src, or . without such a folder)"
        if imported.foreign:
            raise ConfigError(f"{side.name}: imported {modules_text(imported.foreign)} from your checkout; {advice}")
        if imported.installed and self._duet.only_own and side.checkout is not None:
            raise ConfigError(f"{side.name}: imported {modules_text(imported.installed)}, not its own; {advice}")
        module = self._duet.module
        if module is None:
            return
        if module not in modules:
            raise ConfigError(f"{side.name}: --module {module}: no test imported it; name one that they import")
        if side.checkout is not None and not _is_within(modules[module], side.root):
            raise ConfigError(f"{side.name}: {module} came from {modules[module]}, not from {side.root}; {advice}")


def _is_within(file: str, folder: Path) -> bool:
    return Path(file).is_relative_to(folder.resolve())


def _advice(text: str) -> str:
    if "No module named pytest" in text:
        return "install pytest and pytest-benchdb in that environment"
    if "unrecognized arguments" in text and "--benchdb" in text:
        return "install pytest-benchdb in that environment"
    if PLUGIN in text and "No module named" in text:
        return "PYTHONPATH does not reach it: name a program that hands the environment on"
    return "the end of its output is above; a side must run by itself first"


def _wait(command: Sequence[str], side: OpenSide, environ: Mapping[str, str], log: Path, *, counted: bool) -> int:
    patience_s = COUNTING_PATIENCE_S if counted else PATIENCE_S
    try:
        return run_to_end(command, folder=side.folder, environ=environ, log=log, patience_s=patience_s)
    except OSError as error:
        raise ConfigError(
            f"{side.name}: cannot start {command[0]}: {error.strerror}; name a program that exists"
        ) from error


class OpenDuet:
    """A duet whose sides are checked out: runs turns until its block ends."""

    def __init__(
        self, duet: Duet, sides: Mapping[Role, OpenSide], runner: TurnRunner, duet_id: str, feedback: Feedback
    ) -> None:
        """Take what `open_duet` has prepared; nothing has run yet."""
        self._duet = duet
        self._sides = sides
        self._runner = runner
        self._feedback = feedback
        self._turns = 0
        self.duet_id = duet_id

    def play(self, pairs: int, names: Sequence[str] = ()) -> list[str]:
        """Run further pairs of turns, and return notes on the first turn of each side.

        Args:
            pairs: how many turns of each side.
            names: full names of the benchmarks to run; none for all that the command selects.

        Raises:
            ConfigError: a side cannot be run, recorded nothing, or imported another side's code.
            StoreError: the sessions cannot be read back.
        """
        roles = list(schedule(self._turns // 2 + pairs))[self._turns :]
        notes: list[str] = []
        self._feedback.progress(0, len(roles))
        for done, role in enumerate(roles, 1):
            side = self._sides[role]
            turn = self._runner.run(side, names)
            if self._turns < len(self._sides):  # the first turn of each side
                recorded = _sessions(self._duet.database, self.duet_id)
                notes += _first_turn_notes(turn, side, self._runner, recorded)
            self._turns += 1
            self._feedback.progress(done, len(roles))
        return notes

    def result(self, notes: Sequence[str] = ()) -> DuetResult:
        """Return the sessions that were recorded so far.

        Raises:
            StoreError: the sessions cannot be read back.
        """
        sessions = _sessions(self._duet.database, self.duet_id)
        return DuetResult(
            duet_id=self.duet_id,
            base_name=self._sides["base"].name,
            head_name=self._sides["head"].name,
            base=sessions["base"],
            head=sessions["head"],
            notes=tuple(notes),
        )


@contextlib.contextmanager
def open_duet(
    duet: Duet, folder: Path, environ: Mapping[str, str], feedback: Feedback = SILENT, *, repeated: bool = False
) -> Iterator[OpenDuet]:
    """Check out the sides of a duet for the length of a block.

    Args:
        duet: what to run.
        folder: the user's working folder; a side's pytest runs in the same folder of its own checkout.
        environ: environment variables of the processes.
        feedback: receives the number of runs done, and notes for the user.
        repeated: whether an earlier duet has said what there is to say about the sides.

    Raises:
        ConfigError: a side cannot be checked out.
    """
    _check(duet, folder)
    duet_id = os.urandom(_ID_BYTES).hex()
    with contextlib.ExitStack() as stack:
        temporary = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="benchdb-duet-")))
        say = _ignore if repeated else feedback.warn
        sides = stack.enter_context(open_sides(duet.base, duet.head, folder, environ, say))
        yield OpenDuet(duet, sides, TurnRunner(duet, duet_id, temporary, environ, feedback.warn), duet_id, feedback)


def run_duet(
    duet: Duet, folder: Path, environ: Mapping[str, str], feedback: Feedback = SILENT, *, only: Sequence[str] = ()
) -> DuetResult:
    """Run both sides in turn and return their sessions.

    Args:
        duet: what to run.
        folder: the user's working folder; a side's pytest runs in the same folder of its own checkout.
        environ: environment variables of the processes.
        feedback: receives the number of runs done, and notes for the user.
        only: full names of the benchmarks to run again after a first duet; none for all that the command selects.

    Raises:
        ConfigError: a side cannot be checked out or run, recorded nothing, or imported another side's code.
        StoreError: the sessions cannot be read back.
    """
    with open_duet(duet, folder, environ, feedback, repeated=bool(only)) as opened:
        notes = opened.play(duet.pairs, only)
    if only:
        notes = []
    for note in notes:
        feedback.warn(note)
    return opened.result(notes)


def _ignore(_text: str) -> None:
    """Leave out what the first duet has said."""


def _check(duet: Duet, folder: Path) -> None:
    if duet.pairs < 1:
        raise ConfigError(f"--pairs {duet.pairs}: give a whole number above 0")
    if duet.base.commit is None and duet.head.commit is None:
        return
    check_arguments(duet.arguments, folder)


def _first_turn_notes(
    turn: Turn, side: OpenSide, runner: TurnRunner, recorded: Mapping[Role, tuple[SessionRow, ...]]
) -> list[str]:
    """Return notes on a side's first turn; raise if it recorded nothing or no benchmark passed."""
    sessions = recorded[side.role]
    if not sessions or not sessions[-1].runs:
        runner.show()
        advice = "choose tests that have some, and install pytest-benchdb there"
        raise ConfigError(f"{side.name}: no benchmark was recorded; {advice}")
    failed, runs = sessions[-1].not_passed, sessions[-1].runs
    if failed == runs:
        runner.show()
        raise ConfigError(f"{side.name}: none of {runs} benchmarks passed; fix them, or choose others with -k")
    notes = []
    if failed or turn.status == TESTS_FAILED:
        notes.append(f"{side.name}: {failed} of {runs} benchmarks did not pass")
    return notes + _import_notes(turn, side)


def _import_notes(turn: Turn, side: OpenSide) -> list[str]:
    imported = turn.imported
    if imported is None:
        return [f"{side.name}: where its modules came from is not known"]
    if side.checkout is None:
        return []
    notes = []
    if imported.installed:
        notes.append(f"{side.name}: measured {modules_text(imported.installed)}, not the side's own; see --pythonpath")
    if imported.own:
        notes.append(f"{side.name}: imported {', '.join(imported.own)} from its own folder")
    elif not imported.installed:
        notes.append(f"{side.name}: the tests imported nothing of the project itself")
    return notes


def _sessions(database: Path, duet_id: str) -> dict[Role, tuple[SessionRow, ...]]:
    if not database.exists():
        return {"base": (), "head": ()}
    with open_source([database]) as reader:
        mine = [session for session in reader.sessions() if session.tags.get(DUET_TAG) == duet_id]
    base, head = (tuple(session for session in mine if session.tags.get(SIDE_TAG) == role) for role in ("base", "head"))
    return {"base": base, "head": head}


def compare_duet(duet: Duet, result: DuetResult, request: CompareRequest, feedback: Feedback = SILENT) -> Comparison:
    """Compare the sessions of both sides.

    Two environments may have different Pythons, which otherwise makes benchmarks incomparable.

    Raises:
        ConfigError: a filter is not valid, or a threshold's unit is not its metric's.
        StoreError: the sessions cannot be read.
    """
    with open_source([duet.database], feedback) as reader:
        return compare(
            reader,
            Side(name=result.base_name, sessions=result.base),
            Side(name=result.head_name, sessions=result.head),
            adjust_request(duet, request),
        )


def adjust_request(duet: Duet, request: CompareRequest) -> CompareRequest:
    """Return a request with the defaults that differ for a duet."""
    crosses = request.allow_cross or duet.base.program != duet.head.program
    is_default = request.share is None and not request.thresholds
    small = is_default and duet.pairs >= ENOUGH_PAIRS and all(map(_is_time, request.metrics))
    return replace(request, allow_cross=crosses, share=SHARE if small else request.share)


def _is_time(word: str) -> bool:
    return all(metric in METRICS and METRICS[metric].kind == "time" for metric in metrics_of(word))
