"""Docstrings of public functions name the exceptions that the functions raise themselves."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "src" / "pytest_benchdb").rglob("*.py"))
FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)
# Raised to say that a class leaves something to others, which no caller handles.
UNDOCUMENTED = {"NotImplementedError"}


def public_functions(parent: ast.Module | ast.ClassDef) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield the functions and methods that other modules may call; setters have no docstring of their own."""
    for node in parent.body:
        if isinstance(node, FUNCTION):
            setter = any(
                isinstance(decorator, ast.Attribute) and decorator.attr == "setter" for decorator in node.decorator_list
            )
            if node.name.startswith("_") or setter:
                continue
            yield node
        elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from public_functions(node)


def raised_by(node: ast.AST) -> set[str]:
    """Return the exception classes that a function raises by name, without those of nested functions."""
    names: set[str] = set()
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (*FUNCTION, ast.Lambda, ast.ClassDef)):
            continue
        if isinstance(child, ast.Raise):
            raised = child.exc.func if isinstance(child.exc, ast.Call) else child.exc
            name = raised.attr if isinstance(raised, ast.Attribute) else getattr(raised, "id", "")
            if name[:1].isupper():  # `raise error` hands on what another function made
                names.add(name)
        names |= raised_by(child)
    return names


def undocumented(source: str) -> list[str]:
    """Return ``function: Exception`` for each exception of a public function that its docstring does not name."""
    offenders = []
    for function in public_functions(ast.parse(source)):
        section = re.search(r"^Raises:\n(?P<names>.*)", ast.get_docstring(function) or "", re.MULTILINE | re.DOTALL)
        documented = re.findall(r"^    ([\w.]+)(?:, [\w., ]+)?:", section["names"], re.MULTILINE) if section else []
        missing = raised_by(function) - {name.rpartition(".")[2] for name in documented} - UNDOCUMENTED
        offenders += [f"{function.name}: {name}" for name in sorted(missing)]
    return offenders


def test_undocumented_exceptions_are_those_that_public_functions_raise_themselves() -> None:
    source = '''
def documented():
    """Fail.

    Raises:
        ValueError: always.
    """
    raise ValueError("always")


def missing(error):
    """Fail."""
    if error:
        raise error
    raise click.UsageError


def _private():
    """Fail."""
    raise ValueError


class Public:
    def method(self):
        """Fail."""

        def nested():
            raise KeyError

        raise TypeError
'''

    assert undocumented(source) == ["missing: UsageError", "method: TypeError"]


def test_public_functions_document_what_they_raise() -> None:
    offenders = {
        path.relative_to(ROOT).as_posix(): names
        for path in MODULES
        if (names := undocumented(path.read_text(encoding="utf-8")))
    }

    assert offenders == {}
