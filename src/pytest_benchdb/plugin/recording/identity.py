"""Identifies the benchmark of a pytest item, by a key that is the same in every checkout and process.

PYTEST_DONT_REWRITE
"""

import hashlib
import linecache
import math
import os
import types
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from pytest_benchdb.model.benchmark import Benchmark, Labels
from pytest_benchdb.model.identity import content_id, without_addresses
from pytest_benchdb.model.json_value import json_value

_TEXT_LABELS = frozenset(field.name for field in fields(Labels)) - {"batch_size", "sequence_length"}
_INT_LABELS = frozenset({"batch_size", "sequence_length"})
_NOT_A_LABEL = ("isolate", "max_regression", "gate")
"""Arguments of the marker that set how a test is run or judged."""
_NO_LABELS = Labels()


class Identifier:
    """Identifies the benchmarks of items; caches what the items of one file share."""

    def __init__(self, project: str, root: Path) -> None:
        """Create an identifier for a project; the paths of its benchmarks are relative to `root`."""
        self._project = project
        self._root = str(root)
        self._files: dict[object, str] = {}
        self._code_hashes: dict[types.CodeType, str | None] = {}

    def benchmark(self, item: pytest.Item) -> Benchmark:
        """Return the benchmark of an item, without its group."""
        names = _own_names(item)
        callspec = getattr(item, "callspec", None)
        function = getattr(item, "originalname", None) or item.name.partition("[")[0]
        param_id = None if callspec is None else without_addresses(callspec.id)
        params = None if callspec is None else {name: json_value(value) for name, value in callspec.params.items()}
        return self._benchmark(
            self._file(item.path),
            names,
            function=function,
            param_id=param_id,
            params=params,
            code_hash=self._code_hash(item),
        )

    def benchmark_of_nodeid(self, nodeid: str) -> Benchmark:
        """Return the benchmark of a test whose worker died, from its node id alone."""
        file, _, names = nodeid.partition("::")
        head, bracket, params = names.partition("[")
        function = head.rpartition("::")[2]
        return self._benchmark(
            file, names, function=function, param_id=params[:-1] if bracket else None, params=None, code_hash=None
        )

    def _benchmark(
        self,
        file: str,
        names: str,
        *,
        function: str,
        param_id: str | None,
        params: dict[str, object] | None,
        code_hash: str | None,
    ) -> Benchmark:
        names = without_addresses(names)
        fullname = f"{file}::{names}" if names else file
        head, bracket, tail = names.partition("[")
        classes, _, name = head.rpartition("::")
        return Benchmark(
            benchmark_id=content_id("benchmark", self._project, fullname),
            project=self._project,
            fullname=fullname,
            file=file,
            class_name=classes or None,
            function=function,
            name=name + bracket + tail,
            group_name=None,
            params=params,
            param_id=param_id,
            code_hash=code_hash,
        )

    def _file(self, path: Path) -> str:
        file = self._files.get(path)
        if file is None:
            try:
                file = Path(os.path.relpath(path, self._root)).as_posix()
            except ValueError:  # another drive on Windows
                file = path.as_posix()
            self._files[path] = file
        return file

    def _code_hash(self, item: pytest.Item) -> str | None:
        function = getattr(item, "obj", None)
        code = getattr(getattr(function, "__wrapped__", function), "__code__", None)
        if not isinstance(code, types.CodeType):
            return None
        if code not in self._code_hashes:
            self._code_hashes[code] = _source_hash(code)
        return self._code_hashes[code]


def labels_of(item: pytest.Item) -> tuple[Labels, str | None]:
    """Return the labels from an item's markers, the closest first, and what is wrong with them, or None."""
    values: dict[str, Any] = {}
    for marker in item.iter_markers("benchdb"):
        if marker.args:
            value = repr(marker.args[0])
            return _NO_LABELS, f"{item.nodeid}: @pytest.mark.benchdb takes names, not {value}; write model={value}"
        for name, value in marker.kwargs.items():
            problem = _problem_of_label(name, value)
            if problem is not None:
                return _NO_LABELS, f"{item.nodeid}: @pytest.mark.benchdb{problem}"
            if name in _NOT_A_LABEL:
                continue
            values.setdefault(name, str(value) if name in _TEXT_LABELS and value is not None else value)
    return (Labels(**values) if values else _NO_LABELS), None


def gate_rule_of(item: pytest.Item) -> dict[str, object] | None:
    """Return the gate's rule from an item's markers, the closest first; None if they set none.

    Values that `labels_of` reports as wrong are left out.
    """
    rule: dict[str, object] = {}
    for marker in item.iter_markers("benchdb"):
        for name in ("max_regression", "gate"):
            value = marker.kwargs.get(name)
            if value is not None and _problem_of_label(name, value) is None:
                rule.setdefault(name, value)
    return rule or None


def _problem_of_label(name: str, value: object) -> str | None:
    if name in {"isolate", "gate"}:
        return None if isinstance(value, bool) else f"({name}={value!r}) is neither True nor False"
    if name == "max_regression":
        usable = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf
        return None if usable else f"(max_regression={value!r}) is not a share; give for example 0.10 for 10 %"
    if name not in _TEXT_LABELS and name not in _INT_LABELS:
        names = ", ".join((*(field.name for field in fields(Labels)), *_NOT_A_LABEL))
        return f" has no argument {name!r}; it has {names}"
    if name in _INT_LABELS and value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        return f"({name}={value!r}) is not a whole number"
    return None


def _own_names(item: pytest.Item) -> str:
    """Return the node id without its file and without the ``@group`` that xdist's loadgroup adds."""
    names = item.nodeid.partition("::")[2]
    marker = item.get_closest_marker("xdist_group") if "@" in names else None
    if marker is not None:
        group = str(marker.args[0] if marker.args else marker.kwargs.get("name", "default"))
        names = names.removesuffix(f"@{group}")
    return names


def _source_hash(code: types.CodeType) -> str | None:
    """Hash the lines of a function from its `def` on, without indentation.

    It uses the source because byte code changes with every release of Python and pytest.
    """
    lines = linecache.getlines(code.co_filename)[code.co_firstlineno - 1 : _last_line(code)]
    while lines and not lines[0].lstrip().startswith(("def ", "async def ")):
        del lines[0]  # decorators: new parameters do not change the code
    if not lines:
        return None
    indent = len(lines[0]) - len(lines[0].lstrip())
    text = "\n".join(line[indent:].rstrip() for line in lines)
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).hexdigest()


def _last_line(code: types.CodeType) -> int:
    last = max((line for _, _, line in code.co_lines() if line is not None), default=code.co_firstlineno)
    inner = (_last_line(const) for const in code.co_consts if isinstance(const, types.CodeType))
    return max(last, *inner, code.co_firstlineno)
