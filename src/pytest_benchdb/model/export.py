"""What exporters take: runs whose figures may be compared, with their rounds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pytest_benchdb.model.run import Summary


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """One passed run with valid times.

    Attributes:
        name: function and parameters.
        params: parameters by name; None for a benchmark without.
        param_id: the parameters as they stand in the name; None without.
        timer: dotted name of the clock; None if it was not told.
        iterations: calls in one round.
        samples_s: seconds per iteration, one per round, in run order; None if only statistics were kept.
        summary: statistics of the rounds in seconds per iteration, quartiles by linear interpolation.
        outliers: rounds more than 1.5 interquartile ranges outside those quartiles.
    """

    fullname: str
    name: str
    group: str | None
    params: Mapping[str, object] | None
    param_id: str | None
    extra_info: Mapping[str, object]
    timer: str | None
    iterations: int
    samples_s: Sequence[float] | None
    summary: Summary
    outliers: int | None
