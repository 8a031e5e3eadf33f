"""A finished attempt -> the run that is stored.

PYTEST_DONT_REWRITE
"""

from dataclasses import replace
from typing import Any

import pytest

from pytest_benchdb.model.json_value import json_value
from pytest_benchdb.model.run import Run
from pytest_benchdb.plugin.attempt import Attempt
from pytest_benchdb.plugin.outcome import classify
from pytest_benchdb.plugin.results import Result, not_measured, of_codspeed_marker, of_fixture, of_whole_test


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
    outcome, reason = classify(attempt.setup, attempt.call, attempt.teardown)
    result = _result(attempt, codspeed)
    block = attempt.block if attempt.fixture is not None else attempt.own_block
    invalid = result.invalid if outcome == "passed" else f"the test did not pass: {outcome}"
    group = result.group or _marker_group(item)
    extra_info = dict(result.extra_info or {})
    run = Run(
        run_id=attempt.run_id,
        benchmark=attempt.benchmark if group is None else replace(attempt.benchmark, group_name=str(group)),
        labels=attempt.labels,
        device_id=device_id,
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
        boundary=None if block is None else block.boundary,
        measurements=result.measurements,
        samples_valid=invalid is None,
        invalid_reason=invalid,
    )
    _tell_hooks(item, run, extra_info)
    for key in list(extra_info):
        value = extra_info.pop(key)
        extra_info.update(json_value({key: value}))  # type: ignore[call-overload]
    return run


def _result(attempt: Attempt, codspeed: Any) -> Result:
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
