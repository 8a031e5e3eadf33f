"""Find out how benchmarks grow with a parameter."""

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_benchdb.analysis.statistics.growth import growth_of
from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.answer.growth import GrowthRow, Growths
from pytest_benchdb.operations.exchange.open import SILENT, Feedback
from pytest_benchdb.operations.history.observations import Observation, observe_configurations
from pytest_benchdb.operations.select.selection import Selection, open_selection
from pytest_benchdb.operations.select.series import read_series

_LEAST_SIZE = 1.0
"""The smallest size of a point: the logarithm of a smaller one is negative, and no cost is."""


@dataclass(frozen=True, slots=True, order=True)
class _Group:
    """The benchmarks that differ only in the size."""

    benchmark: str
    device: str
    metric: str


def find_growth(selection: Selection, over: str, *, feedback: Feedback = SILENT) -> Growths:
    """Fit orders of growth to the results of the newest session, or to the medians of those selected.

    Args:
        selection: sessions and series; without metrics, the time of each benchmark.
        over: the parameter or label that is the size.
        feedback: receives progress, and warnings about unreadable sessions.

    Raises:
        ConfigError: a filter, a time or a name is not valid, or no benchmark has `over` as a number.
        StoreMissingError: there is no session.
        StoreError: a file cannot be read.
    """
    with open_selection(selection, feedback, newest=None) as selected:
        here = selected.on_newest_machine()
        values = [value for series in read_series(selected.reader, here, selection) for value in series.values]
    observations = observe_configurations(values)
    units = {metric: unit for observation in observations for metric, unit in observation.units.items()}
    rows = []
    insufficient = 0
    for group, points in sorted(_points(observations, over).items()):
        growth = growth_of(*zip(*sorted(points.items()), strict=True))
        if growth is None:
            insufficient += 1
            continue
        rows.append(
            GrowthRow(
                benchmark=group.benchmark,
                device=group.device or None,
                metric=group.metric,
                unit=units[group.metric],
                growth=growth,
            )
        )
    return Growths(
        sources=tuple(map(str, selection.paths)),
        over=over,
        rows=tuple(rows),
        sessions=len(here),
        insufficient=insufficient,
        selection=selection.text(),
    )


def _points(observations: Sequence[Observation], over: str) -> dict[_Group, dict[float, float]]:
    """Return the value at each size, by group."""
    groups: dict[_Group, dict[float, float]] = {}
    for observation in observations:
        size = observation.numbers.get(over)
        if size is None or size < _LEAST_SIZE:
            continue
        for metric, figure in observation.figures.items():
            group = _Group(_without(observation, over), observation.device or "", metric)
            groups.setdefault(group, {})[size] = figure
    if not groups:
        names = sorted({name for observation in observations for name in observation.numbers})
        choice = f"choose from {', '.join(names)}" if names else "they have no parameter that is a number"
        raise ConfigError(f"--over {over}: no benchmark here has it as a number of at least 1; {choice}")
    return groups


def _without(observation: Observation, over: str) -> str:
    """Return the name of the function with the parameters other than the size."""
    rest = {**observation.texts, **{name: f"{number:g}" for name, number in observation.numbers.items()}}
    rest.pop(over)
    named = ", ".join(f"{name}={value}" for name, value in sorted(rest.items()))
    return observation.function + (f"[{named}]" if named else "")
