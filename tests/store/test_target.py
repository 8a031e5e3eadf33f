import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.store.target import how_to_record, make_folder, resolve

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


@not_windows
def test_resolve_refuses_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    os.mkfifo(tmp_path / "pipe.duckdb")
    (tmp_path / "link").symlink_to("nothing")
    (tmp_path / "loop").symlink_to("loop")

    for name, words in (
        ("pipe", "a pipe, a socket or a device; give a folder or a .duckdb file"),
        ("pipe.duckdb", "a pipe, a socket or a device"),
        ("/dev/null", "a pipe, a socket or a device"),
        ("link", "a link to nothing"),
        ("loop", "a link to nothing"),
    ):
        with pytest.raises(ConfigError, match=words):
            resolve(name, tmp_path)


@not_windows
def test_resolve_takes_links_to_folders_and_to_files_that_are_yet_to_be_made(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "folder").symlink_to("real")
    (tmp_path / "file.duckdb").symlink_to("new.duckdb")

    assert resolve("folder", tmp_path).kind == "folder"
    assert resolve("file.duckdb", tmp_path).kind == "file"


@not_windows
def test_resolve_takes_a_folder_without_permission_because_the_journal_goes_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir()
    tmp_path.chmod(0o755)
    program = (
        "import os, sys, pathlib\n"
        "from pytest_benchdb.store.target import resolve\n"
        "os.chmod(sys.argv[1] + '/closed', 0)\n"
        "if os.geteuid() == 0: os.seteuid(65534)\n"
        "os.chdir('/')\n"
        "print(*(resolve(name, pathlib.Path(sys.argv[1])).kind for name in ('closed', 'closed/x', 'closed/x.db')))\n"
    )

    done = subprocess.run([sys.executable, "-c", program, tmp_path], capture_output=True, text=True, check=True)

    assert done.stdout == "folder folder file\n"


def test_resolve_variables_and_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("WHERE", "there")

    assert resolve("~/$WHERE", Path("/elsewhere")).path == tmp_path / "there"


@pytest.mark.parametrize(
    ("name", "ignored"), [(".benchdb", True), (".benchdb-duet", True), ("results", False), (".results", False)]
)
def test_only_default_folders_keep_themselves_out_of_git(tmp_path: Path, name: str, ignored: bool) -> None:
    make_folder(tmp_path / "new" / name)

    assert (tmp_path / "new" / name / ".gitignore").exists() is ignored


def test_folder_that_exists_gets_no_gitignore(tmp_path: Path) -> None:
    folder = tmp_path / ".benchdb"
    make_folder(folder)
    (folder / ".gitignore").unlink()

    make_folder(folder)

    assert list(folder.iterdir()) == []


def test_default_folder_is_not_seen_by_git(tmp_path: Path) -> None:
    make_folder(tmp_path / ".benchdb")
    (tmp_path / ".benchdb" / "some.duckdb").touch()
    run = partial(subprocess.run, cwd=tmp_path, check=True, capture_output=True, text=True)
    run(["git", "init", "-q"])

    assert run(["git", "status", "--porcelain", "-uall"]).stdout == ""


def test_folder_of_a_file_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / ".benchdb").touch()

    with pytest.raises(FileExistsError):
        make_folder(tmp_path / ".benchdb")


@pytest.mark.parametrize(
    ("path", "command"),
    [
        (".benchdb", "pytest --benchdb"),
        ("results", "pytest --benchdb=results"),
        ("my results", "pytest --benchdb='my results'"),
        ("all.duckdb", "pytest --benchdb=all.duckdb"),
        ("tests/test_a.py", "pytest --benchdb"),
        ("src", "pytest --benchdb"),
    ],
)
def test_advice_on_recording_is_never_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, command: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "module.py").touch()

    assert how_to_record(Path(path)) == command
