"""Calls meters with a time limit, and checks what they return.

A meter's library may hang in a driver, and only a thread can be left behind there. Each meter has its own thread, which
is started with its first call: starting one for every reading would cost more than most readings.
"""

import math
import os
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, cast

from pytest_benchdb.model.metric import Provenance
from pytest_benchdb.model.reading import Domain, Reading

T = TypeVar("T")
_Job = tuple[Callable[[], object], "queue.SimpleQueue[tuple[object, BaseException | None]]"]


class Bounded:
    """Calls functions in one thread, and waits for their answers no longer than a limit."""

    def __init__(self, limit_s: float) -> None:
        """Start nothing yet."""
        self._limit_s = limit_s
        self._jobs: queue.SimpleQueue[_Job | None] | None = None
        self._pid = os.getpid()

    def ask(self, question: Callable[[], T]) -> T:
        """Return the result of a function.

        Raises:
            TimeoutError: there was no answer within the limit; the next function gets a new thread.
            Exception: raised by the function.
        """
        if self._jobs is None or self._pid != os.getpid():  # a forked child has none of its parent's threads
            self._jobs, self._pid = queue.SimpleQueue(), os.getpid()
            threading.Thread(target=_work, args=(self._jobs,), name="benchdb-meter", daemon=True).start()
        answers: queue.SimpleQueue[tuple[object, BaseException | None]] = queue.SimpleQueue()
        self._jobs.put((question, answers))
        try:
            answer, error = answers.get(timeout=self._limit_s)
        except queue.Empty:
            self._jobs = None
            raise TimeoutError(f"it gave no answer within {self._limit_s:g} s") from None
        if error is not None:
            raise error
        return cast("T", answer)

    def close(self) -> None:
        """End the thread as soon as it is free; a later `ask` starts another."""
        if self._jobs is not None and self._pid == os.getpid():
            self._jobs.put(None)
        self._jobs = None


def _work(jobs: "queue.SimpleQueue[_Job | None]") -> None:
    while (job := jobs.get()) is not None:
        question, answers = job
        try:
            answers.put((question(), None))
        except BaseException as error:  # noqa: BLE001 - whatever a meter raises, SystemExit included
            answers.put((None, error if isinstance(error, Exception) else RuntimeError(repr(error))))


def checked_domains(domains: Any) -> tuple[Domain, ...]:
    """Return the domains of a meter.

    Raises:
        TypeError: one of them is not a `Domain`.
        ValueError: a name is used twice, or a tick or a range cannot be one.
    """
    known: dict[str, Domain] = {}
    for domain in domains:
        if not isinstance(domain, Domain):
            raise TypeError(f"domains() returned {domain!r}, which is not a Domain")
        if domain.name in known:
            raise ValueError(f"domains() has {domain.name!r} twice")
        for what, value in (("tick", domain.tick_s), ("range", domain.range)):
            if value is not None and not 0 < value < math.inf:
                raise ValueError(f"{domain.name} has a {what} of {value!r}")
        known[domain.name] = domain
    return tuple(known.values())


def checked_readings(readings: Any, domains: Sequence[Domain], provenance: Provenance) -> Mapping[str, Reading]:
    """Return the readings of a meter's domains, with values as floats.

    Raises:
        TypeError: they are not readings by name.
        ValueError: a value is not a number, a counter is below 0, or a reading is from the future.
    """
    if not isinstance(readings, Mapping):
        raise TypeError(f"read() returned {readings!r}, which is not readings by name")
    now_ns = time.monotonic_ns()
    checked = {}
    for domain in domains:
        reading = readings.get(domain.name)
        if reading is None:
            continue
        if not isinstance(reading, Reading) or not isinstance(reading.monotonic_ns, int):
            raise TypeError(f"read() returned {reading!r} of {domain.name}")
        if provenance != "simulated" and reading.monotonic_ns > now_ns:
            raise ValueError(f"the reading of {domain.name} is from the future")
        value = None if reading.value is None else _number(domain, reading.value)
        checked[domain.name] = Reading(value, reading.monotonic_ns, reading.reason)
    return checked


def _number(domain: Domain, value: Any) -> float:
    try:
        number = math.nan if isinstance(value, (str, bytes, bool)) else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number) or (number < 0 and domain.kind == "counter"):
        raise ValueError(f"{domain.name} reads {value!r}")
    return number
