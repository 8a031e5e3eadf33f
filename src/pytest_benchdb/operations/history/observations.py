"""Group session values into observations, one per configuration or per session, for correlation and prediction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from pytest_benchdb.analysis.rules.policy import statistic_of
from pytest_benchdb.analysis.rules.session_figures import figure_of
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.model.series import SeriesKey, SessionValue

_SESSION_FACTS = ("load_start", "load_end", "steal_s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """The figures of one benchmark on one device, over all sessions or in a single one.

    Attributes:
        fullname: the benchmark.
        function: the benchmark without its parameters.
        texts: labels and parameters that are not numbers, by name.
        numbers: labels and parameters that are numbers, by name.
        figures: figures in SI units by metric, or by ``METRIC of PHASE``.
        units: the units of `figures`.
        sessions: the number of sessions with a value.
    """

    fullname: str
    function: str
    device: str | None
    texts: Mapping[str, str]
    numbers: Mapping[str, float]
    figures: Mapping[str, float]
    units: Mapping[str, str]
    sessions: int


def observe_configurations(values: Iterable[SessionValue]) -> list[Observation]:
    """Return one observation per benchmark and device: the median over its sessions.

    Repeating a configuration adds nothing about how configurations differ.
    """
    groups: dict[tuple[str, str | None], list[SessionValue]] = {}
    for value in values:
        groups.setdefault((value.key.fullname, value.key.device), []).append(value)
    observations = (_observation(group) for group in groups.values())
    return [observation for observation in observations if observation.figures]


def observe_sessions(values: Iterable[SessionValue], sessions: Mapping[str, SessionRow]) -> list[Observation]:
    """Return one observation per benchmark, device and session; its numbers include the session's load."""
    groups: dict[tuple[str, str | None, str], list[SessionValue]] = {}
    for value in values:
        groups.setdefault((value.key.fullname, value.key.device, value.session_id), []).append(value)
    observations = (_observation(group, sessions[group[0].session_id]) for group in groups.values())
    return [observation for observation in observations if observation.figures]


def figure_name(key: SeriesKey) -> str:
    """Return the metric, with the phase if there is one."""
    return key.metric if key.phase is None else f"{key.metric} of {key.phase}"


def _observation(values: Sequence[SessionValue], session: SessionRow | None = None) -> Observation:
    newest = values[-1]
    about: dict[str, object] = {**(newest.params or {}), **newest.labels}
    numbers = {name: number for name, value in about.items() if (number := _number(value)) is not None}
    texts = {name: str(value) for name, value in about.items() if name not in numbers and value is not None}
    if session is not None:
        facts = {name: getattr(session, name) for name in _SESSION_FACTS}
        facts["wall_per_cpu"] = newest.wall_per_cpu
        numbers |= {name: float(fact) for name, fact in facts.items() if fact is not None}
    figures: dict[str, list[float]] = {}
    units = {}
    for value in values:
        figure = figure_of(value, statistic_of(value.key.metric))
        if figure is None:
            figure = figure_of(value, "value")
        if figure is not None:
            figures.setdefault(figure_name(value.key), []).append(figure)
            units[figure_name(value.key)] = value.unit
    return Observation(
        fullname=newest.key.fullname,
        function=newest.key.fullname.partition("[")[0],
        device=newest.key.device,
        texts=texts,
        numbers=numbers,
        figures={name: median(sample) for name, sample in figures.items()},
        units=units,
        sessions=len({value.session_id for value in values if value.value is not None}),
    )


def _number(value: object) -> float | None:
    """Return a label (stored as text) or a parameter as a number; None if it is not a finite number or is a bool."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if abs(number) < float("inf") else None
