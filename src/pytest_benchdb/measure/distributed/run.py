"""A function on several ranks, each a process of its own, for worlds of several sizes."""

import importlib.util
import inspect
import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pytest_benchdb.errors import BackendUnavailableError, MeasurementError
from pytest_benchdb.measure.distributed.exchange import RankJob, RankReport, read_report
from pytest_benchdb.measure.distributed.launch import Method, run_ranks, stderr_of, why_failed
from pytest_benchdb.measure.distributed.ranks import WorldRun, distributed_rows
from pytest_benchdb.model.metric import Provenance
from pytest_benchdb.model.run import Measurement


@dataclass(frozen=True, slots=True, kw_only=True)
class RankPlan:
    """How a function is run on ranks.

    Attributes:
        world_sizes: numbers of ranks, one world after the other.
        backend: of `torch.distributed`; None leaves the group to the function.
        method: ``spawn`` or ``torchrun``.
        timeout_s: time for each world, its start included.
        threads: ``OMP_NUM_THREADS`` of each rank; None shares the processors among the ranks of the largest
            world, the same for every world, unless the variable is set already.
        opener: ``module:function`` that opens the device of a rank, called with `opener_argument` and the
            local rank; None runs on the host.
        opener_argument: a JSON value.
        provenance: of what is measured there.
    """

    world_sizes: Sequence[int] = (1, 2)
    backend: str | None = "gloo"
    method: Method = "spawn"
    timeout_s: float = 300.0
    threads: int | None = None
    opener: str | None = None
    opener_argument: object = None
    provenance: Provenance = "measured"

    def mistake(self) -> str | None:
        """Return what cannot be done; None if nothing is wrong."""
        sizes = list(self.world_sizes)
        if not sizes or not all(type(size) is int and size >= 1 for size in sizes):
            return f"world_sizes must be whole numbers above 0, not {self.world_sizes!r}"
        if self.method not in {"spawn", "torchrun"}:
            return f"method must be 'spawn' or 'torchrun', not {self.method!r}"
        if not 0 < self.timeout_s < float("inf"):
            return f"timeout_s must be a number above 0, not {self.timeout_s!r}"
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Distributed:
    """The results of a function on all worlds.

    Attributes:
        worlds: one run for each world size, rising.
        results: what each rank returned as a JSON value, by world size; failed worlds are absent.
        measurements: the rows to store; see `ranks.distributed_rows`.
    """

    worlds: tuple[WorldRun, ...]
    results: Mapping[int, tuple[object, ...]] = field(default_factory=dict)
    measurements: tuple[Measurement, ...] = ()

    def error(self, test: str | None = None) -> MeasurementError | None:
        """Return what to fail the test with; None if every rank finished."""
        reasons = [f"world of {world.world_size}: {world.reason}" for world in self.worlds if world.reason]
        if not reasons:
            return None
        return MeasurementError("; ".join(reasons) if test is None else f"{test}: {'; '.join(reasons)}")


def run_distributed(
    function: Callable[..., object],
    *,
    plan: RankPlan,
    args: Sequence[object] = (),
    kwargs: Mapping[str, object] | None = None,
    test: str | None = None,
) -> Distributed:
    """Call `function(rank, *args, **kwargs)` on every rank of every world.

    The function is at the top of its module, `rank` is a `rank_process.Rank`, and the other arguments are JSON
    values. `test` is the test's name, for messages.

    Raises:
        MeasurementError: the plan cannot be followed, or ranks could not find the function.
        BackendUnavailableError: `torch` is not installed.
    """
    if (mistake := plan.mistake()) is not None:
        raise MeasurementError(mistake if test is None else f"{test}: {mistake}")
    if (plan.backend is not None or plan.method == "torchrun") and importlib.util.find_spec("torch") is None:
        raise BackendUnavailableError("distributed runs need torch, which is not installed")
    sizes = sorted(set(plan.world_sizes))
    job = replace(
        located(function),
        args=list(args),
        kwargs=dict(kwargs or {}),
        sys_path=[entry or str(Path.cwd()) for entry in sys.path],
        backend=plan.backend,
        opener=plan.opener,
        opener_argument=plan.opener_argument,
        provenance=plan.provenance,
        test=test,
    )
    threads = plan.threads or threads_of_a_rank(max(sizes), os.environ.get("OMP_NUM_THREADS"))
    worlds, results = [], {}
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="benchdb-ranks-", ignore_cleanup_errors=True) as folder:
            world, result = _run_world(replace(job, folder=folder, world_size=size), plan, threads)
        worlds.append(world)
        if world.reason is None:
            results[size] = result
    about = {"cpus": usable_cpus(), "threads_per_rank": threads, "method": plan.method, "backend": plan.backend}
    rows = tuple(
        replace(row, details={**(row.details or {}), **about}) if row.rank is None else row
        for row in distributed_rows(worlds)
    )
    return Distributed(worlds=tuple(worlds), results=results, measurements=rows)


def located(function: Callable[..., object]) -> RankJob:
    """Return a job that names where `function` is defined.

    Raises:
        MeasurementError: another process could not find it: a lambda, a function in a function, a bound method.
    """
    name = getattr(function, "__qualname__", "")
    module = getattr(function, "__module__", None)
    try:
        file = inspect.getsourcefile(inspect.unwrap(function))
    except TypeError:
        file = None
    bound = inspect.ismethod(function) and not inspect.isclass(function.__self__)
    if not name or module is None or file is None or "<" in name or bound:
        raise MeasurementError(
            f"{name or function!r} cannot be found by other processes; define it at the top of its module"
        )
    # Loaded under its own name, a script would run the code under `if __name__ == "__main__"`.
    module = "benchdb_rank_main" if module == "__main__" else module
    return RankJob(folder="", world_size=0, module=module, file=str(Path(file).absolute()), function=name)


def threads_of_a_rank(largest_world: int, omp_num_threads: str | None) -> int | None:
    """Return how many threads each rank may use; None where ``OMP_NUM_THREADS`` is set already.

    The same for every world: one rank alone with all processors would make two look slow.
    """
    return None if omp_num_threads else max(1, usable_cpus() // largest_world)


def usable_cpus() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _run_world(job: RankJob, plan: RankPlan, threads: int | None) -> tuple[WorldRun, tuple[object, ...]]:
    folder = Path(job.folder)
    init_method = "env://" if plan.method == "torchrun" else (folder / "rendezvous").as_uri()
    path = folder / "job.json"
    replace(job, init_method=init_method).save(path)
    ends = run_ranks(path, world_size=job.world_size, method=plan.method, timeout_s=plan.timeout_s, threads=threads)
    try:
        reports = [read_report(folder, rank) for rank in range(job.world_size)]
    except MeasurementError as error:
        return WorldRun(world_size=job.world_size, reason=str(error)), ()
    reason = why_failed(ends, reports, stderr_of(folder, job.world_size), timeout_s=plan.timeout_s)
    if reason is not None:
        return WorldRun(world_size=job.world_size, reason=reason), ()
    whole = [report for report in reports if isinstance(report, RankReport)]
    return (
        WorldRun(world_size=job.world_size, by_rank=tuple(report.measurements for report in whole)),
        tuple(report.result for report in whole),
    )
