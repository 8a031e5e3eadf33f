"""A test whose xdist worker died -> the run that says so.

PYTEST_DONT_REWRITE
"""

import time
from collections.abc import Mapping
from typing import Any

from pytest_benchdb.model.benchmark import Benchmark, Labels
from pytest_benchdb.model.identity import uuid7
from pytest_benchdb.model.run import Outcome, Run
from pytest_benchdb.plugin.identity import Identifier
from pytest_benchdb.plugin.results import not_measured
from pytest_benchdb.store.journal_lines import run_lines


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
        boundary=None,
        measurements=not_measured(f"the test did not pass: {outcome}").measurements,
        samples_valid=False,
        invalid_reason=f"the test did not pass: {outcome}",
    )
    return run_lines(run)
