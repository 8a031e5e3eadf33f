"""One run with every measurement."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_benchdb.model.report import RunDetail, SessionRow
from pytest_benchdb.present.run import run_lines
from pytest_benchdb.present.writing.grid import plain_text
from pytest_benchdb.present.writing.text import width

RUN: dict[str, Any] = {
    "run_id": "019a9e5c-7b2d-7000-8000-000000000001",
    "fullname": "tests/test_a.py::test_x[a b]",
    "file": "tests/test_a.py",
    "outcome": "passed",
    "reason": None,
    "started_at": "2026-11-21T02:03:04.000000",
    "group_name": None,
    "params": {"n": 3},
    "device": "Test CPU",
    "model": None,
    "model_version": None,
    "framework": None,
    "use_case": None,
    "implementation": None,
    "workload": None,
    "precision": None,
    "batch_size": None,
    "sequence_length": None,
    "attempt": 1,
    "worker": None,
    "rounds": 4,
    "iterations": 1,
    "warmup_rounds": 0,
    "timer": "perf_counter",
    "provenance": "measured",
    "extra_info": {},
}


NOTHING: dict[str, Any] = {"value": None, "min": None, "max": None, "n": None, "valid": False}


def measurement(**changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {"metric": "wall_time", "unit": "s", "phase": None, "pass": "time", "method": None}
    values |= {"reason": None, "provenance": "measured", "valid": True, "n": 4, "value": 2e-6, "min": 1e-6, "max": 3e-6}
    values |= {"mean": 2e-6, "median": 2e-6, "p90": 2.5e-6, "p95": 2.6e-6, "p99": 2.7e-6, "details": None}
    values |= dict.fromkeys(("rank", "domain", "scope", "window_s", "tick_s"))
    return {"measurement_id": f"{changes}", **values, **changes}


def sensor(**changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {"metric": "energy", "unit": "J", "pass": "energy", "n": 1, "value": 5.0, "method": "nvml"}
    values |= {"min": None, "max": None, "domain": "GPU-8c1f/energy", "scope": "device", "window_s": 2.1, "tick_s": 0.1}
    return measurement(**{**values, "details": {"ticks": 21}, **changes})


def series(**changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {"metric": "power", "unit": "W", "phase": None, "domain": "GPU-8c1f/power", "n": 300}
    values |= {"min": 100.0, "mean": 420.0, "max": 700.0, "begin_s": 0.5, "end_s": 30.5, "provenance": "measured"}
    return {**values, "device_id": None, "means": [100.0, 400.0, None, 700.0], **changes}


def requests(**changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {"phase": None, "provenance": "measured", "requests": 100, "failed": 3, "judged": 97}
    values |= {"met": 90, "tokens_in": None, "tokens_out": 1234, "errors": {"timeout after 5 s": 2, "HTTP 500": 1}}
    return {**values, **changes}


def attachment(**changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {"attachment_id": "a", "name": "trace.json", "media_type": "application/json"}
    return {**values, "checksum": "c" * 40, "size_bytes": 12_288, "path": f"results/attachments/{'c' * 40}", **changes}


def detail(**parts: Any) -> RunDetail:
    unknown: dict[str, Any] = dict.fromkeys(column.name for column in fields(SessionRow))
    return RunDetail(**{"session": SessionRow(**unknown), "run": RUN, "measurements": (), **parts})


def shown(columns: int, *, ascii_only: bool = False, **parts: Any) -> str:
    return plain_text(run_lines(detail(**parts), columns, ascii_only=ascii_only))


def text_of(columns: int, *measurements: dict[str, Any]) -> str:
    samples = {row["measurement_id"]: [1e-6, 1e-6, 2e-6, 3e-6] for row in measurements if row["metric"] == "wall_time"}
    return shown(columns, measurements=measurements, samples=samples)


def everything() -> dict[str, Any]:
    """Return a run with every kind of measurement."""
    gone = "the counter moved by more than half of its range of 65536 J between two readings"
    rows = [
        measurement(metric="cpu_time", method="process_time_ns"),
        measurement(method="perf_counter_ns"),
        measurement(metric="peak_rss", unit="B", value=2.0**26, min=None, max=None, n=1, method="high-water mark"),
        measurement(metric="throughput", unit="1/s", value=86_566.0, min=None, max=None, n=1, provenance="derived"),
        measurement(phase="load/weights", value=1.5, min=1.5, max=1.5, n=1, method="wall clock"),
        measurement(phase="load", value=2.0, min=2.0, max=2.0, n=1, method="wall clock"),
        measurement(phase="world_2/forward/attention", value=0.5, min=0.4, max=0.6, method="wall clock"),
        measurement(
            phase="world_2", metric="step_time", value=0.11, min=0.1, max=0.2, n=8, method="slowest of 2 ranks"
        ),
        *(
            measurement(phase="world_2", rank=rank, metric=metric, value=value, mean=value, n=8)
            for rank, times in enumerate([(0.1, 0.08), (0.11, 0.09)])
            for metric, value in zip(("step_time", "cpu_time"), times, strict=True)
        ),
        measurement(metric="ttft", n=97, method="first chunk with text - send"),
        measurement(metric="e2e_latency", n=97, max=2.9e-6, method="last chunk with text - send"),
        sensor(),
        sensor(domain="package-0", scope="package", method="rapl", value=0.5, valid=False, reason=gone, window_s=0.05),
        sensor(metric="power", unit="W", value=500.0),
        sensor(**NOTHING, domain=None, scope=None, window_s=None, details=None, method=None, reason="no counter"),
        measurement(metric="steal_time", **NOTHING, reason="no /proc/stat"),
    ]
    return {
        "measurements": rows,
        "samples": {rows[1]["measurement_id"]: [1e-6, 1e-6, 2e-6, 3e-6]},
        "series": [
            series(),
            series(metric="temperature", unit="K", domain="GPU-8c1f/temperature", min=300, mean=320.5, max=345),
        ],
        "requests": [requests()],
        "attachments": [attachment(), attachment(name="lost.prof", media_type=None, path=None)],
    }


SNAPSHOTS = Path(__file__).with_name("snapshots")


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_run_lines_of_a_run_with_everything_are_exact(columns: int) -> None:
    text = shown(columns, **everything())

    assert text == (SNAPSHOTS / f"run-{columns}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("ascii_only", [False, True])
@pytest.mark.parametrize("columns", [1, 7, 20, 40, 60, 80, 100, 200])
def test_run_lines_of_a_run_with_everything_fit(columns: int, ascii_only: bool) -> None:
    text = shown(columns, ascii_only=ascii_only, **everything())

    assert max(width(line) for line in text.splitlines()) <= columns
    assert not ascii_only or text.isascii()


def test_run_lines_indent_phases_by_how_they_nest() -> None:
    rows = [measurement(phase="b/x/y"), measurement(phase="b"), measurement(phase="a"), measurement(phase="a-b")]

    lines = [line.split("  2.000")[0].rstrip() for line in shown(80, measurements=rows).splitlines()]

    assert lines[-9:] == [
        "phase a",
        "  wall_time",
        "phase a-b",
        "  wall_time",
        "phase b",
        "  wall_time",
        "  phase x",
        "    phase y",
        "      wall_time",
    ]


@pytest.mark.parametrize("columns", [40, 60, 100])
def test_run_lines_mark_invalid_figures_at_every_width(columns: int) -> None:
    rows = [
        measurement(valid=False, reason="the test did not pass: failed"),
        sensor(valid=False, reason="window of 3 ticks is shorter than 20"),
    ]

    text = shown(columns, measurements=rows)

    assert text.count(" (not valid)  ") == 2
    flat = " ".join(text.split())
    assert "wall_time: the test did not pass: failed" in flat
    assert "energy, GPU-8c1f/energy: window of 3 ticks is shorter than 20" in flat


def test_run_lines_show_a_reason_shared_by_many_metrics_once() -> None:
    rows = [measurement(metric=f"m{n}", value=None, valid=False, reason="the test never ran") for n in range(5)]

    text = shown(100, measurements=rows)

    assert text.count("the test never ran") == 1
    assert "m0, m1, m2 and 2 more: the test never ran" in text


def test_run_lines_of_ranks_name_the_slowest() -> None:
    times = [0.2, 0.5, 0.3]
    rows = [measurement(rank=rank, metric="step_time", value=value, mean=value) for rank, value in enumerate(times)]

    lines = shown(80, measurements=rows).splitlines()

    assert [line.split() for line in lines[-3:]] == [
        ["0", "200.0", "ms"],
        ["1", "(slowest)", "500.0", "ms"],
        ["2", "300.0", "ms"],
    ]


@pytest.mark.parametrize("times", [[0.5], [0.5, None]], ids=["one rank", "one without a figure"])
def test_run_lines_of_ranks_that_cannot_be_compared_name_none_slowest(times: list[float | None]) -> None:
    rows = [measurement(rank=rank, metric="step_time", value=value, mean=value) for rank, value in enumerate(times)]

    assert "slowest" not in shown(80, measurements=rows)


def test_run_lines_of_a_simulated_run_say_so_in_words() -> None:
    document = detail(
        run={**RUN, "provenance": "simulated"},
        measurements=[measurement(provenance="simulated"), sensor(provenance="simulated")],
        series=[series(provenance="simulated")],
        requests=[requests(provenance="simulated")],
    )

    text = plain_text(run_lines(document, 100))

    assert text.startswith("tests/test_a.py::test_x[a b] (simulated)\n")
    for part in ("energy (simulated)", "power (simulated)", "requests (simulated)"):
        assert part in text


def test_run_lines_of_requests_leave_out_unknown_facts() -> None:
    unknown = requests(failed=0, judged=0, met=0, tokens_out=None, errors={})

    lines = shown(80, requests=[unknown]).splitlines()

    assert lines[-2:] == ["requests", "sent  100 requests: 100 answered whole, 0 failed"]


def test_run_lines_of_many_errors_count_the_rest() -> None:
    errors = {f"error {n}": 10 - n for n in range(8)}

    text = shown(80, requests=[requests(failed=52, errors=errors)])

    assert "10 by error 0\n" in text
    assert "error 5" not in text
    assert "12 for 3 other reasons\n" in text


def test_run_lines_break_the_path_of_an_attachment_and_lose_none_of_it() -> None:
    path = f"/a/very/long/way/to/attachments/{'d' * 40}"

    lines = shown(30, attachments=[attachment(path=path)]).splitlines()

    assert "".join(line.strip() for line in lines[lines.index("attachments") + 2 :])[-len(path) :] == path


def test_run_lines_of_few_bytes_are_whole() -> None:
    assert "  7 B\n" in shown(80, attachments=[attachment(size_bytes=7)])


def test_run_lines_say_how_to_run_it_again() -> None:
    assert "run again   pytest 'tests/test_a.py::test_x[a b]' --benchdb\n" in text_of(80, measurement())


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "2.000 \N{MICRO SIGN}s"),
        ({"metric": "peak_rss", "unit": "B", "value": 2.0**26, "min": None, "max": None}, "64.0 MiB"),
        ({"metric": "faults", "unit": "1", "value": 50.0, "min": None, "max": None}, "50"),
        ({"metric": "accuracy", "unit": "1", "value": 0.875, "min": None, "max": None}, "0.875"),
        ({"metric": "energy", "unit": "J", "value": 12.5, "min": None, "max": None}, "12.50 J"),
        ({"metric": "steal", "value": None, "min": None, "max": None, "valid": False, "reason": "no file"}, "-"),
    ],
    ids=["time", "memory", "count", "share", "energy", "unmeasured"],
)
def test_run_lines_show_each_measurement_in_its_unit(changes: dict[str, Any], expected: str) -> None:
    row = measurement(**changes)

    line, *reasons = [line for line in text_of(100, row).splitlines() if line.startswith(row["metric"])]

    assert line.removeprefix(row["metric"]).strip().startswith(expected)
    assert reasons == ([f"{row['metric']}: {row['reason']}"] if row["reason"] else [])


def test_run_lines_without_measurements_have_no_table() -> None:
    assert "metric" not in text_of(80)


@given(st.integers(1, 140))
def test_run_lines_fit(columns: int) -> None:
    for line in text_of(columns, measurement()).splitlines():
        assert width(line) <= columns
