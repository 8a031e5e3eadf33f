"""The meters around what one `Bench` runs once: its loops of steps, its streams and its phases.

PYTEST_DONT_REWRITE
"""

import statistics
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pytest_benchdb.interfaces import OpenDevice
from pytest_benchdb.measure.timing.rounds import Rounds, Timed
from pytest_benchdb.model.metric import Provenance
from pytest_benchdb.model.run import Measurement, Request
from pytest_benchdb.plugin.bench.passes import Passes, PassTarget
from pytest_benchdb.plugin.recording.attempt import Attempt, Block
from pytest_benchdb.registry import meters_here

if TYPE_CHECKING:
    from pytest_benchdb.measure.work import Metered, WorkBlock, WorkMeters


class BenchMeters:
    """The metered blocks of one run."""

    def __init__(self, passes: Passes | None, opened: OpenDevice, provenance: Provenance) -> None:
        """Take the session's passes, None without recording, and the device."""
        self._passes = passes
        self._opened = opened
        self._provenance: Provenance = provenance
        self._phases: dict[str, WorkBlock] = {}

    def block(self, what: str, attempt: Attempt | None, phase: str | None) -> "WorkBlock | None":
        """Return the meters of a loop or a stream; outside of phases they also read the usage of the run's block."""
        if self._passes is None or attempt is None:
            return None
        from pytest_benchdb.measure.work import Work

        boundary = attempt.block if phase is None else None
        work = Work(what=what, opened=self._opened, provenance=self._provenance, boundary=boundary)
        return self._meters(self._passes, attempt).block(work)

    def phase(self, path: str, attempt: Attempt | None) -> "WorkBlock | None":
        """Return the meters of a phase; None if no pass was asked for, because they would be read for nothing."""
        if self._passes is None or attempt is None or not self._passes.has_any:
            return None
        if path not in self._phases:
            from pytest_benchdb.measure.work import Work

            work = Work(what="phases", opened=self._opened, provenance=self._provenance, often=True)
            self._phases[path] = self._meters(self._passes, attempt).block(work)
        return self._phases[path]

    def disturb(self, attempt: Attempt) -> None:
        """Note that a function is about to be timed, which restarts the device's peaks."""
        if self._phases and self._passes is not None:
            self._meters(self._passes, attempt).disturb()

    def repeat(self, rounds: Rounds, timed: Timed, phase: str | None, *, items: float | None) -> "Metered":
        """Return what the passes of a timed function gave."""
        from pytest_benchdb.measure.work import Metered

        if self._passes is None:
            return Metered()
        target = PassTarget(
            call=lambda: rounds.once(timed.iterations),
            once=rounds.take_result,
            once_within=rounds.once_within,
            opened=self._opened,
            iterations=timed.iterations,
            round_s=statistics.median(timed.wall_ns) / 1e9,
            phase=phase,
            provenance=self._provenance,
            items=items,
            is_cold=timed.cache_mode == "cold",
        )
        return self._passes.make(target)

    def of_ranks(self, attempt: Attempt | None) -> dict[str, Any]:
        """Return the options of `RankPlan` with which ranks measure what was asked for."""
        if self._passes is None or attempt is None:
            return {}
        opener = f"{meters_here.__module__}:{meters_here.__name__}"  # each rank imports it
        return {"passes": self._passes.names, "meters": opener, "no_energy": self._passes.no_energy}

    def of_phases(self, used: Collection[str | None]) -> "list[Metered]":
        """Return what was read at the ends of the phases, except those in which something else was measured."""
        return [block.result().of_phase(path) for path, block in self._phases.items() if path not in used]

    def marked(self, row: Measurement) -> Measurement:
        """Return a row of a phase, which says so if a process sampled beside it."""
        block = self._phases.get(row.phase or "")
        return row if block is None else block.marks(row)

    def _meters(self, passes: Passes, attempt: Attempt) -> "WorkMeters":
        return passes.meters(attempt.block.probe)


def stream_meters(meters: "WorkBlock | None", requests: Sequence[Request], rows: Iterable[Measurement]) -> "Metered":
    """Return the rows of a stream and what was read around it, with the energy of a request that was answered whole."""
    from pytest_benchdb.measure.work import Metered

    if meters is None:
        return Metered(measurements=tuple(rows))
    whole = [request for request in requests if request.ok]
    uncounted = sum(request.tokens_out is None for request in whole)
    tokens: float | str = float(sum(request.tokens_out or 0 for request in whole))
    if uncounted:
        tokens = f"{uncounted} of {len(whole)} answers did not report their tokens"
    per = {"energy_per_request": float(len(whole)), "energy_per_token": tokens}
    read = meters.result(len(whole), per, cut="the stream did not run to its end")
    return Metered(measurements=(*map(meters.marks, rows), *read.measurements), series=read.series)


def usage_rows_of(block: Block, phase: str) -> list[Measurement]:
    """Return the memory of the process in the timed block of a phase; that of the run is read by its attempt."""
    from pytest_benchdb.measure.work import usage_rows

    return [replace(row, phase=phase) for row in usage_rows(block.usage, block.probe.unmeasured())]
