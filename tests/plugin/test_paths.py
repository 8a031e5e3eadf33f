"""PATHs that are no places for sessions are refused in one line, and links lead where they lead."""

import os
from pathlib import Path

import pytest
from tests.plugin.recorded import Record

QUICK = "def test_quick(benchmark):\n    benchmark(len, 'abc')"

pytestmark = pytest.mark.skipif(os.name == "nt", reason="files and names of POSIX")


@pytest.mark.parametrize("path", ["pipe.duckdb", "~no-such-user/x", "back\\slash", "x" * 300, "/dev/null"])
def test_path_that_cannot_be_used_is_refused_before_the_first_test(record: Record, path: str) -> None:
    os.mkfifo("pipe.duckdb")

    recorded = record(QUICK, path=path)

    assert recorded.result.ret == pytest.ExitCode.USAGE_ERROR
    assert "INTERNALERROR" not in recorded.text
    assert len([line for line in recorded.text.splitlines() if line.startswith("ERROR: --benchdb=")]) == 1


def test_link_to_a_file_that_is_yet_to_be_made_stays_a_link(record: Record) -> None:
    Path("link.duckdb").symlink_to("new.duckdb")

    recorded = record(QUICK, path="link.duckdb")

    assert recorded.result.ret == 0
    assert Path("link.duckdb").is_symlink()
    assert Path("new.duckdb").is_file()


@pytest.mark.parametrize("path", ["red\x1b[31m", "red\x1b[31m.csv"])
def test_control_characters_of_names_reach_no_terminal(record: Record, path: str) -> None:
    recorded = record(QUICK, "--benchdb-report=out\x1b[31m.md", path=path)

    assert recorded.result.ret == (pytest.ExitCode.USAGE_ERROR if path.endswith("csv") else 0)
    assert r"red\x1b[31m" in recorded.text
    assert "\x1b" not in recorded.text
