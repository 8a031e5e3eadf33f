"""Run a function on several ranks, each in its own process, for worlds of several sizes.

``spawn`` starts a fresh interpreter for each rank, like `torch.multiprocessing` but without pickling the
function. ``torchrun`` lets `torch.distributed.run` start them. Either way there is a time limit, a failure stops the
other ranks, and each rank's standard error goes into its own file, so that its last line can be reported.
"""

import contextlib
import importlib.util
import inspect
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from pytest_benchdb.errors import BackendUnavailableError, MeasurementError
from pytest_benchdb.measure.distributed.exchange import RankJob, RankReport, read_report, stderr_path
from pytest_benchdb.measure.distributed.ranks import TORCHRUN_VARIABLES, WorldRun, distributed_rows, series_of_world
from pytest_benchdb.model.metric import Provenance
from pytest_benchdb.model.reading import Series
from pytest_benchdb.model.run import Measurement

_SAME_TIME_NS = 250_000_000
"""Longest delay between its peers' reports of broken connections and our noticing a rank's silent death."""
_ROOT_CAUSE = re.compile(r"Root Cause.*?rank\s*:\s*(\d+).*?exitcode\s*:\s*(-?\d+)", re.DOTALL)
"""The report of `torchrun` about the process that failed first."""
Method = Literal["spawn", "torchrun"]
_MODULE = "pytest_benchdb.measure.distributed.rank_process"
_POLL_S = 0.02
_LAST_REPORTS_S = 1.0
"""Time for the other ranks to exit by themselves after one has failed: their reports may name the cause."""
_STOP_S = 5.0
"""Time between SIGTERM and SIGKILL."""
_LINE_LENGTH = 300


@dataclass(slots=True, kw_only=True)
class End:
    """The end of a rank's process, or of the launcher of all ranks.

    Attributes:
        rank: None for the launcher.
        code: exit code, negative for a signal; None while it runs, and if it had to be stopped.
        ended_ns: when it ended, by `time.monotonic_ns`; None like `code`.
    """

    rank: int | None
    code: int | None = None
    ended_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stderr:
    """Standard error of the processes.

    Attributes:
        last: last line of each rank that wrote something, by rank.
        launcher: everything that the launcher wrote.
    """

    last: Mapping[int, str]
    launcher: str = ""


_Watched = tuple["subprocess.Popen[bytes]", End]


def why_failed(
    ends: Sequence[End], reports: Sequence[RankReport | None], stderr: Stderr, *, timeout_s: float
) -> str | None:
    """Return in one line which rank failed first and why; None if every rank finished.

    A killed rank breaks the connections of the others, and they report that before its death is noticed. So the
    killed rank counts as first, unless another failed clearly earlier. `reports` has None for a rank without a report.
    """
    size = len(reports)
    failures = [*_reported(reports), *_died(ends, reports, stderr), *_blamed(reports, stderr)]
    if failures:
        return min(failures)[1]
    silent = [rank for rank, report in enumerate(reports) if report is None]
    hung = [end.rank for end in ends if end.code is None]
    late = silent or [rank for rank in hung if rank is not None]
    who = " and ".join(f"rank {rank} of {size}" for rank in late)
    line = _after_colon(next((stderr.last[rank] for rank in late if rank in stderr.last), None))
    if hung:
        return f"{who or 'the launcher'} did not end within {timeout_s:g} s and was stopped{line}"
    if silent:
        return f"{who} ended without a report{line}"
    code = next((end.code for end in ends if end.code), None)
    return None if code is None else f"the launcher of {size} ranks {_describe_end(code)}"


def _reported(reports: Sequence[RankReport | None]) -> list[tuple[int, str]]:
    return [
        (report.failed_ns or 0, f"rank {report.rank} of {len(reports)} failed: {report.error}")
        for report in reports
        if report is not None and report.error is not None
    ]


def _died(ends: Sequence[End], reports: Sequence[RankReport | None], stderr: Stderr) -> list[tuple[int, str]]:
    failures = []
    for end in ends:
        if end.rank is None or not end.code:
            continue
        report = reports[end.rank]
        if report is None or report.error is None:
            text = (
                f"rank {end.rank} of {len(reports)} {_describe_end(end.code)}{_after_colon(stderr.last.get(end.rank))}"
            )
            failures.append(((end.ended_ns or 0) - _SAME_TIME_NS, text))
    return failures


def _blamed(reports: Sequence[RankReport | None], stderr: Stderr) -> list[tuple[int, str]]:
    """Return the launcher's report about a silent rank; the launcher watched it, so this report sorts first."""
    match = _ROOT_CAUSE.search(stderr.launcher)
    if match is None or not int(match[1]) < len(reports) or reports[int(match[1])] is not None:
        return []
    rank = int(match[1])
    return [(-1, f"rank {rank} of {len(reports)} {_describe_end(int(match[2]))}{_after_colon(stderr.last.get(rank))}")]


def _describe_end(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"


def _after_colon(line: str | None) -> str:
    return f": {line}" if line else ""


def run_ranks(
    job_path: Path, *, world_size: int, method: Method, timeout_s: float, threads: int | None = None
) -> tuple[End, ...]:
    """Run the job on all ranks; return how each process ended. No process outlives the call.

    The ranks write into the folder of the job's file. `timeout_s` covers all ranks, including their start;
    `threads` is ``OMP_NUM_THREADS`` of each rank, None leaves it unchanged.
    """
    folder = job_path.parent
    environ = {name: value for name, value in os.environ.items() if name not in TORCHRUN_VARIABLES}
    if threads is not None:
        environ["OMP_NUM_THREADS"] = str(threads)
    command = [sys.executable, "-m", _MODULE, str(job_path)]
    with _stopping() as watched:
        if method == "torchrun":
            launch = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={world_size}", *command[1:]]
            watched.append((_start([sys.executable, *launch], environ, stderr_path(folder, None)), End(rank=None)))
        else:
            place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
            for rank in range(world_size):
                own = {**environ, **place, **_rank_variables(rank, world_size)}
                watched.append((_start(command, own, stderr_path(folder, rank)), End(rank=rank)))
        _watch(watched, timeout_s)
    return tuple(end for _, end in watched)


def read_stderr(folder: Path, world_size: int) -> Stderr:
    """Read the standard error of the processes of the job in `folder`."""
    written = {rank: _lines(stderr_path(folder, rank)) for rank in range(world_size)}
    return Stderr(
        last={rank: lines[-1][:_LINE_LENGTH] for rank, lines in written.items() if lines},
        launcher="\n".join(_lines(stderr_path(folder, None))),
    )


def free_port() -> int:
    """Return a TCP port of this machine that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _rank_variables(rank: int, world_size: int) -> dict[str, str]:
    return {
        "RANK": str(rank),
        "WORLD_SIZE": str(world_size),
        "LOCAL_RANK": str(rank),
        "LOCAL_WORLD_SIZE": str(world_size),
    }


def _start(command: Sequence[str], environ: Mapping[str, str], stderr_file: Path) -> "subprocess.Popen[bytes]":
    with stderr_file.open("wb") as stderr:
        # Nothing is written to its standard input: a rank reads the end of the pipe when this process is gone.
        # In its own session, it can be stopped with all its children, and Ctrl-C only reaches the test's process.
        return subprocess.Popen(
            command,
            env=dict(environ),
            stdin=subprocess.PIPE,
            stdout=stderr,
            stderr=stderr,
            start_new_session=sys.platform != "win32",
        )


def _watch(watched: Sequence[_Watched], timeout_s: float, *, sleep: Callable[[float], None] = time.sleep) -> None:
    deadline = time.monotonic() + timeout_s
    while True:
        for process, end in watched:
            if end.code is None and (code := process.poll()) is not None:
                end.code, end.ended_ns = code, time.monotonic_ns()
                if code != 0:
                    deadline = min(deadline, time.monotonic() + _LAST_REPORTS_S)
        if all(end.code is not None for _, end in watched) or time.monotonic() >= deadline:
            return
        sleep(_POLL_S)


@contextlib.contextmanager
def _stopping() -> Iterator[list[_Watched]]:
    watched: list[_Watched] = []
    try:
        yield watched
    finally:
        for process, _ in watched:
            if process.stdin is not None:
                process.stdin.close()
            _signal(process, "SIGTERM")
        deadline = time.monotonic() + _STOP_S
        for process, _ in watched:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline - time.monotonic()))
            _signal(process, "SIGKILL")
            process.wait()


def _signal(process: "subprocess.Popen[bytes]", name: str) -> None:
    """Signal a process and its children; ignore a process that is gone."""
    if sys.platform == "win32":
        if process.poll() is None:
            process.kill()
        return
    # The process leads its own group, which may outlive it.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.Signals[name])


def _lines(path: Path) -> list[str]:
    """Return the non-empty lines of a file."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return []
    return [line.strip() for line in text.splitlines() if line.strip()]


@dataclass(frozen=True, slots=True, kw_only=True)
class RankPlan:
    """How to run a function on ranks.

    Attributes:
        world_sizes: numbers of ranks; the worlds run one after the other.
        backend: of `torch.distributed`; None lets the function create the process group.
        method: ``spawn`` or ``torchrun``.
        timeout_s: time for each world, including its start.
        threads: ``OMP_NUM_THREADS`` of each rank; None divides the processors among the ranks of the largest
            world, and uses the same number for every world, unless the variable is set already.
        opener: ``module:function`` that opens the device of a rank, called with `opener_argument` and the
            local rank; None runs on the host.
        opener_argument: a JSON value.
        provenance: of the measurements.
        passes: what to measure besides times, as ``--benchdb-passes``.
        meters: ``module:function`` that returns the energy meters of a rank.
        no_energy: why energy must not be measured; None if it may.
    """

    world_sizes: Sequence[int] = (1, 2)
    backend: str | None = "gloo"
    method: Method = "spawn"
    timeout_s: float = 300.0
    threads: int | None = None
    opener: str | None = None
    opener_argument: object = None
    provenance: Provenance = "measured"
    passes: Sequence[str] = ()
    meters: str | None = None
    no_energy: str | None = None

    def problem(self) -> str | None:
        """Return what is wrong with the plan; None if it is valid."""
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
        worlds: one run for each world size, ascending.
        results: by world size, the JSON values that the ranks returned; failed worlds are absent.
        measurements: the rows to store; see `ranks.distributed_rows`.
        series: of the ranks' sensors.
    """

    worlds: tuple[WorldRun, ...]
    results: Mapping[int, tuple[object, ...]] = field(default_factory=dict)
    measurements: tuple[Measurement, ...] = ()
    series: tuple[Series, ...] = ()

    def error(self, test: str | None = None) -> MeasurementError | None:
        """Return the error that fails the test; None if every rank finished."""
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

    The function is defined at the top of its module, `rank` is a `rank_process.Rank`, and the other arguments are
    JSON values. `test` is the test's name, for messages.

    Raises:
        MeasurementError: the plan is not valid, or ranks could not import the function.
        BackendUnavailableError: `torch` is not installed.
    """
    if (problem := plan.problem()) is not None:
        raise MeasurementError(problem if test is None else f"{test}: {problem}")
    if (plan.backend is not None or plan.method == "torchrun") and importlib.util.find_spec("torch") is None:
        raise BackendUnavailableError("distributed runs need torch, which is not installed")
    sizes = sorted(set(plan.world_sizes))
    job = replace(
        locate(function),
        args=list(args),
        kwargs=dict(kwargs or {}),
        sys_path=[entry or str(Path.cwd()) for entry in sys.path],
        backend=plan.backend,
        opener=plan.opener,
        opener_argument=plan.opener_argument,
        provenance=plan.provenance,
        test=test,
        passes=list(plan.passes),
        meters=plan.meters,
        no_energy=plan.no_energy,
    )
    threads = plan.threads or threads_per_rank(max(sizes), os.environ.get("OMP_NUM_THREADS"))
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
    series = tuple(each for world in worlds for each in world.series)
    return Distributed(worlds=tuple(worlds), results=results, measurements=rows, series=series)


def locate(function: Callable[..., object]) -> RankJob:
    """Return a job with the place where `function` is defined.

    Raises:
        MeasurementError: another process could not import it: a lambda, a nested function, a bound method.
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
    # If a script were loaded as __main__, its `if __name__ == "__main__"` block would run.
    module = "benchdb_rank_main" if module == "__main__" else module
    return RankJob(folder="", world_size=0, module=module, file=str(Path(file).absolute()), function=name)


def threads_per_rank(largest_world: int, omp_num_threads: str | None) -> int | None:
    """Return how many threads each rank may use; None if ``OMP_NUM_THREADS`` is set already.

    It is the same for every world: a single rank with all processors would make two ranks look slow.
    """
    return None if omp_num_threads else max(1, usable_cpus() // largest_world)


def usable_cpus() -> int:
    """Return the number of processors that this process may use."""
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
    reason = why_failed(ends, reports, read_stderr(folder, job.world_size), timeout_s=plan.timeout_s)
    if reason is not None:
        return WorldRun(world_size=job.world_size, reason=reason), ()
    whole = [report for report in reports if isinstance(report, RankReport)]
    world = WorldRun(
        world_size=job.world_size,
        by_rank=tuple(report.measurements for report in whole),
        series=tuple(each for report in whole for each in report.series),
    )
    return (
        replace(world, series=tuple(series_of_world(world))),
        tuple(report.result for report in whole),
    )
