"""The view `report`: which metric a run's figures are of, and what stands beside them."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.store import journals as j
from tests.store.conftest import Ask

from pytest_benchdb.model.identity import uuid7
from pytest_benchdb.store.history.open import open_history
from pytest_benchdb.store.journal.fold import fold
from pytest_benchdb.store.read.reader import SERIES_BINS, Reader

Item = dict[str, Any]


def timed(metric: str, values: Sequence[float], phase: str | None = None, **changes: Any) -> tuple[Item, bytes]:
    """Return a measurement with samples that are not rounds, and the line with its samples."""
    item = j.measurement(metric, phase=phase, sampled=True, keep=True, **changes)
    return item, j.line({"k": "chunk", "id": item["id"], "i": 0, "v": list(values)})


def single(metric: str, value: float | None, unit: str = "s", **changes: Any) -> tuple[Item, bytes]:
    return j.measurement(metric, unit=unit, value=value, **changes), b""


def energy(value: float | None, scope: str | None = "device", **changes: Any) -> tuple[Item, bytes]:
    return single("energy", value, unit="J", scope=scope, **{"pass": "energy", **changes})


def stored(folder: Path, *items: tuple[Item, bytes], rounds_ns: Sequence[int] = (), **changes: Any) -> Path:
    """Store a session of one run with these measurements, and without what is read around its block."""
    run = j.run_lines("test_a", rounds_ns, others=[one for one, _ in items], boundary=None, **changes)
    journal = j.write_journal(folder, *(line for _, line in items), run)
    path = fold(str(journal), cache=os.environ["XDG_CACHE_HOME"]).path
    assert path is not None
    return Path(path)


def row_of(path: Path, ask: Ask, *columns: str) -> tuple[Any, ...]:
    (row,) = ask(path, f"SELECT {', '.join(columns)} FROM report")
    return row


STEPS = timed("step_time", [0.1, 0.2, 0.3])


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([], (None, None, None, True)),
        ([STEPS], ("step_time", None, 0.2, True)),
        ([timed("e2e_latency", [1.0, 2.0, 3.0])], ("e2e_latency", None, 2.0, True)),
        ([timed("cpu_time", [0.1, 0.2, 0.3])], ("cpu_time", None, 0.2, True)),
        ([STEPS, timed("cpu_time", [1.0, 1.0])], ("step_time", None, 0.2, True)),
        ([STEPS, timed("wall_time", [1.0], "load")], ("step_time", None, 0.2, True)),
        ([STEPS, timed("device_time", [1.0, 1.0])], ("step_time", None, 0.2, True)),
        (
            [timed("wall_time", [9.0], valid=False, reason="asked only"), timed("device_time", [1.0, 1.0])],
            ("device_time", None, 1.0, True),
        ),
        ([timed("wall_time", [1.0], "a"), timed("wall_time", [2.0], "b")], ("wall_time", "b", 2.0, True)),
        ([timed("wall_time", [1.5] * 3, "a"), timed("wall_time", [2.0], "b")], ("wall_time", "a", 1.5, True)),
        ([timed("wall_time", [9.0], "a/b"), timed("wall_time", [2.0], "c")], ("wall_time", "c", 2.0, True)),
        ([timed("wall_time", [9.0], "w"), timed("step_time", [2.0], "w")], ("step_time", "w", 2.0, True)),
        ([timed("step_time", [9.0], rank=0), timed("step_time", [2.0])], ("step_time", None, 2.0, True)),
        ([timed("step_time", [9.0], rank=0)], (None, None, None, True)),
        ([single("step_time", None, reason="no step")], ("step_time", None, None, False)),
        (
            [single("wall_time", None, phase="a", reason="failed"), timed("wall_time", [2.0], "b")],
            ("wall_time", "b", 2.0, True),
        ),
    ],
    ids=[
        "nothing",
        "steps",
        "requests",
        "CPU timer",
        "steps before their CPU time",
        "steps before phases",
        "steps before their device time",
        "device time where wall times are of asking",
        "the longest phase",
        "longest in all",
        "outer phases first",
        "steps within a phase",
        "no rank",
        "ranks only",
        "steps without a figure",
        "a phase with figures",
    ],
)
def test_report_names_the_metric_of_a_run_without_a_wall_time(
    tmp_path: Path, ask: Ask, items: list[tuple[Item, bytes]], expected: tuple[Any, ...]
) -> None:
    path = stored(tmp_path, *items)

    assert row_of(path, ask, "main_metric", "main_phase", "median_s", "valid") == expected


def test_report_of_a_run_with_a_wall_time_shows_nothing_else(tmp_path: Path, ask: Ask) -> None:
    path = stored(tmp_path, STEPS, timed("wall_time", [9.0], "a"), rounds_ns=[10, 20, 30], iterations=2)

    row = row_of(path, ask, "main_metric", "main_phase", "median_s", "rounds", "iterations")

    assert row == ("wall_time", None, 1e-8, 3, 2)


@pytest.mark.parametrize(
    "others",
    [
        [],
        [timed("cpu_time", [0.1, 0.2])],
        [timed("wall_time", [1.0], "load")],
        [timed("device_time", [0.1, 0.2], valid=False)],
    ],
    ids=["alone", "CPU time", "a phase", "device time not valid"],
)
def test_report_of_a_wall_time_without_figures_says_why_and_takes_no_other(
    tmp_path: Path, ask: Ask, others: list[tuple[Item, bytes]]
) -> None:
    path = stored(tmp_path, single("wall_time", None, reason="disabled"), *others)

    row = row_of(path, ask, "main_metric", "median_s", "valid", "reason")

    assert row == ("wall_time", None, False, "disabled")


def test_report_of_a_metric_that_a_test_recorded_twice_is_one_row(tmp_path: Path, ask: Ask) -> None:
    path = stored(tmp_path, single("wall_time", 1.0), rounds_ns=[10, 20, 30])

    assert ask(path, "SELECT count(*) FROM report") == [(1,)]


def test_report_of_steps_counts_them(tmp_path: Path, ask: Ask) -> None:
    path = stored(tmp_path, STEPS)

    row = row_of(path, ask, "rounds", "iterations", "min_s", "max_s", "q1_s")

    assert row == (3, None, 0.1, 0.3, pytest.approx(0.15))


def test_report_of_a_phase_shows_what_belongs_to_it(tmp_path: Path, ask: Ask) -> None:
    path = stored(
        tmp_path,
        timed("wall_time", [2.0], "b"),
        timed("wall_time", [1.0], "a"),
        single("throughput", 5.0, "1/s", phase="a"),
        single("throughput", 7.0, "1/s", phase="b"),
        single("first_call_time", 3.0, phase="b"),
        single("device_peak", 64.0, "B"),
    )

    row = row_of(path, ask, "main_phase", "throughput", "first_call_s", "device_peak_bytes")

    assert row == ("b", 7.0, 3.0, None)


def test_report_of_requests_shows_their_rate(tmp_path: Path, ask: Ask) -> None:
    path = stored(tmp_path, timed("e2e_latency", [1.0, 2.0]), single("requests_per_second", 70.0, "1/s"))

    assert row_of(path, ask, "throughput") == (70.0,)


INVALID: Item = {"valid": False, "reason": "window of 3 ticks is shorter than 20"}


@pytest.mark.parametrize(
    ("items", "joules"),
    [
        ([], None),
        ([energy(5.0)], 5.0),
        ([energy(5.0, **INVALID)], None),
        ([energy(None, None, **INVALID)], None),
        ([energy(3.0, "package"), energy(9.0, "system", domain="psys"), energy(1.0, "package", domain="dram")], 3.0),
        ([energy(50.0, "package", domain="package-0"), energy(None, None, **INVALID)], None),
        ([energy(5.0, rank=1)], None),
        ([energy(5.0, phase="load")], None),
    ],
    ids=[
        "none",
        "one",
        "not valid",
        "no value",
        "single counters beside it",
        "device without a counter",
        "of a rank",
        "of a phase",
    ],
)
def test_report_energy_is_of_the_device_as_a_whole_and_valid(
    tmp_path: Path, ask: Ask, items: list[tuple[Item, bytes]], joules: float | None
) -> None:
    path = stored(tmp_path, *items, rounds_ns=[10, 20, 30])

    assert row_of(path, ask, "energy_j") == (joules,)


@pytest.mark.parametrize("value", [None, 5.0])
def test_report_says_why_energy_is_missing(tmp_path: Path, ask: Ask, value: float | None) -> None:
    path = stored(tmp_path, energy(value, **INVALID), rounds_ns=[10, 20, 30])

    assert row_of(path, ask, "energy_j", "energy_reason") == (None, INVALID["reason"])


def test_views_agree_on_one_energy(tmp_path: Path, ask: Ask) -> None:
    zones = [energy(value, "package", domain=name) for name, value in (("psys", 1120.5), ("package-0", 1000.5))]
    power = single("power", 520.0, unit="W", **{"pass": "energy"})
    path = stored(tmp_path, energy(1040.5, "package"), *zones, power, rounds_ns=[10, 20, 30])

    assert row_of(path, ask, "energy_j") == (1040.5,)
    assert ask(path, "SELECT energy_joules, power_watts_avg FROM power_metrics") == [(1040.5, 520.0)]


def test_performance_view_takes_no_other_time_for_a_latency(tmp_path: Path, ask: Ask) -> None:
    path = stored(tmp_path, STEPS, single("throughput", 32.0, "1/s"))

    rows = ask(path, "SELECT latency_s, latency_mean_s, throughput, throughput_unit FROM benchmark_performance")

    assert rows == [(None, None, 32.0, "items/s")]


def test_report_rows_have_what_the_view_has(tmp_path: Path) -> None:
    path = stored(tmp_path, STEPS, energy(5.0), labels=j.labels("bert"))

    with open_history([path]) as reader:
        (session,) = reader.sessions()
        (row,) = reader.report([session.session_id])[session.session_id]

    assert (row.main_metric, row.main_phase, row.median_s, row.rounds) == ("step_time", None, 0.2, 3)
    assert (row.workload, row.energy_j, row.throughput, row.first_call_s) == ("inference", 5.0, None, None)


def test_report_rows_have_the_clock_and_the_share_of_throttling_beside_the_times(tmp_path: Path) -> None:
    path = stored(
        tmp_path,
        STEPS,
        single("clock_frequency", 1.755e9, unit="Hz", better="none"),
        single("clock_frequency", 9e9, unit="Hz", better="none", **{"pass": "series"}),
        single("throttle_time", 0.5, better="none", window_s=2.0),
    )

    with open_history([path]) as reader:
        (session,) = reader.sessions()
        (row,) = reader.report([session.session_id])[session.session_id]

    assert (row.clock_hz, row.throttled_share) == (1.755e9, 0.25)


def series_line(run_id: str, values: Sequence[float | None], *, chunk: int = 0, **changes: Any) -> bytes:
    entry = {"k": "series", "run": run_id, "device": None, "phase": None, "metric": "power", "unit": "W"}
    times = [chunk * 1024 + place for place in range(len(values))]
    return j.line(
        {**entry, "domain": "gpu/power", "provenance": "measured", "i": chunk, "t": times, "v": values, **changes}
    )


def request_line(run_id: str, index: int, **changes: Any) -> bytes:
    entry: Item = {"k": "request", "run": run_id, "i": index, "phase": None, "provenance": "measured", "due": None}
    entry |= {"sent": 0.0, "chunks": [0.1, 0.2], "tokens_in": 5, "tokens_out": 2, "ok": True, "slo_ok": None}
    return j.line({**entry, "error": None, **changes})


def detail_of(folder: Path, run_id: str, *lines: bytes, damage: bytes = b"") -> Any:
    run = j.run_lines("test_a", [10], run_id=run_id, with_series=True, with_requests=True)
    journal = j.write_journal(folder, *lines, damage, run)
    fold(str(journal), cache=os.environ["XDG_CACHE_HOME"])

    def read(reader: Reader) -> Any:
        return reader.run_detail(run_id)

    with open_history([folder]) as reader:
        return read(reader)


def test_run_detail_sums_series_up(tmp_path: Path) -> None:
    run_id = uuid7()
    lines = [
        series_line(run_id, [100.0] * 1024),
        series_line(run_id, [200.0] * 1024, chunk=1),
        series_line(run_id, [300.0], metric="temperature", unit="K", domain="gpu/temperature"),
    ]

    power, temperature = detail_of(tmp_path, run_id, *lines).series

    assert [power[name] for name in ("n", "min", "mean", "max", "begin_s", "end_s")] == [2048, 100, 150, 200, 0, 2047]
    assert power["means"] == [100.0] * (SERIES_BINS // 2) + [200.0] * (SERIES_BINS // 2)
    assert (temperature["n"], temperature["mean"], temperature["means"]) == (1, 300.0, [300.0])


def test_run_detail_of_a_series_with_gaps_has_gaps(tmp_path: Path) -> None:
    run_id = uuid7()

    (power,) = detail_of(tmp_path, run_id, series_line(run_id, [1.0, None, 3.0], t=[0.0, 5.0, 10.0])).series

    assert (power["n"], power["mean"]) == (2, 2.0)
    assert power["means"] == [1.0, *[None] * (SERIES_BINS - 2), 3.0]


def test_run_detail_sums_requests_up(tmp_path: Path) -> None:
    run_id = uuid7()
    lines = [request_line(run_id, index, slo_ok=index % 2 == 0) for index in range(6)]
    lines += [request_line(run_id, index, ok=False, error="timeout", tokens_out=None) for index in (6, 7)]
    lines += [request_line(run_id, 8, ok=False, error="HTTP 500")]
    lines += [request_line(run_id, 0, phase="warm", tokens_out=None)]

    whole, warm = detail_of(tmp_path, run_id, *lines).requests

    assert (whole["phase"], whole["requests"], whole["failed"], whole["judged"], whole["met"]) == (None, 9, 3, 6, 3)
    assert (whole["tokens_in"], whole["tokens_out"]) == (30, 12)
    assert list(whole["errors"].items()) == [("timeout", 2), ("HTTP 500", 1)]
    assert (warm["phase"], warm["requests"], warm["tokens_out"], warm["errors"]) == ("warm", 1, None, {})


def test_run_detail_without_series_and_requests_has_none(tmp_path: Path) -> None:
    detail = detail_of(tmp_path, uuid7())

    assert (detail.series, detail.requests, detail.attachments) == ((), (), ())


def test_series_and_requests_of_a_damaged_journal_are_kept(tmp_path: Path) -> None:
    run_id = uuid7()
    lines = [series_line(run_id, [1.0, None]), request_line(run_id, 0), request_line(run_id, 1, sent="soon")]

    detail = detail_of(tmp_path, run_id, *lines, damage=b"{broken\n")

    assert [row["n"] for row in detail.series] == [1]
    assert [row["requests"] for row in detail.requests] == [1]
    (note,) = detail.notes
    assert note["text"].startswith("2 damaged line(s)")
