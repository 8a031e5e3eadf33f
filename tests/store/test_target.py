import os
from pathlib import Path

import pytest

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.store.target import resolve

not_windows = pytest.mark.skipif(os.name == "nt", reason="its paths are not like this")


@pytest.mark.parametrize(
    ("text", "kind", "spool"),
    [
        ("results", "folder", "results"),
        ("results/", "folder", "results"),
        ("a/../b", "folder", "b"),
        ("all.duckdb", "file", "all.duckdb.inbox"),
        ("all.DB", "file", "all.DB.inbox"),
        ("results-1.0", "folder", "results-1.0"),
        ("run:3", "folder", "run:3"),
    ],
)
def test_resolve_new_path_follows_its_ending(tmp_path: Path, text: str, kind: str, spool: str) -> None:
    target = resolve(text, tmp_path)

    assert target.kind == kind
    assert target.spool == tmp_path / spool


@pytest.mark.parametrize(
    "names", [[], [".gitignore"], ["a.duckdb", "README.md"], ["x.journal.jsonl", "test_a.py"], ["history.duckdb"]]
)
def test_resolve_takes_an_empty_folder_and_one_of_sessions(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        (tmp_path / name).touch()

    assert resolve(str(tmp_path), tmp_path).kind == "folder"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("tests", "holds 'test_a.py'"),
        ("tests/test_a.py", "is a test"),
        ("new/test_b.py::test_c", "is a test"),
        ("notes.txt", "not a .duckdb or .db file"),
        ("what?.duckdb", "DuckDB cannot open"),
        pytest.param("back\\slash", "DuckDB cannot open a path that has a backslash", marks=not_windows),
        pytest.param("a\udcff", "characters that are not UTF-8", marks=not_windows),
        ("  ", "empty PATH"),
        ("s3://bucket/x", "not a folder but the address"),
        ("file:///x", "not a folder but the address"),
        ("elasticsearch+http://h", "not a folder but the address"),
        ("md:x", "not a folder but the address"),
        (":memory:", "not a folder but the address"),
        ("results.json", "not a folder but the name of a .json file; give a folder or a .duckdb file"),
        ("a/b.CSV", "not a folder but the name of a .CSV file"),
        ("~no-such-user/x", "knows no user 'no-such-user'"),
        ("x" * 260, "^--benchdb=x{77}...: File name too long; give another PATH$"),
        ("x" * 250 + ".db", "File name too long"),
        ("a/" * 2500, "File name too long"),
        ("a\0b", "null byte"),
    ],
)
def test_resolve_refuses_what_is_not_a_place_for_sessions(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_a.py").touch()
    (tmp_path / "notes.txt").touch()

    with pytest.raises(ConfigError, match=words):
        resolve(text, tmp_path)


def test_resolve_variables_and_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("WHERE", "there")

    assert resolve("~/$WHERE", Path("/elsewhere")).path == tmp_path / "there"
