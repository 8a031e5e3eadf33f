"""Builds the run to store, of a finished attempt or of a test whose process died.

PYTEST_DONT_REWRITE
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from pytest_benchdb.measure.energy.co2 import co2_of
from pytest_benchdb.measure.process.growth import growth_of
from pytest_benchdb.model.benchmark import Benchmark, Labels
from pytest_benchdb.model.identity import uuid7
from pytest_benchdb.model.run import GATE_RULE_KEY, Attachment, Outcome, Run, Timing
from pytest_benchdb.model.value.json_value import json_value
from pytest_benchdb.plugin.recording import codspeed, pytest_benchmark
from pytest_benchdb.plugin.recording.attempt import Attempt, one_round
from pytest_benchdb.plugin.recording.counting import not_timed
from pytest_benchdb.plugin.recording.fixture import PYTEST_BENCHMARK, kind_of
from pytest_benchdb.plugin.recording.identity import Identifier, gate_rule_of, markers_of
from pytest_benchdb.plugin.recording.outcome import first_line
from pytest_benchdb.store.attachments import keep_attachments
from pytest_benchdb.store.journal.lines import run_lines
from pytest_benchdb.store.journal.storable import storable

LOST_FILES_KEY = "pytest_benchdb_attachments_lost"
"""Key in `extra_info` of the attachments that could not be stored, with the reasons."""

_EXTRA_TEXT = 100_000
"""About how many characters of one value of `extra_info` are stored."""


def finished_run(
    item: pytest.Item, attempt: Attempt, *, codspeed_plugin: Any, device_id: str | None, worker: str | None
) -> Run:
    """Return the run of a finished attempt, after calling the suite's hooks.

    Args:
        item: the test.
        attempt: the finished attempt.
        codspeed_plugin: pytest-codspeed's plugin object, or None.
        device_id: the device that tests run on.
        worker: name of this xdist worker; None without xdist.
    """
    outcome, reason = attempt.outcome
    holder = attempt.bench or pytest_benchmark.info_holder(attempt.fixture)
    markers = markers_of(item)
    extra_info = {**_mapping(getattr(holder, "extra_info", None)), **_gate_rule(markers)}
    run = run_of(
        attempt,
        outcome,
        reason,
        timing_of(attempt, codspeed_plugin),
        group=_group(holder, markers),
        extra_info=extra_info,
        device_id=device_id,
        worker=worker,
    )
    _call_hooks(item, run, extra_info)
    stored = stored_extra_info(extra_info, attempt.refused)
    extra_info.clear()
    extra_info.update(stored)
    return run


def stored_extra_info(extra_info: object, refused: list[str]) -> dict[str, object]:
    """Return the `extra_info` of a test as JSON values, each of limited length.

    A value whose class raises is stored as the name of its class, and `refused` gets a line with its place.
    """
    stored: dict[str, object] = {}
    for key, value in _mapping(extra_info).items():
        name = _text(key)
        problems: list[str] = []
        stored[name] = json_value(value, most=_EXTRA_TEXT, problems=problems)
        refused += (f"extra_info[{name!r}] is not stored as it is: {text}" for text in problems[:1])
    return stored


def run_of(  # noqa: PLR0913 - what differs between a test, a point of a sweep and a benchmark of a script
    attempt: Attempt,
    outcome: Outcome,
    reason: str | None,
    timing: Timing,
    *,
    group: object,
    extra_info: dict[Any, Any],
    device_id: str | None,
    worker: str | None,
) -> Run:
    """Return the run of an attempt with this outcome; `finished_run` describes the other arguments.

    Only the timing of a run that passed is valid.
    """
    if outcome != "passed":
        timing = replace(timing, invalid=f"the test did not pass: {outcome}")
    block = attempt.own_block if attempt.fixture is None and attempt.bench is None else attempt.block
    if attempt.is_counted_only:
        block = None  # its clocks are those of a program that valgrind slows down
    if block is not None and block.usage is not None:
        kept = (timing.rounds or 0) if attempt.fixture is not None else 0
        growth = growth_of(block.usage, unmeasured=block.no_growth, kept_rounds=kept)
        timing = replace(timing, measurements=(*timing.measurements, growth))
    return Run(
        run_id=attempt.run_id,
        benchmark=attempt.benchmark if group is None else replace(attempt.benchmark, group_name=_text(group)),
        labels=attempt.labels,
        device_id=attempt.devices[0].device_id if attempt.devices else device_id,
        outcome=outcome,
        reason=reason,
        attempt=attempt.number,
        worker=worker,
        parallel=worker is not None and not attempt.alone,
        started_unix_us=attempt.started_unix_us,
        duration_s=attempt.duration_s,
        timing=timing,
        extra_info=extra_info,
        usage=None if block is None else block.usage,
        devices=attempt.devices,
        attachments=_attachments(attempt),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """What is stored of each run, and where its files go.

    Attributes:
        keep_rounds: False stores only the statistics of the rounds.
        attachments: the folder for attachments.
        gco2_per_kwh: grams of CO2 for each kWh; None stores no CO2.
    """

    keep_rounds: bool
    attachments: Path
    gco2_per_kwh: float | None = None


def stored_lines(
    attempt: Attempt, make: Callable[[], Run], keeping: Keeping, *, worker: str | None = None
) -> tuple[bytes, tuple[str, ...]]:
    """Return the journal lines of the run that `make` makes of a finished attempt, and one line for what is not stored.

    What `make` raises does not end the session: then the run has its outcome only.
    """
    try:
        run, refused = storable(make())
        return _finished_lines(run, keeping), (*attempt.refused, *refused)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - one run must not end the session, nor lose the runs after it
        run = _unstorable_run(attempt, error, worker=worker)
        return _finished_lines(run, keeping), (str(run.reason),)


def _unstorable_run(attempt: Attempt, error: BaseException, *, worker: str | None) -> Run:
    """Return what can be stored of a finished attempt whose run cannot, because of an error that is not the test's."""
    reason = f"its run cannot be stored: {first_line(error)}"
    return Run(
        run_id=attempt.run_id,
        benchmark=attempt.benchmark,
        labels=Labels(),
        outcome=attempt.outcome[0],
        reason=reason,
        attempt=attempt.number,
        worker=worker,
        parallel=worker is not None and not attempt.alone,
        started_unix_us=attempt.started_unix_us,
        duration_s=attempt.duration_s,
        timing=Timing.missing(reason),
    )


def _finished_lines(run: Run, keeping: Keeping) -> bytes:
    """Copy a run's files into the folder for attachments, and return its journal lines."""
    kept = keep_attachments(run.attachments, keeping.attachments)
    if kept.lost:
        run = replace(run, extra_info={**(run.extra_info or {}), LOST_FILES_KEY: list(kept.lost)})
    if keeping.gco2_per_kwh is not None:
        emitted = co2_of(run.timing.measurements, keeping.gco2_per_kwh)
        run = replace(run, timing=replace(run.timing, measurements=(*run.timing.measurements, *emitted)))
    return run_lines(run, keep_rounds=keeping.keep_rounds, attachments=kept.files)


def crashed_lines(
    begun: Mapping[str, Any],
    identifier: Identifier,
    reason: str,
    *,
    outcome: Outcome = "crashed",
    parallel: bool = True,
) -> bytes:
    """Return the journal lines of a run that never ended.

    Args:
        begun: the test's `begin` entry in the journal; only its `nodeid` if there is none.
        identifier: identifies the benchmark of a node id.
        reason: the reason for the crash, if known, else empty.
        outcome: ``crashed``, ``timeout`` if it was killed for taking too long, or ``error`` if it was interrupted.
        parallel: whether other tests ran beside it.
    """
    benchmark = begun.get("benchmark")
    run = Run(
        run_id=begun.get("run_id") or uuid7(),
        benchmark=Benchmark(**benchmark) if benchmark else identifier.benchmark_of_nodeid(begun["nodeid"]),
        labels=Labels(),
        outcome=outcome,
        reason=reason.strip().splitlines()[0] if reason.strip() else "the worker died while this test ran",
        attempt=begun.get("attempt") or 1,
        worker=begun.get("worker"),
        parallel=parallel,
        started_unix_us=begun.get("started_us") or time.time_ns() // 1000,
        timing=Timing.missing(f"the test did not pass: {outcome}"),
        extra_info={},
    )
    return run_lines(run)


def timing_of(attempt: Attempt, codspeed_plugin: Any) -> Timing:
    """Return everything that was measured in an attempt whose call has ended."""
    if attempt.bench is not None:
        timing: Timing = attempt.bench.timing()
    elif attempt.is_counted_only and attempt.counts:
        timing = Timing(measurements=(not_timed(),))
    else:
        timing = _timing_of_others(attempt, codspeed_plugin)
    if attempt.metered is not None:
        timing = attempt.metered.added_to(timing)
    return timing if attempt.counter is None else attempt.counter.applied(timing, attempt.counts)


def _timing_of_others(attempt: Attempt, codspeed_plugin: Any) -> Timing:
    if attempt.fixture is not None:
        if kind_of(attempt.fixture) == PYTEST_BENCHMARK:
            return pytest_benchmark.timing(attempt)
        return codspeed.fixture_timing(attempt, codspeed_plugin)
    return codspeed.marker_timing(attempt, codspeed_plugin, _whole_test(attempt))


def _attachments(attempt: Attempt) -> tuple[Attachment, ...]:
    own = () if attempt.bench is None else tuple(attempt.bench.attachments)
    metered = () if attempt.metered is None else attempt.metered.attachments
    return (*own, *metered, *(() if attempt.counter is None else attempt.counter.taken_files()))


def _mapping(value: object) -> dict[Any, Any]:
    if value is None:
        return {}
    try:
        if isinstance(value, Mapping):
            return dict(value)
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001 - a class of the suite, or the keys of the dict
        return {"extra_info": value}
    return {"extra_info": value}  # the test replaced the dict by something else


def _group(holder: Any, markers: Sequence[pytest.Mark]) -> object:
    group = getattr(holder, "group", None)
    return _marker_group(markers) if group is None or group is False or (type(group) is str and not group) else group


def _text(value: object) -> str:
    converted = json_value(value)
    return converted if isinstance(converted, str) else str(converted)


def _whole_test(attempt: Attempt) -> Timing:
    """Return the test's own time as one round of one iteration."""
    block = attempt.own_block
    if block is None or block.usage is None:
        return Timing.missing("the test never ran")
    invalid = None if block.whole else "the test did not run to its end"
    if block.whole and attempt.traced_by is not None:
        invalid = f"{attempt.traced_by} traced the test meanwhile; a test with @pytest.mark.benchdb is timed without"
    return one_round(block.usage, "perf_counter_ns around the test", invalid=invalid)


def _gate_rule(markers: Sequence[pytest.Mark]) -> dict[str, object]:
    rule = gate_rule_of(markers)
    return {} if rule is None else {GATE_RULE_KEY: rule}


def _marker_group(markers: Sequence[pytest.Mark]) -> object:
    for name in ("benchmark", "codspeed_benchmark"):
        closest = next((marker for marker in markers if marker.name == name), None)
        if closest is not None and closest.kwargs.get("group") is not None:
            return closest.kwargs["group"]
    return None


def _call_hooks(item: pytest.Item, run: Run, extra_info: dict[Any, Any]) -> None:
    hook = item.config.hook.pytest_benchdb_record
    if not hook.get_hookimpls():
        return
    try:
        hook(item=item, run=run)
    except Exception as error:  # noqa: BLE001 - a suite's own hook must not lose the run
        extra_info["pytest_benchdb_record_error"] = f"{type(error).__name__}: {error}"
