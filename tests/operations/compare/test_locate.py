"""File and line of benchmarks, from the source alone."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_benchdb.model.benchmark import Location
from pytest_benchdb.operations.compare import locate as module
from pytest_benchdb.operations.compare.locate import locate

SOURCE = """\
import os
raise SystemExit("never imported")

@decorated(
    1,
)
def test_plain(benchmark):
    def test_inner(): ...

class TestA:
    class TestB:
        async def test_deep(self): ...
    def test_method(self): ...

if os.name == "nt":
    def test_conditional(): ...
else:
    def test_otherwise(): ...
try:
    pass
except ImportError:
    def test_fallback(): ...

def test_twice(): ...
def test_twice(): ...
"""

Lines = Callable[..., "dict[str, int | None]"]


@pytest.fixture
def lines(tmp_path: Path) -> Lines:
    """Return the lines of names in one file of a checkout."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_a.py").write_text(SOURCE, encoding="utf-8")

    def find(*names: str) -> dict[str, int | None]:
        found = locate([f"tests/test_a.py::{name}" for name in names], tmp_path)
        assert {place.file for place in found.values()} <= {"tests/test_a.py"}
        return {name: place.line if (place := found.get(f"tests/test_a.py::{name}")) else None for name in names}

    return find


def test_locate_functions_and_methods_finds_the_line_of_def(lines: Lines) -> None:
    assert lines("test_plain", "TestA::TestB::test_deep", "TestA::test_method") == {
        "test_plain": 7,
        "TestA::TestB::test_deep": 12,
        "TestA::test_method": 13,
    }


def test_locate_parametrised_names_cuts_the_parameters(lines: Lines) -> None:
    assert lines("test_plain[a::b[1]-x/y.py]", "TestA::test_method[1]") == {
        "test_plain[a::b[1]-x/y.py]": 7,
        "TestA::test_method[1]": 13,
    }


def test_locate_definitions_in_branches_finds_them(lines: Lines) -> None:
    assert lines("test_conditional", "test_otherwise", "test_fallback") == {
        "test_conditional": 16,
        "test_otherwise": 18,
        "test_fallback": 22,
    }


def test_locate_a_name_defined_twice_finds_the_one_that_counts(lines: Lines) -> None:
    assert lines("test_twice") == {"test_twice": 25}


def test_locate_an_inherited_test_finds_its_class(lines: Lines) -> None:
    assert lines("TestA::test_of_a_base[x]") == {"TestA::test_of_a_base[x]": 10}


def test_locate_what_is_not_there_finds_nothing(lines: Lines) -> None:
    names = ("test_absent", "test_inner", "", "TestZ::test_method", "[")

    assert lines(*names) == dict.fromkeys(names)


def test_locate_from_a_project_below_the_checkout_returns_paths_from_its_root(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("gitdir: elsewhere", encoding="utf-8")
    project = tmp_path / "packages" / "p"
    (project / "src").mkdir(parents=True)
    (project / "test_a.py").write_text("def test_x(): ...\n", encoding="utf-8")

    expected = {"test_a.py::test_x": Location(file="packages/p/test_a.py", line=1)}
    assert locate(["test_a.py::test_x"], project) == expected
    assert locate(["test_a.py::test_x"], project / "src") == expected


def test_locate_outside_of_a_checkout_looks_in_the_folder_only(tmp_path: Path) -> None:
    (tmp_path / "test_a.py").write_text("def test_x(): ...\n", encoding="utf-8")
    (tmp_path / "sub").mkdir()

    assert locate(["test_a.py::test_x"], tmp_path) == {"test_a.py::test_x": Location(file="test_a.py", line=1)}
    assert locate(["test_a.py::test_x"], tmp_path / "sub") == {}


@pytest.mark.parametrize(
    "content",
    [b"def test_x(:\n", b"def test_x(): ...\n\x00", b"\xff\xfe\xff", b"# coding: no-such\ndef test_x(): ...\n"],
    ids=["syntax", "null", "bytes", "coding"],
)
def test_locate_in_a_file_that_does_not_parse_finds_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "test_a.py").write_bytes(content)

    assert locate(["test_a.py::test_x"], tmp_path) == {}


def test_locate_in_deeply_nested_code_finds_nothing(tmp_path: Path) -> None:
    (tmp_path / "test_a.py").write_text("def test_x(): ...\nx = " + "(" * 100_000 + ")" * 100_000, encoding="utf-8")

    assert locate(["test_a.py::test_x"], tmp_path) == {}


def test_locate_in_a_file_above_the_limit_does_not_read_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "test_a.py").write_text("def test_x(): ...\n", encoding="utf-8")
    monkeypatch.setattr(module, "LARGEST", 17)

    assert locate(["test_a.py::test_x"], tmp_path) == {}


@pytest.mark.parametrize(
    "file",
    ["../outside.py", "/etc/hostname", "a\0b.py", "", "tests", "x" * 5_000 + ".py", "test_\ud800.py"],
    ids=["above", "absolute", "null", "empty", "folder", "long", "surrogate"],
)
def test_locate_a_path_that_is_none_finds_nothing(tmp_path: Path, file: str) -> None:
    (tmp_path / "outside.py").write_text("def test_x(): ...\n", encoding="utf-8")
    folder = tmp_path / "project"
    (folder / "tests").mkdir(parents=True)

    assert locate([f"{file}::test_x"], folder) == {}
