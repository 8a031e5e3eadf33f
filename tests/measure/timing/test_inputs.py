import functools
import weakref
from array import array
from collections import deque
from collections.abc import Callable
from typing import Any

import pytest

from pytest_benchdb.measure.timing.inputs import Inputs


def found(function: Callable[..., Any], *args: Any, **kwargs: Any) -> list[str]:
    inputs = Inputs(function, args, kwargs)
    function(*args, **kwargs)
    return inputs.changed()


def test_changed_names_arguments_that_were_changed() -> None:
    assert found(lambda items: items.sort(), [3, 1, 2]) == ["argument 1 (list)"]
    assert found(lambda _number, items: items.pop(), 1, items={1, 2}) == ["argument items (set)"]
    assert found(lambda items: items.update(a=2), {"a": 1}) == ["argument 1 (dict)"]
    assert found(lambda items: items.rotate(), deque([1, 2])) == ["argument 1 (deque)"]
    assert found(lambda data: data.reverse(), array("d", [1.0, 2.0])) == ["argument 1 (array)"]
    assert found(lambda data: data.append(1), bytearray(b"ab")) == ["argument 1 (bytearray)"]
    assert found(functools.partial(lambda items, by: items.sort(reverse=by), [1, 2]), by=True) == ["argument 1 (list)"]


def test_changed_names_arrays_that_show_their_memory() -> None:
    numpy = pytest.importorskip("numpy")

    assert found(lambda values: values.sort(), numpy.array([2.0, 1.0])) == ["argument 1 (ndarray)"]
    assert found(lambda values: values.sum(), numpy.array([2.0, 1.0])) == []


def test_changed_names_the_object_of_a_method_and_variables_of_a_closure() -> None:
    items, matrix = [3, 1, 2], [[1], [2]]

    assert found([3, 1, 2].sort) == ["the object of the method (list)"]
    assert found(lambda: [items.pop()]) == ["variable items (list)"]
    assert found(lambda: [matrix.pop()]) == ["variable matrix (list)"]


def test_changed_leaves_out_what_stays_and_what_collects_results() -> None:
    results: list[int] = [1, 2]
    cache: dict[int, int] = {0: 1}
    seen = {1}

    assert found(sorted, [3, 1, 2]) == []
    assert found(lambda: results.append(3)) == []
    assert found(lambda: cache.setdefault(1, 5)) == []
    assert found(lambda: cache.update({0: 2, 7: 8})) == ["variable cache (dict)"]
    assert found(lambda: seen.add(5)) == []
    assert found(lambda items: items[0].append(3), [[1], [2]]) == []  # only the outer container is looked at
    assert found(len, "text") == []


def test_changed_does_not_copy_what_is_large() -> None:
    assert found(lambda items: items.pop(), [0] * 200_000) == []
    assert found(lambda data: data.pop(), bytearray(1 << 21)) == []


def test_inputs_keep_nothing_alive() -> None:
    class Item:
        pass

    items = [Item()]
    alive = weakref.ref(items[0])
    inputs = Inputs(lambda: [items.pop()], (), {})
    items.clear()

    assert alive() is None
    assert inputs.changed() == ["variable items (list)"]


def test_inputs_of_a_closure_whose_variable_is_not_assigned_yet() -> None:
    def function() -> object:
        return later

    inputs = Inputs(function, (), {})
    later = [1]

    assert inputs.changed() == []
