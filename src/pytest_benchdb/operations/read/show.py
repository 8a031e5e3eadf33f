"""Find what `benchdb show` shows: a session, a run, or a benchmark with its history."""

from collections.abc import Sequence

from pytest_benchdb.analysis.rules.policy import default_policy
from pytest_benchdb.analysis.rules.session_figures import figure_of
from pytest_benchdb.errors import ConfigError, NoBaselineError
from pytest_benchdb.model.answer.benchmark import BenchmarkChoice, BenchmarkDetail, HistoryPoint
from pytest_benchdb.model.metric import MAIN_TIMES
from pytest_benchdb.model.report import Report, RunDetail, SessionRow
from pytest_benchdb.model.series import SeriesKey, SessionValue
from pytest_benchdb.model.wording import did_you_mean
from pytest_benchdb.operations.exchange.open import SILENT, Feedback, open_source
from pytest_benchdb.operations.read.report import report_of
from pytest_benchdb.operations.select.benchmark_name import find_benchmarks, short_name
from pytest_benchdb.operations.select.selection import NEWEST, Selection, find_sessions, stored_sessions
from pytest_benchdb.operations.select.series import main_series
from pytest_benchdb.operations.select.spec.context import spec_context
from pytest_benchdb.operations.select.spec.resolve import kept_sessions
from pytest_benchdb.store.read.reader import Reader

Shown = Report | RunDetail | BenchmarkDetail | BenchmarkChoice

_FULL_ID = 36
_MOST_CANDIDATES = 5


def read_shown(selection: Selection, feedback: Feedback = SILENT) -> Shown:
    """Return what a selection names: a session, else a benchmark, else a run; without a name the newest session.

    Args:
        selection: with at most one SPEC, name of a benchmark, ``run:ID``, or beginning of an id.
        feedback: receives progress, and warnings.

    Raises:
        ConfigError: the name matches nothing, or several sessions or runs.
        StoreError: a file cannot be read, or there is no session.
    """
    if len(selection.specs) > 1:
        raise ConfigError(f"{len(selection.specs)} things are named; benchdb show shows one at a time")
    (name,) = selection.specs or ("latest",)
    with open_source(selection.paths, feedback) as reader:
        if name.startswith("run:"):
            return reader.run_detail(_run_id(reader, name.removeprefix("run:"), name))
        sessions = stored_sessions(reader, selection.paths)
        # Only a node id has two colons: no session is looked for, in git neither.
        benchmarks = find_benchmarks(name, reader.benchmark_names()) if "::" in name else []
        if benchmarks:
            return _benchmarks(reader, name, benchmarks, sessions)
        try:
            named = find_sessions([name], sessions, spec_context(reader, warn=feedback.warn))[-1:]
        except ConfigError as error:
            return _other(reader, name, sessions, error)
        return report_of(reader, selection, named, of=len(sessions))


def _other(reader: Reader, name: str, sessions: Sequence[SessionRow], error: ConfigError) -> Shown:
    """Return the benchmark or run that a name means, as it means no session."""
    names = reader.benchmark_names()
    benchmarks = find_benchmarks(name, names)
    if benchmarks:
        return _benchmarks(reader, name, benchmarks, sessions)
    if reader.find_runs(name.lower()):
        return reader.run_detail(_run_id(reader, name, name))
    if not isinstance(error, NoBaselineError):
        raise error
    question = did_you_mean(name, sorted({short_name(other) for other in names}))
    if not question:
        raise NoBaselineError(f"{error}; nor is it a benchmark: benchdb report lists them") from error
    raise NoBaselineError(f"{name!r} is not a benchmark or a session{question}") from error


def _benchmarks(reader: Reader, name: str, fullnames: Sequence[str], sessions: Sequence[SessionRow]) -> Shown:
    """Return a single benchmark in detail, or several with their newest values."""
    recent = {session.session_id: session for session in kept_sessions(sessions)[-NEWEST:]}
    place = {session_id: number for number, session_id in enumerate(recent)}
    if len(fullnames) > 1:
        found = reader.session_values(list(recent), metrics=MAIN_TIMES, names=fullnames, keep=1)
        main = main_series({value.key for value in found})
        newest = {value.key.fullname: value for value in sorted(found, key=_place) if value.key in main}
        return BenchmarkChoice(name=name, values=[newest[fullname] for fullname in fullnames if fullname in newest])
    values = reader.session_values(list(recent), names=fullnames)
    if not values:
        raise NoBaselineError(f"{fullnames[0]} was not run in the newest {NEWEST} sessions; name one of its sessions")
    last = max(values, key=lambda value: (place[value.session_id], value.value is not None))
    machine = recent[last.session_id].fingerprint
    here = [value for value in values if recent[value.session_id].fingerprint == machine]
    own = [value for value in here if (value.key.backend, value.key.device) == (last.key.backend, last.key.device)]
    key = _main_key(own)
    series = sorted((value for value in own if value.key == key), key=lambda value: place[value.session_id])
    newest_value = series[-1]
    policy = default_policy(key.metric, newest_value.unit, newest_value.better, sessions=len(series))
    return BenchmarkDetail(
        newest=reader.run_detail(newest_value.run_id),
        key=key,
        unit=newest_value.unit,
        statistic=policy.statistic,
        history=[
            HistoryPoint(session=recent[value.session_id], value=value, figure=figure_of(value, policy.statistic))
            for value in series
        ],
        elsewhere=sorted({value.key.device for value in here if value.key.device not in (None, key.device)}),
        machines=len({recent[value.session_id].fingerprint for value in values}) - 1,
    )


def _place(value: SessionValue) -> str:
    return value.started_at


def _main_key(values: Sequence[SessionValue]) -> SeriesKey:
    """Return the series that says most about a benchmark: its main time, else a metric of its own."""
    measured = [value.key for value in values if value.value is not None]
    times = main_series({key for key in measured or [value.key for value in values] if key.metric in MAIN_TIMES})
    return next(iter(sorted(times, key=lambda key: (key.phase or "", key.metric))), (measured or [values[0].key])[0])


def _run_id(reader: Reader, prefix: str, name: str) -> str:
    ids = [prefix.lower()] if len(prefix) == _FULL_ID else list(reader.find_runs(prefix))
    if len(ids) == 1:
        return ids[0]
    if not ids:
        raise ConfigError(f"{name!r} is not a run; run ids are in the data of: benchdb report -f csv")
    raise ConfigError(f"{name!r} matches several runs: {', '.join(ids[:_MOST_CANDIDATES])}, ...; write more of the id")
