"""Score a machine's noise: how much each benchmark varies between sessions of unchanged code."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from statistics import median

from pytest_benchdb.analysis.rules.policy import default_policy, statistic_of
from pytest_benchdb.analysis.rules.session_figures import figure_of, shared_statistic
from pytest_benchdb.analysis.series.noise import Sessions, noise_of
from pytest_benchdb.model.answer.noise import NoiseRow, NoiseScore
from pytest_benchdb.model.report import ReportRow, SessionRow
from pytest_benchdb.model.series import SessionValue
from pytest_benchdb.operations.duet.run import ENOUGH_PAIRS, SHARE
from pytest_benchdb.operations.exchange.open import SILENT, Feedback
from pytest_benchdb.operations.select.selection import Selection, open_selection
from pytest_benchdb.operations.select.series import Series, read_series
from pytest_benchdb.store.read.reader import Reader

PER_SIDE = (3, 5, 10)
"""Numbers of sessions per side for which the detectable change is computed."""

HISTORY = 20
"""Number of past sessions for which the detectable change is computed: the gate's window."""

CONFIRMS = 2
"""Re-runs that must repeat what one session shows: the gate's default."""

_CPU_CLOCKS = ("cpu_time", "thread_time")

NEWEST = 50
"""Sessions to read without `--last`."""


def score_noise(selection: Selection, *, change: float = 0.05, feedback: Feedback = SILENT) -> NoiseScore:
    """Score the machine of the newest selected session.

    Args:
        selection: sessions and series.
        change: the increase to detect, as a share.
        feedback: receives progress, and warnings about unreadable sessions.

    Raises:
        ConfigError: a filter, a time or a name is not valid.
        StoreMissingError: there is no session.
        StoreError: a file cannot be read.
    """
    with open_selection(selection, feedback, newest=NEWEST) as selected:
        here = selected.on_newest_machine()
        series = read_series(selected.reader, here, selection)
        rounds = _round_lengths(selected.reader.report([session.session_id for session in here]))
        clocks = _cpu_clocks(selected.reader, here[-1], series)
    rows = [replace(_row(each, rounds, change), cpu_clock=clocks.get(each.key.fullname)) for each in series]
    return NoiseScore(
        sources=tuple(map(str, selection.paths)),
        machine=_machine(here[-1]),
        fingerprint=here[-1].fingerprint,
        rows=tuple(sorted(rows, key=_noisiest)),
        sessions=len(here),
        other_machines=len(selected.sessions) - len(here),
        commits=len({session.commit_sha for session in here if session.commit_sha is not None}),
        contended=sum(bool(session.contended) for session in here),
        per_side=PER_SIDE,
        history=HISTORY,
        confirms=CONFIRMS,
        change=change,
        selection=selection.text(),
    )


def _round_lengths(reports: Mapping[str, Sequence[ReportRow]]) -> dict[str, float]:
    """Return the length of a round in seconds, by run id."""
    return {
        row.run_id: row.median_s * row.iterations
        for rows in reports.values()
        for row in rows
        if row.main_metric == "wall_time" and row.median_s is not None and row.iterations
    }


def _cpu_clocks(reader: Reader, session: SessionRow, series: Sequence[Series]) -> dict[str, str]:
    """Return the metric of each benchmark's CPU time in a session, by full name."""
    names = sorted({each.key.fullname for each in series})
    values = reader.session_values([session.session_id], metrics=_CPU_CLOCKS, names=names)
    found = {(value.key.fullname, value.key.metric) for value in values if value.value is not None}
    return {name: clock for clock in reversed(_CPU_CLOCKS) for name in names if (name, clock) in found}


def _row(series: Series, rounds: Mapping[str, float], change: float) -> NoiseRow:
    newest = next(value for value in reversed(series.values) if value.value is not None)
    kept = [value for value in series.values if value.unit == newest.unit and value.code_hash == newest.code_hash]
    measured = [value for value in kept if value.value is not None]
    statistic = shared_statistic(measured, statistic_of(series.key.metric))
    figures = [figure_of(value, statistic) for value in kept]
    is_time = newest.unit == "s"
    sessions = Sessions(
        values=figures,
        wall_per_cpu=[value.wall_per_cpu for value in kept] if is_time else [],
        rounds=[value.n for value in kept] if is_time else [],
        round_s=[rounds.get(value.run_id) for value in kept] if series.key.metric == "wall_time" else [],
    )
    return NoiseRow(
        key=series.key,
        unit=newest.unit,
        noise=noise_of(
            sessions,
            per_side=PER_SIDE,
            history=HISTORY,
            confirms=CONFIRMS,
            change=change,
            limits=partial(_limit, newest),
        ),
        measured=sum(figure is not None for figure in figures),
        wall_per_cpu=_median([value.wall_per_cpu for value in measured]) if is_time else None,
        round_s=_median(sessions.round_s),
        rounds=_median([value.n for value in measured]) if is_time else None,
    )


def _limit(newest: SessionValue, level: float, sessions: int) -> float:
    """Return the smallest change that counts by default, as a share of a level; sides are run in turn, as in a duet."""
    policy = default_policy(newest.key.metric, newest.unit, newest.better, sessions=sessions)
    in_turn = newest.unit == "s" and sessions >= ENOUGH_PAIRS
    share = min(policy.relative, SHARE) if in_turn else policy.relative
    return max(share, policy.absolute / level)


def _median(values: Sequence[float | None]) -> float | None:
    measured = [value for value in values if value is not None]
    return median(measured) if measured else None


def _noisiest(row: NoiseRow) -> tuple[float, str]:
    return (math.inf if row.noise is None else -row.noise.deviation, row.key.fullname)


def _machine(session: SessionRow) -> str:
    cores = f"{session.cores} cores" if session.cores else None
    return ", ".join(part for part in (session.cpu_model, cores, session.os, session.python) if part) or "unknown"
