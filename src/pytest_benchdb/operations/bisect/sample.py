"""What was measured so far: the sessions of a search and of the history, and the figures that the search rests on."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from pytest_benchdb.analysis.rules.effect_size import Scale, scale_for
from pytest_benchdb.analysis.rules.policy import default_policy
from pytest_benchdb.analysis.rules.session_figures import (
    defect_of,
    mismatch,
    read_figures,
    shared_statistic,
)
from pytest_benchdb.analysis.rules.sides import judge_sides
from pytest_benchdb.analysis.rules.two_clocks import begins_to_wait, is_cpu_bound
from pytest_benchdb.analysis.search.levels import EXACT, HISTORY, Noise, Reading
from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.metric import MAINS, absent_text, is_time, metrics_of
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.model.series import SeriesKey, SessionValue
from pytest_benchdb.model.verdict import CHANGED, Judgement, Policy
from pytest_benchdb.model.wording import counted, percent_text
from pytest_benchdb.operations.bisect.plan import COUNTED, SEARCH_TAG, STEP_TAG, BisectRequest
from pytest_benchdb.operations.exchange.open import open_source
from pytest_benchdb.operations.select.filters.keyword import parse_expression
from pytest_benchdb.operations.select.selection import path_exists
from pytest_benchdb.operations.select.series import main_series

ENDS_STEP = 0
"""Step in which only the ends are measured."""
SHARE = 0.03
"""Smallest change of a time that counts, because the sides run in turn; see `operations.duet.run`."""
COUNTED_SHARE = 0.01
"""Smallest change of counted instructions that counts, unless the metric has a smaller one."""

_FEWEST_CALM = 0.9
"""Share of undisturbed sessions from which wall times are used; below, the CPU times of all are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One session of a commit.

    Attributes:
        place: of its commit in the span; 0 is the good end.
        step: of the search; `HISTORY` if it was recorded for something else.
        values: of the metrics that were asked for, of the benchmarks that `-k` selects.
    """

    place: int
    step: int
    row: SessionRow
    values: tuple[SessionValue, ...]


def read_sessions(request: BisectRequest, shas: Sequence[str], search: str) -> list[Session]:
    """Return the sessions of the commits: those of the search, and those of the history on the same machine.

    Sessions of a checkout with changes that were not committed, and excluded ones, are left out.

    Args:
        request: metric, keyword and databases.
        shas: full hashes by place.
        search: id of the search.

    Raises:
        ConfigError: the keyword is not valid.
        StoreError: a database cannot be read.
    """
    paths = dict.fromkeys(path.absolute() for path in (request.suite.database, request.history) if path is not None)
    existing = [path for path in paths if path_exists(path)]
    if not existing:
        return []
    places = {sha: place for place, sha in enumerate(shas)}
    with open_source(existing) as reader:
        rows = [row for row in reader.sessions() if row.commit_sha in places and _is_usable(row)]
        own = [row for row in rows if row.tags.get(SEARCH_TAG) == search]
        machine = own[-1].fingerprint if own else None
        rows = own + [row for row in rows if own and row.tags.get(SEARCH_TAG) != search and row.fingerprint == machine]
        values = reader.session_values([row.session_id for row in rows], metrics=metrics_of(request.metric))
    selected = parse_expression(request.keyword) if request.keyword else lambda _name: True
    by_session: dict[str, list[SessionValue]] = {}
    for value in values:
        if selected(value.key.fullname):
            by_session.setdefault(value.session_id, []).append(value)
    return [
        Session(
            place=places[row.commit_sha or ""],
            step=_step_of(row) if row.tags.get(SEARCH_TAG) == search else HISTORY,
            row=row,
            values=tuple(by_session.get(row.session_id, ())),
        )
        for row in sorted(rows, key=lambda row: (row.started_at, row.session_id))
    ]


def _is_usable(row: SessionRow) -> bool:
    return row.excluded is None and not row.dirty and row.kind != "peaks"


def _step_of(row: SessionRow) -> int:
    text = row.tags.get(STEP_TAG, "")
    return int(text) if text.isdigit() else HISTORY


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """The series that a search follows.

    Attributes:
        exact: whether one session of a commit is enough, because the metric repeats.
        ends: judgement of the bad end by the good one.
        others: number of other series that changed as well.
    """

    key: SeriesKey
    unit: str
    policy: Policy
    exact: bool
    ends: Judgement
    others: int

    @property
    def noise(self) -> Noise:
        """How far single figures can be trusted."""
        if self.exact:
            return replace(EXACT, least_deviation=min(EXACT.least_deviation, self.policy.relative / 10 or 1e-6))
        return Noise(least_deviation=self.policy.least_spread or Noise().least_deviation)


def is_exact(metric: str, policy: Policy) -> bool:
    """Return whether one session of a commit is enough."""
    return policy.exact or metric in COUNTED


def follow(request: BisectRequest, sessions: Sequence[Session], last: int) -> Followed:
    """Return the series to follow: the one of the request, or that which changed most between the ends.

    Args:
        request: names the metric and perhaps the benchmark.
        sessions: of both ends at least.
        last: place of the bad end.

    Raises:
        ConfigError: the ends share no such benchmark, it did not pass at one of them, or the metric was not measured.
    """
    ends = [
        [value for session in sessions if session.place == place for value in session.values] for place in (0, last)
    ]
    keys = [_measured_keys(values, request) for values in ends]
    shared = [key for key in keys[1] if key in keys[0]]
    if not shared:
        raise ConfigError(_nothing_shared(request, ends, keys))
    candidates = [_followed(request, key, sessions, last) for key in shared]
    by_change = sorted(candidates, key=_interest, reverse=True)
    changed = [one for one in by_change if one.ends.verdict in CHANGED]
    return replace(by_change[0], others=max(0, len(changed) - 1))


def _interest(one: Followed) -> tuple[bool, bool, float]:
    """Sort key: what changed comes first, then what may have changed, each by the size of the change."""
    return one.ends.verdict in CHANGED, one.ends.verdict == "inconclusive", abs(one.ends.change or 0.0)


def _measured_keys(values: Iterable[SessionValue], request: BisectRequest) -> dict[SeriesKey, None]:
    named = [value for value in values if request.fullname in {None, value.key.fullname}]
    keys = {value.key for value in named if defect_of(value, "value") is None}
    if request.metric in MAINS:
        keys &= main_series(keys, MAINS[request.metric])
    return {value.key: None for value in named if value.key in keys}


def _nothing_shared(
    request: BisectRequest, ends: Sequence[Sequence[SessionValue]], keys: Sequence[Mapping[SeriesKey, None]]
) -> str:
    """Return why there is no series at both ends, and what to do."""
    advice = f"--benchmarks-from {request.bad} measures the same benchmark at every commit"
    for name, values, known in zip((request.good, request.bad), ends, keys, strict=True):
        failed = next((value for value in values if (defect_of(value, "value") or ("",))[0] == "error"), None)
        doubtful = next((value for value in values if not value.valid and value.reason), None)
        if not known and failed is None and doubtful is not None:
            what = f"{doubtful.key.fullname}: {doubtful.key.metric} at {name} may not be compared"
            return f"{what}: {doubtful.reason}; choose another --metric"
        if not known and failed is not None:
            return (
                f"{failed.key.fullname} does not pass at {name}: {failed.reason or failed.outcome}; name another commit"
            )
    if not keys[0] and not keys[1]:
        what = f" of what matches -k {request.keyword}" if request.keyword else ""
        there = _metrics_there(request)
        if there:
            return f"--metric {request.metric}{what}: {absent_text(request.metric, there)}"
        return f"neither end has a benchmark{what}; choose others with -k"
    if keys[0] and keys[1]:
        before, after = (min(key.fullname for key in known) for known in keys)
        return f"{request.good} has {before} and {request.bad} has {after}, which has another name; {advice}"
    missing, other = (request.good, keys[1]) if not keys[0] else (request.bad, keys[0])
    name = min(key.fullname for key in other)
    return f"{missing} has no {name}; {advice}"


def _metrics_there(request: BisectRequest) -> set[str]:
    """Return the metrics of the benchmarks that `-k` selects, in the sessions of searches."""
    if not path_exists(request.suite.database):
        return set()
    selected = parse_expression(request.keyword) if request.keyword else lambda _name: True
    with open_source([request.suite.database]) as reader:
        values = reader.session_values([row.session_id for row in reader.sessions()])
    return {value.key.metric for value in values if value.value is not None and selected(value.key.fullname)}


def _followed(request: BisectRequest, key: SeriesKey, sessions: Sequence[Session], last: int) -> Followed:
    values = [value for session in sessions if session.place == last for value in _of(session, key)]
    policy = _policy(request, key, values[-1])
    exact = is_exact(key.metric, policy)
    counting = [session for session in sessions if exact or session.step != HISTORY]
    sides = [[value for s in counting if s.place == place for value in _of(s, key)] for place in (0, last)]
    if exact:
        policy = replace(policy, exact=True, least_spread=0.0)
    judgement = judge_sides(sides[0], sides[1], policy)
    if judgement.verdict == "incomparable":
        advice = f"--benchmarks-from {request.bad} measures the same at every commit"
        raise ConfigError(f"{key.fullname} cannot be compared: {judgement.reason}; {advice}")
    return Followed(key=key, unit=values[-1].unit, policy=policy, exact=exact, ends=judgement, others=0)


def _policy(request: BisectRequest, key: SeriesKey, value: SessionValue) -> Policy:
    policy = default_policy(key.metric, value.unit, value.better, sessions=request.sessions)
    # A metric without a better direction may have changed as well.
    policy = replace(policy, better="lower" if policy.better == "none" else policy.better)
    if request.share is not None:
        return replace(policy, relative=request.share, absolute=0.0)
    if key.metric in COUNTED:
        return replace(policy, relative=min(policy.relative, COUNTED_SHARE))
    return replace(policy, relative=SHARE) if is_time(key.metric) else policy


def _of(session: Session, key: SeriesKey) -> list[SessionValue]:
    """Return the session's values of a series; a run that did not pass counts as each of its series."""
    return [
        value
        for value in session.values
        if value.key == key
        or (value.key.fullname == key.fullname and value.value is None and value.outcome != "passed")
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The figures of a series.

    Attributes:
        readings: one for each session that counts.
        scale: of the readings.
        values: by place, those that count, oldest first.
        problems: why sessions of a place give no figure, by place, where none does.
        by_cpu: whether the figures are CPU times, because the machine was busy.
        reused: number of sessions from the history that count.
    """

    readings: tuple[Reading, ...]
    scale: Scale
    values: Mapping[int, tuple[SessionValue, ...]]
    problems: Mapping[int, str]
    by_cpu: bool
    reused: int


def sample_of(followed: Followed, sessions: Sequence[Session], last: int) -> Sample:
    """Return the figures of a series, as the rule of comparisons takes them.

    The CPU time replaces the wall time of code that only computes, where the machine was busy.
    """
    key, policy = followed.key, followed.policy
    model = next(
        value for s in reversed(sessions) if s.place == last for value in _of(s, key) if value.value is not None
    )
    kept: list[tuple[Session, SessionValue]] = []
    problems: dict[int, str] = {}
    for session in sessions:
        for value in _of(session, key):
            defect = defect_of(value, "value")
            problem = defect[1] if defect is not None else mismatch(value, model)
            if problem is None:
                kept.append((session, value))
            else:
                problems[session.place] = problem
    statistic = shared_statistic([value for _, value in kept], policy.statistic)
    figures = read_figures([value for _, value in kept], statistic)
    ends = [[f for (s, _), f in zip(kept, figures, strict=True) if s.place == place] for place in (0, last)]
    calm = sum(not figure.is_contended for figure in figures)
    timed = all(figure.session.cpu_s for figure in figures)
    busy = calm < _FEWEST_CALM * len(figures) and is_cpu_bound(figures)
    by_cpu = timed and busy and not begins_to_wait(ends[0], ends[1])
    pairs = [
        (session, value, value.cpu_s if by_cpu else figure.figure)
        for (session, value), figure in zip(kept, figures, strict=True)
    ]
    known = [(session, value, number) for session, value, number in pairs if number is not None]
    centre = next((number for session, _, number in known if session.place == 0), 1.0)
    scale = scale_for([number for *_, number in known], policy, centre=centre)
    values: dict[int, list[SessionValue]] = {}
    for session, value, _ in known:
        if followed.exact or session.step != HISTORY:
            values.setdefault(session.place, []).append(value)
    measured = {session.place for session, *_ in known}
    return Sample(
        readings=tuple(
            Reading(
                commit=session.place,
                step=ENDS_STEP if followed.exact else session.step,
                value=scale.of(number) if scale.logarithmic else scale.of(number) / (scale.centre or 1.0),
            )
            for session, _, number in known
        ),
        scale=scale,
        values={place: tuple(each) for place, each in values.items()},
        problems={place: problem for place, problem in problems.items() if place not in measured},
        by_cpu=by_cpu,
        reused=sum(session.step == HISTORY for session, *_ in known),
    )


def change_text(followed: Followed) -> str:
    """Return the change between the ends with its interval."""
    ends = followed.ends
    text = f"{followed.key.fullname}, {followed.key.metric}: {percent_text(ends.change)}"
    if ends.interval is not None:
        text += f" ({percent_text(ends.interval.low)} to {percent_text(ends.interval.high)})"
    return text + (f", as {counted(followed.others, 'other series')}" if followed.others else "")
