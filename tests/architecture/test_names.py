"""Names say what a thing is: no drawers for everything, no versions in names."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILES = sorted(path for folder in ("src", "tests", "benchmarks") for path in (ROOT / folder).rglob("*.py"))
DRAWER = re.compile(r"(^|_)(utils?|helpers?|common|managers?|misc)(_|$)")
VERSION = re.compile(r"_(v\d+|new|old|fixed|enhanced|final)$")
DRAWER_CLASS = re.compile(r"^ *class (\w*(?:Utils?|Helpers?|Managers?))\b", re.MULTILINE)


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
        f"{path.relative_to(ROOT).as_posix()}: {name}"
        for path in FILES
        for name in DRAWER_CLASS.findall(path.read_text(encoding="utf-8"))
    ]

    assert offenders == []
