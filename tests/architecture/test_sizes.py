"""Modules and functions stay short enough to be read in one go."""

import ast
import statistics
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "pytest_benchdb"
MODULES = sorted(SOURCE.rglob("*.py"))
MEDIAN_LINES = 150
MODULE_LINES = 400
FUNCTION_LINES = 60


def lines_of(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def functions_of(path: Path) -> list[tuple[str, int]]:
    """Return the name and the length in lines, decorators left out, of every function of a module."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [
        (node.name, (node.end_lineno or node.lineno) - node.lineno + 1)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def test_modules_median_length_is_within_the_bar() -> None:
    lengths = [length for path in MODULES if (length := lines_of(path)) > 1]

    assert statistics.median(lengths) <= MEDIAN_LINES


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_module_length_is_within_the_bar(path: Path) -> None:
    assert lines_of(path) <= MODULE_LINES


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_module_functions_are_within_the_bar(path: Path) -> None:
    too_long = [(name, length) for name, length in functions_of(path) if length > FUNCTION_LINES]

    assert too_long == []
