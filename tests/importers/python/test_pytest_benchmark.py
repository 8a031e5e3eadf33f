import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from tests.importers.source_files import DATA, SHA, document, entry, first_document, machine_info, write_json

from pytest_benchdb.errors import ImportFormatError
from pytest_benchdb.importers.python.pytest_benchmark import PytestBenchmark
from pytest_benchdb.model.imported import ImportedRun, ImportedSession, ImportProblem

READER = PytestBenchmark()


def read(path: Path) -> tuple[list[ImportedSession], list[ImportProblem]]:
    items = list(READER.read(path))
    return (
        [item for item in items if isinstance(item, ImportedSession)],
        [item for item in items if isinstance(item, ImportProblem)],
    )


def session_of(tmp_path: Path, name: str = "results.json", **changes: Any) -> ImportedSession:
    sessions, problems = read(write_json(tmp_path / name, document(**changes)))
    assert problems == []
    return sessions[0]


def run_of(tmp_path: Path, **changes: Any) -> ImportedRun:
    (run,) = session_of(tmp_path, benchmarks=[entry(**changes)]).runs
    return run


def problem_of(tmp_path: Path, benchmark: object) -> str:
    """Return the problem of one bad benchmark; the good one beside it is imported."""
    sessions, problems = read(write_json(tmp_path / "results.json", document(entry("good.py::test"), benchmark)))
    assert [run.fullname for run in sessions[0].runs] == ["good.py::test"]
    assert [problem.refused for problem in problems] == [True]
    assert problems[0].place.startswith("benchmarks[1]")
    return problems[0].text


def test_read_of_a_session_has_its_time_commit_and_project(tmp_path: Path) -> None:
    session = session_of(tmp_path)

    assert session.started_unix_us == 1_795_248_000_250_000
    assert (session.tool, session.tool_version, session.project) == ("pytest-benchmark", "5.3.1", "demo")
    assert (session.commit.sha, session.commit.branch, session.commit.dirty) == (SHA, "main", True)
    assert session.commit.committed_at == "2026-11-20T07:00:00"


def test_read_of_rounds_is_exact(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    (measurement,) = run.measurements

    assert measurement.samples == list(DATA)
    assert (measurement.metric, measurement.unit, measurement.provenance) == ("wall_time", "s", "imported")
    assert (run.rounds, run.iterations, run.warmup_rounds, run.timer) == (3, 2, 0, "time.perf_counter")


def test_read_keeps_group_parameters_notes_and_options(tmp_path: Path) -> None:
    run = run_of(tmp_path, group="sums")

    assert (run.group, run.params, run.param_id, run.extra_info) == ("sums", {"n": 10}, "10", {"note": "x"})
    assert run.measurements[0].details == {
        "disable_gc": False,
        "timer": "perf_counter",
        "min_rounds": 5,
        "max_time": 1.0,
        "warmup": False,
    }


def test_read_without_data_takes_the_statistics(tmp_path: Path) -> None:
    (measurement,) = run_of(tmp_path, data=None).measurements

    assert measurement.samples is None
    assert measurement.summary is not None
    assert (measurement.summary.n, measurement.summary.min, measurement.summary.max) == (3, 1.25e-3, 1.75e-3)
    assert (measurement.summary.median, measurement.summary.q1) == (1.5e-3, 1.3125e-3)
    assert measurement.valid


def test_read_of_one_round_has_no_deviation_instead_of_zero(tmp_path: Path) -> None:
    (measurement,) = run_of(tmp_path, data=None, stats={"rounds": 1, "stddev": 0}).measurements

    assert measurement.summary is not None
    assert measurement.summary.stddev is None


def test_read_of_a_file_of_2015_takes_available_fields(tmp_path: Path) -> None:
    sessions, problems = read(write_json(tmp_path / "0001_old.json", first_document()))

    assert problems == []
    assert sessions[0].started_unix_us == 1_439_597_041_847_239
    assert sessions[0].commit.branch is None
    assert sessions[0].runs[0].params is None
    assert sessions[0].runs[0].timer == "time.time"


@pytest.mark.parametrize(
    ("timer", "metric", "first"),
    [
        ("time.perf_counter_ns", "wall_time", 1.5e-3 / 1e9),
        ("process_time", "cpu_time", 1.5e-3),
        ("thread_time", "cpu_time", 1.5e-3),
        ("my_clock", "timer_value", 1.5e-3),
        (None, "wall_time", 1.5e-3),
    ],
    ids=["nanoseconds", "process", "thread", "unknown", "not-said"],
)
def test_read_takes_the_metric_that_the_clock_measures(
    timer: str | None, metric: str, first: float, tmp_path: Path
) -> None:
    (measurement,) = run_of(tmp_path, options={"timer": timer}).measurements

    assert measurement.metric == metric
    assert measurement.samples is not None
    assert measurement.samples[0] == first


@pytest.mark.parametrize("branch", ["(detached head)", "(unknown)", "(unborn)"])
def test_read_of_an_unknown_branch_is_none(branch: str, tmp_path: Path) -> None:
    assert (
        session_of(tmp_path, commit_info={"id": "unversioned", "branch": branch, "dirty": False}).commit.branch is None
    )


@pytest.mark.parametrize("sha", ["unversioned", "unknown", ""])
def test_read_without_a_commit_has_neither_commit_nor_dirty(sha: str, tmp_path: Path) -> None:
    commit = session_of(tmp_path, commit_info={"id": sha, "dirty": False, "time": "2026-01-01T00:00:00Z"}).commit

    assert (commit.sha, commit.dirty, commit.committed_at) == (None, None, None)


def test_read_without_its_own_time_takes_the_commits(tmp_path: Path) -> None:
    commit = {"id": SHA, "time": "2026-11-20T09:00:00+01:00"}

    assert session_of(tmp_path, datetime=None, commit_info=commit).started_unix_us == 1_795_161_600_000_000


@pytest.mark.parametrize("time", [None, "yesterday", "1969-12-31T23:59:59", 5])
def test_read_without_a_time_is_refused(time: object, tmp_path: Path) -> None:
    path = write_json(tmp_path / "results.json", document(datetime=time, commit_info={}))

    with pytest.raises(ImportFormatError, match=r"datetime"):
        list(READER.read(path))


def test_read_unpacks_gzip(tmp_path: Path) -> None:
    path = tmp_path / "0001_mine.json.gz"
    path.write_bytes(gzip.compress(json.dumps(document()).encode()))

    sessions, _ = read(path)

    assert sessions[0].label == "mine"
    assert len(sessions[0].runs) == 1


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("0003_before-rewrite.json", "before-rewrite"),
        ("0001_unversioned_20261121_093326.json", None),
        (f"0001_{SHA}_20261121_093326_uncommitted-changes.json", None),
        (f"0001_{SHA}_20261121_093326.json", None),
        ("results.json", None),
    ],
)
def test_read_takes_the_name_that_the_user_saved_under(name: str, label: str | None, tmp_path: Path) -> None:
    assert session_of(tmp_path, name).label == label


def test_read_of_equal_machines_has_one_fingerprint_whatever_their_clocks_and_names(tmp_path: Path) -> None:
    cpu = {"brand_raw": "AMD EPYC", "count": 8, "hz_actual": [1, 0], "flags": []}
    one = session_of(tmp_path).environment
    other = session_of(tmp_path, machine_info=machine_info(node="elsewhere", cpu=cpu)).environment

    assert one is not None
    assert other is not None
    assert one.fingerprint == other.fingerprint
    assert "buildbox" not in json.dumps(dict(one.details))


@pytest.mark.parametrize(
    "changes",
    [
        {"cpu": {"brand_raw": "Other", "count": 8}},
        {"cpu": {"brand_raw": "AMD EPYC", "count": 4}},
        {"python_version": "3.12.0"},
        {"release": "6.9.0"},
        {"machine": "aarch64"},
    ],
    ids=["processor", "threads", "python", "kernel", "machine"],
)
def test_read_of_another_machine_has_another_fingerprint(changes: dict[str, Any], tmp_path: Path) -> None:
    one = session_of(tmp_path).environment
    other = session_of(tmp_path, machine_info=machine_info(**changes)).environment

    assert one is not None
    assert other is not None
    assert one.fingerprint != other.fingerprint


def test_read_where_the_processor_is_unknown_tells_machines_by_their_names(tmp_path: Path) -> None:
    one = session_of(tmp_path, machine_info=machine_info(cpu={"brand": "unknown"})).environment
    other = session_of(tmp_path, machine_info=machine_info(cpu={"brand": "unknown"}, node="elsewhere")).environment

    assert one is not None
    assert other is not None
    assert one.cpu_model is None
    assert one.fingerprint != other.fingerprint


def test_read_without_machine_info_knows_no_machine(tmp_path: Path) -> None:
    session = session_of(tmp_path, machine_info=None)

    assert session.environment is None
    assert session.runs[0].device is None


@pytest.mark.parametrize(
    ("stats", "text"),
    [
        ({"data": [1e-3, float("nan"), 1e-3]}, "stats.data[1] is nan; expected seconds"),
        ({"data": [1e-3, float("inf"), 1e-3]}, "stats.data[1] is inf; expected seconds"),
        ({"data": [1e-3, None, 1e-3]}, "stats.data[1] is None; expected seconds"),
        ({"data": [1e-3, True, 1e-3]}, "stats.data[1] is True; expected seconds"),
        ({"data": [1e-3, 10**400, 1e-3]}, "stats.data[1] is 1000"),
        ({"data": "many"}, "stats.data is a str, not a list"),
        ({"data": [1e-3]}, "stats.data has 1 values, and stats.rounds says 3: the file is not whole"),
        ({"iterations": 0}, "stats.iterations is 0; expected a whole number from 1 on"),
        ({"iterations": 2**63}, "stats.iterations is 9223372036854775808"),
        ({"rounds": "3"}, "stats.rounds is '3'; expected a whole number from 1 on"),
        ({"rounds": 2**63 - 1}, "stats.rounds is 9223372036854775807; expected a whole number from 1 on"),
        ({"data": None, "median": float("nan")}, "stats.median is nan; expected seconds"),
        ({"data": None, "median": None, "mean": None}, "stats has neither rounds nor a median nor a mean"),
    ],
    ids=lambda value: None if isinstance(value, dict) else value.split(";")[0][:30].replace(" ", "-"),
)
def test_read_of_unusable_stats_refuses_that_benchmark(stats: dict[str, Any], text: str, tmp_path: Path) -> None:
    assert problem_of(tmp_path, entry(stats=stats)).startswith(text)


@pytest.mark.parametrize(
    ("item", "text"),
    [
        (None, "it is a NoneType, not an object"),
        ({**entry(), "stats": None}, "stats is None: it was not measured, or failed"),
        ({**entry(), "fullname": None, "name": None}, "fullname is None; expected a text"),
        ({**entry(), "fullname": "x" * 100_001}, "fullname has more than 100000 characters"),
    ],
    ids=["nothing", "no-stats", "no-name", "long-name"],
)
def test_read_of_an_unusable_benchmark_refuses_it(item: object, text: str, tmp_path: Path) -> None:
    assert problem_of(tmp_path, item) == text


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "it is empty"),
        (
            b'{"machine_info": {}, "benchmarks": [',
            "it is not JSON: Expecting value in line 1, column 37; it looks cut",
        ),
        (b'{"machine_info": \xff}', "it is not UTF-8"),
        (b'{"benchmarks": ' + b"[" * 200_000, "it is nested too deeply"),
        (b'{"machine_info": {}}', 'it has no list "benchmarks"'),
        (b'{"benchmarks": {}}', 'it has no list "benchmarks"'),
        (b"[1]", 'it has no list "benchmarks"'),
        (b'{"benchmarks": []}', "it has no benchmarks"),
        (b'{"benchmarks": [' + b"1" * 5000 + b"]}", "it has a number that cannot be read"),
    ],
    ids=["empty", "cut", "bytes", "deep", "no-list", "object", "list", "no-benchmarks", "digits"],
)
def test_read_of_another_file_is_refused_in_one_line(content: bytes, text: str, tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_bytes(content)

    with pytest.raises(ImportFormatError, match=text):
        list(READER.read(path))


def test_read_with_no_usable_benchmark_gives_problems_and_no_session(tmp_path: Path) -> None:
    sessions, problems = read(write_json(tmp_path / "results.json", document(entry(stats={"iterations": 0}))))

    assert sessions == []
    assert len(problems) == 1


def test_read_of_wrong_types_beside_the_benchmarks_takes_the_rest(tmp_path: Path) -> None:
    session = session_of(tmp_path, machine_info=[1], commit_info="x", version=5)

    assert (session.environment, session.commit.sha, session.tool_version) == (None, None, None)
    assert len(session.runs) == 1


@pytest.mark.parametrize(
    ("name", "head", "readable"),
    [
        ("a.json", b'{\n    "machine_info": {', True),
        ("a.json", b'\xef\xbb\xbf{"commit_info": {', True),
        ("a.json", b'{"benchmarks": [', True),
        ("a.json", b'{"context": {}, "benchmarks": [', False),
        ("a.json", b'{"results": []}', False),
        ("0001_x.json", b"", True),
        ("a.json", b"", False),
        ("a.csv", b"session,value", False),
    ],
    ids=["machine", "bom", "benchmarks", "google", "other", "empty-saved", "empty", "csv"],
)
def test_can_read_goes_by_the_first_keys(name: str, head: bytes, readable: bool) -> None:
    assert READER.can_read(Path(name), head) is readable
