"""Names say what a thing is: no drawers for everything, no versions in names."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILES = sorted(path for folder in ("src", "tests", "benchmarks") for path in (ROOT / folder).rglob("*.py"))
DRAWER = re.compile(r"(^|_)(utils?|helpers?|common|managers?|misc)(_|$)")
VERSION = re.compile(r"_(v\d+|new|old|fixed|enhanced|final)$")
DRAWER_CLASS = re.compile(r"(Utils?|Helpers?|Managers?)$")


def test_module_names_say_what_is_in_them() -> None:
    offenders = [
        path.relative_to(ROOT).as_posix()
        for path in FILES
        for name in [*path.relative_to(ROOT).parts[:-1], path.stem]
        if DRAWER.search(name) or VERSION.search(name)
    ]

    assert offenders == []


def test_class_names_say_what_they_are() -> None:
    offenders = [
        f"{path.relative_to(ROOT).as_posix()}: {node.name}"
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef) and DRAWER_CLASS.search(node.name)
    ]

    assert offenders == []
