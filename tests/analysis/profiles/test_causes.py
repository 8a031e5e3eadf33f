from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.analysis.profiles.profiled import profile_of_source

from pytest_benchdb.analysis.profiles.causes import compare_profiles
from pytest_benchdb.model.answer.explanation import ProfileChange
from pytest_benchdb.model.profile import Call, Frame, Function, Profile

BASE = """
def leaf(n):
    return n + 1

def middle(n):
    return leaf(n)

def other(n):
    return n * 2

def work():
    return [middle(i) + other(i) for i in range(20)]
"""


def change(tmp_path: Path, base: str, head: str) -> ProfileChange:
    return compare_profiles(profile_of_source(base, tmp_path / "base"), profile_of_source(head, tmp_path / "head"))


def culprit(found: ProfileChange) -> str | None:
    return None if found.culprit is None else found.culprit.function.name


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        ("return n + 1", "return sum(range(n), n + 1) + sum([1 for _ in range(9)])", "leaf"),
        ("return leaf(n)", "leaf(n); leaf(n)\n    return leaf(n)", "middle"),
        ("range(20)", "range(60)", "work"),
        ("return n * 2", "return middle(n) * 2", "other"),
    ],
    ids=["itself", "calls more often", "calls all more often", "calls another"],
)
def test_culprit_is_what_changed_and_not_what_is_called_or_calls(tmp_path: Path, old: str, new: str, name: str) -> None:
    found = change(tmp_path, BASE, BASE.replace(old, new))

    assert culprit(found) == name
    assert found.share(found.functions[0]) == pytest.approx(1.0)


def test_new_function_is_the_cause_of_its_caller(tmp_path: Path) -> None:
    head = BASE.replace("return n * 2", "return slow(n)") + "\ndef slow(n):\n    return sum(i for i in range(50))\n"

    found = change(tmp_path, BASE, head)

    assert culprit(found) == "other"
    assert found.culprit is not None
    assert [(call.callee.name, call.base, call.head) for call in found.culprit.calls][:1] == [("slow", 0.0, 1.0)]


def test_identical_code_has_no_culprit(tmp_path: Path) -> None:
    found = change(tmp_path, BASE, BASE)

    assert (found.growth, found.culprit, list(found.functions)) == (0, None, [])


def test_faster_code_has_no_culprit(tmp_path: Path) -> None:
    found = change(tmp_path, BASE.replace("range(20)", "range(60)"), BASE)

    assert found.growth < 0
    assert found.culprit is None


def test_moved_function_is_the_same_function(tmp_path: Path) -> None:
    base = profile_of_source(BASE, tmp_path / "base", file="shop.py")
    head = profile_of_source(BASE, tmp_path / "head", file="store/shop.py")

    assert compare_profiles(base, head).functions == []


def test_recursion_that_became_deeper_is_its_own_cause(tmp_path: Path) -> None:
    base = "def walk(n):\n    return 0 if n < 0 else walk(n - 2)\n\ndef work():\n    return walk(40)\n"

    found = change(tmp_path, base, base.replace("n - 2", "n - 1"))

    assert culprit(found) == "walk"


def test_member_of_a_circle_that_changed_is_the_cause(tmp_path: Path) -> None:
    base = (
        "def even(n):\n    return n == 0 or odd(n - 1)\n\n"
        "def odd(n):\n    return n != 0 and even(n - 1)\n\n"
        "def work():\n    return even(30)\n"
    )

    found = change(tmp_path, base, base.replace("return n != 0", "sum([1 for _ in range(20)])\n    return n != 0"))

    assert culprit(found) == "odd"


def test_line_that_runs_more_often_is_named(tmp_path: Path) -> None:
    loop = "    for i in range(n):\n        total += i\n"
    base = f"def add(n):\n    total = 0\n{loop}    return total\n\ndef work():\n    add(5)\n"

    found = change(tmp_path, base, base.replace("range(n)", "range(10 * n)"))

    assert found.culprit is not None
    assert ("total += i", 5, 50) in [(line.text, line.base, line.head) for line in found.culprit.lines]


def test_growth_within_what_varies_is_not_explained(tmp_path: Path) -> None:
    source = (
        "import itertools\nturn = itertools.count(1)\n\ndef work():\n    return [0 for _ in range(100 * next(turn))]\n"
    )

    found = change(tmp_path, source, source.replace("100 *", "120 *"))

    assert found.variation > 0
    assert found.culprit is None


def test_profiles_of_different_units_are_not_compared(tmp_path: Path) -> None:
    base = profile_of_source(BASE, tmp_path)
    head = Profile(unit="lines", method="", python="", functions=[], frames=[], calls=[])

    with pytest.raises(ValueError, match="one counts instructions, and the other lines"):
        compare_profiles(base, head)


@st.composite
def profiles(draw: st.DrawFn) -> Profile:
    """Return a profile of up to five functions without circles: each calls only later ones."""
    count = draw(st.integers(1, 5))
    functions = [Function(file="f.py", name=f"f{index}") for index in range(count)]
    own = [draw(st.integers(0, 50)) for _ in functions]
    calls: list[Call] = [Call(caller=None, callee=0, calls=1)]
    entered = [1] + [0] * (count - 1)
    for caller in range(count):
        for callee in range(caller + 1, count):
            rate = draw(st.integers(0, 3))
            if rate and entered[caller]:
                calls.append(Call(caller=caller, callee=callee, calls=rate * entered[caller]))
                entered[callee] += rate * entered[caller]
    frames = [
        Frame(parent=None, function=index, calls=entered[index], cost=own[index] * entered[index])
        for index in range(count)
    ]
    return Profile(unit="instructions", method="", python="", functions=functions, frames=frames, calls=calls)


@given(profiles(), profiles())
def test_causes_add_up_to_the_growth(base: Profile, head: Profile) -> None:
    found = compare_profiles(base, head)

    whole = sum(one.caused for one in found.functions)
    assert whole == pytest.approx(found.growth, abs=1.0 * (1 + len(head.functions)))
