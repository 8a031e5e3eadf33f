import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from pytest_benchdb.model.value.number import number, numbers, plain, plain_options, shown, whole

numpy = pytest.importorskip("numpy")


class Tensor:
    """As torch's: `item` for one element, `tolist` for more, and `__float__`, which raises for more."""

    def __init__(self, content: Any) -> None:
        self._content = content
        self.ndim = int(isinstance(content, list))

    def item(self) -> Any:
        if isinstance(self._content, list):
            (only,) = self._content
            return only
        return self._content

    def tolist(self) -> Any:
        return self._content

    def __float__(self) -> float:
        return float(self.item())


class Lost(Tensor):
    """A tensor on a device that is gone."""

    def item(self) -> Any:
        raise RuntimeError("the device is lost")

    tolist = item

    def __repr__(self) -> str:
        raise RuntimeError("the device is lost")


NUMBERS = [
    (3, 3.0),
    (True, 1.0),
    (Decimal("1.5"), 1.5),
    (Fraction(1, 4), 0.25),
    (numpy.float32(0.5), 0.5),
    (numpy.int64(4), 4.0),
    (numpy.array(2.5), 2.5),
    (numpy.array([2.5]), 2.5),
    (Tensor(1.5), 1.5),
    (Tensor([1.5]), 1.5),
]
NOT_NUMBERS = ["3", b"3", None, [1.0], {}, 1j, numpy.array([1.0, 2.0]), numpy.str_("3"), Tensor([1, 2]), Lost(1)]


@pytest.mark.parametrize(("value", "expected"), NUMBERS)
def test_number_takes_scalars_of_any_library(value: object, expected: float) -> None:
    result = number(value)

    assert (type(result), result) == (float, expected)


@pytest.mark.parametrize("value", NOT_NUMBERS, ids=lambda value: type(value).__name__)
def test_number_refuses_what_is_not_one_number(value: object) -> None:
    with pytest.raises(ValueError, match="is not a number"):
        number(value)


@pytest.mark.parametrize(
    "value", [5, numpy.int32(5), numpy.array(5), numpy.uint8(5), Tensor(5)], ids=lambda value: type(value).__name__
)
def test_whole_takes_whole_numbers_of_any_library(value: object) -> None:
    result = whole(value)

    assert (type(result), result) == (int, 5)


@pytest.mark.parametrize("value", [5.0, True, numpy.bool_(True), numpy.float64(5), "5", None, numpy.arange(2), Lost(1)])
def test_whole_refuses_anything_else(value: object) -> None:
    with pytest.raises(ValueError, match="is not a whole number"):
        whole(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        *((value, [expected]) for value, expected in NUMBERS),
        (numpy.array([0.1, 0.2]), [0.1, 0.2]),
        (numpy.array([[1, 2], [3, 4]]), [1.0, 2.0, 3.0, 4.0]),
        (Tensor([[1, 2], [3, 4]]), [1.0, 2.0, 3.0, 4.0]),
        ([numpy.float32(1), Tensor(2), numpy.array([3, 4]), 5], [1.0, 2.0, 3.0, 4.0, 5.0]),
        (iter((1, 2)), [1.0, 2.0]),
        (numpy.array([]), []),
    ],
)
def test_numbers_takes_arrays_and_iterables(value: object, expected: list[float]) -> None:
    result = numbers(value)

    assert result == expected
    assert {type(item) for item in result} <= {float}


def test_numbers_keeps_what_is_not_finite() -> None:
    assert math.isnan(numbers(numpy.array([1.0, numpy.nan]))[1])


@pytest.mark.parametrize(
    "value", ["12", ["1"], {"a": 1}, [None], numpy.array(["a"]), Lost([1]), [Lost(1)]], ids=lambda v: type(v).__name__
)
def test_numbers_refuses_what_is_not_numbers(value: object) -> None:
    with pytest.raises(ValueError, match=r"is not a number|cannot be read"):
        numbers(value)


def test_plain_options_are_pythons_own_all_through() -> None:
    options = {"rate": numpy.float32(2), "sizes": (numpy.int64(1), 2), "slo": {"ttft": Tensor(0.5)}, "f": len}

    assert plain_options(options) == {"rate": 2.0, "sizes": (1, 2), "slo": {"ttft": 0.5}, "f": len}
    assert plain(options) is options


def test_shown_is_one_short_line_for_any_object() -> None:
    assert shown("a\nb") == r"'a\nb'"
    assert len(shown("x" * 1000)) == 60
    assert shown(Lost(1)) == "a Lost"


def test_numbers_of_real_tensors() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed; Tensor above stands in for it")

    assert number(torch.tensor(1.5, requires_grad=True)) == 1.5
    assert whole(torch.tensor([5])) == 5
    assert numbers(torch.arange(4, dtype=torch.bfloat16).reshape(2, 2)) == [0.0, 1.0, 2.0, 3.0]
    assert numbers(torch.ones(2, requires_grad=True)) == [1.0, 1.0]
