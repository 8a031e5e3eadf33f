"""Sessions of one benchmark, made from figures."""

import random
from collections.abc import Iterable
from typing import Any

from pytest_benchdb.model.series import SeriesKey, SessionValue


def session(figure: float | None, **given: Any) -> SessionValue:
    """Return a session with a fastest round of `figure` seconds per call, all of it CPU time."""
    scaled = {name: None if figure is None else figure * factor for name, factor in _SUMMARY.items()}
    fields: dict[str, Any] = {
        "key": SeriesKey(fullname="tests/test_a.py::test_a", metric="wall_time"),
        "session_id": "s",
        "run_id": "r",
        "started_at": "2026-11-20T10:00:00",
        "outcome": "passed",
        "reason": None,
        "valid": True,
        "provenance": "measured",
        "unit": "s",
        "better": "lower",
        "n": 30,
        "wall_per_cpu": 1.01,
        "labels": {},
        **scaled,
        **given,
    }
    return SessionValue(**fields)


_SUMMARY = {"min": 1.0, "median": 1.02, "mean": 1.03, "max": 1.2, "value": 1.02, "stddev": 0.03, "cpu_s": 0.99}


def sessions(figures: Iterable[float], **given: Any) -> list[SessionValue]:
    """Return one session for each figure."""
    return [session(figure, **given) for figure in figures]


def reading(figure: float | None, **given: Any) -> SessionValue:
    """Return a session with a single reading instead of rounds."""
    nothing: dict[str, Any] = dict.fromkeys(("min", "median", "mean", "max", "stddev", "cpu_s", "wall_per_cpu"))
    return session(figure, **{**nothing, "value": figure, "n": 1, **given})


def failed(**given: Any) -> SessionValue:
    """Return a session in which the benchmark failed."""
    return session(None, **{"outcome": "failed", "reason": "AssertionError: 3 != 4", "valid": False, **given})


def steady(count: int, *, figure: float = 1e-3, spread: float = 0.01, seed: int = 1) -> list[float]:
    """Return figures around one, the same for the same seed."""
    generator = random.Random(seed)  # noqa: S311 - nothing secret
    return [figure * generator.lognormvariate(0, spread) for _ in range(count)]
