"""Find the file and line of benchmarks in a checkout, by parsing the source and never importing it."""

import ast
import warnings
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from pytest_benchdb.model.benchmark import Location

LARGEST = 2_000_000
"""Size limit in bytes of a file to parse; larger tests are generated code."""

_NAMED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def locate(fullnames: Iterable[str], folder: Path) -> dict[str, Location]:
    """Find benchmarks in the checkout that a folder belongs to.

    Args:
        fullnames: path, classes and function as stored: ``tests/test_a.py::TestB::test_c[d]``.
        folder: the user's working folder: the project's root, or one below it.

    Returns:
        Locations by full name, with paths relative to the checkout's root; benchmarks not found are left out.
    """
    checkout = _checkout(folder.absolute())
    files: dict[str, tuple[str, Mapping[str, int]] | None] = {}
    locations: dict[str, Location] = {}
    for fullname in fullnames:
        file, _, names = fullname.partition("::")
        if file not in files:
            files[file] = _file(file, folder.absolute(), checkout)
        definitions = files[file]
        if definitions is None:
            continue
        path, lines = definitions
        line = _line(names, lines)
        if line is not None:
            locations[fullname] = Location(file=path, line=line)
    return locations


def _checkout(folder: Path) -> Path:
    """Return the root of the git checkout, or the folder itself outside of one."""
    for parent in (folder, *folder.parents):
        if (parent / ".git").exists():  # a file in worktrees and submodules
            return parent
    return folder


def _file(file: str, folder: Path, checkout: Path) -> tuple[str, Mapping[str, int]] | None:
    """Return a file's path relative to the checkout's root, and the lines of its definitions."""
    relative = PurePosixPath(file)
    if not file or "\0" in file or relative.is_absolute() or ".." in relative.parts:
        return None
    for root in (folder, *folder.parents):
        path = root / relative
        lines = _definitions(path)
        if lines is not None:
            return path.relative_to(checkout).as_posix(), lines
        if root == checkout:
            break
    return None


def _definitions(path: Path) -> Mapping[str, int] | None:
    try:
        if not path.is_file() or path.stat().st_size > LARGEST:
            return None
        source = path.read_bytes()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes in other people's strings
            tree = ast.parse(source)
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return dict(_walk(tree, ""))


def _walk(scope: ast.AST, prefix: str) -> Iterator[tuple[str, int]]:
    """Yield a scope's definitions in source order, so that later ones win, as in Python."""
    for node in ast.iter_child_nodes(scope):
        if isinstance(node, _NAMED):
            name = f"{prefix}{node.name}"
            yield name, node.lineno
            if isinstance(node, ast.ClassDef):
                yield from _walk(node, f"{name}::")
        elif isinstance(node, ast.If | ast.Try | ast.With | ast.ExceptHandler):
            yield from _walk(node, prefix)


def _line(names: str, lines: Mapping[str, int]) -> int | None:
    """Return the line of a test, or of its class if the test is inherited."""
    name = names.partition("[")[0]
    while name:
        if name in lines:
            return lines[name]
        name = name.rpartition("::")[0]
    return None
