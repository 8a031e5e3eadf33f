"""Sides of other machines are told apart, and readers are warned."""

from collections.abc import Callable
from typing import Any

import pytest

from pytest_benchdb.model.comparison import Shift, Side
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.operations.compare.machines import machine_warnings, obstacle_between, on_one_machine

Make = Callable[..., SessionRow]


def side(*sessions: SessionRow) -> Side:
    return Side(name="a side", sessions=sessions)


def test_sessions_of_one_fingerprint_have_no_obstacle(session: Make) -> None:
    assert obstacle_between([session("a", fingerprint="f")], [session("b", fingerprint="f")]) is None


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ({"cpu_model": "A"}, {"cpu_model": "B"}, "the sides differ in processor"),
        (
            {"cpu_model": "A", "os": "X", "python": "CPython 3.11.1"},
            {"cpu_model": "B", "os": "Y", "python": "CPython 3.12.1"},
            "the sides differ in processor, system and Python",
        ),
        ({}, {}, "the sides differ in their machine, as far as it is known"),
        ({"cpu_model": "A"}, {}, "the sides differ in their machine, as far as it is known"),
    ],
)
def test_sessions_of_two_fingerprints_have_a_reason(
    session: Make, before: dict[str, Any], after: dict[str, Any], sentence: str
) -> None:
    first, second = session("a", fingerprint="f", **before), session("b", fingerprint="g", **after)

    assert obstacle_between([first], [second]) == sentence


def test_axis_of_pythons_is_no_obstacle_on_one_machine(session: Make) -> None:
    first = session("a", fingerprint="f", python="CPython 3.11.1", cpu_model="A")
    second = session("b", fingerprint="g", python="CPython 3.12.1", cpu_model="A")
    elsewhere = session("c", fingerprint="h", python="CPython 3.12.1", cpu_model="B")

    assert obstacle_between([first], [second], across="python") is None
    assert obstacle_between([first], [elsewhere], across="python") == "the sides differ in processor and Python"
    assert obstacle_between([first], [second], across="branch") == "the sides differ in Python"


def test_sides_keep_the_machine_that_the_newest_candidate_shares(session: Make) -> None:
    baseline = side(session("a", fingerprint="f"), session("b", fingerprint="g"), session("c", fingerprint="g"))
    candidate = side(session("d", fingerprint="f"), session("e", fingerprint="g"), session("f", fingerprint="h"))

    first, second, told = on_one_machine(baseline, candidate)

    assert [one.session_id for one in (*first.sessions, *second.sessions)] == ["b", "c", "e"]
    assert told == ("3 sessions of another machine or Python left out; --allow-cross takes them in",)


def test_sides_without_a_common_machine_stay(session: Make) -> None:
    baseline, candidate = side(session("a", fingerprint="f")), side(session("b", fingerprint="g"))

    assert on_one_machine(baseline, candidate) == (baseline, candidate, ())


def test_warnings_count_each_session_once(session: Make) -> None:
    shared = session("a", contended=True)

    assert list(machine_warnings(side(shared), side(shared), None)) == [
        "other work disturbed the session: repeat on a quiet machine"
    ]
    assert list(machine_warnings(side(shared), side(session("b", complete=False)), None)) == [
        "other work disturbed 1 of 2 sessions: repeat on a quiet machine",
        "some benchmarks may be missing from 1 of 2 sessions: it did not end by itself",
    ]


def test_warnings_tell_what_the_whole_suite_shares(session: Make) -> None:
    (text,) = machine_warnings(side(session("a")), side(session("b")), Shift(change=0.1, agreeing=0.9))

    assert text.startswith("90 % of the benchmarks changed in the same direction, in the median by +10.0 %")
