"""Folders are rooms: each says what lives there, and its tests are where it is."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "pytest_benchdb"
TESTS = ROOT / "tests"
# Folders of tests about the whole: house rules, contracts of what other packages may add, and hostile input.
OF_THE_WHOLE = {"architecture", "contract", "hostile"}


def test_tests_are_in_the_rooms_of_the_source() -> None:
    folders = {path.parent.relative_to(TESTS) for path in TESTS.rglob("test_*.py")}

    homeless = [folder for folder in sorted(folders) if not (SOURCE / folder).is_dir()]

    assert [folder.as_posix() for folder in homeless if folder.as_posix() not in OF_THE_WHOLE] == []


def test_packages_say_what_lives_there() -> None:
    docstrings = {
        path.parent.relative_to(SOURCE).as_posix(): ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        for path in SOURCE.rglob("__init__.py")
    }

    assert [name for name, text in docstrings.items() if "." not in text or len(text.split()) < 5] == []
