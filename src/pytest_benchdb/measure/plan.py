"""How a benchmark is to be timed: what a test asked for, with the defaults of pytest-benchmark where it has them."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from pytest_benchdb.errors import MeasurementError

Setup = Callable[[], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How rounds are made; None leaves a number to the clock.

    Attributes:
        rounds: timed blocks; None goes on for `max_time_s`, but not below `min_rounds`.
        iterations: calls in one round; None takes as many as fill `round_time_s`.
        warmup_rounds: rounds thrown away before; None goes on for `warmup_time_s` and until the last
            rounds agree, but not beyond `max_warmup_time_s`.
        min_rounds: least number of rounds.
        max_time_s: time for all rounds.
        round_time_s: time that one round should last, so that the clock's tick and the loop do not show.
        gc: whether the garbage collector may run within rounds.
        cache_mode: ``hot`` leaves the device's caches alone, ``cold`` empties them before every round.
        barrier: ``round`` waits for the device at both ends of every round, which is what a user waits for;
            ``block`` waits once after all rounds, and only the device's own clock tells rounds apart.
    """

    rounds: int | None = None
    iterations: int | None = None
    warmup_rounds: int | None = None
    min_rounds: int = 5
    max_time_s: float = 1.0
    round_time_s: float = 1e-3
    warmup_time_s: float = 0.1
    max_warmup_time_s: float = 2.0
    gc: bool = True
    cache_mode: Literal["hot", "cold"] = "hot"
    barrier: Literal["round", "block"] = "round"

    def changed(self, **options: Any) -> "Plan":
        """Return the plan with other options.

        Raises:
            MeasurementError: an option is unknown or has no sense.
        """
        known = {field.name: field.type for field in fields(self)}
        for name, value in options.items():
            if name not in known:
                raise MeasurementError(f"unknown option {name!r}; known are {', '.join(known)}")
            _check(name, value)
        return replace(self, **options)


_CHOICES = {"cache_mode": ("hot", "cold"), "barrier": ("round", "block"), "gc": (True, False)}
_MAY_BE_ZERO = frozenset({"warmup_rounds", "warmup_time_s", "max_warmup_time_s", "max_time_s"})
_MAY_BE_NONE = frozenset({"rounds", "iterations", "warmup_rounds"})


def _check(name: str, value: Any) -> None:
    if name in _CHOICES:
        if value not in _CHOICES[name]:
            raise MeasurementError(f"{name}={value!r}; give one of {', '.join(map(repr, _CHOICES[name]))}")
        return
    if value is None and name in _MAY_BE_NONE:
        return
    whole = not name.endswith("_s")
    number = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
    if not number or not (value > 0 or (value == 0 and name in _MAY_BE_ZERO)):
        kind = "whole number" if whole else "number of seconds"
        least = "0 or more" if name in _MAY_BE_ZERO else "above 0"
        raise MeasurementError(f"{name}={value!r}; give a {kind}, {least}")
