"""Measure the peaks of devices and store them as a session, for the rooflines of reports."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from pytest_benchdb.backends import backends as builtin_backends
from pytest_benchdb.environment.toml_files import project_name
from pytest_benchdb.interfaces import MeasuresPeaks, OpenDevice, PeakWork
from pytest_benchdb.measure.peaks import measure_peak
from pytest_benchdb.model.answer.peaks import MeasuredPeaks, PeakRow
from pytest_benchdb.model.benchmark import Benchmark, Labels
from pytest_benchdb.model.identity import content_id, uuid7
from pytest_benchdb.model.metric import Provenance
from pytest_benchdb.model.run import Measurement, Run, Timing
from pytest_benchdb.operations.record import Context, SessionRecorder, project_root, start_session
from pytest_benchdb.registry import DeviceName, Registry, current_device, plugin_manager
from pytest_benchdb.store.journal.lines import run_lines
from pytest_benchdb.store.target import resolve

_NAMES = {"peak_bytes_per_second": "memory", "peak_flops_per_second": "compute"}
_PEAKS = tuple(_NAMES)


def measure_peaks(  # noqa: PLR0913 - what the command line knows
    database: Path,
    devices: Sequence[str] = (),
    *,
    folder: Path,
    environ: Mapping[str, str],
    argv: Sequence[str],
    registry: Registry | None = None,
    say: Callable[[str], None] = lambda _text: None,
) -> MeasuredPeaks:
    """Measure the peaks of devices, store them in a database, and return them.

    Args:
        database: a folder of sessions or a single file.
        devices: as users name them; without names, all hardware that is there.
        folder: the working folder.
        environ: environment variables of the session.
        argv: the command line of the session.
        registry: backends; None takes those that are installed.
        say: receives what is measured next.

    Raises:
        ConfigError: the database or a device cannot be used.
        BackendUnavailableError: a device that was named is missing.
    """
    target = resolve(str(database), folder)
    registry = registry or _installed()
    root = project_root(folder)
    context = Context(
        root=root,
        environ=environ,
        argv=argv,
        project=project_name(root),
        label=None,
        tags={},
        note=None,
        suite={},
        unmeasured={},
        kind="peaks",
    )
    try:
        opened = [(name, registry.open(name)) for name in registry.select(tuple(devices) or ("auto",))]
        recorder = SessionRecorder(start_session(context), target)
        rows: list[PeakRow] = []
        for name, device in opened:
            say(f"measuring the peaks of {name.text} ({device.device.name})")
            provenance = registry.provenance(name.backend)
            with current_device(device):
                for work, measured in _best_of_each(device, provenance):
                    recorder.append(run_lines(_run(recorder.start.project, name, device, work, measured, provenance)))
                    rows.append(_row(device, work, measured[0]))
    finally:
        registry.close()
    result = recorder.finish(outcome="passed", exit_status=None, complete=True, row_limit=0)
    problem = recorder.problem or (result.message if result is not None else None)
    return MeasuredPeaks(rows=tuple(rows), path=target.path if result is None else result.path, problem=problem)


def _installed() -> Registry:
    manager, problems = plugin_manager()
    registry = Registry(manager, builtin_backends())
    registry.disabled.update(problems)
    registry.load()
    return registry


def _best_of_each(device: OpenDevice, provenance: Provenance) -> Iterator[tuple[PeakWork, tuple[Measurement, ...]]]:
    """Yield the best work for each metric and precision, with what was measured; one that fails gives its reason."""
    if not isinstance(device, MeasuresPeaks):
        reason = f"the backend {device.device.backend} has no work that reaches a peak"
        for metric in _PEAKS:
            yield PeakWork(metric=metric), (Measurement.of(metric, provenance=provenance, reason=reason),)
        return
    best: dict[tuple[str, str | None], tuple[PeakWork, tuple[Measurement, ...]]] = {}
    for work in device.peak_work():
        key = work.metric, work.precision
        try:
            measured = measure_peak(work, device, provenance)
        except Exception as error:  # noqa: BLE001 - whatever a library raises, such as that memory ran out
            reason = f"the work ended with {type(error).__name__}: {str(error).partition(chr(10))[0]}"
            measured = (Measurement.of(work.metric, provenance=provenance, reason=reason),)
        if key not in best or (measured[0].value or 0.0) > (best[key][1][0].value or 0.0):
            best[key] = replace(work, call=None), measured  # without its memory
    yield from best.values()


def _run(
    project: str,
    name: DeviceName,
    device: OpenDevice,
    work: PeakWork,
    measured: tuple[Measurement, ...],
    provenance: Provenance,
) -> Run:
    function = _NAMES[work.metric]
    params = {"device": name.text, **({} if work.precision is None else {"precision": work.precision})}
    param_id = "-".join(params.values())
    fullname = f"peaks::{function}[{param_id}]"
    reason = measured[0].reason
    return Run(
        run_id=uuid7(),
        benchmark=Benchmark(
            benchmark_id=content_id("benchmark", project, fullname),
            project=project,
            fullname=fullname,
            file="peaks",
            class_name=None,
            function=function,
            name=f"{function}[{param_id}]",
            group_name=None,
            params=params,
            param_id=param_id,
            code_hash=None,
        ),
        labels=Labels(precision=work.precision),
        device_id=device.device.device_id,
        outcome="passed" if reason is None else "unsupported",
        reason=reason,
        started_unix_us=time.time_ns() // 1000,
        timing=Timing(measurements=measured, iterations=1, invalid=reason, provenance=provenance),
        devices=() if name.backend == "cpu" else (device.device,),
    )


def _row(device: OpenDevice, work: PeakWork, peak: Measurement) -> PeakRow:
    return PeakRow(
        device=device.device.name,
        metric=work.metric,
        precision=work.precision,
        value=peak.value,
        unit=peak.unit,
        method=peak.method,
        reason=peak.reason,
    )
