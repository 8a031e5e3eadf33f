import os
from pathlib import Path
from typing import Any

import pytest
from tests.store import journals as j

from pytest_benchdb.model.identity import uuid7
from pytest_benchdb.model.series import SeriesKey, SessionValue
from pytest_benchdb.store.history.open import open_history
from pytest_benchdb.store.journal.fold import fold

MINUTE_US = 60_000_000
WALL = SeriesKey(fullname="tests/test_a.py::test_a", metric="wall_time", backend="cpu", device="Test CPU")


def record(folder: Path, *runs: bytes, number: int = 0, **changes: Any) -> str:
    """Store a session that started `number` minutes after the first; return its id."""
    started_us = j.STARTED_US + number * MINUTE_US
    session_id = uuid7(started_us // 1000)
    journal = j.write_journal(folder, *runs, session_id=session_id, started_us=started_us, **changes)
    fold(str(journal), cache=os.environ["XDG_CACHE_HOME"])
    return session_id


def run(name: str = "test_a", rounds_ns: tuple[int, ...] = (10, 20, 60), *, number: int = 0, **changes: Any) -> bytes:
    return j.run_lines(name, rounds_ns, started_us=j.STARTED_US + number * MINUTE_US, **changes)


def values(folder: Path, sessions: list[str] | None = None, **choice: Any) -> list[SessionValue]:
    with open_history([folder]) as reader:
        ids = sessions if sessions is not None else [one.session_id for one in reader.sessions()]
        return reader.session_values(ids, **choice)


def test_session_values_one_run_gives_its_figures_per_iteration(tmp_path: Path) -> None:
    labels = j.labels("bert")
    session = record(tmp_path, run(iterations=10, labels=labels, result_count=7, code_hash="c0de"))

    (found,) = values(tmp_path, metrics=["wall_time"])

    assert found.key == WALL
    assert found.session_id == session
    assert (found.outcome, found.reason, found.valid, found.provenance) == ("passed", None, True, "measured")
    assert (found.unit, found.better, found.n) == ("s", "lower", 3)
    assert (found.min, found.median, found.max) == pytest.approx((1e-9, 2e-9, 6e-9))
    assert found.value == found.median
    assert (found.code_hash, found.result_count) == ("c0de", 7)
    assert found.labels == {
        "model": "bert",
        "version": "v1",
        "precision": "fp16",
        "implementation": "python",
        "workload": "inference",
        "batch_size": "8",
        "sequence_length": "128",
        "framework": "torch",
        "use_case": "chatbot",
    }


def test_session_values_without_labels_and_params_has_none(tmp_path: Path) -> None:
    entry = j.benchmark("test_a[2]", params={"size": 2})
    record(tmp_path, run(), run("test_a[2]", entry=entry))

    plain, given = values(tmp_path, metrics=["wall_time"])

    assert (plain.labels, plain.params) == ({}, None)
    assert (given.labels, given.params) == ({}, {"size": 2})


def test_session_values_block_gives_cpu_time_of_one_call(tmp_path: Path) -> None:
    # 0.5 s of wall time, 0.4 s of the process and 0.3 s of the thread for 10 calls.
    record(tmp_path, run(calls=10), run("test_b", calls=10, boundary=[0.5, 0.4, None, *j.BOUNDARY[3:]]))

    by_thread, by_process = values(tmp_path, metrics=["wall_time"])

    assert (by_thread.cpu_s, by_thread.wall_per_cpu) == (0.03, 0.5 / 0.3)
    assert (by_process.cpu_s, by_process.wall_per_cpu) == (0.04, 0.5 / 0.4)


def test_session_values_have_the_waits_of_one_call(tmp_path: Path) -> None:
    unknown = [*j.BOUNDARY[:7], None, *j.BOUNDARY[8:]]
    record(tmp_path, run(calls=10), run("test_b", calls=10, boundary=unknown))

    known, without = values(tmp_path, metrics=["wall_time"])

    assert (known.waits, without.waits) == (0.3, None)


def test_session_values_thread_time_goes_before_the_block(tmp_path: Path) -> None:
    clock = j.measurement("thread_time", summary={"n": 2, "min": 3e-9, "median": 4e-9, "max": 5e-9})
    record(tmp_path, run(others=[clock]))

    (found,) = values(tmp_path, metrics=["wall_time"])

    assert (found.cpu_s, found.wall_per_cpu) == (3e-9, 0.5 / 0.3)


def test_session_values_short_block_has_no_ratio(tmp_path: Path) -> None:
    record(tmp_path, run(boundary=[9e-5, 8e-5, 8e-5, *j.BOUNDARY[3:]]), run("test_b", boundary=None))

    short, without = values(tmp_path, metrics=["wall_time"])

    assert short.cpu_s == pytest.approx(8e-6)
    assert short.wall_per_cpu is None
    assert (without.cpu_s, without.wall_per_cpu) == (None, None)


def test_session_values_failed_run_is_there_once_without_figures(tmp_path: Path) -> None:
    record(tmp_path, run(), run("test_b", outcome="failed", valid=False))

    for metrics in (None, ["wall_time"], ["peak_rss"]):
        (failed,) = [one for one in values(tmp_path, metrics=metrics) if one.key.fullname.endswith("test_b")]
        assert (failed.key.metric, failed.outcome, failed.reason) == ("wall_time", "failed", "it failed")
        assert (failed.valid, failed.value, failed.median, failed.n, failed.cpu_s) == (False, None, None, None, None)


def test_session_values_invalid_measurement_has_its_reason_and_no_figures(tmp_path: Path) -> None:
    record(tmp_path, run(others=[j.measurement("step_time", reason="no clock", valid=False, value=3.0)]))

    (found,) = values(tmp_path, metrics=["step_time"])

    assert (found.outcome, found.valid, found.reason, found.value) == ("passed", False, "no clock", None)


def test_session_values_last_attempt_counts(tmp_path: Path) -> None:
    record(
        tmp_path,
        run(outcome="failed", valid=False),
        run(attempt=2),
        run("test_b"),
        run("test_b", outcome="failed", valid=False, attempt=2),
    )

    found = values(tmp_path, metrics=["wall_time"])

    assert [(one.key.fullname[-6:], one.outcome, one.median) for one in found] == [
        ("test_a", "passed", 2e-8),
        ("test_b", "failed", None),
    ]


def test_session_values_simulated_ranks_and_series_are_left_out(tmp_path: Path) -> None:
    record(
        tmp_path,
        run(
            others=[
                j.measurement("step_time", rank=0, value=1.0),
                j.measurement("power", value=3.0, **{"pass": "series"}),
            ]
        ),
        run("test_b", provenance="simulated"),
    )

    found = values(tmp_path, metrics=["wall_time", "step_time", "power", "energy"])

    assert [(one.key.fullname[-6:], one.key.metric) for one in found] == [("test_a", "wall_time")]


def test_session_values_energy_is_of_the_device_as_a_whole(tmp_path: Path) -> None:
    def energy(value: float, domain: str | None = None, **changes: Any) -> dict[str, Any]:
        about = {"unit": "J", "pass": "energy", "scope": "package", "domain": domain, "value": value}
        return j.measurement("energy", **{**about, **changes})

    record(tmp_path, run(others=[energy(3.0), energy(2.0, "package-0"), energy(50.0, "psys")]))
    record(tmp_path, run(number=1, others=[energy(1.0, valid=False), energy(2.0, "package-0")]), number=1)

    found = values(tmp_path, metrics=["energy"])

    assert [(one.value, one.valid, one.unit) for one in found] == [(3.0, True, "J"), (None, False, "J")]


def test_session_values_no_metrics_named_gives_all_with_a_direction(tmp_path: Path) -> None:
    record(tmp_path, run(calls=1))

    assert {one.key.metric for one in values(tmp_path)} == {"wall_time", "cpu_time", "peak_rss"}
    assert {one.key.metric for one in values(tmp_path, metrics=["rss_start"])} == {"rss_start"}


def test_session_values_keep_takes_the_newest_of_each_series(tmp_path: Path) -> None:
    memory: dict[str, Any] = {"others": [j.measurement("python_peak", unit="B", value=5.0, **{"pass": "memory"})]}
    made = [
        record(tmp_path, run(number=number, **memory if number < 2 else {}), *gone, number=number)
        for number, gone in enumerate([(run("test_gone"),), (), (), ()])
    ]

    found = values(tmp_path, metrics=["wall_time", "python_peak"], keep=2)

    assert [(one.key.fullname[-6:], one.key.metric, made.index(one.session_id)) for one in found] == [
        ("test_a", "python_peak", 0),
        ("test_a", "python_peak", 1),
        ("test_a", "wall_time", 2),
        ("test_a", "wall_time", 3),
        ("t_gone", "wall_time", 0),
    ]


def test_session_values_keep_counts_sessions_not_rows(tmp_path: Path) -> None:
    memory = j.measurement("peak_rss", unit="B", value=5.0, **{"pass": "memory"})
    made = [
        record(tmp_path, run(number=number, others=[memory]), run(number=number), number=number) for number in range(3)
    ]

    found = values(tmp_path, metrics=["peak_rss"], keep=2)

    assert [one.session_id for one in found] == made[1:]
    assert {one.value for one in found} == {50_000_000.0}


def test_session_values_only_of_the_sessions_that_were_named(tmp_path: Path) -> None:
    made = [record(tmp_path, run(number=number), number=number) for number in range(3)]

    assert [one.session_id for one in values(tmp_path, [made[0], made[2]], metrics=["wall_time"])] == [made[0], made[2]]
    assert values(tmp_path, []) == []


def test_session_values_order_is_by_series_and_then_time(tmp_path: Path) -> None:
    # Recorded in another order than they started.
    made = {number: record(tmp_path, run("test_b"), run(), number=number) for number in (2, 0, 1)}

    found = values(tmp_path, metrics=["wall_time"])

    assert [(one.key.fullname[-1], one.session_id) for one in found] == [
        (name, made[number]) for name in "ab" for number in (0, 1, 2)
    ]


def test_session_values_phases_are_series_of_their_own(tmp_path: Path) -> None:
    phase = j.measurement("wall_time", phase="load", summary={"n": 1, "min": 2.0, "median": 2.0, "max": 2.0})
    block = j.measurement("thread_time", phase="load", summary={"n": 1, "min": 1.5, "median": 1.5, "max": 1.5})
    record(tmp_path, run(others=[phase, block]))

    whole, load = values(tmp_path, metrics=["wall_time"])

    assert (whole.key.phase, whole.cpu_s) == (None, 0.03)
    assert (load.key.phase, load.value, load.cpu_s, load.wall_per_cpu) == ("load", 2.0, 1.5, None)


def test_session_values_run_without_a_device_is_a_series_of_its_own(tmp_path: Path) -> None:
    record(tmp_path, run(), number=0)
    record(tmp_path, run(number=1, device_id=None), number=1)

    without, known = values(tmp_path, metrics=["wall_time"], keep=1)

    assert (without.key.backend, without.key.device) == (None, None)
    assert known.key == WALL
