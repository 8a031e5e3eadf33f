"""The gate: did a session become worse than its baseline, and does that repeat?"""

import datetime as dt
from collections.abc import Callable, Sequence
from pathlib import Path

from pytest_benchdb.analysis.rules.suite import group_means
from pytest_benchdb.model.comparison import Comparison, ComparisonRow, Gate, Shift, Side
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.model.series import SeriesKey, SessionValue
from pytest_benchdb.model.verdict import VERDICTS, Judgement
from pytest_benchdb.operations.compare.machines import side_differences
from pytest_benchdb.operations.exchange.open import SILENT, Feedback
from pytest_benchdb.operations.gate.confirm import Confirmation, confirm
from pytest_benchdb.operations.gate.exit_status import Found, outcome_of
from pytest_benchdb.operations.gate.history import open_sides
from pytest_benchdb.operations.gate.judge import ends_of, judge
from pytest_benchdb.operations.gate.request import GateRequest
from pytest_benchdb.operations.gate.rows import (
    JudgedRow,
    is_suspect,
    judge_again,
    with_allowances,
    with_q_values,
    with_shift,
)
from pytest_benchdb.operations.pytest_run import ProcessRunner, Runner, suite_of_command, suite_of_words
from pytest_benchdb.store.read.reader import Reader


def _be_silent(_text: str) -> None:
    """Say nothing."""


def gate(
    paths: Sequence[Path],
    request: GateRequest,
    *,
    now: dt.datetime | None = None,
    feedback: Feedback = SILENT,
    say: Callable[[str], None] = _be_silent,
    runner: Runner | None = None,
) -> Gate:
    """Judge a session by its baseline and history, run suspects again, and say whether the gate holds.

    Args:
        paths: files and folders that hold the sessions.
        request: what is asked.
        now: the current time; None takes the clock.
        feedback: told about progress and about sessions that could not be read.
        say: told about re-runs, a line each.
        runner: runs benchmarks again; None starts processes.

    Raises:
        ConfigError: a SPEC, a filter or a threshold cannot be used, or suspects could not be run again.
        StoreMissingError: there is no session.
        StoreError: a file cannot be read.
    """
    moment = (now or dt.datetime.now(dt.timezone.utc)).astimezone(dt.timezone.utc).replace(tzinfo=None).isoformat()
    with open_sides(paths, request, feedback) as (reader, sides):
        if runner is None and request.confirms:
            runner = _runner(reader, sides.judged, request)
        judged = judge(reader, sides, request, moment)
        differences = side_differences(reader, *ends_of(sides)) if sides.baseline else ()
    rows, shift = with_shift(judged.rows)
    rows = with_allowances(with_q_values(rows, request.fdr), judged.allowances, sides.judged, moment)
    confirmation = _confirmed(rows, runner, sides.judged, request, say)
    again = {row.key: row for row in confirmation.rows}
    final = tuple(sorted((again.get(one.row.key, one.row) for one in rows), key=_order))
    comparison = Comparison(
        baseline=Side(name=request.baseline, sessions=sides.shown),
        candidate=Side(name=request.candidate or "latest", sessions=sides.candidate),
        rows=final,
        differences=differences,
        means=group_means(final),
        warnings=judged.warnings,
    )
    return _gate(comparison, request, confirmation, shift, sides.nothing)


def _gate(
    comparison: Comparison,
    request: GateRequest,
    confirmation: Confirmation,
    shift: Shift | None,
    no_baseline: str | None,
) -> Gate:
    found = Found(
        rows=comparison.rows,
        missing=request.missing,
        require_baseline=request.require_baseline,
        strict=request.strict,
        undecided=confirmation.undecided,
        interrupted=confirmation.interrupted,
        shift=shift,
        no_baseline=no_baseline,
        confirmed=request.confirms > 0,
    )
    outcome = outcome_of(found)
    return Gate(
        comparison=comparison,
        exit_status=outcome.exit_status,
        failures=outcome.failures,
        shift=shift,
        sentence=outcome.sentence,
    )


def _runner(reader: Reader, session: SessionRow, request: GateRequest) -> Runner:
    if request.words is not None:
        suite = suite_of_words(request.words, request.folder)
    else:
        suite = suite_of_command(reader.commands([session.session_id]).get(session.session_id), request.folder)
    return ProcessRunner(suite, request.environ)


def _confirmed(
    rows: Sequence[JudgedRow],
    runner: Runner | None,
    session: SessionRow,
    request: GateRequest,
    say: Callable[[str], None],
) -> Confirmation:
    suspects = {one.row.key: one for one in rows if is_suspect(one)}
    if not suspects or runner is None or not request.confirms:
        return Confirmation(rows=())

    def judge_value(key: SeriesKey, value: SessionValue, again: SessionRow) -> Judgement:
        return judge_again(suspects[key], value, again)

    return confirm(
        [one.row for one in suspects.values()],
        request.confirms,
        runner,
        judge_value,
        fingerprint=session.fingerprint,
        say=say,
    )


def _order(row: ComparisonRow) -> tuple[int, float, str]:
    """Put what is worst first: by verdict, then by the harm of the change, then by name."""
    return VERDICTS.index(row.judgement.verdict), -row.harm, row.key.fullname
