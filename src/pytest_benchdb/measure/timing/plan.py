"""How a benchmark is timed: the options of `bench.options`."""

from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from pytest_benchdb.errors import MeasurementError

_CHOICES = {"cache_mode": ("hot", "cold"), "barrier": ("round", "block"), "gc": (True, False)}
_MAY_BE_ZERO = frozenset({"warmup_rounds", "warmup_time_s", "max_warmup_time_s", "max_time_s"})
_MAY_BE_NONE = frozenset({"rounds", "iterations", "warmup_rounds", "target_error"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How to time a benchmark; a number that is None depends on the clock.

    Attributes:
        rounds: timed blocks; None continues for `max_time_s`, with at least `min_rounds`.
        iterations: calls in one round; None means enough to fill `round_time_s`.
        warmup_rounds: rounds thrown away before the timing; None continues for at least `warmup_time_s`, until the
            last rounds agree, and for at most `max_warmup_time_s`.
        min_rounds: smallest number of rounds.
        max_time_s: time for all rounds.
        target_error: stop before `max_time_s`, once the median is known this well: with 0.01, the 95 % interval is
            within 1 % of it; None uses all the time.
        round_time_s: target time of one round, long enough to hide the clock's tick and the loop.
        warmup_time_s: shortest warm-up.
        max_warmup_time_s: longest warm-up, calibration included.
        gc: whether the garbage collector may run within rounds.
        cache_mode: ``hot`` leaves the device's caches alone, ``cold`` empties them before every round, which then is
            one call.
        barrier: ``round`` waits for the device at both ends of every round, like user code; ``block`` waits once
            after all rounds, so that only the device's own clock measures single rounds.
    """

    rounds: int | None = None
    iterations: int | None = None
    warmup_rounds: int | None = None
    min_rounds: int = 5
    max_time_s: float = 1.0
    target_error: float | None = None
    round_time_s: float = 1e-3
    warmup_time_s: float = 0.1
    max_warmup_time_s: float = 2.0
    gc: bool = True
    cache_mode: Literal["hot", "cold"] = "hot"
    barrier: Literal["round", "block"] = "round"

    def changed(self, **options: Any) -> "Plan":
        """Return the plan with other options.

        Raises:
            MeasurementError: an option is unknown or its value is not valid.
        """
        names = [field.name for field in fields(self)]
        for name, value in options.items():
            if name not in names:
                raise MeasurementError(f"unknown option {name!r}; known are {', '.join(names)}")
            _check(name, value)
        plan = replace(self, **options)
        if plan.cache_mode == "cold" and plan.iterations not in {None, 1}:
            raise MeasurementError(
                f"iterations={plan.iterations} with cache_mode='cold': caches are emptied once a round, and the later"
                " calls would find them full; use iterations=1"
            )
        return plan

    @property
    def is_exact(self) -> bool:
        """Whether the caller gives all numbers and gets exactly these calls, as with pytest-benchmark's pedantic."""
        return None not in {self.rounds, self.iterations, self.warmup_rounds}


def _check(name: str, value: Any) -> None:
    if name in _CHOICES:
        if value not in _CHOICES[name]:
            raise MeasurementError(f"{name}={value!r}; give one of {', '.join(map(repr, _CHOICES[name]))}")
        return
    if value is None and name in _MAY_BE_NONE:
        return
    is_share = name == "target_error"
    is_count = not name.endswith("_s") and not is_share
    is_number = isinstance(value, int if is_count else (int, float)) and not isinstance(value, bool)
    if not is_number or not (value > 0 or (value == 0 and name in _MAY_BE_ZERO)):
        kind = "whole number" if is_count else "share such as 0.01" if is_share else "number of seconds"
        least = "0 or more" if name in _MAY_BE_ZERO else "above 0"
        raise MeasurementError(f"{name}={value!r}; give a {kind}, {least}")
