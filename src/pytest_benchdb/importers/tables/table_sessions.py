"""Group the rows of a long table into sessions, one for each name in the column ``session``."""

import json
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from pytest_benchdb.environment.collect import environment_id
from pytest_benchdb.errors import ImportFormatError
from pytest_benchdb.importers.reading.figures import named, param_id
from pytest_benchdb.importers.tables.table_row import BadRow, TableRow
from pytest_benchdb.model.environment import Commit, Device, Environment
from pytest_benchdb.model.identity import content_id
from pytest_benchdb.model.imported import ImportedRun, ImportedSession
from pytest_benchdb.model.metric import Better
from pytest_benchdb.model.run import Measurement

MAX_SERIES = 500_000
"""Series of rounds in one file: each takes about three kilobytes of memory."""

TOOL = "table"


class _Rounds:
    """The rounds of one metric, with their numbers if the file has them.

    Consecutive numbers, the usual case, are kept as a range, so that ten million rows fit into memory.
    """

    __slots__ = ("_numbers", "_range", "_seen", "numbered", "values")

    def __init__(self, *, numbered: bool) -> None:
        self.values: array[float] = array("d")
        self.numbered = numbered
        self._range: range | None = None
        self._seen: set[int] = set()
        self._numbers: array[int] = array("q")

    def add(self, value: float, number: int | None) -> None:
        """Add a round.

        Raises:
            BadRow: the number is repeated, or only some rows of the series have one.
        """
        if self.numbered != (number is not None):
            raise BadRow("some rows of this series have a round and some have none")
        if number is not None:
            self._add_number(number)
        self.values.append(value)

    def in_order(self) -> list[float]:
        """Return the values by round number, or in the order of the file."""
        if not self._numbers:
            return list(self.values)
        return [value for _, value in sorted(zip(self._numbers, self.values, strict=True))]

    def _add_number(self, number: int) -> None:
        if not self.values:
            self._range = range(number, number + 1)
        elif self._range is not None and number == self._range.stop:
            self._range = range(self._range.start, number + 1)
        else:
            if self._range is not None:
                self._numbers.extend(self._range)
                self._seen.update(self._range)
                self._range = None
            if number in self._seen:
                raise BadRow(f"round {number} of this series is repeated")
            self._seen.add(number)
            self._numbers.append(number)


@dataclass(slots=True)
class _Session:
    """The rows of one session so far."""

    place: str
    started_us: int
    facts: dict[str, str | None]
    runs: dict[tuple[str, str | None, str | None], dict[str, _Rounds]] = field(default_factory=dict)
    rows: int = 0


class Sessions:
    """Collects rows; refuses those that contradict an earlier one."""

    def __init__(self) -> None:
        self._sessions: dict[str, _Session] = {}
        self._metrics: dict[str, tuple[str, Better, str, str | None]] = {}
        self._series = 0

    def add(self, row: TableRow, place: str) -> None:
        """Add a row.

        Raises:
            BadRow: it contradicts an earlier row, whose place is in the message.
            ImportFormatError: there are too many series.
        """
        self._check_metric(row, place)
        session = self._session_of(row, place)
        readings = session.runs.setdefault((row.benchmark, row.backend, row.params), {})
        rounds = readings.get(row.metric)
        if rounds is None:
            self._series += 1
            if self._series > MAX_SERIES:
                raise too_many_series()
            rounds = readings[row.metric] = _Rounds(numbered=row.round is not None)
        rounds.add(row.value, row.round)
        session.started_us = min(session.started_us, row.started_us)
        session.rows += 1

    def finish(self) -> Iterator[ImportedSession]:
        """Yield the sessions by time, then by name."""
        for name, session in sorted(self._sessions.items(), key=lambda item: (item[1].started_us, item[0])):
            yield ImportedSession(
                started_unix_us=session.started_us,
                finished_unix_us=session.started_us,
                tool=TOOL,
                source_key=name,
                label=name,
                environment=environment_of(session.facts["fingerprint"]),
                commit=Commit(sha=session.facts["commit"], branch=session.facts["branch"]),
                runs=tuple(
                    replace(
                        run_of(benchmark, backend, params),
                        measurements=tuple(self._measurement(metric, rounds) for metric, rounds in readings.items()),
                        rounds=max((len(rounds.values) for rounds in readings.values()), default=None),
                    )
                    for (benchmark, backend, params), readings in session.runs.items()
                ),
                rows=session.rows,
            )

    def _check_metric(self, row: TableRow, place: str) -> None:
        first = (row.unit, row.better, place, row.written_unit)
        unit, better, before, written = self._metrics.setdefault(row.metric, first)
        if row.unit != unit:
            raise BadRow(f"unit of {row.metric} is {row.written_unit!r}, but {written!r} in {before}")
        if row.better != better:
            raise BadRow(f"better of {row.metric} is {row.better!r}, but {better!r} in {before}")

    def _session_of(self, row: TableRow, place: str) -> _Session:
        facts = {"commit": row.commit, "branch": row.branch, "fingerprint": row.fingerprint}
        session = self._sessions.get(row.session)
        if session is None:
            session = self._sessions[row.session] = _Session(place, row.started_us, facts)
            return session
        for name, value in facts.items():
            if value is not None and session.facts[name] not in {None, value}:
                raise BadRow(f"{name} of session {row.session!r} differs from that in {session.place}")
        session.facts = {name: session.facts[name] or value for name, value in facts.items()}
        return session

    def _measurement(self, metric: str, rounds: _Rounds) -> Measurement:
        unit, better, _, _ = self._metrics[metric]
        values = rounds.in_order()
        single = len(values) == 1 and not rounds.numbered
        return Measurement(
            metric=metric,
            unit=unit,
            better=better,
            provenance="imported",
            samples=None if single else values,
            value=values[0] if single else None,
        )


def too_many_series() -> ImportFormatError:
    """Return the error of a table that has more than `MAX_SERIES`."""
    return ImportFormatError(f"it has more than {MAX_SERIES:,} series (a metric of a benchmark in a session); split it")


def run_of(benchmark: str, backend: str | None, params: str | None) -> ImportedRun:
    """Return a run without measurements."""
    values = None if params is None else json.loads(params)
    return ImportedRun(
        fullname=named(benchmark, values),
        params=values,
        param_id=None if values is None else param_id(values),
        device=None if backend is None else _device(backend),
        measurements=(),
    )


def _device(backend: str) -> Device:
    return Device(device_id=content_id(backend, backend, None), backend=backend, name=backend)


def environment_of(fingerprint: str | None) -> Environment | None:
    """Return the environment of a session, where only the key of the machine is known."""
    if fingerprint is None:
        return None
    environment = Environment(environment_id="", fingerprint=fingerprint)
    return replace(environment, environment_id=environment_id(environment))
