"""Ranks of a distributed run: the rank of this process, and the rows that combine all ranks."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pytest_benchdb.measure.energy.energy_rows import energy_per, unmeasured
from pytest_benchdb.model.metric import Provenance
from pytest_benchdb.model.reading import Series
from pytest_benchdb.model.run import Measurement

HOST_ONCE = "the host's counters are read by its first rank"
"""Why other ranks have no energy of the host: it would be counted twice."""

TORCHRUN_VARIABLES = (
    "RANK",
    "WORLD_SIZE",
    "LOCAL_RANK",
    "LOCAL_WORLD_SIZE",
    "GROUP_RANK",
    "GROUP_WORLD_SIZE",
    "ROLE_RANK",
    "ROLE_NAME",
    "ROLE_WORLD_SIZE",
    "MASTER_ADDR",
    "MASTER_PORT",
    "TORCHELASTIC_ERROR_FILE",
    "TORCHELASTIC_MAX_RESTARTS",
    "TORCHELASTIC_RESTART_COUNT",
    "TORCHELASTIC_RUN_ID",
    "TORCHELASTIC_USE_AGENT_STORE",
)
"""Set by `torchrun` for its processes (PyTorch documentation, "torchrun (Elastic Launch)")."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RankInfo:
    """The rank of this process.

    Attributes:
        rank: 0, 1, ... over all machines; rank 0 reports for all.
        world_size: number of ranks.
        local_rank: 0, 1, ... on this machine; the index of the device to use.
        launch_id: the same for all ranks of one launch; None if unknown.
    """

    rank: int
    world_size: int
    local_rank: int
    launch_id: str | None = None


def rank_of(environ: Mapping[str, str]) -> RankInfo | None:
    """Return this process's rank from environment variables; None if it is not part of a distributed run.

    ``RANK`` alone, or numbers that do not make a rank, belong to another program.
    """
    rank, world_size = _number(environ, "RANK"), _number(environ, "WORLD_SIZE")
    if rank is None or world_size is None or not rank < world_size:
        return None
    local_rank = _number(environ, "LOCAL_RANK")
    return RankInfo(
        rank=rank,
        world_size=world_size,
        local_rank=rank if local_rank is None else local_rank,
        launch_id=environ.get("TORCHELASTIC_RUN_ID") or None,
    )


def rank_tags(info: RankInfo) -> dict[str, str]:
    """Return the tags of a session that one rank records."""
    tags = {"rank": str(info.rank), "world_size": str(info.world_size)}
    return tags if info.launch_id is None else {**tags, "launch": info.launch_id}


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldRun:
    """One run of a function on all ranks of one world.

    Attributes:
        world_size: number of ranks.
        by_rank: measurements of each rank, in rank order; empty if the run failed.
        reason: why the run failed; None if it did not.
        series: of the ranks' sensors.
    """

    world_size: int
    by_rank: Sequence[Sequence[Measurement]] = ()
    reason: str | None = None
    series: Sequence[Series] = ()

    @property
    def phase(self) -> str:
        """Phase of its rows."""
        return f"world_{self.world_size}"


def series_of_world(world: WorldRun) -> Iterator[Series]:
    """Yield the series of a world under its phase."""
    for series in world.series:
        yield replace(series, phase=_join_phase(world.phase, series.phase))


def distributed_rows(worlds: Sequence[WorldRun]) -> tuple[Measurement, ...]:
    """Return the rows of a function that ran on worlds of several sizes.

    For each world, in the phase ``world_<size>``: the rows of every rank; without a rank, the times of the critical
    path, the throughput of all ranks, their largest peaks of memory, their energy, and the scaling efficiency compared
    with the world of one rank.
    A world that failed has one row with the reason and no value.
    """
    rows: list[Measurement] = []
    rates: dict[str | None, dict[int, float]] = defaultdict(dict)
    for world in sorted(worlds, key=lambda world: world.world_size):
        if world.reason is not None:
            rows.append(
                Measurement(
                    metric="step_time", unit="s", better="lower", phase=world.phase, reason=world.reason, valid=False
                )
            )
            continue
        rows += [
            replace(row, rank=rank, phase=_join_phase(world.phase, row.phase))
            for rank, own in enumerate(world.by_rank)
            for row in own
        ]
        steps = _critical_path(world, "step_time")
        rows += [*_critical_path(world, "wall_time"), *steps]
        rows += [*_largest(world, "peak_rss"), *_largest(world, "device_peak"), *_energy(world)]
        for row in _rates(world, {row.phase or "": row for row in steps}):
            rows.append(row)
            if row.value is not None:
                rates[_strip_phase(world.phase, row.phase)][world.world_size] = row.value
    return (*rows, *_efficiencies(worlds, rates))


def _critical_path(world: WorldRun, metric: str) -> list[Measurement]:
    """Return the largest time over ranks, of each step: the ranks wait for each other, so the slowest one decides."""
    rows = []
    for phase, by_rank in _rows_by_phase(world, metric).items():
        means = [_mean(row) for row in by_rank]
        about: dict[str, Any] = {"phase": _join_phase(world.phase, phase), "samples": None, "value": None}
        steps = [row.samples or () for row in by_rank]
        if len({len(samples) for samples in steps}) > 1:
            counts = ", ".join(str(len(samples)) for samples in steps)
            rows.append(replace(by_rank[0], **about, reason=f"the ranks counted different numbers of steps: {counts}"))
            continue
        times_of_steps = list(zip(*steps, strict=True))
        path = [max(times) for times in times_of_steps]
        columns = times_of_steps or [tuple(row.value or 0.0 for row in by_rank)]
        slowest = Counter(max(range(len(times)), key=times.__getitem__) for times in columns)
        details = {
            **(by_rank[0].details or {}),
            "ranks": len(by_rank),
            "mean_by_rank_s": means,
            "slowest_by_rank": [slowest[rank] for rank in range(len(by_rank))],
        }
        what = "step" if path else "run"
        method = f"{by_rank[0].method or 'wall clock'}; largest of {len(by_rank)} ranks in each {what}"
        about |= {"samples": path or None, "value": None if path else max(columns[0])}
        rows.append(replace(by_rank[0], **about, method=method, details=details))
    return rows


def _rates(world: WorldRun, path: Mapping[str, Measurement]) -> list[Measurement]:
    """Return the throughput of all ranks; `path` has the step times of the critical path, by phase."""
    rows = []
    for phase, by_rank in _rows_by_phase(world, "throughput", with_values=False).items():
        steps = path.get(_join_phase(world.phase, phase))
        if steps is None:
            continue
        total_s = math.fsum(steps.samples or ())
        value = _handled(world, phase) / total_s if total_s > 0 else math.nan
        is_known = math.isfinite(value)
        rows.append(
            Measurement(
                metric="throughput",
                unit="1/s",
                better="higher",
                phase=_join_phase(world.phase, phase),
                provenance="simulated" if any(row.provenance == "simulated" for row in by_rank) else "derived",
                method="samples of all ranks / time of the critical path",
                value=value if is_known else None,
                reason=None if is_known else steps.reason or "a rank has no throughput",
                details={"ranks": world.world_size},
            )
        )
    return rows


def _handled(world: WorldRun, phase: str | None) -> float:
    """Return how many samples all ranks handled in a loop of steps; NaN if a rank does not report it."""
    rates = _rows_by_phase(world, "throughput", with_values=False).get(phase, ())
    steps = _rows_by_phase(world, "step_time").get(phase, ())
    if not rates or len(rates) != len(steps):
        return math.nan
    return math.fsum(
        (math.nan if rate.value is None else rate.value) * math.fsum(row.samples or ())
        for rate, row in zip(rates, steps, strict=True)
    )


def _largest(world: WorldRun, metric: str) -> list[Measurement]:
    """Return the largest peak of memory over ranks; each has its own device, or its own process."""
    rows = []
    for phase, by_rank in _rows_by_phase(world, metric).items():
        largest = max(by_rank, key=lambda row: row.value or 0.0)
        method = f"{largest.method}; largest of {len(by_rank)} ranks"
        rows.append(replace(largest, phase=_join_phase(world.phase, phase), rank=None, method=method))
    return rows


def _energy(world: WorldRun) -> list[Measurement]:
    """Return the energy of all ranks in one step, or in one run: each counter once, wherever it was read."""
    rows = []
    for phase, by_rank in _rows_by_phase(world, "energy", with_values=False).items():
        counted = [row for row in by_rank if row.reason != HOST_ONCE]
        lacking = next((row for row in counted if row.value is None), None)
        if lacking is not None or not counted:
            reason = HOST_ONCE if lacking is None else lacking.reason
            total = unmeasured(reason or "a rank has no energy")
        else:
            joules = [(row.details or {}).get("window_j") for row in counted]
            total = replace(
                counted[0],
                rank=None,
                value=math.fsum(row.value or 0.0 for row in counted),
                valid=all(row.valid for row in counted),
                reason=next((row.reason for row in counted if row.reason), None),
                details={
                    "ranks": world.world_size,
                    "read_by_ranks": len(counted),
                    "window_j": math.fsum(number for number in joules if isinstance(number, float)),
                },
            )
        total = replace(total, phase=_join_phase(world.phase, phase))
        rows.append(total)
        if _rows_by_phase(world, "energy_per_step", with_values=False).get(phase):
            rows.append(replace(total, metric="energy_per_step", provenance=_derived(total), method="energy / steps"))
        if _rows_by_phase(world, "energy_per_sample", with_values=False).get(phase):
            handled = _handled(world, phase)
            amount = handled if math.isfinite(handled) else "a rank has no throughput"
            rows.append(energy_per(total, "energy_per_sample", amount))
    return rows


def _derived(row: Measurement) -> Provenance:
    return "simulated" if row.provenance == "simulated" else "derived"


def _efficiencies(worlds: Sequence[WorldRun], rates: Mapping[str | None, Mapping[int, float]]) -> list[Measurement]:
    rows = []
    simulated = any(row.provenance == "simulated" for world in worlds for own in world.by_rank for row in own)
    for world in sorted(worlds, key=lambda world: world.world_size):
        size = world.world_size
        if size == 1:
            continue
        for inner, by_size in (rates or {None: {}}).items():
            alone, together = by_size.get(1), by_size.get(size)
            reason = None if alone and together else world.reason or _no_efficiency(worlds, alone)
            rows.append(
                Measurement(
                    metric="scaling_efficiency",
                    unit="1",
                    better="higher",
                    phase=_join_phase(world.phase, inner),
                    provenance="simulated" if simulated else "derived",
                    method=f"throughput of {size} ranks / ({size} x throughput of one rank)",
                    value=together / (size * alone) if alone and together else None,
                    reason=reason,
                )
            )
    return rows


def _no_efficiency(worlds: Sequence[WorldRun], alone: float | None) -> str:
    single = next((world for world in worlds if world.world_size == 1), None)
    if single is None:
        return "no run with one rank to compare with; put 1 into world_sizes"
    if single.reason is not None:
        return f"the run with one rank failed: {single.reason}"
    which = "the run with one rank" if alone is None else "this run"
    return f"{which} has no throughput; pass samples_per_step to steps()"


def _rows_by_phase(world: WorldRun, metric: str, *, with_values: bool = True) -> dict[str | None, list[Measurement]]:
    """Return the rows of one metric by phase, in rank order; phases that some rank lacks are left out."""
    by_phase: dict[str | None, list[Measurement]] = defaultdict(list)
    for own in world.by_rank:
        for row in own:
            # Phases inside a rank's run have their own wall times, which are not the run's.
            if row.metric == metric and row.domain is None and (metric != "wall_time" or row.phase is None):
                by_phase[row.phase].append(row)
    return {
        phase: rows
        for phase, rows in by_phase.items()
        if len(rows) == world.world_size
        and (not with_values or all(row.samples or row.value is not None for row in rows))
    }


def _mean(row: Measurement) -> float:
    if row.samples:
        return math.fsum(row.samples) / len(row.samples)
    return math.nan if row.value is None else row.value


def _join_phase(outer: str, inner: str | None) -> str:
    return outer if inner is None else f"{outer}/{inner}"


def _strip_phase(outer: str, phase: str | None) -> str | None:
    return None if phase is None or phase == outer else phase.removeprefix(f"{outer}/")


def _number(environ: Mapping[str, str], name: str) -> int | None:
    text = environ.get(name, "")
    return int(text) if text.isascii() and text.isdigit() else None
