import collections
import datetime as dt
import decimal
import enum
import json
from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_benchdb.model.value.json_value import json_value


class Colour(enum.Enum):
    RED = 1


class Name(str, enum.Enum):
    A = "a"


class Loud:
    def __repr__(self) -> str:
        raise AssertionError("a repr may be slow, huge or broken, and is never asked for")

    __str__ = __repr__


class Broken:
    ndim = 0

    def item(self) -> float:
        raise RuntimeError("the device is lost")


class Hostile:
    def __getattr__(self, name: str) -> object:
        raise RuntimeError(name)


class HostileText(str):
    __slots__ = ()

    def __str__(self) -> str:
        raise RuntimeError("no text")


class HostileMapping(dict[object, object]):
    def __len__(self) -> int:
        raise RuntimeError("no length")


class HostileArray:
    ndim = 1
    shape = (3,)

    def tolist(self) -> list[float]:
        raise RuntimeError("the device is lost")


def repr_of(value: object) -> str:
    return type(value).__name__


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (1, 1),
        (2**63, "9223372036854775808"),
        (1.5, 1.5),
        (float("nan"), "NaN"),
        (float("inf"), "Infinity"),
        (float("-inf"), "-Infinity"),
        ("a\x00b", "a\ufffdb"),
        ("<A at 0x7f3a5c0d1e50>", "<A at 0x…>"),
        ((1, [2, {3}]), [1, [2, [3]]]),
        ({1: 2, None: 3, (4, 5): 6}, {"1": 2, "None": 3, "[4, 5]": 6}),
        (collections.OrderedDict(a=1), {"a": 1}),
        (Colour.RED, "Colour.RED"),
        (Name.A, "Name.A"),
        (PurePosixPath("/a/b"), "/a/b"),
        (decimal.Decimal("1.50"), "1.50"),
        (dt.date(2026, 11, 21), "2026-11-21"),
        (b"\x01\xff", "01ff"),
        (len, "builtins.len"),
        (int, "builtins.int"),
        pytest.param(object(), "<builtins.object>", id="object"),
    ],
    ids=repr,
)
def test_json_value_is_stable(value: object, expected: object) -> None:
    assert json_value(value) == expected


def test_json_value_never_asks_for_a_repr() -> None:
    assert json_value(Loud()).endswith("Loud>")  # type: ignore[attr-defined]


def test_json_value_of_a_scalar_that_cannot_be_read_is_its_class() -> None:
    assert json_value(Broken()).endswith("Broken>")  # type: ignore[attr-defined]


def test_json_value_of_numpy_scalars_are_numbers() -> None:
    numpy = pytest.importorskip("numpy")

    assert json_value({"a": numpy.float32(0.5), "b": numpy.int64(3), "c": numpy.array(2.0)}) == {
        "a": 0.5,
        "b": 3,
        "c": 2.0,
    }


def test_json_value_of_arrays_are_lists() -> None:
    numpy = pytest.importorskip("numpy")

    assert json_value({"a": numpy.arange(4).reshape(2, 2), "b": numpy.array([1.5, numpy.nan])}) == {
        "a": [[0, 1], [2, 3]],
        "b": [1.5, "NaN"],
    }
    assert json_value(numpy.zeros((1000, 2000))) == "<numpy.ndarray of 1000 x 2000>"


@pytest.mark.parametrize("value", [Hostile(), HostileMapping(), HostileArray()], ids=repr_of)
def test_json_value_of_an_object_that_raises_is_its_class(value: object) -> None:
    assert json_value({"value": value}) == {"value": f"<{type(value).__module__}.{type(value).__qualname__}>"}


def test_json_value_of_a_subclass_of_text_is_its_text_whatever_its_methods() -> None:
    assert json_value({HostileText("key"): HostileText("a")}) == {"key": "a"}


def test_json_value_tells_what_raised() -> None:
    problems: list[str] = []

    json_value([1, HostileMapping()], problems=problems)

    assert problems == ["tests.model.value.test_json_value.HostileMapping raised RuntimeError"]


def test_json_value_escapes_lone_surrogates() -> None:
    assert json_value("a\ud800é") == "a\\ud800é"


def test_json_value_of_a_circle_ends() -> None:
    circle: list[Any] = []
    circle.append(circle)

    assert "<builtins.list>" in json.dumps(json_value(circle))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([0] * 20_000, "<list of 20000>"),
        ({"n": 3, "rows": list(range(20_000)), "name": "a"}, {"n": 3, "rows": "<list of 20000>", "name": "a"}),
        ([[1.5] * 4000] * 4000, "<list of 4000>"),
        ({"n": 3, "rows": [[1.5] * 100] * 4000}, {"n": 3, "rows": "<list of 4000>"}),
        ([["x" * 1000] * 100, 7], ["<list of 100>", 7]),
        ({str(n): [n] for n in range(20_000)}, "<dict of 20000>"),
        ({n: {n} for n in range(3)}, {"0": [0], "1": [1], "2": [2]}),
    ],
    ids=["list", "item", "nested", "nested-item", "texts", "dict", "short"],
)
def test_json_value_that_is_too_long_is_its_class_and_length(value: object, expected: object) -> None:
    assert json_value(value, most=8192) == expected


def test_json_value_of_a_long_text_is_cut() -> None:
    assert json_value("x" * 1_000_000, most=100) == "x" * 99 + "…"
    assert json_value(b"x" * 1_000_000, most=100) == "78" * 49 + "7…"


@given(st.recursive(st.none() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_json_value_is_about_as_long_as_it_may_be(value: object) -> None:
    assert len(json.dumps(json_value(value, most=200), ensure_ascii=False).replace("\\", "")) < 1000


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    )
)
def test_json_value_is_valid_json_and_its_own_json_value(value: object) -> None:
    once = json_value(value)

    json.dumps(once, allow_nan=False)
    assert json_value(once) == once
