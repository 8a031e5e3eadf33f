"""Names say what a thing is: no drawers for everything, no versions in names."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted(path for folder in ("src", "tests", "benchmarks") for path in (ROOT / folder).rglob("*.py"))
DRAWER = re.compile(r"(^|_)(utils?|helpers?|common|managers?|misc)(_|$)")
VERSION = re.compile(r"_(v\d+|new|old|fixed|enhanced|final)$")
DRAWER_CLASS = re.compile(r"(Utils?|Helpers?|Managers?)$")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_module_name_says_what_is_in_it(path: Path) -> None:
    names = [*path.relative_to(ROOT).parts[:-1], path.stem]

    assert [name for name in names if DRAWER.search(name) or VERSION.search(name)] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_class_name_says_what_it_is(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))

    classes = [node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]

    assert [name for name in classes if DRAWER_CLASS.search(name)] == []
