"""Runs commands of `benchdb` in a process of their own: they read the database, and pytest's process loads no DuckDB.

PYTEST_DONT_REWRITE
"""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from pytest_benchdb.plugin.settings import DEFAULT_PATH
from pytest_benchdb.store.fold_process import FoldResult
from pytest_benchdb.store.target import Target

# Like `python -m pytest_benchdb`, but without the working directory in ``sys.path``, where a file of the project could
# shadow a library.
_BOOT = f"import sys, runpy; del sys.path[0]; runpy.run_module({__package__.partition('.')[0]!r}, run_name='__main__')"


def run_benchdb(
    words: Sequence[str], folder: Path, variables: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[bytes]":
    """Run a command in a folder, with `variables` besides this process's own.

    Raises:
        OSError: the interpreter cannot be started.
    """
    environ = {name: text for name, text in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
    return subprocess.run(
        [sys.executable, "-c", _BOOT, *words],
        cwd=folder,
        env={**environ, **(variables or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )


def database_with(result: FoldResult, target: Target) -> Path:
    """Return the database that has a stored session: its target, or the session's file if that is elsewhere."""
    is_in = result.path == target.path or target.path in result.path.parents or target.kind != "folder"
    return target.path if is_in else result.path


def shown_path(path: Path, config: pytest.Config) -> str:
    """Return a path as the user would type it."""
    relative = os.path.relpath(path, config.invocation_params.dir)
    return str(path) if relative.startswith("..") else relative


def database_words(path: Path, config: pytest.Config) -> list[str]:
    """Return the words by which the user names a database to a command; none for the default one."""
    shown = shown_path(path, config)
    return [] if shown == DEFAULT_PATH else ["--db", shown]


def last_line(errors: bytes) -> str:
    """Return the last line that a command wrote to its standard error, without the name of the program."""
    lines = errors.decode("utf-8", "replace").strip().splitlines()
    return lines[-1].removeprefix("benchdb: ") if lines else ""
