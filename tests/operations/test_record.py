import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from pytest_benchdb.model.environment import CiJob, Load
from pytest_benchdb.operations.record import Context, SessionRecorder, session_end, start_session
from pytest_benchdb.store.target import Target


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return Context(
        root=tmp_path,
        environ={},
        argv=["pytest", "--token=s3cret"],
        project=None,
        label=None,
        tags={},
        note=None,
        suite={},
        unmeasured={},
    )


def test_start_session_names_the_project_after_its_folder_without_git(context: Context, tmp_path: Path) -> None:
    start = start_session(context)

    assert start.project == tmp_path.name
    assert start.commit.sha is None


def test_start_session_masks_secrets_of_the_command(context: Context) -> None:
    assert "s3cret" not in (start_session(context).command or "")


def test_start_session_suite_facts_change_the_environment_but_not_the_fingerprint(context: Context) -> None:
    plain = start_session(context).environment
    extended = start_session(replace(context, suite={"build": "release"})).environment

    assert plain is not None
    assert extended is not None
    assert extended.details["suite"] == {"build": "release"}
    assert extended.environment_id != plain.environment_id
    assert extended.fingerprint == plain.fingerprint


@pytest.mark.parametrize(
    ("environ", "job"),
    [({}, CiJob()), ({"CI": "true"}, None)],
    ids=["no-ci", "unknown-ci"],
)
def test_start_session_without_a_pull_request_keeps_the_commit(
    context: Context, environ: Mapping[str, str], job: CiJob | None
) -> None:
    start = start_session(replace(context, environ=environ))

    assert start.commit.sha is None
    assert job is None or start.ci == job


@pytest.mark.parametrize(
    ("load1", "steal_s", "seconds", "contended"),
    [
        (0.1, 0.0, 10, False),
        (0.1, 0.5, 10, True),
        (99.0, 0.0, 10, True),
        (None, None, 10, None),
        (0.1, 0.0, -5, None),
    ],
    ids=["quiet", "stolen", "loaded", "unknown", "clock-went-back"],
)
def test_session_end_records_whether_other_work_disturbed(
    context: Context, load1: float | None, steal_s: float | None, seconds: int, contended: bool | None
) -> None:
    start = start_session(context)
    assert start.environment is not None
    start = replace(
        start,
        load=Load(load1=load1, steal_s=None if steal_s is None else 1.0),
        environment=replace(start.environment, threads=2),
    )
    load = Load(load1=0.0, steal_s=None if steal_s is None else 1.0 + steal_s)

    end = session_end(start, load, start.started_unix_us + seconds * 1_000_000, "passed", 0, complete=True)

    assert end.contended is contended


def test_recorder_without_a_run_leaves_nothing(context: Context, tmp_path: Path) -> None:
    recorder = SessionRecorder(start_session(context), Target(path=tmp_path / "results", kind="folder"))

    assert recorder.finish(outcome="empty", exit_status=5, complete=True, row_limit=5) is None
    assert recorder.is_empty
    assert not (tmp_path / "results").exists()


def test_recorder_that_cannot_write_anywhere_says_how_many_tests_are_lost(context: Context, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    target = Target(path=tmp_path / "file", kind="folder")
    recorder = SessionRecorder(start_session(context), target, spools=list)
    for _ in range(2):
        recorder.append(b'{"k":"run","x":1}\n')

    assert recorder.finish(outcome="passed", exit_status=0, complete=True, row_limit=5) is None
    assert recorder.problem == (
        f"2 of 2 finished tests could not be stored and are lost: File exists ({tmp_path / 'file'}); "
        "give another PATH with --benchdb=PATH"
    )


@pytest.mark.parametrize("jump_s", [-3_600, 50 * 365 * 86_400], ids=["back", "forward"])
def test_recorder_duration_is_that_of_the_session_though_the_clock_is_set(
    context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jump_s: int
) -> None:
    recorder = SessionRecorder(start_session(context), Target(path=tmp_path / "results", kind="folder"))
    recorder.append(b'{"k":"name"}\n')
    now_ns = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: now_ns + jump_s * 1_000_000_000)

    result = recorder.finish(outcome="passed", exit_status=0, complete=True, row_limit=5)

    assert result is not None
    with duckdb.connect(str(result.path), read_only=True) as connection:
        rows = connection.execute("SELECT epoch(finished_at - started_at) BETWEEN 0 AND 600 FROM session").fetchall()
    assert rows == [(True,)]
