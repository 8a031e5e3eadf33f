"""Read the runs of a report with every round that was kept of them."""

from pytest_benchdb.model.answer.runs import RunRounds, RunsWithRounds
from pytest_benchdb.operations.exchange.open import SILENT, Feedback
from pytest_benchdb.operations.read.report import read_report
from pytest_benchdb.operations.select.selection import Selection, open_selection


def read_rounds(selection: Selection, *, feedback: Feedback = SILENT) -> RunsWithRounds:
    """Read the runs that `benchdb report` shows of a selection, with the rounds of their main times.

    Args:
        selection: as for a report; without names the newest session.
        feedback: receives progress, and warnings about unreadable sessions.

    Raises:
        ConfigError: a filter, a time or a name is not valid.
        StoreError: a file cannot be read, or there is no session.
    """
    with open_selection(selection, feedback, newest=None) as selected:
        report = read_report(selected, selection)
        rows = [row for shown in report.sessions for row in shown.rows]
        session_ids = sorted({row.session_id for row in rows})
        metrics = sorted({row.main_metric for row in rows if row.main_metric is not None})
        rounds = {
            (found["run_id"], found["metric"], found["phase"]): tuple(found["samples"])
            for found in selected.reader.main_rounds(session_ids, metrics)
        }
        sessions = {session.session_id: session for session in selected.everything}
    runs = tuple(
        RunRounds(
            row=row,
            session=sessions[row.session_id],
            values_s=rounds.get((row.run_id, row.main_metric, row.main_phase), ()) if row.has_figures else (),
        )
        for row in rows
    )
    return RunsWithRounds(runs=runs, selection=selection.text())
