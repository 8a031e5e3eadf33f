"""`bench.attach` from the test to the row, in every way that a suite is run."""

import json
import os
import sys
from pathlib import Path

import pytest
from tests.plugin.recorded import Record, Recorded

SUITE = """
def test_one(bench_sim, tmp_path):
    bench_sim(bench_sim.device.work, 0.01)
    (tmp_path / "trace.json").write_text("{}")
    bench_sim.attach(tmp_path / "trace.json")

def test_two(bench_sim, tmp_path):
    bench_sim(bench_sim.device.work, 0.01)
    (tmp_path / "same").write_text("{}")
    bench_sim.attach(tmp_path / "same", "same.json")
    (tmp_path / "big.bin").write_bytes(b"x" * 3_000_000)
    bench_sim.attach(tmp_path / "big.bin")
"""
ROWS = (
    "SELECT b.name, a.name, a.media_type, a.checksum, a.size_bytes FROM attachment a "
    "JOIN run USING (run_id) JOIN benchmark b USING (benchmark_id) ORDER BY 1, 2"
)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def check(recorded: Recorded, folder: Path) -> None:
    rows = recorded.sql(ROWS)
    assert [(row[0], row[1], row[2], row[4]) for row in rows] == [
        ("test_one", "trace.json", "application/json", 2),
        ("test_two", "big.bin", "application/octet-stream", 3_000_000),
        ("test_two", "same.json", "application/json", 2),
    ]
    assert rows[0][3] == rows[2][3]
    assert names(folder) == sorted({row[3] for row in rows})
    assert (folder / rows[0][3]).read_text() == "{}"


def test_attach_keeps_files_beside_the_sessions(record: Record) -> None:
    recorded = record(SUITE)

    recorded.result.assert_outcomes(passed=2)
    check(recorded, recorded.folder / "attachments")


@pytest.mark.long
def test_attach_in_a_worker_keeps_files_beside_the_sessions(record: Record) -> None:
    pytest.importorskip("xdist")

    recorded = record(SUITE, "-n2")

    recorded.result.assert_outcomes(passed=2)
    check(recorded, recorded.folder / "attachments")


@pytest.mark.long
def test_attach_with_a_single_file_keeps_files_in_a_folder_beside_it(record: Record, pytester: pytest.Pytester) -> None:
    import duckdb

    record(SUITE, path="all.duckdb").result.assert_outcomes(passed=2)

    with duckdb.connect(str(pytester.path / "all.duckdb"), read_only=True) as connection:
        rows = connection.execute(ROWS).fetchall()
    assert names(pytester.path / "all.duckdb.attachments") == sorted({row[3] for row in rows})
    assert len(rows) == 3
    assert not (pytester.path / "all.duckdb.inbox").exists()


@pytest.mark.long
def test_attach_of_a_file_that_vanishes_says_so_and_loses_nothing_else(record: Record) -> None:
    recorded = record(
        """
        def test_gone(bench_sim, tmp_path):
            bench_sim(bench_sim.device.work, 0.01)
            bench_sim.extra_info["mine"] = 1
            for name in ("gone", "there"):
                (tmp_path / name).write_text(name)
                bench_sim.attach(tmp_path / name)
            (tmp_path / "gone").unlink()
        """
    )

    recorded.result.assert_outcomes(passed=1)
    assert [row[1] for row in recorded.sql(ROWS)] == ["there"]
    outcome, info, value = recorded.one(
        "SELECT outcome, extra_info, value FROM run JOIN measurement USING (run_id) WHERE metric = 'wall_time'"
    )
    lost = json.loads(info)["pytest_benchdb_attachments_lost"]
    assert (outcome, value, json.loads(info)["mine"]) == ("passed", 0.01, 1)
    assert lost == [f"gone: {lost[0].split()[1]} cannot be read: No such file or directory"]


@pytest.mark.long
def test_attach_where_the_folder_cannot_be_written_keeps_files_with_the_session(
    record: Record, pytester: pytest.Pytester
) -> None:
    (pytester.path / "blocked").write_text("")

    recorded = record(SUITE, path="blocked/results")

    recorded.result.assert_outcomes(passed=2)
    spool = pytester.path.parent / "cache" / "pytest-benchdb" / "spool"
    assert len(list(spool.glob("*.duckdb"))) == 1
    check(Recorded(recorded.result, spool), spool / "attachments")


@pytest.mark.long
def test_attach_without_recording_copies_nothing(record: Record, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_suite=SUITE)

    pytester.runpytest_subprocess().assert_outcomes(passed=2)

    assert list(pytester.path.rglob("attachments")) == []


@pytest.mark.skipif(sys.platform == "win32", reason="processes are killed by a signal")
def test_attach_of_a_session_that_was_killed_is_recovered(record: Record, pytester: pytest.Pytester) -> None:
    killed = record(SUITE + "\n\ndef test_zz(bench_sim):\n    import os; os.kill(os.getpid(), 9)\n")
    assert killed.result.ret != 0
    assert killed.files == []

    done = pytester.run(sys.executable, "-m", "pytest_benchdb", "recover", "results")

    assert done.ret == os.EX_OK
    check(killed, killed.folder / "attachments")
