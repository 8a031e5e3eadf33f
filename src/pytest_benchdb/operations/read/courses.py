"""Read what sensors said over time during the runs of a report."""

from collections.abc import Sequence

from pytest_benchdb.model.answer.runs import Course, Courses
from pytest_benchdb.operations.exchange.open import SILENT, Feedback
from pytest_benchdb.operations.read.report import read_report
from pytest_benchdb.operations.select.selection import Selection, open_selection

SPANS = 200
"""Equal spans of time for whose means a series is summarised: as many as a column of a page can show."""

POWER = "power"


def read_courses(selection: Selection, metrics: Sequence[str] = (), *, feedback: Feedback = SILENT) -> Courses:
    """Read the series that a sampler recorded during the runs that `benchdb report` shows of a selection.

    Args:
        selection: as for a report; without names the newest session.
        metrics: names of metrics; none for power.
        feedback: receives progress, and warnings about unreadable sessions.

    Raises:
        ConfigError: a filter, a time or a name is not valid.
        StoreError: a file cannot be read, or there is no session.
    """
    wanted = tuple(metrics) or (POWER,)
    found: list[Course] = []
    available: dict[str, None] = {}
    with open_selection(selection, feedback, newest=None) as selected:
        report = read_report(selected, selection)
        sessions = {session.session_id: session for session in selected.everything}
        for row in (row for shown in report.sessions for row in shown.rows):
            for series in selected.reader.series(row.run_id, spans=SPANS):
                available[series["metric"]] = None
                if series["metric"] not in wanted:
                    continue
                names = ("metric", "unit", "phase", "domain", "provenance", "n", "min", "mean", "max")
                about = {name: series[name] for name in (*names, "begin_s", "end_s")}
                means = tuple(series["means"])
                found.append(Course(row=row, session=sessions[row.session_id], means=means, **about))
    found.sort(key=lambda course: wanted.index(course.metric))
    return Courses(courses=tuple(found), metrics=wanted, available=tuple(sorted(available)), selection=selection.text())
