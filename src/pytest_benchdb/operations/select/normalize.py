"""Normalise times by a reference workload: a machine that runs it more slowly runs everything more slowly."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

from pytest_benchdb.analysis.rules.policy import statistic_of
from pytest_benchdb.analysis.rules.session_figures import figure_of
from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.metric import MAIN_TIMES
from pytest_benchdb.model.series import SessionValue
from pytest_benchdb.model.wording import normalized_text
from pytest_benchdb.operations.select.benchmark_name import find_benchmarks
from pytest_benchdb.store.read.reader import Reader

_POWERS: Mapping[str, int] = {"s": 1, "1/s": -1}
"""How values of a unit follow the speed of the machine; those of other units do not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalization:
    """What to multiply the times of each session by.

    Attributes:
        name: full name of the reference; None leaves everything as it is.
        factors: by session id; a session without the reference has none.
    """

    name: str | None
    factors: Mapping[str, float]

    def remarks(self) -> tuple[str, ...]:
        """Return what was done, for the heading."""
        return () if self.name is None else (normalized_text(self.name),)

    def apply(self, values: Iterable[SessionValue]) -> list[SessionValue]:
        """Return values as if every session had run the reference in the same time, without the reference itself.

        Values of sessions that lack the reference become not valid.
        """
        if self.name is None:
            return list(values)
        return [self._one(value) for value in values if value.key.fullname != self.name]

    def of_rounds(self, value: SessionValue, rounds: Sequence[float]) -> Sequence[float]:
        """Return the rounds of a value, multiplied in the same way."""
        factor = 1.0 if self.name is None else self._factor(value)
        return () if factor is None else rounds if factor == 1 else [number * factor for number in rounds]

    def _factor(self, value: SessionValue) -> float | None:
        power, factor = _POWERS.get(value.unit, 0), self.factors.get(value.session_id)
        return 1.0 if power == 0 else None if factor is None else factor**power

    def _one(self, value: SessionValue) -> SessionValue:
        factor = self._factor(value)
        if factor is None:
            return replace(value, valid=False, reason=f"its session has no {self.name} to normalise by")

        def scaled(figure: float | None) -> float | None:
            return None if figure is None else figure * factor

        return replace(
            value,
            value=scaled(value.value),
            min=scaled(value.min),
            max=scaled(value.max),
            mean=scaled(value.mean),
            median=scaled(value.median),
            stddev=scaled(value.stddev),
            cpu_s=scaled(value.cpu_s),
        )


NONE = Normalization(name=None, factors={})


def read_normalization(reader: Reader, name: str, session_ids: Sequence[str]) -> Normalization:
    """Read the times of a reference workload.

    Args:
        reader: an open history.
        name: of the reference: its full name, the end of it, or its function.
        session_ids: the sessions to normalise.

    Raises:
        ConfigError: no benchmark has the name, several have it, or no session has a time of it.
    """
    found = find_benchmarks(name, reader.benchmark_names())
    if len(found) != 1:
        problem = f"matches {len(found)} benchmarks; write more of the name" if found else "is not a benchmark here"
        raise ConfigError(f"--normalize-by {name}: it {problem}: benchdb report lists them")
    times: dict[str, float] = {}
    for value in reader.session_values(list(session_ids), metrics=MAIN_TIMES[:1], names=found):
        figure = figure_of(value, statistic_of(value.key.metric)) or figure_of(value, "value")
        if figure and value.key.phase is None:
            times[value.session_id] = figure
    if not times:
        raise ConfigError(f"--normalize-by {name}: none of the sessions has a time of {found[0]}")
    usual = median(times.values())
    return Normalization(name=found[0], factors={session: usual / time for session, time in times.items()})
