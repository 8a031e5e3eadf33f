"""Identifies the benchmark of a pytest item, by a key that is the same in every checkout and process.

PYTEST_DONT_REWRITE
"""

import hashlib
import linecache
import math
import os
import types
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.benchmark import WORKLOADS, Benchmark, Labels
from pytest_benchdb.model.identity import content_id, without_addresses
from pytest_benchdb.model.value.json_value import json_value
from pytest_benchdb.model.value.number import plain, plain_options, shown

_TEXT_LABELS = frozenset(field.name for field in fields(Labels)) - {"batch_size", "sequence_length"}
_INT_LABELS = frozenset({"batch_size", "sequence_length"})
MARKERS = frozenset({"benchdb", "benchmark", "codspeed_benchmark"})
_NOT_A_LABEL = ("isolate", "max_regression", "max_time", "gate", "options")
"""Arguments of the marker that set how a test is run or judged."""
_NO_LABELS = Labels()
_ID_TEXT = 1000
_PARAM_TEXT = 8192
"""About how many characters of a parameter's value are stored; what is longer becomes its class and length."""


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
        params = None if callspec is None else _params(callspec.params)
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

    def benchmark_of_point(self, test: Benchmark, params: Mapping[str, object]) -> Benchmark:
        """Return the benchmark of a point of a test's sweep, named as if the test had these parameters too."""
        names = test.fullname.removeprefix(f"{test.file}::").partition("[")[0]
        ids = [test.param_id, id_of_params(params)]
        param_id = "-".join(text for text in ids if text is not None)
        return self._benchmark(
            test.file,
            f"{names}[{param_id}]",
            function=test.function,
            param_id=param_id,
            params={**(test.params or {}), **_params(params)},
            code_hash=test.code_hash,
        )

    def benchmark_of_script(self, file: str, name: str, params: Mapping[str, object]) -> Benchmark:
        """Return the benchmark that a script calls `name`; `file` is the script, from the project's root."""
        param_id = id_of_params(params) if params else None
        return self._benchmark(
            file,
            name if param_id is None else f"{name}[{param_id}]",
            function=name,
            param_id=param_id,
            params=_params(params) if params else None,
            code_hash=None,
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


def is_point(name: str, test: str) -> bool:
    """Return whether this full name can be that of a point of the test's sweep.

    >>> is_point("test_a.py::test_b[cpu-8]", "test_a.py::test_b[cpu]")
    True
    """
    return name.startswith(f"{test[:-1]}-" if test.endswith("]") else f"{test}[")


def id_of_params(params: Mapping[str, object]) -> str:
    """Return the text that pytest puts between brackets for these parameters.

    >>> id_of_params({"batch_size": 8, "precision": "fp16", "layers": [2, 2]})
    '8-fp16-layers=[2, 2]'
    """
    return without_addresses("-".join(_id_of(name, value) for name, value in params.items()))


def _id_of(name: str, value: object) -> str:
    value = plain(value)
    if value is None or isinstance(value, (str, int, float, complex)):
        return str(value)
    return f"{name}={getattr(value, '__name__', None) or json_value(value, most=_ID_TEXT)}"


def labels_of_params(labels: Labels, params: Mapping[str, object]) -> Labels:
    """Return the labels with those parameters that have the name and the type of a label."""
    values: dict[str, Any] = {
        name: value if name in _INT_LABELS else str(value)
        for name, value in plain_options(params).items()
        if name in _TEXT_LABELS | _INT_LABELS and value is not None and _problem_of_label(name, value) is None
    }
    return replace(labels, **values) if values else labels


def labels_from(values: Mapping[str, object]) -> Labels:
    """Return the labels that a script gives by name.

    Raises:
        ConfigError: there is no such label, or its value has the wrong type.
    """
    for name, value in plain_options(values).items():
        problem = _problem_of_label(name, value)
        if problem is None and name in _NOT_A_LABEL:
            problem = f" has no argument {name!r}, which is for tests"
        if problem is not None:
            raise ConfigError(f"bench{problem}; what tells benchmarks apart goes into params")
    return labels_of_params(_NO_LABELS, values)


def markers_of(item: pytest.Item) -> tuple[pytest.Mark, ...]:
    """Return an item's markers that concern us, the closest first; fixtures may add some while it runs."""
    return tuple(marker for marker in item.iter_markers() if marker.name in MARKERS)


def labels_of(nodeid: str, markers: Sequence[pytest.Mark]) -> tuple[Labels, str | None]:
    """Return the labels from a test's markers, the closest first, and what is wrong with them, or None."""
    try:
        return _labels_of(nodeid, markers)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - whatever the class of a value raises
        kind = type(error).__name__
        return _NO_LABELS, f"{nodeid}: @pytest.mark.benchdb has a value that cannot be read: it raised {kind}"


def _labels_of(nodeid: str, markers: Sequence[pytest.Mark]) -> tuple[Labels, str | None]:
    values: dict[str, Any] = {}
    for marker in _own(markers):
        if marker.args:
            value = shown(marker.args[0])
            return _NO_LABELS, f"{nodeid}: @pytest.mark.benchdb takes names, not {value}; write model={value}"
        for name, value in plain_options(marker.kwargs).items():
            problem = _problem_of_label(name, value)
            if problem is not None:
                return _NO_LABELS, f"{nodeid}: @pytest.mark.benchdb{problem}"
            if name in _NOT_A_LABEL:
                continue
            values.setdefault(name, _label(value) if name in _TEXT_LABELS else value)
    return (Labels(**values) if values else _NO_LABELS), None


def _own(markers: Sequence[pytest.Mark]) -> list[pytest.Mark]:
    return [marker for marker in markers if marker.name == "benchdb"]


def _label(value: object) -> str | None:
    if value is None or type(value) is str:
        return value
    return str.__str__(value) if isinstance(value, str) else str(value)


def gate_rule_of(markers: Sequence[pytest.Mark]) -> dict[str, object] | None:
    """Return the gate's rule from a test's markers, the closest first; None if they set none.

    Values that `labels_of` reports as wrong are left out.
    """
    rule: dict[str, object] = {}
    for marker in _own(markers):
        for name in ("max_regression", "gate"):
            value = plain(marker.kwargs.get(name))
            if value is not None and _problem_of_label(name, value) is None:
                rule.setdefault(name, value)
    return rule or None


def max_time_of(markers: Sequence[pytest.Mark]) -> float | None:
    """Return the seconds of ``max_time`` of a test's closest marker that has it; None without one."""
    for marker in _own(markers):
        value = plain(marker.kwargs.get("max_time"))
        if isinstance(value, int | float) and _problem_of_label("max_time", value) is None:
            return float(value)
    return None


def options_of(item: pytest.Item) -> dict[str, Any]:
    """Return the options of `Bench.options` from an item's markers; the closest marker decides."""
    options: dict[str, Any] = {}
    for marker in item.iter_markers("benchdb"):
        given = marker.kwargs.get("options")
        if given is not None and _problem_of_label("options", given) is None:
            options = {**given, **options}
    return options


def _problem_of_label(name: str, value: object) -> str | None:
    given = f"({name}={shown(value)})"
    if name in _NOT_A_LABEL:
        wrong = _problem_of_setting(name, value)
        return None if wrong is None else f"{given} {wrong}"
    if name not in _TEXT_LABELS and name not in _INT_LABELS:
        names = ", ".join((*(field.name for field in fields(Labels)), *_NOT_A_LABEL))
        return f" has no argument {name!r}; it has {names}"
    if name in _INT_LABELS and value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        return f"{given} is not a whole number"
    if name == "workload" and value is not None and value not in WORKLOADS:
        return f"{given} is unknown; give one of {', '.join(WORKLOADS)}"
    return None


def _problem_of_setting(name: str, value: object) -> str | None:
    if name == "options":
        usable = isinstance(value, dict) and all(isinstance(key, str) for key in value)
        return None if usable else "is not a dict of options; give for example {'max_time_s': 5.0}"
    if name == "max_regression":
        usable = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf
        return None if usable else "is not a share; give for example 0.10 for 10 %"
    if name == "max_time":
        usable = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf
        return None if usable else "is not a number of seconds above 0; give for example 0.5"
    return None if isinstance(value, bool) else "is neither True nor False"


def _params(params: Mapping[str, object]) -> dict[str, object]:
    return {name: json_value(value, most=_PARAM_TEXT) for name, value in params.items()}


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
