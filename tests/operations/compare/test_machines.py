"""Sides of other machines are distinguished, and readers are warned."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from pytest_benchdb.analysis.machine_names import machine_names
from pytest_benchdb.model.comparison import Difference, Shift, Side
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.operations.compare.machines import (
    MOST_SESSIONS,
    find_obstacle,
    keep_one_machine,
    machine_warnings,
    side_differences,
)

Make = Callable[..., SessionRow]


def side(*sessions: SessionRow) -> Side:
    return Side(name="a side", sessions=sessions)


def test_sessions_of_one_fingerprint_have_no_obstacle(session: Make) -> None:
    assert find_obstacle([session("a", fingerprint="f")], [session("b", fingerprint="f")]) is None


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ({"cpu_model": "A"}, {"cpu_model": "B"}, "the sides differ in processor: A and B"),
        (
            {"cpu_model": "A", "os": "X", "python": "CPython 3.11.1"},
            {"cpu_model": "B", "os": "Y", "python": "CPython 3.12.1"},
            "the sides differ in processor, system and Python: A and B",
        ),
        (
            {},
            {},
            "the sides differ in their machine, as far as it is known: unnamed machine (f) and unnamed machine (g)",
        ),
        ({"cpu_model": "A"}, {}, "the sides differ in their machine, as far as it is known: A and unnamed machine"),
        (
            {"cpu_model": "A", "machine_name": "build box"},
            {"cpu_model": "A", "kind": "import", "tool": "pyperf"},
            "the sides differ in their machine, as far as it is known: build box and A",
        ),
    ],
)
def test_sessions_of_two_fingerprints_have_a_reason(
    session: Make, before: dict[str, Any], after: dict[str, Any], sentence: str
) -> None:
    first, second = session("a", fingerprint="f", **before), session("b", fingerprint="g", **after)

    assert find_obstacle([first], [second]) == sentence


def test_axis_of_pythons_is_not_an_obstacle_on_one_machine(session: Make) -> None:
    first = session("a", fingerprint="f", python="CPython 3.11.1", cpu_model="A")
    second = session("b", fingerprint="g", python="CPython 3.12.1", cpu_model="A")
    elsewhere = session("c", fingerprint="h", python="CPython 3.12.1", cpu_model="B")

    assert find_obstacle([first], [second], across="python") is None
    assert find_obstacle([first], [elsewhere], across="python") == "the sides differ in processor and Python: A and B"
    both = "the sides differ in Python: A (CPython 3.11.1) and A (CPython 3.12.1)"
    assert find_obstacle([first], [second], across="branch") == both


def test_sides_keep_the_machine_that_the_newest_candidate_shares(session: Make) -> None:
    baseline = side(session("a", fingerprint="f"), session("b", fingerprint="g"), session("c", fingerprint="g"))
    candidate = side(session("d", fingerprint="f"), session("e", fingerprint="g"), session("f", fingerprint="h"))

    first, second, warnings = keep_one_machine(baseline, candidate)

    assert [one.session_id for one in (*first.sessions, *second.sessions)] == ["b", "c", "e"]
    assert warnings == ("3 sessions of another machine or Python left out; --allow-cross takes them in",)


def test_sides_without_a_common_machine_stay(session: Make) -> None:
    baseline, candidate = side(session("a", fingerprint="f")), side(session("b", fingerprint="g"))

    assert keep_one_machine(baseline, candidate) == (baseline, candidate, ())


def test_warnings_count_each_session_once(session: Make) -> None:
    shared = session("a", contended=True)

    assert list(machine_warnings(side(shared), side(shared), None)) == [
        "other work disturbed the session: repeat on a quiet machine"
    ]
    assert list(machine_warnings(side(shared), side(session("b", complete=False)), None)) == [
        "other work disturbed 1 of 2 sessions: repeat on a quiet machine",
        "some benchmarks may be missing from 1 of 2 sessions: it did not end by itself",
    ]


def test_warnings_report_a_shift_of_the_whole_suite(session: Make) -> None:
    (text,) = machine_warnings(side(session("a")), side(session("b")), Shift(change=0.1, agreeing=0.9))

    assert text.startswith("90 % of the benchmarks moved alike, by +10.0 % in the median")


class Environments:
    """A reader of a history that has only environments."""

    def __init__(self, **environments: dict[str, Any]) -> None:
        self._environments = environments
        self.asked: list[str] = []
        self.options: list[tuple[str, str, str]] = []

    def timing_options(self, session_ids: Sequence[str], names: Sequence[str]) -> list[dict[str, Any]]:
        return [
            {"session_id": session_id, "name": name, "value": value}
            for session_id, name, value in self.options
            if session_id in session_ids and name in names
        ]

    def environment_of(self, session_id: str) -> dict[str, Any]:
        self.asked.append(session_id)
        return self._environments.get(session_id, {})


def differences(reader: Any, first: list[SessionRow], second: list[SessionRow]) -> tuple[Difference, ...]:
    return side_differences(reader, Side(name="one", sessions=tuple(first)), Side(name="two", sessions=tuple(second)))


def test_facts_that_differ_are_reported_with_both_values(session: Make) -> None:
    reader = Environments(
        a={"fingerprint": "f", "cpu_model": "X", "os": "Debian 12", "packages": {"numpy": "2.0", "scipy": "1.0"}},
        b={"fingerprint": "g", "cpu_model": "Y", "os": "Debian 12", "packages": {"numpy": "2.1"}},
    )

    assert differences(reader, [session("a")], [session("b")]) == (
        Difference(name="cpu", baseline="X", candidate="Y"),
        Difference(name="packages.numpy", baseline="2.0", candidate="2.1"),
        Difference(name="packages.scipy", baseline="1.0", candidate=None),
    )


def test_differences_list_the_values_of_several_sessions(session: Make) -> None:
    reader = Environments(
        a={"details": {"cpu": {"governor": "performance"}}}, b={"details": {"cpu": {"governor": "powersave"}}}
    )

    assert differences(reader, [session("a"), session("b")], [session("c")]) == (
        Difference(name="details.cpu.governor", baseline="performance, powersave", candidate=None),
    )


def test_options_of_the_timing_that_both_sides_state_are_compared(session: Make) -> None:
    reader = Environments(a={}, b={})
    reader.options = [
        ("a", "disable_gc", "false"),
        ("b", "disable_gc", "true"),
        ("a", "min_rounds", "5"),
        ("b", "min_rounds", "5"),
        ("b", "warmup", "true"),
        ("b", "iterations", "3"),
    ]

    assert differences(reader, [session("a")], [session("b")]) == (
        Difference(name="disable_gc", baseline="false", candidate="true"),
    )


def test_session_of_both_sides_is_read_once_and_differs_in_nothing(session: Make) -> None:
    reader = Environments(a={"os": "Debian 12"})

    assert differences(reader, [session("a")], [session("a")]) == ()
    assert reader.asked == ["a"]


def test_long_side_is_read_up_to_its_newest_sessions(session: Make) -> None:
    reader = Environments()
    sessions = [session(f"s{number}") for number in range(MOST_SESSIONS + 5)]

    differences(reader, sessions, [session("x")])

    assert reader.asked[0] == "s5"
    assert len(reader.asked) == MOST_SESSIONS + 1


@pytest.mark.parametrize(
    ("first", "second", "names"),
    [
        ({}, {"cpu_model": "B"}, ["A", "B"]),
        ({"threads": 8}, {"threads": 16}, ["A (8 threads)", "A (16 threads)"]),
        ({}, {"kind": "import", "tool": "pyperf"}, ["A (recorded here)", "A (imported from pyperf)"]),
        ({}, {"machine_name": "build box"}, ["A", "build box"]),
        ({}, {}, ["A (f)", "A (g)"]),
        (
            {"python": "CPython 3.11.7 (main)"},
            {"python": "CPython 3.12.1 (main)"},
            ["A (CPython 3.11.7)", "A (CPython 3.12.1)"],
        ),
    ],
)
def test_machines_are_named_by_what_keeps_them_apart(
    session: Make, first: dict[str, Any], second: dict[str, Any], names: list[str]
) -> None:
    sessions = [
        session(name, **{"fingerprint": print_, "cpu_model": "A", **facts})
        for name, print_, facts in (("a", "f", first), ("b", "g", second))
    ]

    assert list(machine_names(sessions).values()) == names
