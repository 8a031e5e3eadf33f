import json
from dataclasses import replace
from typing import Any

import pytest

from pytest_benchdb.model.benchmark import Benchmark
from pytest_benchdb.model.environment import Commit, Device
from pytest_benchdb.model.identity import content_id
from pytest_benchdb.model.imported import ImportedRun, ImportedSession, SourceFile
from pytest_benchdb.model.run import Measurement, Summary
from pytest_benchdb.operations.exchange.as_journal import is_known, journal_lines, session_id_of, split_id

START_US = 1_790_000_000_123_456
TIME = Measurement(metric="wall_time", unit="s", better="lower", samples=[3e-3, 1e-3, 2e-3])
SUMMARY = replace(TIME, samples=None, summary=Summary(n=3, min=1e-3, max=3e-3, median=2e-3))
RUN = ImportedRun(fullname="tests/test_a.py::TestX::test_y[a::b]", measurements=(TIME,))
SESSION = ImportedSession(started_unix_us=START_US, tool="toy", project="here", runs=(RUN,))
SOURCE = SourceFile(path="a.toy", checksum="c0de", importer="toy", rows=1)


def lines_of(session: ImportedSession = SESSION) -> list[dict[str, Any]]:
    text = b"".join(journal_lines(session, session_id_of(session), SOURCE, {})).decode()
    return [json.loads(line) for line in text.splitlines()]


def run_line(session: ImportedSession = SESSION) -> dict[str, Any]:
    return next(line for line in lines_of(session) if line["k"] == "run")


def with_run(**changes: Any) -> ImportedSession:
    return replace(SESSION, runs=(replace(RUN, **changes),))


def test_session_id_is_a_uuid7_of_the_sessions_time() -> None:
    session_id = session_id_of(SESSION)

    assert split_id(session_id)[0] == START_US // 1000
    assert (session_id[14], session_id[19]) == ("7", "8")
    assert len(session_id) == 36


def test_session_id_sorts_by_time() -> None:
    later = replace(SESSION, started_unix_us=START_US + 1000)

    assert session_id_of(SESSION) < session_id_of(later)


@pytest.mark.parametrize(
    "same",
    [
        replace(SESSION, label="x", project="p", tool_version="2", rows=5),
        with_run(measurements=(SUMMARY,)),
        with_run(extra_info={"a": 1}, timer="time.time", group="g"),
    ],
    ids=["labels", "summary", "notes"],
)
def test_session_id_is_the_same_in_another_form(same: ImportedSession) -> None:
    assert session_id_of(same) == session_id_of(SESSION)


@pytest.mark.parametrize(
    "other",
    [
        replace(SESSION, source_key="x"),
        replace(SESSION, commit=Commit(sha="abc")),
        with_run(fullname="tests/test_a.py::test_z"),
        with_run(measurements=(replace(TIME, samples=[3e-3, 1e-3]),)),
        with_run(measurements=(replace(TIME, samples=[4e-3, 1e-3, 2e-3]),)),
        with_run(measurements=(replace(TIME, metric="cpu_time"),)),
        with_run(device=Device(device_id="d", backend="cuda", name="H200")),
        replace(SESSION, runs=(RUN, RUN)),
    ],
    ids=["key", "commit", "name", "number", "maximum", "metric", "backend", "runs"],
)
def test_session_id_differs_where_what_was_measured_does(other: ImportedSession) -> None:
    assert session_id_of(other) != session_id_of(SESSION)


@pytest.mark.parametrize(("apart_s", "expected"), [(0, True), (9, True), (-9, True), (11, False)])
def test_is_known_allows_for_two_files_of_one_session(apart_s: int, expected: bool) -> None:
    ms, content = split_id(session_id_of(SESSION))
    other = session_id_of(replace(SESSION, started_unix_us=START_US + apart_s * 1_000_000))

    assert is_known(other, {content: [ms]}) is expected


def test_is_known_distinguishes_other_figures_of_the_same_time() -> None:
    ms, content = split_id(session_id_of(SESSION))

    assert not is_known(session_id_of(replace(SESSION, source_key="x")), {content: [ms]})


def test_journal_records_the_import_and_its_source() -> None:
    first = lines_of()[0]

    assert (first["session"]["kind"], first["session"]["started_us"]) == ("import", START_US)
    assert (first["environment"], first["session"]["fingerprint"]) == (None, None)
    assert first["source"]["path"] == "a.toy"
    assert lines_of()[-1]["complete"] is True


def test_journal_gives_a_benchmark_the_id_of_the_test_that_pytest_runs() -> None:
    fullname = RUN.fullname
    benchmark = Benchmark(**run_line()["benchmark"])

    assert benchmark == Benchmark(
        benchmark_id=content_id("benchmark", "here", fullname),
        project="here",
        fullname=fullname,
        file="tests/test_a.py",
        class_name="TestX",
        function="test_y",
        name="test_y[a::b]",
        group_name=None,
        params=None,
        param_id="a::b",
        code_hash=None,
    )


def test_journal_lines_a_name_that_is_not_a_test_has_no_file() -> None:
    benchmark = run_line(with_run(fullname="insert/1000"))["benchmark"]

    assert (benchmark["file"], benchmark["function"], benchmark["name"]) == ("", "insert/1000", "insert/1000")


@pytest.mark.parametrize(
    ("provenance", "stored"),
    [("measured", "imported"), ("imported", "imported"), ("derived", "imported"), ("simulated", "simulated")],
)
def test_journal_never_claims_to_be_measured(provenance: Any, stored: str) -> None:
    line = run_line(with_run(measurements=(replace(TIME, provenance=provenance),)))

    assert line["provenance"] == stored
    assert [one["provenance"] for one in line["measurements"]] == [stored]


def test_journal_keeps_seconds_as_they_are() -> None:
    session = with_run(iterations=3, measurements=(replace(TIME, samples=[1.0000000001e-9]),))

    chunks = [line for line in lines_of(session) if line["k"] == "chunk"]

    assert [chunk["v"] for chunk in chunks] == [[1.0000000001e-9]]


def test_journal_lists_runs_in_the_order_of_their_ids() -> None:
    session = replace(SESSION, runs=tuple(replace(RUN, fullname=f"t{number}") for number in range(300)))

    ids = [line["run_id"] for line in lines_of(session) if line["k"] == "run"]

    assert ids == sorted(set(ids))


@pytest.mark.parametrize(("outcome", "session_outcome"), [("passed", "passed"), ("oom", "failed")])
def test_journal_lines_keep_a_failed_run(outcome: Any, session_outcome: str) -> None:
    lines = lines_of(with_run(outcome=outcome, reason="why"))

    assert lines[-1]["outcome"] == session_outcome
    assert next(line["valid"] for line in lines if line["k"] == "run") is (outcome == "passed")
