"""One session or one run with everything that is known about it."""

from collections import Counter

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.answer.run import RunDetail
from pytest_benchdb.model.report import Report, SessionReport
from pytest_benchdb.operations.exchange.open import SILENT, Feedback, open_source
from pytest_benchdb.operations.select.selection import Selection
from pytest_benchdb.operations.select.sessions import find_sessions, stored_sessions
from pytest_benchdb.operations.select.spec.context import spec_context
from pytest_benchdb.store.read.reader import Reader

_FULL_ID = 36
_MOST_CANDIDATES = 5


def find_shown(selection: Selection, feedback: Feedback = SILENT) -> Report | RunDetail:
    """Return the session or the run that `selection.specs` names; a session goes before a run.

    Args:
        selection: where to look, and one name: of a session, ``run:ID``, or the beginning of either's id.
        feedback: for progress, and for sessions that could not be read.

    Raises:
        ConfigError: the name fits nothing, or several runs.
        StoreError: a file cannot be read, or there is no session.
    """
    (name,) = selection.specs or ("latest",)
    with open_source(selection.paths, feedback) as reader:
        if name.startswith("run:"):
            return reader.run_detail(_run_id(reader, name.removeprefix("run:"), name))
        try:
            return _session(reader, selection, name)
        except ConfigError:
            runs = reader.find_runs(name.lower())
            if not runs:
                raise
            return reader.run_detail(_run_id(reader, name, name))


def _session(reader: Reader, selection: Selection, name: str) -> Report:
    sessions = stored_sessions(reader, selection.paths)
    session = find_sessions([name], sessions, spec_context(reader))[-1]
    rows = reader.report([session.session_id])[session.session_id]
    outcomes: dict[str, int] = dict(Counter(row.outcome for row in rows))
    shown = SessionReport(session=session, rows=tuple(rows), outcomes=outcomes)
    return Report(sources=tuple(map(str, selection.paths)), sessions=(shown,), sessions_in_all=len(sessions))


def _run_id(reader: Reader, prefix: str, name: str) -> str:
    found = [prefix.lower()] if len(prefix) == _FULL_ID else reader.find_runs(prefix)
    if len(found) == 1:
        return found[0]
    if not found:
        raise ConfigError(f"{name!r} is not a run; run ids are in the data of: benchdb report -f csv")
    names = ", ".join(found[:_MOST_CANDIDATES])
    raise ConfigError(f"{name!r} fits several runs: {names}, ...; write more of the id")
