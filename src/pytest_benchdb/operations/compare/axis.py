"""Compare the values of one dimension with each other: backends, models, implementations, parameters, Pythons."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.model.series import SessionValue
from pytest_benchdb.operations.compare.pairs import Matching

SESSION_DIMENSIONS: Mapping[str, Callable[[SessionRow], str | None]] = {
    "python": lambda session: python_text(session.python),
    "branch": lambda session: session.branch,
    "commit": lambda session: session.commit_sha and session.commit_sha[:10],
    "label": lambda session: session.label,
    "os": lambda session: session.os,
    "cpu": lambda session: session.cpu_model,
}
"""Dimensions of whole sessions."""

_PLACES: Mapping[str, Callable[[SessionValue], str | None]] = {
    "backend": lambda value: value.key.backend,
    "device": lambda value: value.key.device,
}
_PLACE_PARAMS = frozenset({"bench_each", "backend", "device"})
_VERSION = re.compile(r"(?P<name>\w+) (?P<version>\d+\.\d+)")
_MOST_NAMED = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """A dimension and its source in the data.

    Attributes:
        name: as the user wrote it: ``backend``, ``param:n``.
        kind: its source: ``place``, ``label``, ``parameter``, ``tag`` or ``session``.
        value_of: returns the dimension's value as text, or None.
    """

    name: str
    kind: str
    value_of: Callable[[SessionValue], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisSide:
    """One value of an axis, with its session values."""

    value: str
    values: tuple[SessionValue, ...]


def find_axis(name: str, values: Sequence[SessionValue], sessions: Mapping[str, SessionRow]) -> Axis:
    """Find the dimension that a name means: the first of place, label, session, parameter and tag that varies.

    ``param:NAME`` and ``tag:NAME`` select the source.

    Raises:
        ConfigError: there is no such dimension, or it has only one value.
    """
    kind, _, rest = name.partition(":")
    axes = [
        axis
        for axis in _candidates(name, rest or kind, sessions)
        if not rest or axis.kind == {"param": "parameter"}.get(kind, kind)
    ]
    texts = [sorted({text for value in values if (text := axis.value_of(value)) is not None}) for axis in axes]
    for axis, of_axis in zip(axes, texts, strict=True):
        if len(of_axis) > 1:
            return axis
    single = next((of_axis[0] for of_axis in texts if of_axis), None)
    if single is not None:
        raise ConfigError(f"--axis {name}: it is {single!r} everywhere; name more sessions, or choose another axis")
    raise ConfigError(f"--axis {name}: nothing here has it; there are {', '.join(_dimensions(values, sessions))}")


def split_axis(
    axis: Axis, values: Sequence[SessionValue], sessions: Mapping[str, SessionRow], baseline: str | None
) -> list[AxisSide]:
    """Split session values by the axis, the baseline first.

    Args:
        axis: from `find_axis`.
        values: the values to compare; those without a value of the axis are left out.
        sessions: by id.
        baseline: the axis' value to compare the others with; None for the smallest number, else ``cpu``, else the
            one measured first.

    Raises:
        ConfigError: no value matches the baseline.
    """
    by_text: dict[str, list[SessionValue]] = {}
    for value in values:
        text = axis.value_of(value)
        if text is not None:
            by_text.setdefault(text, []).append(value)
    order = sorted(by_text, key=lambda text: _rank(text, by_text, sessions))
    if baseline is not None:
        first = _find_value(axis, baseline, order)
        order = [first, *(text for text in order if text != first)]
    return [AxisSide(value=text, values=tuple(by_text[text])) for text in order]


def axis_matching(axis: Axis, sides: Sequence[AxisSide]) -> Matching:
    """Return how benchmarks match across an axis: by everything but the axis.

    Benchmarks match by function and other parameters. If only one value has that function, they match by its name
    without the value (`test_insert_sqlite` is `test_insert`); failing that, by group, if each value has exactly one
    benchmark in it.
    """
    if axis.kind in {"session", "tag"}:
        return Matching()
    by_function: dict[str, set[str]] = {}
    by_stripped: dict[str, set[str]] = {}
    by_group: dict[str, dict[str, set[str]]] = {}
    for side in sides:
        for value in side.values:
            heads = _names(axis, value, side.value)
            by_function.setdefault(heads[0], set()).add(side.value)
            by_stripped.setdefault(heads[1], set()).add(side.value)
            by_group.setdefault(heads[2], {}).setdefault(side.value, set()).add(value.key.fullname)
    grouped = {name for name, of in by_group.items() if len(of) > 1 and all(len(names) == 1 for names in of.values())}

    def name_of(value: SessionValue) -> str:
        plain, stripped, group = _names(axis, value, axis.value_of(value) or "")
        if len(by_function.get(plain, ())) > 1:
            return plain
        if len(by_stripped.get(stripped, ())) > 1:
            return stripped
        return group if value.group and group in grouped else plain

    return Matching(name_of=name_of, with_place=axis.kind != "place")


def python_text(text: str | None) -> str | None:
    """Return a Python's implementation and version without the patch release.

    >>> python_text("CPython 3.13.1 (main, free-threaded)")
    'CPython 3.13 free-threaded'
    """
    match = _VERSION.match(text or "")
    if match is None:
        return text
    return f"{match['name']} {match['version']}" + (" free-threaded" if "free-threaded" in (text or "") else "")


def bare_name(fullname: str, params: Mapping[str, object] | None, place: str) -> str:
    """Return a benchmark's name without the backend or device that it names, so that it is the same on each of them.

    >>> bare_name("tests/test_a.py::test_sort[cuda:0-9]", {"bench_each": "cuda:0", "n": 9}, "cuda")
    'tests/test_a.py::test_sort[n=9]'
    """
    head, bracket, tail = fullname.partition("[")
    if params is None:
        rest = _id_rest(tail[:-1], place)
    else:
        rest = ", ".join(
            f"{name}={_text(param)}"
            for name, param in params.items()
            if name not in _PLACE_PARAMS and not (isinstance(param, str) and _names_value(param, place))
        )
    return _stripped(head, place) + (f"[{rest}]" if rest and bracket else "")


def _candidates(name: str, key: str, sessions: Mapping[str, SessionRow]) -> list[Axis]:
    axes = []
    if key in _PLACES:
        axes.append(Axis(name=name, kind="place", value_of=_PLACES[key]))
    axes.append(Axis(name=name, kind="label", value_of=lambda value: value.labels.get(key)))
    if key in SESSION_DIMENSIONS:
        of_session = SESSION_DIMENSIONS[key]
        axes.append(Axis(name=name, kind="session", value_of=lambda value: of_session(sessions[value.session_id])))
    axes.append(Axis(name=name, kind="parameter", value_of=lambda value: _param(value, key)))
    axes.append(Axis(name=name, kind="tag", value_of=lambda value: sessions[value.session_id].tags.get(key)))
    return axes


def _dimensions(values: Iterable[SessionValue], sessions: Mapping[str, SessionRow]) -> list[str]:
    kept = list(values)
    labels = sorted({name for value in kept for name in value.labels})
    params = sorted({f"param:{name}" for value in kept for name in value.params or {}})
    tags = sorted({f"tag:{name}" for value in kept for name in sessions[value.session_id].tags})
    return [*_PLACES, *SESSION_DIMENSIONS, *labels, *params, *tags]


def _param(value: SessionValue, name: str) -> str | None:
    params = value.params or {}
    return _text(params[name]) if name in params else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def _rank(
    text: str, by_text: Mapping[str, Sequence[SessionValue]], sessions: Mapping[str, SessionRow]
) -> tuple[float, str, str]:
    numbers = [_number(value) for value in by_text]
    number = _number(text)
    if number is not None and None not in numbers:
        return number, "", ""
    if text == "cpu":
        return -1.0, "", ""
    earliest = min((sessions[value.session_id].started_at, value.run_id) for value in by_text[text])
    return 0.0, *earliest


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _find_value(axis: Axis, text: str, values: Sequence[str]) -> str:
    if text in values:
        return text
    close = [value for value in values if value.lower().startswith(text.lower())]
    if len(close) == 1:
        return close[0]
    problem = f"matches {len(close)} values" if close else f"is not a value of {axis.name}"
    named = ", ".join((close or values)[:_MOST_NAMED])
    raise ConfigError(f"--baseline-value {text!r} {problem}; choose one of {named}")


def _names(axis: Axis, value: SessionValue, axis_value: str) -> tuple[str, str, str]:
    """Return a benchmark's possible names: by function, by function without the axis value, and by group."""
    head, bracket, tail = value.key.fullname.partition("[")
    rest = _rest(axis, value, axis_value) if value.params is not None else _id_rest(tail[:-1], axis_value)
    suffix = f"[{rest}]" if rest and bracket else ""
    return head + suffix, _stripped(head, axis_value) + suffix, (value.group or "") + suffix


def _rest(axis: Axis, value: SessionValue, axis_value: str) -> str:
    """Return the parameters other than the axis: ``n=100, order=random``."""
    params = value.params or {}
    key = axis.name.rpartition(":")[2]
    dropped = {name for name in params if name == key or (axis.kind == "place" and name in _PLACE_PARAMS)}
    if not dropped and axis.kind != "parameter":
        # A label is often the value of a parameter with another name: `engine="sqlite"`.
        dropped = {name for name, param in params.items() if isinstance(param, str) and _names_value(param, axis_value)}
    return ", ".join(f"{name}={_text(param)}" for name, param in params.items() if name not in dropped)


def _id_rest(param_id: str, axis_value: str) -> str:
    return "-".join(word for word in param_id.split("-") if not _names_value(word, axis_value))


def _names_value(text: str, axis_value: str) -> bool:
    return text == axis_value or text.startswith(f"{axis_value}:")


def _stripped(head: str, axis_value: str) -> str:
    """Remove the axis value from a test's name: ``sqlite`` from `tests/test_a.py::test_insert_sqlite`."""
    word = re.escape(re.sub(r"\W+", "_", axis_value))
    if not word:
        return head
    without = re.sub(rf"_{word}(?=_|::|$|\.py)", "", head, flags=re.IGNORECASE)
    return re.sub(rf"(?<=::)(Test)?{word}(?=::)", r"\1", without, flags=re.IGNORECASE)
