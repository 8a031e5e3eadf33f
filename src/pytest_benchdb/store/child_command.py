"""Builds the command of a child process that runs one function of ours: starting it costs as little as it can."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any


def child_command(function: Callable[..., Any], *arguments: object) -> list[str]:
    """Return the command that calls a function in a fresh interpreter, without `site` and with this ``sys.path``.

    Args:
        function: a function of a module, found by its name.
        arguments: values that `repr` writes as Python.

    Raises:
        FileNotFoundError: the path of the interpreter is unknown.
    """
    if not sys.executable:
        raise FileNotFoundError("python")
    path = [*map(str, sys.path), str(Path(__file__).parents[2])]
    name = function.__name__
    boot = f"import sys\nsys.path[:] = {path!r}\nfrom {function.__module__} import {name}\n{name}(*{arguments!r})\n"
    # -I: neither PYTHON* variables nor the current folder may change what the child loads.
    return [sys.executable, "-I", "-S", "-c", boot]
