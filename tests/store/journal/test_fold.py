import fcntl
import json
import math
import os
import random
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.store import journals as j
from tests.store.conftest import Ask

from pytest_benchdb.errors import StoreError, StoreLockedError
from pytest_benchdb.model.identity import uuid7
from pytest_benchdb.store.journal.checksum import sealed
from pytest_benchdb.store.journal.fold import Folded, fold
from pytest_benchdb.store.journal.journal import Journal


def folded(journal: Path, row_limit: int | None = None) -> Folded:
    return fold(str(journal), cache=os.environ["XDG_CACHE_HOME"], row_limit=row_limit)


def session_file(result: Folded) -> Path:
    assert result.path is not None
    return Path(result.path)


def test_fold_finished_session_stores_every_round_exactly(tmp_path: Path, ask: Ask) -> None:
    rounds = {"test_a": [1000 + i for i in range(3000)], "test_b": [7], "test_c": [5, 5, 6]}
    journal = j.write_journal(tmp_path, *(j.run_lines(name, ns) for name, ns in rounds.items()))

    path = session_file(folded(journal))

    stored = ask(
        path,
        "SELECT name, flatten(list(round_ns ORDER BY chunk)), count(*) FROM round_chunk "
        "JOIN benchmark USING (benchmark_id) GROUP BY name",
    )
    assert {name: ns for name, ns, _ in stored} == rounds
    assert {name: chunks for name, _, chunks in stored} == {"test_a": 3, "test_b": 1, "test_c": 1}
    assert not journal.exists()
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_fold_statistics_equal_pythons(tmp_path: Path, ask: Ask) -> None:
    rounds = [1000, 1001, 1003, 1010, 1020, 1021, 1025, 1030, 90_000]
    iterations = 4
    path = session_file(folded(j.write_journal(tmp_path, j.run_lines("test_a", rounds, iterations=iterations))))

    (row,) = ask(
        path,
        "SELECT n, min, max, mean, median, stddev, q1, q3, outliers, value FROM measurement WHERE metric='wall_time'",
    )

    seconds = [ns / 1e9 / iterations for ns in rounds]
    q1, median, q3 = statistics.quantiles(seconds, n=4, method="inclusive")
    assert row[0] == len(rounds)
    assert row[1:3] == (min(seconds), max(seconds))
    assert row[3:6] == pytest.approx((statistics.fmean(seconds), median, statistics.stdev(seconds)), rel=1e-12)
    assert row[6:8] == pytest.approx((q1, q3), rel=1e-12)
    assert row[8] == 1
    assert row[9] == row[4]


def test_fold_single_round_has_no_standard_deviation(tmp_path: Path, ask: Ask) -> None:
    path = session_file(folded(j.write_journal(tmp_path, j.run_lines("test_a", [1000]))))

    assert ask(path, "SELECT stddev, n FROM measurement WHERE metric = 'wall_time'") == [(None, 1)]


def test_fold_view_samples_gives_seconds_per_iteration(tmp_path: Path, ask: Ask) -> None:
    rounds = list(range(2000, 5000))
    path = session_file(folded(j.write_journal(tmp_path, j.run_lines("test_a", rounds, iterations=3))))

    (row,) = ask(path, "SELECT metric, unit, samples FROM samples")

    assert row == ("wall_time", "s", [ns / 1e9 / 3 for ns in rounds])


def test_fold_boundary_missing_reading_is_null_with_its_reason(tmp_path: Path, ask: Ask) -> None:
    path = session_file(folded(j.write_journal(tmp_path, j.run_lines("test_a", [10, 20]))))

    rows = {metric: found for metric, *found in ask(path, "SELECT metric, value, valid, reason FROM measurement")}

    assert rows["peak_rss"] == [50_000_000.0, True, None]
    assert rows["major_faults"] == [0.0, True, None]
    assert rows["steal_time"] == [None, False, "no /proc/stat"]
    assert len(rows) == 11


@pytest.mark.parametrize(("calls", "expected"), [(1, 0.4), (10, None), (None, None)])
def test_fold_cpu_time_is_measured_for_one_call_only(
    tmp_path: Path, ask: Ask, calls: int | None, expected: float | None
) -> None:
    path = session_file(folded(j.write_journal(tmp_path, j.run_lines("test_a", [10, 20], calls=calls))))

    rows = ask(path, "SELECT value, provenance FROM measurement WHERE metric = 'cpu_time'")
    shown = ask(path, "SELECT cpu_s, cpu_per_wall FROM report")

    assert rows == ([] if expected is None else [(expected, "measured")])
    assert shown == [(expected, pytest.approx(0.8))]


def test_fold_own_cpu_time_is_not_computed_again(tmp_path: Path, ask: Ask) -> None:
    own = j.measurement("cpu_time", value=0.123)
    path = session_file(folded(j.write_journal(tmp_path, j.run_lines("test_a", [10, 20], others=[own]))))

    assert ask(path, "SELECT value, n FROM measurement WHERE metric = 'cpu_time'") == [(0.123, 1)]


def test_fold_failed_run_is_kept_and_never_shown_as_a_result(tmp_path: Path, ask: Ask) -> None:
    journal = j.write_journal(tmp_path, j.run_lines("test_a", [10, 20], outcome="failed", valid=False))
    path = session_file(folded(journal))

    assert ask(path, "SELECT outcome, reason, median_s, valid FROM report") == [("failed", "it failed", None, False)]
    assert ask(path, "SELECT count(*) FROM benchmark_performance") == [(0,)]
    assert ask(path, "SELECT value, valid FROM measurement WHERE metric = 'wall_time'") == [
        (statistics.median([1e-08, 2e-08]), False)
    ]


def test_fold_simulated_run_is_left_out_of_performance(tmp_path: Path, ask: Ask) -> None:
    run = j.run_lines("test_a", [10, 20], provenance="simulated")
    path = session_file(folded(j.write_journal(tmp_path, run)))

    assert ask(path, "SELECT provenance FROM run") == [("simulated",)]
    assert ask(path, "SELECT count(*) FROM benchmark_performance") == [(0,)]


def test_fold_without_rounds_keeps_statistics_only(tmp_path: Path, ask: Ask) -> None:
    runs = (j.run_lines("test_a", [10, 20, 30], keep=False), j.run_lines("test_b", [1, 2]))
    path = session_file(folded(j.write_journal(tmp_path, *runs)))

    assert ask(path, "SELECT n, median FROM measurement WHERE metric = 'wall_time' ORDER BY n") == [
        (2, statistics.median([1e-09, 2e-09])),
        (3, 2e-08),
    ]
    assert ask(path, "SELECT round_ns FROM round_chunk") == [([1, 2],)]


def test_fold_summary_is_copied(tmp_path: Path, ask: Ask) -> None:
    summary = {"n": 9, "min": 1.0, "max": 3.0, "mean": 2.0, "median": 2.5, "stddev": 0.5, "q1": 1.5, "q3": 2.75}
    given = j.measurement("wall_time", summary={**summary, "p90": 2.8, "p95": 2.9, "p99": 2.95})
    path = session_file(folded(j.write_journal(tmp_path, j.run_lines("test_a", others=[given]))))

    columns = "n, min, max, mean, median, stddev, q1, q3, p90, p95, p99, value, valid"
    rows = ask(path, f"SELECT {columns} FROM measurement WHERE metric = 'wall_time'")

    assert rows == [(9, 1.0, 3.0, 2.0, 2.5, 0.5, 1.5, 2.75, 2.8, 2.9, 2.95, 2.5, True)]


def test_fold_values_that_are_not_time_are_kept_as_they_are(tmp_path: Path, ask: Ask) -> None:
    ratio = j.measurement("hit_ratio", unit="1", better="higher", sampled=True)
    run_id = uuid7()
    chunk = j.line({"k": "chunk", "id": ratio["id"], "run": run_id, "i": 0, "v": [0.25, 0.1, 1e-300, 3]})
    run = j.run_lines("test_a", run_id=run_id, others=[ratio], iterations=5)
    path = session_file(folded(j.write_journal(tmp_path, chunk, run)))

    assert ask(path, "SELECT samples FROM samples") == [([0.25, 0.1, 1e-300, 3.0],)]
    assert ask(path, "SELECT unit, better, kind FROM metric WHERE metric = 'hit_ratio'") == [("1", "higher", "other")]


def test_fold_labels_fill_the_catalogue(tmp_path: Path, ask: Ask) -> None:
    runs = [j.run_lines(f"test_{i}", [10, 20], labels=j.labels("bert", version=f"v{i}")) for i in range(2)]
    path = session_file(folded(j.write_journal(tmp_path, *runs)))

    assert ask(path, "SELECT model_name, versions, precisions FROM models") == [("bert", ["v0", "v1"], ["fp16"])]
    assert ask(path, "SELECT name, version FROM framework") == [("torch", "2.0")]
    shown = ask(path, "SELECT DISTINCT model, framework, precision, batch_size, workload FROM benchmark_performance")
    assert shown == [("bert", "torch", "fp16", 8, "inference")]


def test_fold_session_that_died_tells_which_test_it_died_in(tmp_path: Path, ask: Ask) -> None:
    done, running = uuid7(), uuid7()
    journal = j.write_journal(
        tmp_path,
        j.begin_line("test_a", done),
        j.run_lines("test_a", [10], run_id=done),
        j.begin_line("test_b", running),
        ended=False,
    )

    path = session_file(folded(journal))

    assert ask(path, "SELECT outcome, complete, finished_at, exit_status FROM session") == [
        ("crashed", False, None, None)
    ]
    assert ask(path, "SELECT name, outcome, reason, valid FROM report ORDER BY name") == [
        ("test_a", "passed", None, True),
        ("test_b", "crashed", "the process died while this test ran", False),
    ]


def test_fold_torn_last_line_is_cut(tmp_path: Path, ask: Ask) -> None:
    journal = j.write_journal(tmp_path, j.run_lines("test_a", [10]), ended=False)
    with journal.open("ab") as file:
        file.write(j.run_lines("test_b", [20])[:-30])

    result = folded(journal)

    assert result.damaged_lines == ()
    assert ask(session_file(result), "SELECT name FROM benchmark") == [("test_a",)]


def test_fold_rounds_without_their_run_are_left_out(tmp_path: Path, ask: Ask) -> None:
    chunk_only = j.run_lines("test_b", [1, 2]).splitlines(keepends=True)[0]
    path = session_file(folded(j.write_journal(tmp_path, j.run_lines("test_a", [10]), chunk_only)))

    assert ask(path, "SELECT round_ns FROM round_chunk") == [([10],)]


def test_fold_run_that_was_written_twice_counts_once(tmp_path: Path, ask: Ask) -> None:
    run = j.run_lines("test_a", [10], boundary=None).splitlines(keepends=True)
    path = session_file(folded(j.write_journal(tmp_path, run[0], run[1], run[1])))

    assert ask(path, "SELECT count(*) FROM run") == [(1,)]
    assert ask(path, "SELECT count(*) FROM measurement") == [(1,)]


DAMAGE = {
    "zeros": b"\0\0\0\0\n",
    "text": b"garbage\n",
    "half a line": b'{"k":"run","run_id"\n',
    "wrong type": b'{"k":"chunk","id":"01a1fbe3-b9c1-7ea8-a718-e81d7b7dd27e","i":"x","ns":["a"]}\n',
    "no UTF-8": b'{"k":"begin","x":"\xff\xfe"}\n',
    "no object": b"[1,2]\n",
    "no key": b'{"k":"run","outcome":"passed"}\n',
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_fold_damage_in_the_middle_is_counted_and_the_rest_kept(tmp_path: Path, ask: Ask, damage: bytes) -> None:
    journal = j.write_journal(tmp_path, j.run_lines("test_a", [10]), damage, j.run_lines("test_b", [20, 30]))
    content = journal.read_bytes()

    result = folded(journal)

    path = session_file(result)
    assert list(result.damaged_lines) == [4]
    assert ask(path, "SELECT complete, outcome FROM session") == [(False, "passed")]
    assert ask(path, "SELECT name, rounds, valid FROM report ORDER BY name") == [
        ("test_a", 1, True),
        ("test_b", 2, True),
    ]
    assert "1 damaged line(s) of the journal left out (4)" in ask(path, "SELECT text FROM note")[0][0]
    assert journal.with_name(journal.name + ".damaged").read_bytes() == content


def real_journal(folder: Path) -> Path:
    """Write a journal with our own code, as a session of two tests does."""
    session_id = uuid7()
    opening = sealed(j.session_line(session_id).rstrip()[:-1])
    journal = Journal(session_id, lambda: [folder], opening)
    for name, rounds in (("test_a", [111111, 222222]), ("test_b", [333333])):
        for line in j.run_lines(name, rounds).splitlines():
            journal.append(sealed(line[:-1]))
    journal.close(sealed(j.end_line().rstrip()[:-1]))
    assert journal.path is not None
    return journal.path


def test_fold_journal_with_checksums_is_stored_whole(tmp_path: Path, ask: Ask) -> None:
    path = session_file(folded(real_journal(tmp_path)))

    assert ask(path, "SELECT complete, outcome FROM session") == [(True, "passed")]
    assert ask(path, "SELECT list_sort(flatten(list(round_ns))) FROM round_chunk") == [([111111, 222222, 333333],)]
    assert ask(path, "SELECT text FROM note") == []


@pytest.mark.long
def test_fold_any_flipped_bit_is_a_named_line_and_never_another_value(tmp_path: Path, ask: Ask) -> None:
    chance = random.Random(5)  # noqa: S311 - the same flips in each run
    content = real_journal(tmp_path / "whole").read_bytes()
    for flip in range(25):
        place = chance.randrange(len(content) - 1)
        damaged = bytearray(content)
        damaged[place] ^= 1 << chance.randrange(7)
        folder = tmp_path / str(flip)
        folder.mkdir()
        journal = folder / f"{uuid7()}.journal.jsonl"
        journal.write_bytes(damaged)
        number = content[:place].count(b"\n") + 1

        result = folded(journal)

        assert number in result.damaged_lines
        assert len(result.damaged_lines) <= 2  # the flip may end the line
        path = session_file(result)
        rounds = [ns for (part,) in ask(path, "SELECT round_ns FROM round_chunk") for ns in part]
        assert {111111, 222222, 333333}.issuperset(rounds)
        assert ask(path, "SELECT count(*) FROM run")[0][0] >= 1
        assert ask(path, "SELECT complete FROM session") == [(False,)]


def test_fold_line_without_its_checksum_is_damaged_where_others_have_theirs(tmp_path: Path) -> None:
    journal = real_journal(tmp_path)
    lines = journal.read_bytes().splitlines(keepends=True)
    lines[2] = j.run_lines("test_c", [1]).splitlines(keepends=True)[0]
    journal.write_bytes(b"".join(lines))

    assert list(folded(journal).damaged_lines) == [3]


def test_fold_run_whose_rounds_were_damaged_is_not_valid(tmp_path: Path, ask: Ask) -> None:
    lines = j.run_lines("test_a", list(range(3000))).splitlines(keepends=True)
    lines[1] = b"x" + lines[1][1:]
    path = session_file(folded(j.write_journal(tmp_path, *lines)))

    (row,) = ask(path, "SELECT n, valid, reason FROM measurement WHERE metric = 'wall_time'")

    assert row == (3000 - 1024, False, "rounds are missing: the journal was damaged")


def test_fold_first_line_damaged_keeps_the_runs(tmp_path: Path, ask: Ask) -> None:
    session_id = uuid7(1_700_000_000_000)
    journal = j.write_journal(tmp_path, j.run_lines("test_a", [10]), session_id=session_id)
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join([b"\0" + lines[0], *lines[1:]]))

    path = session_file(folded(journal))

    assert ask(path, "SELECT CAST(session_id AS VARCHAR), project, complete FROM session") == [
        (session_id, "demo", False)
    ]
    assert ask(path, "SELECT count(*) FROM run") == [(1,)]


REFUSED = {
    "an integer beyond 64 bits": lambda entry: entry.update(attempt=2**70),
    "a list for a number": lambda entry: entry.update(duration_s=[1, 2]),
    "an object for a text": lambda entry: entry.update(reason={"a": 1}),
    "a NULL metric": lambda entry: entry["measurements"][0].update(metric=None),
    "a text for a number": lambda entry: entry["measurements"][0].update(iterations="many", rounds="many"),
    "a start before all time": lambda entry: entry.update(started_us=-1),
    "a start after all time": lambda entry: entry.update(started_us=10**30),
}


@pytest.mark.parametrize("change", REFUSED.values(), ids=REFUSED.keys())
def test_fold_line_that_the_database_refuses_costs_no_other_line(
    tmp_path: Path, ask: Ask, change: Callable[[dict[str, Any]], None]
) -> None:
    *chunks, run = j.run_lines("test_bad", [10]).splitlines()
    entry = json.loads(run)
    change(entry)
    bad = [*chunks, j.line(entry)]
    journal = j.write_journal(tmp_path, j.run_lines("test_a", [10]), *bad, j.run_lines("test_b", [20]))

    path = session_file(folded(journal))

    names = [name for (name,) in ask(path, "SELECT name FROM report WHERE valid ORDER BY name")]
    assert {"test_a", "test_b"} <= set(names)
    assert not journal.exists()


@pytest.mark.parametrize("changes", [{"started_us": 10**30}, {"tags": [1]}, {"load_start": {"a": 1}}], ids=str)
def test_fold_bad_first_line_leaves_the_runs_and_blocks_no_folder(
    tmp_path: Path, ask: Ask, changes: dict[str, Any]
) -> None:
    journal = tmp_path / f"{uuid7()}.journal.jsonl"
    session_id = journal.name.split(".")[0]
    lines = [j.session_line(session_id, **changes), j.run_lines("test_a", [10]), j.run_lines("test_b", [10])]
    journal.write_bytes(b"".join(lines))

    path = session_file(folded(journal))

    assert ask(path, "SELECT count(*) FROM run") == [(2,)]
    assert not journal.exists()


@pytest.mark.parametrize("make", [os.symlink, os.link], ids=["symbolic", "hard"])
def test_fold_never_follows_a_link(tmp_path: Path, make: Callable[..., None]) -> None:
    victim = tmp_path / "key.bin"
    victim.write_bytes(b"line\nrest without line feed")
    journal = tmp_path / f"{uuid7()}.journal.jsonl"
    make(victim, journal)

    with pytest.raises(StoreError, match="link and is left alone; remove it"):
        folded(journal)

    assert victim.read_bytes() == b"line\nrest without line feed"


def test_fold_fifo_is_refused_without_waiting(tmp_path: Path) -> None:
    journal = tmp_path / f"{uuid7()}.journal.jsonl"
    os.mkfifo(journal)

    with pytest.raises(StoreError, match="is not a regular file and is left alone"):
        folded(journal)


def test_fold_empty_journal_leaves_nothing(tmp_path: Path) -> None:
    journal = tmp_path / f"{uuid7()}.journal.jsonl"
    journal.write_bytes(b'{"k":"sess')

    assert folded(journal) == Folded(None)
    assert list(tmp_path.iterdir()) == []


def test_fold_twice_stores_once(tmp_path: Path) -> None:
    journal = j.write_journal(tmp_path, j.run_lines("test_a", [10]))
    content = journal.read_bytes()
    first = session_file(folded(journal))
    before = first.read_bytes()
    journal.write_bytes(content)  # as after a kill between the rename and the removal of the journal

    second = folded(journal)

    assert second.path == str(first)
    assert first.read_bytes() == before
    assert not journal.exists()


def test_fold_running_session_is_left_alone(tmp_path: Path) -> None:
    journal = j.write_journal(tmp_path, j.run_lines("test_a", [10]))

    with journal.open("rb") as owner:
        fcntl.flock(owner, fcntl.LOCK_EX)
        with pytest.raises(StoreLockedError, match="its session still runs"):
            folded(journal)

    assert folded(journal).path is not None


NAMES = [
    "test_newline\nand\ttab",
    "test_'single' \"double\" `back` \\slash",
    "test_🦆[émoji-ümlaut]",
    "<script>alert(1)</script>",
    "$param $1 {brace} %s ;--",
    "test_" + "x" * 10_000,
    "test_\u0000nul",
]


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_fold_strange_names_come_back_unchanged(tmp_path: Path, ask: Ask, name: str) -> None:
    path = session_file(folded(j.write_journal(tmp_path, j.run_lines(name, [10])), row_limit=1))

    assert ask(path, "SELECT name FROM benchmark") == [(name,)]


@pytest.mark.parametrize("folder", ["it's", 'qu"ote', "glob[ab]*", "späce é", "do;llar $x"])
def test_fold_strange_folder_names_work(tmp_path: Path, ask: Ask, folder: str) -> None:
    journal = j.write_journal(tmp_path / folder, j.run_lines("test_a", [10]))

    assert ask(session_file(folded(journal)), "SELECT count(*) FROM run") == [(1,)]


def test_fold_folder_with_a_question_mark_is_refused_with_the_reason(tmp_path: Path) -> None:
    journal = j.write_journal(tmp_path / "what?", j.run_lines("test_a", [10]))

    with pytest.raises(StoreError, match="cannot open a path that has a '\\?'"):
        folded(journal)

    assert [entry.name for entry in journal.parent.iterdir()] == [journal.name]


def test_fold_not_a_number_in_extra_info_is_kept_as_text(tmp_path: Path, ask: Ask) -> None:
    extra = {"a": "NaN", "b": "Infinity", "nested": {"c": [1, None, "x"]}}
    path = session_file(folded(j.write_journal(tmp_path, j.run_lines("test_a", [10], extra_info=extra))))

    (row,) = ask(path, "SELECT extra_info FROM run")

    assert json.loads(row[0]) == extra


def test_fold_bare_not_a_number_does_not_lose_the_run(tmp_path: Path, ask: Ask) -> None:
    run = j.run_lines("test_a", [10], extra_info={"a": math.nan})
    assert b"NaN" in run

    path = session_file(folded(j.write_journal(tmp_path, run)))

    assert ask(path, "SELECT name, valid FROM report") == [("test_a", True)]


def test_fold_million_rounds_are_all_there(tmp_path: Path, ask: Ask) -> None:
    rounds = [1000 + i % 997 for i in range(1_000_000)]
    journal = j.write_journal(tmp_path, j.run_lines("test_a", rounds))

    path = session_file(folded(journal))

    assert ask(path, "SELECT sum(list_sum(round_ns)), sum(len(round_ns)), count(*) FROM round_chunk") == [
        (sum(rounds), len(rounds), 977)
    ]
    assert ask(path, "SELECT n, valid FROM measurement WHERE metric = 'wall_time'") == [(1_000_000, True)]
    assert ask(path, "SELECT block_size FROM pragma_database_size()") == [(65536,)]


def test_fold_many_rounds_in_several_buckets_have_the_statistics_of_one(
    tmp_path: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pytest_benchdb.store.journal.fold._LARGE_JOURNAL_BYTES", 0)
    monkeypatch.setattr("pytest_benchdb.store.journal.fold._BUCKET_ROUNDS", 100)
    runs = [j.run_lines(f"test_{i}", [i * 10 + k for k in range(50)]) for i in range(20)]
    path = session_file(folded(j.write_journal(tmp_path, *runs)))

    rows = ask(path, "SELECT name, n, median_s FROM report JOIN measurement USING (run_id) WHERE metric = 'wall_time'")

    assert sorted(rows) == sorted((f"test_{i}", 50, pytest.approx((i * 10 + 24.5) / 1e9)) for i in range(20))


def test_fold_report_is_that_of_the_view(tmp_path: Path) -> None:
    runs = [
        j.run_lines(
            f"test_{i}",
            [10 + i],
            entry=j.benchmark(f"test_{i}", group="g" if i % 2 else None),
            started_us=j.STARTED_US + i,
        )
        for i in range(6)
    ]
    result = folded(j.write_journal(tmp_path, *runs), row_limit=4)

    assert result.report is not None
    assert [row["name"] for row in result.report.rows] == ["test_0", "test_2", "test_4", "test_1"]
    assert result.report.outcomes == {"passed": 6}


def test_fold_small_session_has_small_blocks(tmp_path: Path, ask: Ask) -> None:
    path = session_file(folded(j.write_journal(tmp_path, j.run_lines("test_a", [10]))))

    assert ask(path, "SELECT block_size FROM pragma_database_size()") == [(16384,)]


def test_fold_file_says_what_it_is(tmp_path: Path, ask: Ask) -> None:
    path = session_file(folded(j.write_journal(tmp_path, j.run_lines("test_a", [10]))))

    facts: dict[str, str] = dict(ask(path, "SELECT key, value FROM meta"))

    assert facts["format"] == "pytest-benchdb"
    assert facts["file_kind"] == "session"
    assert facts["schema_version"].isdecimal()
