"""The process of one rank: ``python -m pytest_benchdb.measure.distributed.rank_process JOB``.

It learns its rank, and how to reach the others, from the same environment variables that `torchrun` sets.
"""

import contextlib
import importlib
import importlib.util
import os
import sys
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from pytest_benchdb.errors import MeasurementError
from pytest_benchdb.interfaces import BlockingDevice, Meter, OpenDevice
from pytest_benchdb.measure.distributed.exchange import RankJob, RankReport, stderr_path, write_report
from pytest_benchdb.measure.distributed.ranks import HOST_ONCE, RankInfo, rank_of
from pytest_benchdb.measure.energy.sensors import Sensors
from pytest_benchdb.measure.process.block_usage import BlockProbe
from pytest_benchdb.measure.sampler.sampler import Sampler, watched
from pytest_benchdb.measure.timing.phases import Phase, PhaseRecorder, first_line
from pytest_benchdb.measure.training import Steps
from pytest_benchdb.measure.work import NO_BOUNDARY, Metered, Work, WorkBlock, WorkMeters
from pytest_benchdb.model.environment import Device
from pytest_benchdb.model.reading import Series
from pytest_benchdb.model.run import BlockUsage, Measurement

ORPHANED = 86
"""Exit code of a rank whose parent is gone."""


class Rank:
    """The first argument of a distributed function.

    Attributes:
        rank: this process's rank: 0, 1, ...
        world_size: number of ranks.
        local_rank: index of this rank's device on its machine.
        device: the device's handle, as in ``bench.device``.
    """

    def __init__(self, info: RankInfo, opened: OpenDevice, job: RankJob, meters: "RankMeters") -> None:
        self.rank = info.rank
        self.world_size = info.world_size
        self.local_rank = info.local_rank
        self.device = opened.handle
        self._opened = opened
        self._job = job
        self._meters = meters
        self._phases = PhaseRecorder(opened, provenance=job.provenance, test=job.test, meters_of=meters.phase)
        self._loops: list[Steps] = []

    def steps(self, n: int, *, warmup: int = 0, samples_per_step: float | None = None) -> Steps:
        """Return a loop of `n` steps, once every rank is ready; see `measure.training.Steps`.

        `samples_per_step` counts the samples of this rank alone.
        """
        loop = Steps(
            n,
            device=self._opened,
            warmup=warmup,
            samples_per_step=samples_per_step,
            provenance=self._job.provenance,
            phase=self._phases.current,
            test=self._job.test,
            meters=self._meters.loop(self._phases.current),
        )
        self._loops.append(loop)
        self.barrier()
        return loop

    def phase(self, name: str) -> Phase:
        """Measure the block as a phase of that name."""
        return self._phases.phase(name)

    def barrier(self) -> None:
        """Wait for all ranks; do nothing if `torch.distributed` is not in use."""
        torch_distributed = sys.modules.get("torch.distributed")
        if torch_distributed is not None and torch_distributed.is_initialized():
            torch_distributed.barrier()

    def metered(self) -> Metered:
        """Return the rows and series of all phases and loops, and of the whole run if no loop has its phase.

        Raises:
            MeasurementError: a phase was never closed.
        """
        for error in (self._phases.error(), *(loop.error() for loop in self._loops)):
            if error is not None:
                raise error
        read = [*(loop.metered() for loop in self._loops), *self._meters.others()]
        return Metered(
            measurements=(
                *self._phases.measurements(),
                *(row for loop in self._loops for row in loop.measurements()),
                *(row for metered in read[len(self._loops) :] for row in metered.measurements),
            ),
            series=tuple(series for metered in read for series in metered.series),
        )


def main(path: str) -> int:
    """Run the job at `path` as the rank given by the environment, and write its report; return the exit status.

    Raises:
        MeasurementError: the environment does not name a rank of this job.
    """
    job = RankJob.load(Path(path))
    info = rank_of(os.environ)
    if info is None or info.world_size != job.world_size:
        raise MeasurementError(f"this process is not a rank of {job.world_size}: {info}")
    folder = Path(job.folder)
    if "TORCHELASTIC_RUN_ID" in os.environ:  # torchrun mixes the ranks' standard error into its own
        _redirect_stderr(stderr_path(folder, info.rank))
    threading.Thread(target=_follow_parent, daemon=True).start()
    try:
        metered, result = _run(job, info)
    except BaseException as error:  # noqa: BLE001 - also SystemExit and KeyboardInterrupt end a rank
        failed_ns = time.monotonic_ns()
        write_report(folder, RankReport(rank=info.rank, error=first_line(error), failed_ns=failed_ns))
        traceback.print_exc()
        return 1
    write_report(
        folder,
        RankReport(rank=info.rank, measurements=metered.measurements, result=result, series=metered.series),
    )
    return 0


def _run(job: RankJob, info: RankInfo) -> tuple[Metered, object]:
    sys.path[:] = job.sys_path
    function = load_function(job)
    opened = _open_device(job, info)
    if job.backend is not None:
        _join(job, info)
    probe = BlockProbe()
    meters = RankMeters(job, info, opened, probe)
    rank = Rank(info, opened, job, meters)
    rank.barrier()
    meters.start()
    token = probe.start()
    result = function(rank, *job.args, **job.kwargs)
    opened.synchronize()
    usage = probe.stop(token)
    meters.stop()
    read = rank.metered()
    whole = _whole_rows(usage, job, probe.unmeasured())
    metered = replace(read, measurements=(*whole, *read.measurements))
    meters.close()
    if job.backend is not None:
        _leave()
    opened.close()
    return metered, result


def load_function(job: RankJob) -> Any:
    """Import the function of a job by its module or, if that is not on the path, from its file.

    Raises:
        MeasurementError: the file has no such function.
    """
    if _origin(job.module) == os.path.realpath(job.file):
        target: Any = importlib.import_module(job.module)
    else:
        spec = importlib.util.spec_from_file_location(job.module, job.file)
        if spec is None or spec.loader is None:
            raise MeasurementError(f"{job.file} is not a Python module")
        target = sys.modules[job.module] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(target)
    for name in job.function.split("."):
        target = getattr(target, name, None)
        if target is None:
            raise MeasurementError(f"{job.file} has no {job.function}; define it at the top of its module")
    return target


def _origin(module: str) -> str | None:
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, AttributeError, ValueError):
        return None
    return None if spec is None or spec.origin is None else os.path.realpath(spec.origin)


def _open_device(job: RankJob, info: RankInfo) -> OpenDevice:
    if job.opener is None:
        return BlockingDevice(Device(device_id="", backend="cpu", name="host"), "cpu")
    module, _, name = job.opener.partition(":")
    opened: OpenDevice = getattr(importlib.import_module(module), name)(job.opener_argument, info.local_rank)
    return opened


def _join(job: RankJob, info: RankInfo) -> None:
    import torch.distributed

    if job.init_method == "env://":
        torch.distributed.init_process_group(job.backend)
    else:
        torch.distributed.init_process_group(
            job.backend, init_method=job.init_method, rank=info.rank, world_size=info.world_size
        )


def _leave() -> None:
    import torch.distributed

    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


class RankSampler(Sampler):
    """Samples the process and the device of one rank; the first rank of a machine samples the machine too."""

    def __init__(self, info: RankInfo, device: Device | None) -> None:
        super().__init__(devices=watched(device))
        self._rank = info.rank
        self._of_machine = info.local_rank == 0

    def stop(self) -> tuple[Series, ...]:
        """End the window and return the rank's own series, under names that tell the ranks apart."""
        own = [
            series
            for series in super().stop()
            if self._of_machine or series.device_id is not None or series.domain == "process"
        ]
        named = tuple(replace(series, domain=f"rank{self._rank}/{series.domain}") for series in own)
        self.scopes |= {
            (new.metric, new.domain): self.scopes.get((old.metric, old.domain))
            for old, new in zip(own, named, strict=True)
        }
        return named


class RankMeters:
    """What a rank reads besides its times: around its loops, its phases, and its whole run."""

    def __init__(self, job: RankJob, info: RankInfo, opened: OpenDevice, probe: BlockProbe) -> None:
        self._job = job
        self._info = info
        self._opened = opened
        self._sensors: Sensors | None = None
        self._sampler: Sampler | None = None
        counted_elsewhere = opened.device.is_host and info.local_rank > 0
        self._meters = WorkMeters(
            job.passes,
            probe=probe,
            sensors=self._open_sensors,
            sampler=self._open_sampler,
            no_energy=job.no_energy or (HOST_ONCE if counted_elsewhere else None),
        )
        self._whole = self._block("ranks")
        self._phases: dict[str, WorkBlock] = {}
        self._looped: set[str | None] = set()

    def start(self) -> None:
        """Read the meters where the function begins."""
        self._whole.start()

    def stop(self) -> None:
        """Read the meters where it ends."""
        self._whole.stop()

    def loop(self, phase: str | None) -> WorkBlock:
        """Return the meters of a loop of steps."""
        self._looped.add(phase)
        return self._block("training steps")

    def phase(self, path: str) -> WorkBlock | None:
        """Return the meters of a phase; None if nothing was asked for."""
        if not self._job.passes:
            return None
        if path not in self._phases:
            self._phases[path] = self._block("phases", often=True)
        return self._phases[path]

    def others(self) -> list[Metered]:
        """Return what was read around the run and its phases, where no loop has been read instead."""
        blocks = [(None, self._whole), *self._phases.items()]
        return [block.result().of_phase(path) for path, block in blocks if path not in self._looped]

    def close(self) -> None:
        """Stop the sampler, and close the meters."""
        if self._sampler is not None:
            self._sampler.close()
        if self._sensors is not None:
            self._sensors.close()

    def _block(self, what: str, *, often: bool = False) -> WorkBlock:
        # The run has a peak of the resident set already, whatever was asked for.
        boundary = None if often else NO_BOUNDARY
        work = Work(what=what, opened=self._opened, provenance=self._job.provenance, often=often, boundary=boundary)
        return self._meters.block(work)

    def _open_sensors(self) -> Sensors:
        if self._sensors is None:
            found: Sequence[Meter] = ()
            left_out: Mapping[str, str] = {}
            if self._job.meters is not None:
                module, _, name = self._job.meters.partition(":")
                found, left_out = getattr(importlib.import_module(module), name)()
            self._sensors = Sensors(found, unavailable=left_out)
        return self._sensors

    def _open_sampler(self, opened: OpenDevice | None) -> Sampler:
        if self._sampler is None:
            device = None if opened is None or opened.device.is_host else opened.device
            self._sampler = RankSampler(self._info, device)
        return self._sampler


def _whole_rows(usage: BlockUsage, job: RankJob, unmeasured: Mapping[str, str]) -> tuple[Measurement, ...]:
    wall = Measurement(
        metric="wall_time",
        unit="s",
        better="lower",
        provenance=job.provenance,
        method="perf_counter",
        value=usage.wall_s,
    )
    peak = usage.peak_rss_bytes
    memory = Measurement(
        metric="peak_rss",
        unit="B",
        better="lower",
        method="high-water mark of the resident set",
        value=None if peak is None else float(peak),
        reason=unmeasured.get("peak_rss", "not measured") if peak is None else None,
    )
    return (wall, memory)


def _follow_parent() -> None:
    """Exit when the test's process ends, which closes the pipe to our standard input.

    A blocking `read` costs nothing while steps are timed.
    """
    while os.read(0, 1024):
        pass
    os._exit(ORPHANED)


def _redirect_stderr(path: Path) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(descriptor, 2)
    os.close(descriptor)


def _end(status: int) -> NoReturn:
    """Exit at once: the report is written, and torch's threads sometimes abort a normal exit."""
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    _end(main(sys.argv[1]))
