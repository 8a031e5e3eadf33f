"""Names for code: a function has the same name in two checkouts, and on every version of Python."""

import ast
import linecache
import os
import re
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from types import CodeType
from typing import Any

from pytest_benchdb.model.allocations import Line
from pytest_benchdb.model.profile import TEXT_CHARACTERS, Function

_INNER = re.compile(r"(?:\.<locals>)?\.?<(?:listcomp|setcomp|dictcomp|genexpr)>$")
_PACKAGES = re.compile(r".*/(?:site|dist)-packages/")
_OWN = f"{Path(__file__).parents[2]}{os.sep}"
_CALLERS = ("/_pytest/", "/pluggy/", "/pytest_benchmark/", "/pytest_codspeed/")


def calls_benchmarks(code: CodeType) -> bool:
    """Return whether code is this package's or pytest's: it calls benchmarks, and is not to be counted."""
    return _is_caller(code.co_filename)


def _is_caller(file: str) -> bool:
    return file.startswith(_OWN) or any(part in file.replace(os.sep, "/") for part in _CALLERS)


def is_inner(code: CodeType) -> bool:
    """Return whether code is a comprehension or a generator expression, which belongs to the function around it."""
    return code.co_name in {"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"}


class Namer:
    """Names the functions of a process.

    Files of the project are relative to its top folder, and installed ones to the folder of packages.

    Attributes:
        sources: the path of each file by its name.
    """

    def __init__(self, folder: Path) -> None:
        """Take the folder in which the process works."""
        copies = [parent for parent in (folder, *folder.parents) if (parent / ".git").exists()]
        self._roots = [f"{root}{os.sep}" for root in (*copies[:1], folder)]
        self._library = [f"{sysconfig.get_path(name)}{os.sep}" for name in ("stdlib", "platstdlib")]
        self._functions: dict[CodeType, Function] = {}
        self.sources: dict[str, str] = {}

    def function(self, code: CodeType) -> Function:
        """Return the function of a code object."""
        if code not in self._functions:
            name = _INNER.sub("", qualified_name(code)) or "<module>"
            self._functions[code] = Function(file=self._file(code.co_filename), name=name, line=code.co_firstlineno)
        return self._functions[code]

    def _file(self, name: str) -> str:
        file, _ = self.place(name)
        self.sources[file] = name
        return file

    def place(self, name: str) -> tuple[str, bool]:
        """Return the name of a file, and whether it belongs to the project."""
        path = name.replace(os.sep, "/")
        if _PACKAGES.match(path):
            return _PACKAGES.sub("", path), False
        for root in (*self._roots, *self._library):
            if name.startswith(root):
                return name[len(root) :].replace(os.sep, "/"), root in self._roots
        return path, False


class Lines:
    """Names and numbers the lines of a process, as `Namer` names its functions.

    Attributes:
        lines: by number.
    """

    def __init__(self, folder: Path) -> None:
        """Take the folder in which the process works."""
        self.lines: list[Line] = []
        self._namer = Namer(folder)
        self._numbers: dict[tuple[str, int], int] = {}

    def path(self, frames: Iterable[tuple[str, int]]) -> tuple[int, ...]:
        """Return the numbers of the frames that lie within the benchmark.

        Args:
            frames: file and line of each, from the innermost outwards.
        """
        numbers: list[int] = []
        for file, line in frames:
            if _is_caller(file):
                break
            if (file, line) not in self._numbers:
                self._numbers[file, line] = len(self.lines)
                self.lines.append(self._line(file, line))
            if not numbers or numbers[-1] != self._numbers[file, line]:  # comprehensions belong to their function
                numbers.append(self._numbers[file, line])
        return tuple(numbers)

    def _line(self, file: str, line: int) -> Line:
        name, is_own = self._namer.place(file)
        text = linecache.getline(file, line).strip()[:TEXT_CHARACTERS]
        return Line(name, line, _function_around(file, line), text, is_own)


def c_function(called: Any) -> tuple[str, str]:
    """Return the module and the qualified name of a C function, as it is called."""
    name = getattr(called, "__qualname__", None) or type(called).__qualname__
    module = getattr(called, "__module__", None)
    if not isinstance(module, str):
        owner = getattr(called, "__objclass__", None) or type(getattr(called, "__self__", None))
        module = str(owner.__module__)
    return module, str(name)


def qualified_name(code: CodeType) -> str:
    """Return the qualified name of a code object's function; Python 3.10 does not keep it, so its source is read."""
    if sys.version_info >= (3, 11):
        return code.co_qualname
    return _names_of(code.co_filename).get((code.co_firstlineno, code.co_name), code.co_name)


@cache
def _names_of(file: str) -> dict[tuple[int, str], str]:
    """Return qualified names by first line and name; decorators are part of a function."""
    try:
        tree = ast.parse("".join(linecache.getlines(file)))
    except (SyntaxError, ValueError):
        return {}
    return dict(_walk(tree, ""))


def _walk(node: ast.AST, prefix: str) -> Iterator[tuple[tuple[int, str], str]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef):
            yield from _walk(child, f"{prefix}{child.name}.")
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([child.lineno, *(one.lineno for one in child.decorator_list)])
            yield (first, child.name), f"{prefix}{child.name}"
            yield from _walk(child, f"{prefix}{child.name}.<locals>.")
        elif isinstance(child, ast.Lambda):
            yield (child.lineno, "<lambda>"), f"{prefix}<lambda>"
            yield from _walk(child, f"{prefix}<lambda>.<locals>.")
        else:
            inner = _COMPREHENSIONS.get(type(child))
            if inner is not None:
                yield (child.lineno, inner), f"{prefix}{inner}"  # type: ignore[attr-defined]
            yield from _walk(child, prefix)


_COMPREHENSIONS = {
    ast.ListComp: "<listcomp>",
    ast.SetComp: "<setcomp>",
    ast.DictComp: "<dictcomp>",
    ast.GeneratorExp: "<genexpr>",
}


def _function_around(file: str, line: int) -> str:
    """Return the qualified name of the function that has a line; comprehensions and lambdas belong to it."""
    around = [(first, name) for first, last, name in _extents(file) if first <= line <= last]
    return max(around)[1] if around else "<module>"


@cache
def _extents(file: str) -> list[tuple[int, int, str]]:
    """Return the first and the last line of each function of a file, and its qualified name."""
    try:
        tree = ast.parse("".join(linecache.getlines(file)))
    except (SyntaxError, ValueError):
        return []
    return list(_functions(tree, ""))


def _functions(node: ast.AST, prefix: str) -> Iterator[tuple[int, int, str]]:
    for child in ast.iter_child_nodes(node):
        inner = prefix
        if isinstance(child, ast.ClassDef):
            inner = f"{prefix}{child.name}."
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield child.lineno, child.end_lineno or child.lineno, f"{prefix}{child.name}"
            inner = f"{prefix}{child.name}.<locals>."
        yield from _functions(child, inner)
