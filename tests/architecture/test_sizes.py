"""Modules are whole subjects that can be read in one go, and folders are rooms that can be overlooked."""

import ast
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "pytest_benchdb"
MODULES = sorted(SOURCE.rglob("*.py"))
MODULE_LINES = 500
FUNCTION_LINES = 60
FOLDER_MODULES = 16
SLICE_CODE_LINES = 40
# Small modules with a single importer in their own folder, each with the reason why it is one of its own.
SLICES = {
    "measure/stream/synthetic.py": "users call it, and nothing here does but the package that gives it to them",
}


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def name_of(path: Path) -> str:
    """Return the dotted name of a module; a package's is that of its folder."""
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def code_lines(tree: ast.Module) -> int:
    """Return how many lines hold code: not blank, no comment, no docstring."""
    lines: set[int] = set()
    for node in ast.walk(tree):
        is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if isinstance(node, ast.stmt) and not is_docstring:
            first_of_body = getattr(node, "body", None)
            end = first_of_body[0].lineno - 1 if first_of_body else node.end_lineno or node.lineno
            lines.update(range(node.lineno, end + 1))
    return len(lines)


def importers() -> dict[Path, set[Path]]:
    """Return the modules that import each module, inside functions included."""
    paths = {name_of(path): path for path in MODULES}
    imported_by = defaultdict(set)
    for path in MODULES:
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Import):
                targets = {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                targets = {node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)}
            else:
                continue
            for target in targets & paths.keys():
                imported_by[paths[target]].add(path)
    return imported_by


def test_modules_are_within_the_bar() -> None:
    lengths = {
        path.relative_to(SOURCE).as_posix(): len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES
    }

    assert {name: length for name, length in lengths.items() if length > MODULE_LINES} == {}


def test_functions_are_within_the_bar() -> None:
    offenders = {
        f"{path.relative_to(SOURCE).as_posix()}: {node.name}": length
        for path in MODULES
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES
    }

    assert offenders == {}


def test_folders_hold_few_modules() -> None:
    sizes = Counter(path.parent.relative_to(SOURCE).as_posix() for path in MODULES if path.stem != "__init__")

    assert {folder: size for folder, size in sizes.items() if size > FOLDER_MODULES} == {}


def test_modules_are_no_slices_of_their_only_importer() -> None:
    slices = {
        path.relative_to(SOURCE).as_posix(): importer.name
        for path, (importer, *others) in importers().items()
        if not others and path.stem != "__init__"
        if importer.parent == path.parent and code_lines(tree_of(path)) < SLICE_CODE_LINES
    }

    assert {name: importer for name, importer in slices.items() if name not in SLICES} == {}
    assert {name for name in SLICES if name not in slices} == set()
