"""Rerun suspects in fresh processes: only a change that every re-run repeats is a regression."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.comparison import ComparisonRow
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.model.run import PASSED
from pytest_benchdb.model.series import SeriesKey, SessionValue
from pytest_benchdb.model.verdict import COMPARED, Judgement, State
from pytest_benchdb.model.wording import counted, percent_text
from pytest_benchdb.operations.gate.request import GateRequest
from pytest_benchdb.operations.pytest_run import (
    ProcessRunner,
    Rerun,
    Runner,
    find_root,
    own_suite,
    parse_suite,
)
from pytest_benchdb.store.own_commands import recall
from pytest_benchdb.store.read.reader import Reader

USUAL_CONFIRMS = 2
"""Re-runs that must repeat a regression unless a number is given: with none, half of all unchanged suites fail."""
INTERRUPTED = "interrupted before it was confirmed"

Judge = Callable[[SeriesKey, SessionValue, SessionRow], Judgement]
"""Judges a series' value from a re-run, by the history that made it suspect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reruns:
    """How suspects will be run again.

    Attributes:
        times: how many re-runs must repeat a regression; 0 for none.
        runner: None for no re-runs.
        obstacle: why nothing can be run again; None if it can, or if no re-runs are wanted.
    """

    times: int = 0
    runner: Runner | None = None
    obstacle: str | None = None


def plan_reruns(reader: Reader, session: SessionRow, request: GateRequest, runner: Runner | None = None) -> Reruns:
    """Return how the suspects of a session will be run again; the usual re-runs are omitted where they are impossible.

    Args:
        reader: has the session.
        session: the judged session.
        request: the gate's request.
        runner: runs the benchmarks; None starts processes.

    Raises:
        ConfigError: re-runs were asked for explicitly, and the recorded command cannot be run.
    """
    if request.confirms == 0:
        return Reruns()
    times = USUAL_CONFIRMS if request.confirms is None else request.confirms
    if runner is not None:
        return Reruns(times=times, runner=runner)
    if request.confirms is None:
        obstacle = _obstacle(reader, session, request)
        if obstacle is not None:
            return Reruns(obstacle=obstacle)
    return Reruns(times=times, runner=_process_runner(session, request))


def _obstacle(reader: Reader, session: SessionRow, request: GateRequest) -> str | None:
    """Return why the suspects of a session cannot be run again here without further words; None if they can."""
    if request.words is None:
        if session.kind not in {"pytest", "api"}:
            return "the session was imported, so there is nothing to run again"
        try:
            _process_runner(session, request)
        except ConfigError as error:
            return str(error).removeprefix("--confirm: ")
    names = [row.fullname for row in reader.report([session.session_id])[session.session_id]]
    if find_root(request.folder.absolute(), names) is None:
        return f"the tests are not in or above {request.folder.absolute()}"
    return None


def _process_runner(session: SessionRow, request: GateRequest) -> ProcessRunner:
    if request.words is not None:
        suite = parse_suite(request.words, request.folder)
    else:
        suite = own_suite(recall(session.session_id), request.folder)
    return ProcessRunner(suite, request.environ)


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """The suspects after their re-runs.

    Attributes:
        rows: in the given order; those that every re-run repeated are ``regressed`` without a state.
        undecided: the series that could not be confirmed or cleared.
        out_of_reach: those of them that this way cannot judge, and another may.
        interrupted: whether Ctrl-C ended it.
    """

    rows: tuple[ComparisonRow, ...]
    undecided: frozenset[SeriesKey] = frozenset()
    out_of_reach: frozenset[SeriesKey] = frozenset()
    interrupted: bool = False


def confirm(
    suspects: Sequence[ComparisonRow],
    times: int,
    run: Runner,
    judge: Judge,
    *,
    fingerprint: str | None,
    say: Callable[[str], None],
) -> Confirmation:
    """Rerun suspects until all are confirmed or cleared; a suspect that a re-run did not repeat is not rerun.

    Args:
        suspects: rows that look regressed, including those in doubt because the machine was disturbed.
        times: how many re-runs must repeat the change.
        run: runs benchmarks in a fresh process.
        judge: judges the values it measured.
        fingerprint: of the machine that measured the suspects; a re-run on another one confirms nothing.
        say: called with a line for each re-run.
    """
    rows = {row.key: row for row in suspects}
    undecided: set[SeriesKey] = set()
    open_keys = list(rows)
    for turn in range(1, times + 1):
        if not open_keys:
            break
        names = list(dict.fromkeys(key.fullname for key in open_keys))
        how = _command_text(run) if turn == 1 else _pause_text(run)
        say(f"re-run {turn} of {times}: {counted(len(names), 'suspect')}{how}")
        try:
            again = run(names)
        except KeyboardInterrupt:
            rows.update({key: undecided_row(rows[key], INTERRUPTED) for key in open_keys})
            return Confirmation(rows=tuple(rows.values()), undecided=frozenset(open_keys), interrupted=True)
        for key in open_keys:
            judgement, is_open = _judged(key, again, judge, fingerprint)
            rows[key] = _with(rows[key], judgement, turn, last=turn == times, is_open=is_open)
            undecided |= {key} if is_open else set()
        open_keys = [key for key in open_keys if rows[key].judgement.verdict == "regressed"]
    return Confirmation(rows=tuple(rows.values()), undecided=frozenset(undecided))


def _command_text(run: Runner) -> str:
    return f", with: {run.command}" if isinstance(run, ProcessRunner) else ""


def _pause_text(run: Runner) -> str:
    pause_s = run.pause_s if isinstance(run, ProcessRunner) else 0.0
    return f", after a pause of {pause_s:g} s" if pause_s else ""


def _judged(key: SeriesKey, again: Rerun, judge: Judge, fingerprint: str | None) -> tuple[Judgement, bool]:
    """Return a re-run's judgement, and whether the suspicion remains open."""
    if again.session is None:
        return _open(again.problem or "it recorded nothing")
    if again.session.fingerprint != fingerprint:
        return _open("this is another machine, or another Python, than the one that measured the suspect")
    value = _value_of(key, again.values)
    if value is None:
        return _open("the benchmark was not there, or did not measure this metric")
    if value.outcome not in PASSED or value.value is None:
        return _open(f"it {value.outcome}" + (f": {value.reason}" if value.reason else ""))
    judgement = judge(key, value, again.session)
    if judgement.verdict == "regressed":
        return judgement, False
    return judgement, judgement.verdict not in COMPARED or judgement.state in {
        "unstable",
        "learning",
    }


def _value_of(key: SeriesKey, values: Sequence[SessionValue]) -> SessionValue | None:
    """Return the value of a series, or of its benchmark's failed run, whose key may lack the device."""
    exact = next((value for value in values if value.key == key), None)
    if exact is not None:
        return exact
    return next((value for value in values if value.key.fullname == key.fullname and value.outcome not in PASSED), None)


def _open(why: str) -> tuple[Judgement, bool]:
    return Judgement(verdict="inconclusive", reason=why), True


def _with(row: ComparisonRow, again: Judgement, turn: int, *, last: bool, is_open: bool) -> ComparisonRow:
    """Return a row with a further re-run, and the resulting verdict."""
    row = replace(row, confirmations=(*row.confirmations, again))
    if is_open:
        return undecided_row(row, f"re-run {turn} confirmed nothing: {again.reason or again.verdict}", again)
    if again.verdict != "regressed":
        change = "" if again.change is None else f" ({percent_text(again.change)})"
        reason = f"re-run {turn} did not repeat it{change}"
        return replace(row, judgement=replace(row.judgement, verdict="inconclusive", state="suspect", reason=reason))
    # Once repeated, a row in doubt because of a disturbed machine is a suspect like the others.
    return replace(row, judgement=replace(row.judgement, verdict="regressed", state=None if last else "suspect"))


def undecided_row(row: ComparisonRow, reason: str, again: Judgement | None = None) -> ComparisonRow:
    """Return a suspect that was neither confirmed nor cleared, with the reason."""
    state: State = "unstable" if again is not None and again.state == "unstable" else "suspect"
    return replace(row, judgement=replace(row.judgement, verdict="inconclusive", state=state, reason=reason))
