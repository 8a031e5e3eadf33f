"""A finished attempt -> the run that is stored.

PYTEST_DONT_REWRITE

A test whose xdist worker died -> the run that says so.

PYTEST_DONT_REWRITE
"""

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_benchdb.model.benchmark import Benchmark, Labels
from pytest_benchdb.model.identity import uuid7
from pytest_benchdb.model.json_value import json_value
from pytest_benchdb.model.run import GATE_RULE_KEY, Outcome, Run
from pytest_benchdb.plugin.recording.attempt import Attempt
from pytest_benchdb.plugin.recording.identity import Identifier, gate_rule_of
from pytest_benchdb.plugin.recording.outcome import classify
from pytest_benchdb.plugin.recording.results import Result, not_measured, of_codspeed_marker, of_fixture, of_whole_test
from pytest_benchdb.store.attachments import keep
from pytest_benchdb.store.journal.lines import run_lines

LOST_FILES_KEY = "pytest_benchdb_attachments_lost"
"""Where `extra_info` says which attachments could not be kept, and why."""


def finished_run(
    item: pytest.Item,
    attempt: Attempt,
    *,
    codspeed: Any,
    device_id: str | None,
    worker: str | None,
) -> Run:
    """Return the run that an attempt was; hooks of the suite have seen it.

    Args:
        item: the test.
        attempt: what was gathered of it.
        codspeed: pytest-codspeed's plugin object, or None.
        device_id: the device that tests run on.
        worker: name of this xdist worker; None without xdist.
    """
    outcome, reason = _outcome(attempt)
    result = _result(attempt, codspeed)
    block = attempt.own_block if attempt.fixture is None and attempt.bench is None else attempt.block
    invalid = result.invalid if outcome == "passed" else f"the test did not pass: {outcome}"
    group = result.group or _marker_group(item)
    extra_info = {**(result.extra_info or {}), **_gate_rule(item)}
    run = Run(
        run_id=attempt.run_id,
        benchmark=attempt.benchmark if group is None else replace(attempt.benchmark, group_name=str(group)),
        labels=attempt.labels,
        device_id=attempt.devices[0].device_id if attempt.devices else device_id,
        outcome=outcome,
        reason=reason,
        attempt=attempt.number,
        worker=worker,
        parallel=worker is not None,
        started_unix_us=attempt.started_unix_us,
        duration_s=attempt.duration_s,
        iterations=result.iterations,
        rounds=result.rounds,
        warmup_rounds=result.warmup_rounds,
        calls=result.calls,
        timer=result.timer,
        extra_info=extra_info,
        usage=None if block is None else block.usage,
        measurements=result.measurements,
        samples_valid=invalid is None,
        invalid_reason=invalid,
        sync_mode=result.sync_mode,
        cache_mode=result.cache_mode,
        provenance=result.provenance,
        result_count=result.result_count,
        devices=attempt.devices,
        series=result.series,
        requests=result.requests,
        attachments=result.attachments,
    )
    _tell_hooks(item, run, extra_info)
    for key in list(extra_info):
        value = extra_info.pop(key)
        extra_info.update(json_value({key: value}))  # type: ignore[call-overload]
    return run


def finished_lines(run: Run, *, keep_rounds: bool, attachments: Path) -> bytes:
    """Return the journal lines of a run, after the store has taken its files.

    Args:
        run: the run.
        keep_rounds: False stores the statistics of the rounds only.
        attachments: the store's folder for files.
    """
    kept = keep(run.attachments, attachments)
    if kept.lost:
        run = replace(run, extra_info={**(run.extra_info or {}), LOST_FILES_KEY: list(kept.lost)})
    return run_lines(run, keep_rounds=keep_rounds, attachments=kept.files)


def _gate_rule(item: pytest.Item) -> dict[str, object]:
    rule = gate_rule_of(item)
    return {} if rule is None else {GATE_RULE_KEY: rule}


def _outcome(attempt: Attempt) -> tuple[Outcome, str | None]:
    outcome, reason = classify(attempt.setup, attempt.call, attempt.teardown)
    if attempt.unsupported is not None and outcome == "skipped":
        return "unsupported", attempt.unsupported
    if attempt.device_failed and outcome == "error":
        return "failed", reason
    return outcome, reason


def _result(attempt: Attempt, codspeed: Any) -> Result:
    if attempt.bench is not None:
        result: Result = attempt.bench.result()
        return result
    if attempt.fixture is not None:
        return of_fixture(attempt, codspeed)
    measured = of_codspeed_marker(attempt, codspeed) or of_whole_test(attempt)
    return measured or not_measured("the test never ran")


def _marker_group(item: pytest.Item) -> object:
    for name in ("benchmark", "codspeed_benchmark"):
        marker = item.get_closest_marker(name)
        if marker is not None and marker.kwargs.get("group") is not None:
            return marker.kwargs["group"]
    return None


def _tell_hooks(item: pytest.Item, run: Run, extra_info: dict[Any, Any]) -> None:
    hook = item.config.hook.pytest_benchdb_record
    if not hook.get_hookimpls():
        return
    try:
        hook(item=item, run=run)
    except Exception as error:  # noqa: BLE001 - a suite's own hook must not lose the run
        extra_info["pytest_benchdb_record_error"] = f"{type(error).__name__}: {error}"


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
        begun: the journal's `begin` entry of the test; with only a `nodeid` if it never came.
        identifier: tells the benchmark of a node id.
        reason: what is known of the crash.
        outcome: ``crashed``, or ``timeout`` if it was killed for taking too long.
        parallel: whether other tests ran beside it.
    """
    known = begun.get("benchmark")
    benchmark = Benchmark(**known) if known else identifier.benchmark_of_nodeid(begun["nodeid"])
    reason = reason.strip().splitlines()[0] if reason.strip() else "the worker died while this test ran"
    run = Run(
        run_id=begun.get("run_id") or uuid7(),
        benchmark=benchmark,
        labels=Labels(),
        device_id=None,
        outcome=outcome,
        reason=reason,
        attempt=begun.get("attempt") or 1,
        worker=begun.get("worker"),
        parallel=parallel,
        started_unix_us=begun.get("started_us") or time.time_ns() // 1000,
        duration_s=None,
        iterations=None,
        rounds=None,
        warmup_rounds=None,
        calls=None,
        timer=None,
        extra_info={},
        usage=None,
        measurements=not_measured(f"the test did not pass: {outcome}").measurements,
        samples_valid=False,
        invalid_reason=f"the test did not pass: {outcome}",
    )
    return run_lines(run)
