"""TOML files: one reader, one answer to a broken one."""

from pathlib import Path

import pytest

from pytest_benchdb.environment.toml_files import benchdb_table, project_name, read_toml
from pytest_benchdb.errors import ConfigError


@pytest.fixture
def pyproject(tmp_path: Path) -> Path:
    return tmp_path / "pyproject.toml"


@pytest.mark.parametrize("content", [None, b"", b"[tool.other]\nx = 1\n", b"[tool.other\n", b"# tool.benchdb: \xff\n"])
def test_file_without_our_table_has_no_settings(pyproject: Path, content: bytes | None) -> None:
    if content is not None:
        pyproject.write_bytes(content)

    assert benchdb_table(pyproject) == {}


def test_our_table_is_read(pyproject: Path) -> None:
    pyproject.write_text('[tool.benchdb]\ndb = "results"\n')

    assert benchdb_table(pyproject) == {"db": "results"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[tool.benchdb\n", "is not valid TOML"),
        ("tool.benchdb = 3\n", "benchdb is 3; write a table"),
        ("tool.benchdb = yes\n", "is not valid TOML"),
    ],
)
def test_broken_settings_are_refused_with_the_file(pyproject: Path, content: str, words: str) -> None:
    pyproject.write_text(content)

    with pytest.raises(ConfigError, match=words) as raised:
        benchdb_table(pyproject)

    assert str(raised.value).startswith(str(pyproject))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "No such file or directory; name a file that exists"),
        (b"[[rule", "is not valid TOML .*; write rules"),
        (b"\xff", r"is not valid TOML \(it is not UTF-8\); write rules"),
    ],
)
def test_file_of_an_option_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes | None, words: str) -> None:
    file = tmp_path / "rules.toml"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(ConfigError, match=f"^--decide .*rules.toml.*{words}"):
        read_toml(file, "--decide", "write rules")


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ('[project]\nname = "yarl"\n', "yarl"),
        ('project = "yarl"\n', None),
        ("[project]\nname = 3\n", None),
        ("[project", None),
        ("", None),
    ],
)
def test_project_name_is_the_declared_one(pyproject: Path, content: str, name: str | None) -> None:
    pyproject.write_text(content)

    assert project_name(pyproject.parent) == name
