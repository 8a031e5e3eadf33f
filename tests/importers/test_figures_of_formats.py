"""What the importers read in the files of `tests/importers/data`: names, outcomes and figures, counted by hand."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.contract.test_importers import BUILT_IN, DATA_FOLDER

from pytest_benchdb.model.imported import ImportedRun, ImportedSession

SHA = "0123456789abcdef0123456789abcdef01234567"


def sessions(name: str, path: str) -> list[ImportedSession]:
    read = list(BUILT_IN[name].read(DATA_FOLDER / name / path))
    return [item for item in read if isinstance(item, ImportedSession)]


def run_of(name: str, path: str, fullname: str, number: int = 0) -> ImportedRun:
    return next(run for run in sessions(name, path)[number].runs if run.fullname == fullname)


def figures(run: ImportedRun) -> dict[str, Any]:
    return {
        row.metric: row.value if row.value is not None else row.summary if row.samples is None else row.samples
        for row in run.measurements
    }


ASV = "results/box/01234567-virtualenv-py3.11.json"
CASES: list[tuple[str, str, str, int, dict[str, Any]]] = [
    (
        "hyperfine",
        "sleep.json",
        "command::sleep 0.01[delay=0.01]",
        0,
        {"wall_time": [0.0129, 0.013, 0.0131, 0.0132, 0.0133]},
    ),
    (
        "google-benchmark",
        "repeated.json",
        "BM_sort/1024",
        0,
        {"wall_time": [1.5e-6, 1.75e-6], "cpu_time": [1.25e-6, 1.5e-6], "throughput": [2e6, 1.5e6]},
    ),
    (
        "google-benchmark",
        "repeated.json",
        "BM_copy",
        0,
        {"wall_time": [2.5e-7], "bytes_per_second": [4e9], "counter:allocations": [3.0]},
    ),
    (
        "jmh",
        "results.json",
        "org.example.Sort.quick[size=100]",
        0,
        {"throughput": [2e6, 2.5e6, 2.75e6, 2.75e6], "jmh:gc.alloc.rate.norm": [24.0] * 4},
    ),
    ("jmh", "results.json", "org.example.Sort.quick[size=1000]", 0, {"wall_time": [2.7e-5, 2.8e-5]}),
    (
        "go",
        "bench.txt",
        "example.com/sort.BenchmarkSort/n=100/kind=heap",
        0,
        {"wall_time": [2.345e-6, 2.3505e-6], "allocated_bytes": [64.0, 64.0]},
    ),
    ("go", "bench.txt", "example.com/sort.BenchmarkCopy", 0, {"wall_time": 1e-3, "bytes_per_second": 250.5e6}),
    (
        "criterion",
        "criterion",
        "sort/quick/100",
        0,
        {"wall_time": [2e-7, 2.1e-7, 2.08e-7], "throughput": 100 / 2.08e-7},
    ),
    ("criterion", "criterion", "sort/quick/100", 1, {"wall_time": [1e-7, 1.05e-7, 1.04e-7]}),
    ("asv", ASV, "sorting.time_sort(10, 'heap')", 0, {"wall_time": [1.45e-6, 1.5e-6, 1.55e-6]}),
    ("asv", ASV, "sorting.peakmem_sort", 0, {"peak_rss": 52428800.0}),
    ("asv", ASV, "sorting.track_swaps", 0, {"asv:swaps": 42.0}),
    ("asv", "results/box/22222222-py2.7.json", "sorting.time_sort(10, 'heap')", 0, {"wall_time": 5e-6}),
    ("pyperf", "suite.json", "sort", 0, {"wall_time": [1.25e-6, 1.5e-6, 1.75e-6]}),
    (
        "pytest-monitor",
        "results.pymon",
        "tests/test_a.py::test_sort[10]",
        0,
        {"wall_time": 0.125, "user_time": 0.1, "peak_rss": 64.5 * 2**20},
    ),
    ("github-action-benchmark", "data.js", "sort", 0, {"wall_time": 1.234e-6}),
    ("github-action-benchmark", "data.js", "tests/test_a.py::test_b", 1, {"throughput": 250.5}),
    ("conbench", "listed.json", "scan", 1, {"bytes_per_second": [1e9], "wall_time": [2.5]}),
    ("conbench", "posted.json", "file-read[compression=snappy-file_type=parquet]", 0, {"wall_time": [0.5, 0.25]}),
    ("bencher", "results.json", "sort::quick", 0, {"wall_time": 8.85e-8, "throughput": 11299435.0}),
    ("junit", "pytest.xml", "tests/test_a.py::TestSort::test_quick[100]", 0, {"wall_time": 0.125}),
]


@pytest.mark.parametrize(("name", "path", "fullname", "number", "expected"), CASES)
def test_figures_are_those_of_the_file_in_si_units(
    name: str, path: str, fullname: str, number: int, expected: dict[str, Any]
) -> None:
    read = figures(run_of(name, path, fullname, number))

    assert {metric: pytest.approx(value, rel=1e-12) for metric, value in expected.items()} == {
        metric: read[metric] for metric in expected
    }


@pytest.mark.parametrize(
    ("name", "path", "outcomes"),
    [
        ("hyperfine", "sleep.json", ["passed", "failed"]),
        ("google-benchmark", "repeated.json", ["passed", "passed", "failed"]),
        ("go", "bench.txt", ["passed", "passed", "passed", "failed"]),
        ("asv", ASV, ["passed", "passed", "failed", "skipped", "passed", "passed", "failed", "failed"]),
        ("conbench", "listed.json", ["passed", "failed"]),
        ("junit", "pytest.xml", ["passed", "failed", "skipped", "xfailed"]),
    ],
)
def test_outcomes_are_judged_case_by_case(name: str, path: str, outcomes: list[str]) -> None:
    assert [run.outcome for run in sessions(name, path)[0].runs] == outcomes


@pytest.mark.parametrize(
    ("name", "path", "started"),
    [
        ("google-benchmark", "repeated.json", "2026-03-01T09:00:00"),
        ("asv", ASV, "2026-01-02T00:00:00"),
        ("asv", "results/box/22222222-py2.7.json", None),
        ("pyperf", "suite.json", "2026-03-01T09:59:59.500000"),
        ("pytest-codspeed", "results_1795998341867.json", "2026-11-30T00:25:41.867000"),
        ("junit", "pytest.xml", "2026-03-01T09:00:00.123456"),
        ("hyperfine", "sleep.json", None),
        ("jmh", "results.json", None),
    ],
)
def test_times_are_those_of_the_file_or_none(name: str, path: str, started: str | None) -> None:
    import datetime as dt

    us = sessions(name, path)[0].started_unix_us

    text = None if us is None else (dt.datetime(1970, 1, 1) + dt.timedelta(microseconds=us)).isoformat()  # noqa: DTZ001
    assert text == started


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'<!DOCTYPE x [<!ENTITY a "aaaa">]><testsuite><testcase name="&a;"/></testsuite>', "it has a document type"),
        (b"<testsuite><testcase name='a' time='1'/>", "it is not XML: no element found in line 1, column 41"),
        (b"<testsuite>" * 60, "it is nested more than 50 deep"),
    ],
)
def test_hostile_xml_is_refused(content: bytes, reason: str, tmp_path: Path) -> None:
    from pytest_benchdb.errors import ImportFormatError

    path = tmp_path / "t.xml"
    path.write_bytes(content)

    with pytest.raises(ImportFormatError, match=reason):
        list(BUILT_IN["junit"].read(path))


def _json_texts() -> Iterator[tuple[str, bytes, str | None]]:
    good = '{"results": [{"command": "a", "times": [0.5, 0.25]}]}'
    yield "UTF-8 mark", b"\xef\xbb\xbf" + good.encode(), None
    yield "UTF-16", good.encode("utf-16"), None
    yield "UTF-32", good.encode("utf-32"), None
    yield "NaN", good.replace("0.25", "NaN").encode(), "none of its 1 items can be read"
    yield (
        "conflict",
        f"<<<<<<< HEAD\n{good}\n=======\n{good}\n>>>>>>> x\n".encode(),
        "line 1 is a conflict marker of git",
    )
    yield "twice", good.replace('"times"', '"times": [1.0], "times"').encode(), "it has the key 'times' twice"
    yield "cut", good[:-4].encode(), "it is not JSON: Expecting ',' delimiter in line 1, column 50; it looks cut off"
    yield "deep", b'{"results": ' + b"[" * 100_000, "it is nested too deeply for the JSON of hyperfine"
    yield "binary", b'{"results": "\xff"}', "it is not UTF-8 (byte 13)"


@pytest.mark.parametrize(
    ("content", "reason"), [case[1:] for case in _json_texts()], ids=[case[0] for case in _json_texts()]
)
def test_json_is_decoded_or_refused_with_line_and_column(content: bytes, reason: str | None, tmp_path: Path) -> None:
    from tests.importers.test_fuzzed import parsed_of

    path = tmp_path / "t.json"
    path.write_bytes(content)

    parsed = parsed_of(BUILT_IN["hyperfine"], path)

    if reason is None:
        assert [run.rounds for run in parsed.sessions[0].runs] == [2]
    elif reason.startswith("none of"):
        assert [problem.text for problem in parsed.problems] == ["times[1] is nan; expected a finite number"]
    else:
        assert (parsed.reason or "").startswith(reason)
