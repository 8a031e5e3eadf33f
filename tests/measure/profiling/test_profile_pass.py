import gc
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from pytest_benchdb.measure.profiling.profile_pass import Counting, profile_calls, profile_rows
from pytest_benchdb.model.profile import Profile

HERE = Path(__file__).parent


def helper(n: int) -> list[int]:
    return [i * i for i in range(n)]


def countdown(n: int) -> Iterator[int]:
    while n:
        yield n
        n -= 1


def fib(n: int) -> int:
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def even(n: int) -> bool:
    return n == 0 or odd(n - 1)


def odd(n: int) -> bool:
    return n != 0 and even(n - 1)


def fails() -> None:
    raise ValueError("no")


def catches() -> None:
    for _ in range(3):
        try:  # noqa: SIM105 - another frame would be between them
            fails()
        except ValueError:  # noqa: PERF203
            pass
    helper(1)


def consumes() -> int:
    return sum(i + 1 for i in countdown(4))


def starts_a_thread() -> None:
    thread = threading.Thread(target=helper, args=(5,))
    thread.start()
    thread.join()


def profile(function: Callable[..., object], *args: object) -> Profile:
    def once(block: AbstractContextManager[object]) -> None:
        with block:
            function(*args)

    return profile_calls(once, folder=HERE)


def calls_of(profile: Profile) -> dict[tuple[str | None, str], int]:
    names = [one.name for one in profile.functions]
    return {(None if one.caller is None else names[one.caller], names[one.callee]): one.calls for one in profile.calls}


def cost_of(profile: Profile, name: str) -> int:
    costs = zip(profile.functions, profile.self_costs(), strict=True)
    return sum(cost for function, cost in costs if function.name == name)


def test_profile_of_the_same_call_is_the_same() -> None:
    first, second = profile(helper, 50), profile(helper, 50)

    assert first == second
    assert first.unit == "instructions"
    assert sum(first.again) == first.total > 0


def test_cost_grows_with_a_loop_by_the_same_for_each_turn() -> None:
    small, medium, large = (cost_of(profile(helper, n), "helper") for n in (10, 20, 30))

    assert large - medium == medium - small > 0


def test_comprehension_belongs_to_the_function_around_it() -> None:
    names = {function.name for function in profile(helper, 3).functions if function.kind == "python"}

    assert names == {"helper"}


def test_generator_is_called_once_however_often_it_is_resumed() -> None:
    assert calls_of(profile(consumes))["consumes", "countdown"] == 1


def test_recursion_is_folded_and_counted() -> None:
    found = profile(fib, 6)

    assert calls_of(found)["fib", "fib"] == 24
    assert len(found.frames) == 1


def test_functions_that_call_each_other_have_a_frame_each() -> None:
    found = profile(even, 6)

    assert calls_of(found) == {(None, "even"): 1, ("even", "odd"): 3, ("odd", "even"): 3}
    assert len(found.frames) == 2


def test_function_that_raises_returns_to_its_caller() -> None:
    found = calls_of(profile(catches))

    assert found["catches", "fails"] == 3
    assert found["catches", "helper"] == 1


def sorts() -> int:
    return len(sorted([3, 1, 2]))


def test_c_function_is_a_call_of_its_caller() -> None:
    found = calls_of(profile(sorts))

    assert (found["sorts", "sorted"], found["sorts", "len"]) == (1, 1)


def test_lines_have_their_text_and_count() -> None:
    lines = {line.text: line.count for line in profile(countdown_of, 3).lines}

    assert lines["n -= 1"] == 3


def countdown_of(n: int) -> None:
    while n:
        n -= 1


def test_thread_that_the_function_starts_is_counted() -> None:
    found = profile(starts_a_thread)

    assert found.threads == 1
    assert cost_of(found, "helper") > 0


def test_function_that_raises_leaves_no_tracer_behind() -> None:
    before = sys.gettrace(), sys.getprofile(), gc.isenabled()

    with pytest.raises(ValueError, match="no"):
        profile(fails)

    assert (sys.gettrace(), sys.getprofile(), gc.isenabled()) == before


def test_function_that_raises_only_when_it_is_counted_leaves_no_tracer_behind() -> None:
    calls: list[int] = []
    before = sys.gettrace(), sys.getprofile(), gc.isenabled()

    def fails_later() -> None:
        calls.append(1)
        if len(calls) == 2:
            fails()

    with pytest.raises(ValueError, match="no"):
        profile(fails_later)

    assert (sys.gettrace(), sys.getprofile(), gc.isenabled()) == before


def test_function_that_differs_from_call_to_call_shows_it() -> None:
    numbers = iter(range(10, 100, 10))

    found = profile(lambda: helper(next(numbers)))

    assert sum(found.again) > found.total


def test_setup_outside_the_block_is_not_counted() -> None:
    def once(block: AbstractContextManager[object]) -> None:
        helper(100)
        with block:
            fib(3)

    names = {function.name for function in profile_calls(once, folder=HERE).functions}

    assert names == {"fib"}


def test_files_of_the_project_are_relative_to_its_checkout(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "inner").mkdir()
    source = tmp_path / "shop.py"
    source.write_text("def total():\n    return 1\n")
    names: dict[str, Callable[[], object]] = {}
    exec(compile(source.read_text(), str(source), "exec"), names)  # noqa: S102 - the test's own
    counting = Counting(tmp_path / "inner")

    with counting:
        names["total"]()

    assert [function.file for function in counting.profile().functions] == ["shop.py"]


def test_rows_of_a_profile_are_its_totals() -> None:
    found = profile(fib, 6)

    rows = {row.metric: row for row in profile_rows(found)}

    assert rows["bytecodes"].value == found.total
    assert rows["python_calls"].value == 25


def test_rows_without_a_profile_have_the_reason() -> None:
    assert {row.reason for row in profile_rows(None, "it raised")} == {"it raised"}
