import json

from pytest_benchdb.exporters.profiles import callgrind_text, collapsed_text, speedscope_text
from pytest_benchdb.model.profile import Call, Frame, Function, Profile

PROFILE = Profile(
    unit="instructions",
    method="",
    python="",
    functions=[
        Function(file="shop.py", name="total", line=3),
        Function(file="shop.py", name="odd;\nname", line=9),
    ],
    frames=[Frame(parent=None, function=0, calls=1, cost=10), Frame(parent=0, function=1, calls=4, cost=30)],
    calls=[Call(caller=None, callee=0, calls=1), Call(caller=0, callee=1, calls=4)],
)


def test_collapsed_stacks_have_a_line_for_each_path() -> None:
    assert collapsed_text(PROFILE).splitlines() == [
        "total (shop.py:3) 10",
        "total (shop.py:3);odd,?name (shop.py:9) 30",
    ]


def test_speedscope_weighs_each_path_by_its_cost() -> None:
    document = json.loads(speedscope_text(PROFILE, "test_total"))

    (profile,) = document["profiles"]
    assert (profile["samples"], profile["weights"], profile["endValue"]) == ([[0], [0, 1]], [10, 30], 40)
    assert document["shared"]["frames"][0] == {"name": "total", "file": "shop.py", "line": 3}


def test_callgrind_has_own_costs_and_those_of_calls() -> None:
    lines = callgrind_text(PROFILE).splitlines()

    assert lines[0] == "# callgrind format"
    at = lines.index("fn=total")
    assert lines[at - 1 : at + 6] == [
        "fl=shop.py",
        "fn=total",
        "3 10",
        "cfi=shop.py",
        "cfn=odd;?name",
        "calls=4 9",
        "3 30",
    ]
    assert "totals: 40" in lines
