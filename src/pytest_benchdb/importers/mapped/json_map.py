"""The words of ``--map FIELD=PATH:unit=UNIT:better=DIRECTION``: which values of any JSON become what.

A path goes through objects by their keys: ``run.date``. ``[]`` goes through each item of a list or each value of an
object, ``[0]`` to one item, and ``@key`` at the end is the key or index of the nearest ``[]``. A key with a dot, a
colon or a bracket in it is written in quotes: ``"a.b".c``.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.importers.reading.units import UNITS
from pytest_benchdb.model.metric import METRICS
from pytest_benchdb.model.wording import did_you_mean

EACH = None
"""The step of a path that goes through everything in a list or an object."""
KEY = "@key"
PARAM = "param:"
FACTS = ("started_at", "commit", "branch", "label", "project")
"""Fields of a session."""
LABELS = ("model", "version", "framework", "framework_version", "precision", "batch_size", "sequence_length")
"""Fields of a run's labels; they distinguish benchmarks, too."""
_FIELDS = ("name", "group", "backend", "device", "status", "error", "simulated", *LABELS, *FACTS)
_WORDS = {"time": "wall_time"}
_BETTER = ("lower", "higher", "none")
_STEP = re.compile(r'\.?(?:"(?P<quoted>[^"]+)"|\[(?P<index>\d*)\]|(?P<key>[^."\[\]:]+))')
_MOST_STEPS = 50
_NEED_UNIT = ("time", "memory", "energy", "power")
_OWN = "a metric of your own needs its unit, such as :unit=1"

Step = str | int | None


@dataclass(frozen=True, slots=True)
class Field:
    """One ``--map``.

    Attributes:
        name: a field, a parameter, or a metric.
        steps: the path: keys, indexes, and `EACH`.
        unit: of the values in the file; None for the metric's own.
        better: direction of a metric that is not ours.
    """

    name: str
    steps: tuple[Step, ...]
    unit: str | None = None
    better: str = "none"

    @property
    def is_metric(self) -> bool:
        """Whether its values are measurements."""
        return self.name not in _FIELDS and not self.name.startswith(PARAM)

    @property
    def depth(self) -> int:
        """How many lists or objects its path goes through."""
        return self.steps.count(EACH)

    @property
    def row(self) -> tuple[Step, ...]:
        """The path up to the last of them."""
        last = max((place for place, step in enumerate(self.steps) if step is EACH), default=-1)
        return self.steps[: last + 1]


@dataclass(frozen=True, slots=True)
class JsonMap:
    """All of ``--map``: each row of the file, by the longest path of lists and objects, is a benchmark."""

    fields: tuple[Field, ...]

    @classmethod
    def of(cls, written: Sequence[str]) -> "JsonMap":
        """Read the options.

        Raises:
            ConfigError: one of them cannot be read, or they do not fit together.
        """
        fields = tuple(map(_field_of, written))
        names = [field.name for field in fields]
        double = next((name for name in names if names.count(name) > 1), None)
        if double is not None:
            raise ConfigError(f"--map has {double} twice")
        if "name" not in names:
            raise ConfigError("--map has no name; say where the names of the benchmarks are: --map name=results[].name")
        if not any(field.is_metric for field in fields):
            raise ConfigError("--map has no metric; say where the values are: --map time=results[].seconds:unit=s")
        made = cls(fields)
        row = made.row
        apart = next((field for field in fields if field.row != row[: len(field.row)]), None)
        if apart is not None:
            raise ConfigError(f"--map {apart.name} goes through another list than the longest path; import lists apart")
        return made

    @property
    def row(self) -> tuple[Step, ...]:
        """The path to the rows."""
        return max((field.row for field in self.fields), key=len)

    def rows(self, document: object) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the place and the values by field of each row; a value that is not there is left out."""
        for nodes, keys in _nodes(document, self.row, (document,), ()):
            values = {}
            for field in self.fields:
                found = _value(nodes[field.depth], field.steps[len(field.row) :], keys[: field.depth])
                if found is not None:
                    values[field.name] = found
            yield _place(self.row, keys), values


def _place(row: tuple[Step, ...], keys: tuple[str | int, ...]) -> str:
    """Return a row's place as its path is written: ``results[2]``."""
    left = iter(keys)
    shown = [f"[{next(left)}]" if step is EACH else f".{step}" for step in row]
    return "".join(shown).lstrip(".") or "file"


def _nodes(
    node: object, steps: tuple[Step, ...], nodes: tuple[object, ...], keys: tuple[str | int, ...]
) -> Iterator[tuple[tuple[object, ...], tuple[str | int, ...]]]:
    """Yield the nodes and keys at each `EACH` of the way to a row, the document first."""
    if not steps:
        yield nodes, keys
        return
    step, *rest = steps
    if step is not EACH:
        inner = _step(node, step)
        if inner is not None:
            yield from _nodes(inner, tuple(rest), nodes, keys)
        return
    pairs: Sequence[tuple[str | int, object]] = ()
    if isinstance(node, Mapping):
        pairs = list(node.items())
    elif isinstance(node, list):
        pairs = list(enumerate(node))
    for key, inner in pairs:
        yield from _nodes(inner, tuple(rest), (*nodes, inner), (*keys, key))


def _value(node: object, steps: tuple[Step, ...], keys: tuple[str | int, ...]) -> object:
    if steps == (KEY,):
        return str(keys[-1]) if keys else None
    for step in steps:
        node = _step(node, step)
    return node


def _step(node: object, step: Step) -> object:
    if isinstance(node, Mapping):
        return node.get(str(step))
    if isinstance(node, list) and isinstance(step, int):
        return node[step] if step < len(node) else None
    return None


def _field_of(written: str) -> Field:
    name, equals, rest = written.partition("=")
    name = _WORDS.get(name.strip(), name.strip())
    if not equals or not name or not rest.strip():
        raise ConfigError(f"--map {written!r} is not FIELD=PATH, such as name=results[].name")
    steps, rest = _path_of(rest.strip(), written)
    options = dict(part.partition("=")[::2] for part in rest.split(":") if part)
    unknown = next((option for option in options if option not in {"unit", "better"}), None)
    if unknown is not None:
        raise ConfigError(f"--map {written!r} has {unknown!r} after its path; it may have :unit= and :better=")
    field = Field(name, steps, options.get("unit"), options.get("better", "none"))
    if not field.is_metric and options:
        question = did_you_mean(name, [*METRICS, *_WORDS]) or ""
        raise ConfigError(f"--map {name} is not a metric, and has no unit or direction{question}")
    if field.better not in _BETTER:
        raise ConfigError(f"--map {name} is better={field.better!r}; write one of {', '.join(_BETTER)}")
    _check_unit(field)
    return field


def _check_unit(field: Field) -> None:
    """Check that a metric has a unit, where a wrong guess would be off by a thousand.

    Raises:
        ConfigError: it has none, or one of another quantity.
    """
    ours = METRICS.get(field.name)
    if not field.is_metric or (field.unit is None and ours is not None and ours.kind not in _NEED_UNIT):
        return
    if field.unit is None and ours is None:
        question = did_you_mean(field.name, [*_FIELDS, *METRICS]) or ""
        raise ConfigError(f"--map {field.name} is neither a field nor a metric of ours{question}; {_OWN}")
    if field.unit is None:
        raise ConfigError(f"--map {field.name} has no unit: is it in s or in ms? Write it after the path, :unit=ms")
    if ours is None:
        return
    unit = UNITS.get(field.unit)
    if unit is None or unit.si != ours.unit:
        known = [name for name, each in UNITS.items() if each.si == ours.unit]
        raise ConfigError(f"--map {field.name} is in {field.unit!r}; write one of {', '.join(known[:12])}")


def _path_of(text: str, written: str) -> tuple[tuple[Step, ...], str]:
    """Return the steps of a path, and what follows it."""
    steps: list[Step] = []
    place = 0
    while place < len(text) and text[place] != ":":
        match = _STEP.match(text, place)
        if match is None or len(steps) >= _MOST_STEPS:
            raise ConfigError(f"--map {written!r} has a path that cannot be read from {text[place:][:40]!r} on")
        if match["index"] is not None:
            steps.append(int(match["index"][:9]) if match["index"] else EACH)
        else:
            steps.append(match["quoted"] or match["key"])
        place = match.end()
    if KEY in steps[:-1] or (KEY in steps and EACH not in steps):
        raise ConfigError(f"--map {written!r}: {KEY} is the end of a path with [] before it")
    return tuple(steps), text[place + 1 :]
