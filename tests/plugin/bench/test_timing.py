import math
from typing import Any

from tests.store.journal.test_storable import run_of

from pytest_benchdb.measure.timing.plan import Plan
from pytest_benchdb.measure.timing.rounds import Timed
from pytest_benchdb.model.run import Measurement
from pytest_benchdb.plugin.bench.timing import TimingSpec, timing_rows
from pytest_benchdb.store.journal.storable import storable


def rows_of(**values: Any) -> dict[str, Measurement]:
    timed = Timed(
        **{
            "iterations": 2,
            "warmup_rounds": 0,
            "first_call_ns": None,
            "slow_calls_ns": (),
            "wall_ns": [2000, 2000, 2000],
            "cpu_ns": [1, 1, 1],
            "thread_ns": None,
            "device_s": None,
            "device_waits": False,
            "sync_mode": None,
            "cache_mode": "hot",
            "memory": {},
            **values,
        }
    )
    rows = timing_rows(timed, TimingSpec(plan=Plan()), phase=None, provenance="measured")
    run, _ = storable(run_of(*rows))
    return {row.metric: row for row in run.timing.measurements}


def test_device_clock_that_gives_nan_costs_its_own_figure_alone() -> None:
    rows = rows_of(device_s=[1e-6, math.nan, 2e-6])

    assert rows["wall_time"].valid
    assert not rows["device_time"].valid
    assert "gave nan in 1 of 3 rounds" in str(rows["device_time"].reason)


def test_device_allocator_that_gives_nan_costs_its_own_figure_alone() -> None:
    rows = rows_of(memory={"device_peak": math.nan, "device_reserved": 512.0})

    assert (rows["device_peak"].value, rows["device_peak"].valid) == (None, False)
    assert rows["device_reserved"].value == 512.0
