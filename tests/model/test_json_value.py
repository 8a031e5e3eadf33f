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

from pytest_benchdb.model.json_value import json_value


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
    assert json_value(numpy.zeros(3)) == "<numpy.ndarray>"


def test_json_value_of_a_circle_ends() -> None:
    circle: list[Any] = []
    circle.append(circle)

    assert "<builtins.list>" in json.dumps(json_value(circle))


def test_json_value_of_long_texts_and_lists_is_cut() -> None:
    assert len(json_value("x" * 1_000_000)) == 100_000  # type: ignore[arg-type]
    assert len(json_value([0] * 20_000)) == 10_000  # type: ignore[arg-type]


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
