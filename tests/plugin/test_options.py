"""Options, their places and their precedence; PATH; bad values."""

import contextlib
import sqlite3
from pathlib import Path

import duckdb
import pytest
from tests.plugin.conftest import UNUSED
from tests.plugin.recorded import FAST, Record, Recorded

ONE = "def test_a(benchmark):\n    benchmark(len, 'abc')"


def label_of(recorded: Recorded) -> object:
    return recorded.one("SELECT label FROM session")[0]


@pytest.mark.long
def test_precedence_is_command_line_variable_pyproject_ini(
    record_here: Record, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makefile(".toml", pyproject='[tool.benchdb]\nlabel = "pyproject"\n')
    pytester.makeini("[pytest]\nbenchdb_label = ini\n")

    monkeypatch.setenv("BENCHDB_LABEL", "variable")
    assert label_of(record_here(ONE, "--benchdb-label=option", path="a")) == "option"
    assert label_of(record_here(ONE, path="b")) == "variable"
    monkeypatch.delenv("BENCHDB_LABEL")
    assert label_of(record_here(ONE, path="c")) == "pyproject"
    Path("pyproject.toml").unlink()
    assert label_of(record_here(ONE, path="d")) == "ini"
    Path("tox.ini").unlink()
    assert label_of(record_here(ONE, path="e")) is None


def test_tags_and_note_are_stored(record_here: Record) -> None:
    recorded = record_here(ONE, "--benchdb-tag=machine=lab3", "--benchdb-tag", "k=a=b", "--benchdb-note=first")

    assert recorded.one("SELECT tags['machine'], tags['k'], note FROM session") == ("lab3", "a=b", "first")


@pytest.mark.long
def test_record_in_the_configuration_records_every_run(pytester: pytest.Pytester, record_here: Record) -> None:
    pytester.makefile(".toml", pyproject='[tool.benchdb]\nrecord = true\ndb = "kept"\n')
    pytester.makepyfile(test_suite=ONE)

    pytester.runpytest_subprocess()

    assert len(list(Path("kept").glob("*.duckdb"))) == 1


@pytest.mark.long
def test_no_benchdb_wins_over_the_configuration_and_touches_no_file(pytester: pytest.Pytester) -> None:
    pytester.makefile(".toml", pyproject='[tool.benchdb]\nrecord = true\ndb = "kept"\n')
    pytester.makepyfile(test_suite=ONE)

    result = pytester.runpytest_subprocess("--no-benchdb", "--benchdb=other")

    result.assert_outcomes(passed=1)
    assert not Path("kept").exists()
    assert not Path("other").exists()


def test_benchdb_without_a_path_records_into_the_default_folder(pytester: pytest.Pytester, record_here: Record) -> None:
    pytester.makepyfile(test_suite=ONE)

    pytester.runpytest_subprocess(*UNUSED, *FAST, "--benchdb")

    assert len(list(Path(".benchdb").glob("*.duckdb"))) == 1


def test_collect_only_records_nothing(record_here: Record) -> None:
    assert not record_here(ONE, "--collect-only").folder.exists()


def test_no_benchmark_leaves_no_file(record_here: Record) -> None:
    recorded = record_here("def test_plain():\n    pass")

    assert not recorded.folder.exists()
    assert "no benchmark ran" in recorded.text


def test_all_records_plain_tests_with_one_round(record_here: Record) -> None:
    recorded = record_here(
        """
        import time
        import unittest

        def test_plain():
            time.sleep(0.05)

        class TestCase(unittest.TestCase):
            def test_method(self):
                pass

        def test_fails():
            raise ValueError("on purpose")
        """,
        "--benchdb-all",
    )

    assert recorded.outcomes() == {"test_plain": "passed", "test_method": "passed", "test_fails": "failed"}
    value, n = recorded.one(
        "SELECT value, n FROM measurement JOIN benchmark USING (benchmark_id)"
        " WHERE metric = 'wall_time' AND function = 'test_plain'"
    )
    assert n == 1
    assert 0.05 <= value < 0.5


def test_no_raw_keeps_the_statistics_only(record_here: Record) -> None:
    recorded = record_here(ONE, "--no-benchdb-raw")

    assert recorded.one("SELECT count(*) FROM round_chunk") == (0,)
    assert recorded.one("SELECT n >= 3 AND median > 0 FROM measurement WHERE metric = 'wall_time'") == (True,)


def test_markers_label_a_benchmark(record_here: Record) -> None:
    recorded = record_here(
        """
        import pytest

        pytestmark = pytest.mark.benchdb(model="bert", precision="fp32")

        @pytest.mark.benchdb(precision="fp16", batch_size=8, version="v1", framework="torch", workload="inference")
        def test_a(benchmark):
            benchmark(len, "abc")
        """,
        "--strict-markers",
    )

    assert recorded.one("SELECT precision, batch_size, workload FROM run") == ("fp16", 8, "inference")
    assert recorded.one("SELECT name FROM model") == ("bert",)
    assert recorded.one("SELECT version, precision FROM model_version") == ("v1", "fp16")
    assert recorded.one("SELECT name FROM framework") == ("torch",)
    assert recorded.one("SELECT model, hardware IS NOT NULL, throughput > 0 FROM benchmark_performance") == (
        "bert",
        True,
        True,
    )


@pytest.mark.parametrize(
    ("marker", "words"),
    [
        ("modle='bert'", "has no argument 'modle'"),
        ("batch_size='8'", "batch_size='8') is not a whole number"),
        ("'bert'", "takes names, not 'bert'"),
    ],
    ids=["name", "type", "positional"],
)
def test_marker_with_a_wrong_argument_is_an_error_of_that_test_alone(
    record_here: Record, marker: str, words: str
) -> None:
    recorded = record_here(
        f"""
        import pytest

        @pytest.mark.benchdb({marker})
        def test_a(benchmark):
            benchmark(len, "abc")

        def test_b(benchmark):
            benchmark(len, "abc")
        """
    )

    recorded.result.assert_outcomes(passed=1, errors=1)
    assert words in recorded.text
    assert recorded.outcomes() == {"test_a": "error", "test_b": "passed"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--benchdb", "tests"], "pytest --benchdb=.benchdb tests"),
        (["--benchdb=tests/test_suite.py"], "pytest --benchdb=.benchdb tests/test_suite.py"),
        (["--benchdb=tests/test_suite.py::test_a"], "is a test, not a database"),
        (["--benchdb=notes.txt"], "an existing file that is not a .duckdb or .db file"),
        (["--benchdb", "--benchdb-tag=novalue"], "has no '='"),
        (["--benchdb", "--benchdb-report=report.docx"], "give a .md, .json, .csv or .html file"),
    ],
    ids=["folder-of-tests", "test-file", "node-id", "other-file", "tag", "report"],
)
def test_bad_option_is_a_usage_error_with_the_command_that_was_meant(
    pytester: pytest.Pytester, arguments: list[str], words: str
) -> None:
    Path("tests").mkdir()
    Path("tests/test_suite.py").write_text("def test_a():\n    pass\n")
    Path("notes.txt").write_text("mine")

    result = pytester.runpytest_subprocess(*arguments)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert words in str(result.stderr)
    assert "Traceback" not in str(result.stderr)
    assert sorted(path.name for path in Path("tests").iterdir() if not path.name.startswith("__")) == ["test_suite.py"]


def test_unknown_key_in_pyproject_is_a_usage_error(pytester: pytest.Pytester) -> None:
    pytester.makefile(".toml", pyproject='[tool.benchdb]\nlable = "x"\n')

    result = pytester.runpytest_subprocess()

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "unknown key 'lable'" in str(result.stderr)


def test_broken_pyproject_with_our_table_is_a_usage_error(pytester: pytest.Pytester) -> None:
    pytester.makefile(".toml", pyproject="[tool.benchdb]\nrecord = yes\n")
    Path("pytest.ini").write_text("[pytest]\n")  # pytest then leaves pyproject.toml alone

    result = pytester.runpytest_subprocess("-c", "pytest.ini")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "pyproject.toml is not valid TOML" in str(result.stderr)


@pytest.mark.long
def test_file_path_takes_one_session_more_each_time(record_here: Record, pytester: pytest.Pytester) -> None:
    for _ in range(2):
        record_here(ONE, path="all.duckdb")

    with duckdb.connect("all.duckdb", read_only=True) as connection:
        assert connection.execute("SELECT count(*), count(DISTINCT session_id) FROM run").fetchone() == (2, 2)
    assert not Path("all.duckdb.inbox").exists()


def test_file_that_is_not_ours_leaves_the_exit_status_and_the_data(record_here: Record) -> None:
    with contextlib.closing(sqlite3.connect("other.db")) as connection:
        connection.execute("CREATE TABLE theirs (a)")
    before = Path("other.db").read_bytes()

    recorded = record_here(ONE, path="other.db")

    assert recorded.result.ret == 0
    assert "other.db" in recorded.text
    assert "Traceback" not in recorded.text
    assert Path("other.db").read_bytes() == before
    assert len(list(Path("other.db.inbox").glob("*.duckdb"))) == 1


def test_strict_fails_the_run_when_the_file_cannot_take_it(record_here: Record) -> None:
    Path("other.db").write_bytes(b"not a database at all" * 100)

    recorded = record_here(ONE, "--benchdb-strict", path="other.db")

    assert recorded.result.ret == 1
    recorded.result.assert_outcomes(passed=1)


@pytest.mark.parametrize(
    "option",
    [
        "--benchdb-label=x",
        "--benchdb-tag=k=v",
        "--benchdb-report=report.md",
        "--benchdb-json=own.json",
        "--benchdb-fail-on=time:5%",
        "--benchdb-all",
        "--benchdb-passes=memory",
        "--no-benchdb-raw",
        "--benchdb-strict",
    ],
)
def test_option_that_needs_a_recording_turns_it_on(pytester: pytest.Pytester, option: str) -> None:
    pytester.makepyfile(test_suite=ONE)

    result = pytester.runpytest_subprocess(*UNUSED, *FAST, option)

    assert result.ret == 0
    assert len(list(Path(".benchdb").glob("2*.duckdb"))) == 1


@pytest.mark.parametrize(
    ("arguments", "ini", "variables"),
    [
        ([], "benchdb_label = x\nbenchdb_fail_on = time:5%", {}),
        (["--benchdb-backends=cpu"], "", {}),
        (["--no-benchdb", "--benchdb-label=x"], "", {}),
        ([], "", {"BENCHDB_LABEL": "x", "BENCHDB_REPORT": "report.md"}),
    ],
    ids=["ini", "backends", "off", "variables"],
)
def test_setting_for_all_runs_turns_nothing_on(
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    ini: str,
    variables: dict[str, str],
) -> None:
    pytester.makepyfile(test_suite=ONE)
    pytester.makeini(f"[pytest]\n{ini}\n")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    result = pytester.runpytest_subprocess(*UNUSED, *FAST, *arguments)

    assert result.ret == 0
    assert not Path(".benchdb").exists()
    line = "benchdb: not recording, so BENCHDB_LABEL and BENCHDB_REPORT do nothing; --benchdb records"
    assert (line in result.outlines) is bool(variables)


@pytest.mark.parametrize("arguments", [["--benchdb-confirm=1"], ["--benchdb", "--benchdb-baseline=latest"]])
def test_option_of_a_gate_without_a_limit_is_refused(pytester: pytest.Pytester, arguments: list[str]) -> None:
    pytester.makepyfile(test_suite=ONE)

    result = pytester.runpytest_subprocess(*UNUSED, *arguments)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "no limit is set; give one too: --benchdb-fail-on=time:5%" in str(result.stderr)
    assert not Path(".benchdb").exists()


def test_option_of_a_gate_with_a_limit_of_the_configuration_turns_recording_on(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_suite=ONE)
    pytester.makeini("[pytest]\nbenchdb_fail_on = time:5%\n")

    result = pytester.runpytest_subprocess(*UNUSED, *FAST, "--benchdb-confirm=0")

    assert "benchdb gate" in str(result.stdout)
