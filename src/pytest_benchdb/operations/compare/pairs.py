"""Match the values of two sides into the rows of a comparison."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from pytest_benchdb.model.run import NOT_RUN, PASSED
from pytest_benchdb.model.series import SeriesKey, SessionValue

Place = tuple[str | None, str | None]
"""Backend and device."""

_NOWHERE: Place = (None, None)
_Series = tuple[str, str, str | None]
"""Benchmark, metric and phase."""
_Places = dict[Place, list[SessionValue]]
_Measured = dict[str, dict[tuple[str, str | None], SessionValue]]
"""For each benchmark, one value of each of its series."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """The values of both sides that form one row.

    Attributes:
        key: the row's series.
        baseline: oldest first; may be empty.
        candidate: oldest first; may be empty.
        obstacle: why the sides must not be compared, as text; None if they may.
        can_cross: whether `--allow-cross` overrides the obstacle.
    """

    key: SeriesKey
    baseline: tuple[SessionValue, ...]
    candidate: tuple[SessionValue, ...]
    obstacle: str | None = None
    can_cross: bool = True

    @property
    def newest(self) -> SessionValue:
        """The newest value of the candidate, else of the baseline."""
        return (self.candidate or self.baseline)[-1]

    @property
    def was_run(self) -> bool:
        """Whether at least one side was expected to have a value."""
        return any(value.outcome not in NOT_RUN for value in (*self.baseline, *self.candidate))


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """How the values of two sides are matched.

    Attributes:
        name_of: returns the benchmark's name common to both sides: its full name, except on an axis.
        with_place: whether backend and device must be the same.
    """

    name_of: Callable[[SessionValue], str] = lambda value: value.key.fullname
    with_place: bool = True


BY_FULLNAME = Matching()


def pair_sides(
    baseline: Sequence[SessionValue], candidate: Sequence[SessionValue], matching: Matching = BY_FULLNAME
) -> list[Pair]:
    """Match the values of two sides, in the baseline's order, followed by series that only the candidate has.

    A run that did not pass has no figures and sometimes no device: it is added to each of its benchmark's series, so
    that every metric shows the failure.
    """
    measured = _measured((*baseline, *candidate), matching)
    sides = [_by_series(_with_failures(side, measured, matching), matching) for side in (baseline, candidate)]
    pairs: list[Pair] = []
    for series in dict.fromkeys([*sides[0], *sides[1]]):
        places = [_settled(side.get(series, {})) for side in sides]
        pairs += _pairs_of(series, places[0], places[1])
    return pairs


def _measured(values: Iterable[SessionValue], matching: Matching) -> _Measured:
    by_benchmark: _Measured = {}
    for value in values:
        if value.outcome in PASSED:
            series = by_benchmark.setdefault(matching.name_of(value), {})
            series.setdefault((value.key.metric, value.key.phase), value)
    return by_benchmark


def _with_failures(side: Iterable[SessionValue], measured: _Measured, matching: Matching) -> list[SessionValue]:
    """Return a side's values, with each failed run repeated for every series measured for its benchmark."""
    values: list[SessionValue] = []
    for value in side:
        series = {} if value.outcome in PASSED else measured.get(matching.name_of(value), {})
        values += [_failed(value, model) for model in series.values()] or [value]
    return values


def _failed(value: SessionValue, model: SessionValue) -> SessionValue:
    key = replace(value.key, metric=model.key.metric, phase=model.key.phase)
    return replace(value, key=key, unit=model.unit, better=model.better)


def _by_series(values: Iterable[SessionValue], matching: Matching) -> dict[_Series, _Places]:
    by_series: dict[_Series, _Places] = {}
    for value in values:
        key = value.key
        place = (key.backend, key.device) if matching.with_place else _NOWHERE
        places = by_series.setdefault((matching.name_of(value), key.metric, key.phase), {})
        places.setdefault(place, []).append(value)
    return by_series


def _settled(places: _Places) -> _Places:
    """Merge runs that never reached a device into the only device, if there is just one."""
    lost = [place for place in places if place == _NOWHERE]
    rest = [place for place in places if place != _NOWHERE]
    if not lost or len(rest) != 1:
        return places
    return {rest[0]: sorted(places[rest[0]] + places[_NOWHERE], key=lambda value: value.started_at)}


def _pairs_of(series: _Series, baseline: _Places, candidate: _Places) -> list[Pair]:
    pairs = [_pair(series, baseline[place], candidate[place]) for place in baseline if place in candidate]
    left = {place: values for place, values in baseline.items() if place not in candidate}
    right = {place: values for place, values in candidate.items() if place not in baseline}
    for place in list(left):
        other = _partner(place, left, right)
        if other is not None:
            pairs.append(_pair(series, left.pop(place), right.pop(other), _obstacle(place, other)))
    pairs += [_pair(series, values, []) for values in left.values()]
    pairs += [_pair(series, [], values) for values in right.values()]
    return pairs


def _partner(place: Place, left: _Places, right: _Places) -> Place | None:
    """Return the candidate's place that corresponds to the baseline's, if it is unambiguous."""
    if len(left) == len(right) == 1:
        (other,) = right
        if _NOWHERE in {place, other} or other[0] == place[0]:
            return other
    same = [other for other in right if other[0] == place[0]]
    alone = sum(1 for other in left if other[0] == place[0]) == 1
    return same[0] if len(same) == 1 and alone else None


def _obstacle(place: Place, other: Place) -> str | None:
    if _NOWHERE in {place, other}:
        return None
    return f"ran on {place[1] or 'an unknown device'} and on {other[1] or 'an unknown device'}"


def _pair(
    series: _Series,
    baseline: Sequence[SessionValue],
    candidate: Sequence[SessionValue],
    obstacle: str | None = None,
) -> Pair:
    name, metric, phase = series
    place = next(((v.key.backend, v.key.device) for v in (*candidate, *baseline) if v.key.backend), _NOWHERE)
    several = _several(baseline) or _several(candidate)
    return Pair(
        key=SeriesKey(fullname=name, metric=metric, phase=phase, backend=place[0], device=place[1]),
        baseline=tuple(baseline),
        candidate=tuple(candidate),
        obstacle=several or obstacle,
        can_cross=several is None,
    )


def _several(values: Sequence[SessionValue]) -> str | None:
    """Return the obstacle of a side on which several benchmarks of one session have the same name."""
    names: dict[str, set[str]] = {}
    for value in values:
        names.setdefault(value.session_id, set()).add(value.key.fullname)
    most = max(names.values(), key=len, default=set())
    if len(most) < 2:  # noqa: PLR2004 - two are not one
        return None
    return f"{len(most)} benchmarks of one side fit: {', '.join(sorted(most)[:3])}; choose one with -k or -w"
