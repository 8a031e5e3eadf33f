"""JUnit XML against the schema that Jenkins, GitLab and pytest share."""

from xml.etree.ElementTree import Element, fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.present.verdicts.results import comparison, gate, hostile, many, row

from pytest_benchdb.model.benchmark import Location
from pytest_benchdb.model.comparison import Comparison, Gate
from pytest_benchdb.model.verdict import VERDICTS, Verdict
from pytest_benchdb.present.verdicts.junit import junit
from pytest_benchdb.present.writing.text import sanitize

# Elements of junit-10.xsd that we use: attributes, required attributes, and children.
SCHEMA: dict[str, tuple[set[str], set[str], set[str]]] = {
    "testsuites": ({"name", "time", "tests", "failures", "errors"}, set(), {"testsuite"}),
    "testsuite": (
        {"name", "tests", "failures", "errors", "skipped", "timestamp", "hostname", "file"},
        {"name", "tests", "failures", "errors"},
        {"testcase"},
    ),
    "testcase": ({"name", "time", "classname", "group"}, {"name"}, {"failure", "error", "skipped"}),
    "failure": ({"type", "message"}, set(), set()),
    "error": ({"type", "message"}, set(), set()),
    "skipped": ({"type", "message"}, set(), set()),
}


def parsed(result: Gate | Comparison, locations: dict[str, Location] | None = None) -> Element:
    root = fromstring(junit(result, locations).encode("utf-8"))  # noqa: S314 - our own text
    assert root.tag == "testsuites"
    for element in root.iter():
        known, needed, children = SCHEMA[element.tag]
        assert needed <= set(element.attrib) <= known, element.tag
        assert {child.tag for child in element} <= children
    for suite in (root, *root):
        cases = list(suite.iter("testcase"))
        assert suite.get("tests") == str(len(cases))
        assert suite.get("failures") == str(len(list(suite.iter("failure"))))
        assert suite.get("errors") == str(len(list(suite.iter("error"))))
    return root


def outcome(root: Element) -> list[str]:
    return [child.tag for case in root.iter("testcase") for child in case]


@pytest.mark.parametrize(
    ("verdict", "outcomes"),
    [
        ("regressed", ["failure"]),
        ("error", ["error"]),
        ("inconclusive", ["skipped"]),
        ("missing", ["skipped"]),
        ("incomparable", ["skipped"]),
        ("unchanged", []),
        ("improved", []),
        ("new", []),
    ],
)
def test_junit_of_a_comparison_maps_each_verdict(verdict: Verdict, outcomes: list[str]) -> None:
    assert outcome(parsed(comparison([row(verdict)]))) == outcomes


def test_junit_of_a_gate_fails_only_its_failures() -> None:
    rows = [row("regressed", "t.py::a", state="accepted"), row("missing", "t.py::b"), row("error", "t.py::c")]

    root = parsed(gate(rows, failures=(rows[1],)))

    assert sorted(outcome(root)) == ["failure", "skipped", "skipped"]
    (failed,) = (case for case in root.iter("testcase") if case.find("failure") is not None)
    assert failed.get("name") == "b wall_time"


def test_junit_case_of_a_class_and_parameters_is_named_as_pytest_names_it() -> None:
    root = parsed(comparison([row(fullname="tests/test_a.py::TestX::TestY::test_b[a::b-1]", phase="decode")]))

    (case,) = root.iter("testcase")
    assert case.get("classname") == "tests.test_a.TestX.TestY"
    assert case.get("name") == "test_b[a::b-1] wall_time of decode"


def test_junit_failure_has_its_location_and_the_command_to_repeat_it() -> None:
    result = comparison([row("regressed", "t.py::a", command="pytest t.py::a --benchdb")])

    root = parsed(result, {"t.py::a": Location(file="sub/t.py", line=7)})

    text = next(root.iter("failure")).text or ""
    assert text.splitlines()[0] == "sub/t.py:7"
    assert text.splitlines()[-1] == "pytest t.py::a --benchdb"
    assert [suite.get("file") for suite in root] == ["sub/t.py"]


@pytest.mark.parametrize(
    ("value", "unit", "time"),
    [
        (0.25, "s", "0.25"),
        (3.0, "s", "3.0"),
        (1e-9, "s", "0.000000001"),
        (None, "s", None),
        (1e-15, "s", None),
        (0.0, "s", None),
        (float("nan"), "s", None),
        (2.0, "B", None),
    ],
)
def test_junit_time_is_a_measured_time_or_not_there(value: float | None, unit: str, time: str | None) -> None:
    root = parsed(comparison([row(candidate=value, unit=unit)]))

    assert next(root.iter("testcase")).get("time") == time


@given(st.text(st.characters(exclude_characters=":["), min_size=1), st.text())
def test_junit_of_any_name_parses_and_keeps_printable_text(name: str, reason: str) -> None:
    root = parsed(comparison([row("regressed", f"t.py::{name}", reason=reason)]))

    (case,) = root.iter("testcase")
    assert case.get("name") == sanitize(f"{name} wall_time".strip())
    assert (next(root.iter("failure")).get("message") or "").endswith(sanitize(reason))


def test_junit_of_hostile_names_is_valid() -> None:
    root = parsed(hostile())

    assert len(list(root.iter("testcase"))) == len(VERDICTS)


def test_junit_of_nothing_is_an_empty_report() -> None:
    assert parsed(comparison([])).get("tests") == "0"


def test_junit_of_ten_thousand_rows_has_each_once() -> None:
    root = parsed(many(10_000))

    assert len({(c.get("classname"), c.get("name")) for c in root.iter("testcase")}) == 10_000
