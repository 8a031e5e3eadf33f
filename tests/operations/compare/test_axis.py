"""Values of an axis are found, ordered, and matched by everything but the axis."""

from collections.abc import Callable
from typing import Any

import pytest

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.model.series import SessionValue
from pytest_benchdb.operations.compare.axis import Axis, axis_matching, find_axis, python_text, split_axis
from pytest_benchdb.operations.compare.pairs import pair_sides

Make = Callable[..., SessionValue]
MakeSession = Callable[..., SessionRow]


def names_of(axis: Axis, values: list[SessionValue], sessions: dict[str, SessionRow]) -> list[tuple[str, int, int]]:
    """Return name and sizes of the pairs of the first two values of an axis."""
    first, second, *_ = sides = split_axis(axis, values, sessions, None)
    pairs = pair_sides(first.values, second.values, axis_matching(axis, sides[:2]))
    return [(pair.key.fullname, len(pair.baseline), len(pair.candidate)) for pair in pairs]


@pytest.fixture
def sessions(session: MakeSession) -> dict[str, SessionRow]:
    return {
        "a": session("a", "2026-11-21T01", python="CPython 3.11.7 (main, GIL)", branch="main", tags={"cc": "gcc"}),
        "b": session("b", "2026-11-21T02", python="CPython 3.12.1 (main, GIL)", branch="work", tags={"cc": "clang"}),
    }


@pytest.mark.parametrize(
    ("name", "kind", "values"),
    [
        ("backend", "place", ["cpu", "cuda"]),
        ("model", "label", ["bert", "gpt"]),
        ("python", "session", ["CPython 3.11", "CPython 3.12"]),
        ("branch", "session", ["main", "work"]),
        ("n", "parameter", ["9", "10"]),
        ("param:n", "parameter", ["9", "10"]),
        ("cc", "tag", ["gcc", "clang"]),
        ("tag:cc", "tag", ["gcc", "clang"]),
    ],
)
def test_axis_is_found_where_it_differs(
    value: Make, sessions: dict[str, SessionRow], name: str, kind: str, values: list[str]
) -> None:
    known = [
        value("a", backend="cpu", labels={"model": "bert"}, params={"n": 9}, run_id="1"),
        value("b", backend="cuda", labels={"model": "gpt"}, params={"n": 10}, run_id="2"),
    ]

    axis = find_axis(name, known, sessions)

    assert axis.kind == kind
    assert [side.value for side in split_axis(axis, known, sessions, None)] == values


def test_axis_is_found_in_parameters(value: Make, sessions: dict[str, SessionRow]) -> None:
    known = [value("a", params={"backend": "numpy"}), value("a", params={"backend": "torch"})]

    assert find_axis("backend", known, sessions).kind == "parameter"


def test_axis_that_is_the_same_everywhere_is_refused(value: Make, sessions: dict[str, SessionRow]) -> None:
    with pytest.raises(ConfigError, match="--axis backend: it is 'cpu' everywhere"):
        find_axis("backend", [value("a"), value("b")], sessions)


def test_axis_that_nothing_has_lists_what_there_is(value: Make, sessions: dict[str, SessionRow]) -> None:
    with pytest.raises(ConfigError, match=r"nothing here has it; there are backend, .*param:n, tag:cc"):
        find_axis("colour", [value("a", params={"n": 1})], sessions)


def test_baseline_value_goes_first(value: Make, sessions: dict[str, SessionRow]) -> None:
    known = [value("a", labels={"model": name}) for name in ("x", "y", "z")]
    axis = find_axis("model", known, sessions)

    assert [side.value for side in split_axis(axis, known, sessions, "z")] == ["z", "x", "y"]


def test_baseline_value_may_be_the_beginning_of_one(value: Make, sessions: dict[str, SessionRow]) -> None:
    known = [value("a", labels={"model": name}) for name in ("bert-base", "gpt-2")]
    axis = find_axis("model", known, sessions)

    assert [side.value for side in split_axis(axis, known, sessions, "GPT")] == ["gpt-2", "bert-base"]


@pytest.mark.parametrize(("wanted", "message"), [("q", "is not a value of model"), ("b", "matches 2 values")])
def test_baseline_value_that_fits_nothing_or_two_is_refused(
    value: Make, sessions: dict[str, SessionRow], wanted: str, message: str
) -> None:
    known = [value("a", labels={"model": name}) for name in ("bert", "bart")]
    axis = find_axis("model", known, sessions)

    with pytest.raises(ConfigError, match=message):
        split_axis(axis, known, sessions, wanted)


def test_parameter_of_the_axis_is_taken_out_of_the_name(value: Make, sessions: dict[str, SessionRow]) -> None:
    known = [
        value("a", fullname=f"f::test_sort[{n}-{kind}]", params={"n": n, "kind": kind})
        for n in (10, 20)
        for kind in ("up", "down")
    ]

    assert names_of(find_axis("n", known, sessions), known, sessions) == [
        ("f::test_sort[kind=up]", 1, 1),
        ("f::test_sort[kind=down]", 1, 1),
    ]


def test_backends_of_bench_each_are_matched(value: Make, sessions: dict[str, SessionRow]) -> None:
    known = [
        value("a", fullname=f"f::test_saxpy[{name}-8]", backend=backend, params={"bench_each": name, "n": 8})
        for name, backend in (("cpu", "cpu"), ("cuda:0", "cuda"))
    ]

    assert names_of(find_axis("backend", known, sessions), known, sessions) == [("f::test_saxpy[n=8]", 1, 1)]


def test_label_given_by_a_parameter_of_another_name_is_matched(value: Make, sessions: dict[str, SessionRow]) -> None:
    known = [
        value("a", fullname=f"f::test_q[{name}-8]", labels={"implementation": name}, params={"engine": name, "n": 8})
        for name in ("sqlite", "duckdb")
    ]

    assert names_of(find_axis("implementation", known, sessions), known, sessions) == [("f::test_q[n=8]", 1, 1)]


def test_functions_named_after_the_value_are_matched(value: Make, sessions: dict[str, SessionRow]) -> None:
    known: list[SessionValue] = [
        value("a", fullname=name, labels={"implementation": label})
        for label, name in (
            ("sqlite", "f::test_insert_sqlite"),
            ("duckdb", "f::test_insert_duckdb"),
            ("sqlite", "f::TestSqlite::test_query"),
            ("duckdb", "f::TestDuckdb::test_query"),
        )
    ]

    assert names_of(find_axis("implementation", known, sessions), known, sessions) == [
        ("f::test_insert", 1, 1),
        ("f::Test::test_query", 1, 1),
    ]


def test_functions_of_one_group_are_matched_where_each_value_has_one(
    value: Make, sessions: dict[str, SessionRow]
) -> None:
    known: list[SessionValue] = [
        value("a", fullname=name, group="insert", labels={"implementation": label})
        for label, name in (("row", "f::test_slow_way"), ("bulk", "f::test_fast_way"))
    ]

    assert names_of(find_axis("implementation", known, sessions), known, sessions) == [("insert", 1, 1)]


def test_function_that_both_values_have_keeps_its_name(value: Make, sessions: dict[str, SessionRow]) -> None:
    known = [value("a", fullname="f::test_cpu_bound", backend=name) for name in ("cpu", "cuda")]

    assert names_of(find_axis("backend", known, sessions), known, sessions) == [("f::test_cpu_bound", 1, 1)]


def test_imported_benchmark_without_parameters_is_matched_by_its_id(
    value: Make, sessions: dict[str, SessionRow]
) -> None:
    known = [
        value("a", fullname=f"f::test_q[{name}-8]", labels={"implementation": name}, params=None)
        for name in ("sqlite", "duckdb")
    ]

    assert names_of(find_axis("implementation", known, sessions), known, sessions) == [("f::test_q[8]", 1, 1)]


def test_sessions_of_an_axis_keep_whole_names(value: Make, sessions: dict[str, SessionRow]) -> None:
    known = [value(name, fullname="f::test_x[8]", params={"n": 8}) for name in ("a", "b")]

    assert names_of(find_axis("python", known, sessions), known, sessions) == [("f::test_x[8]", 1, 1)]


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("CPython 3.11.7 (main, GIL)", "CPython 3.11"),
        ("CPython 3.13.1 (main, free-threaded)", "CPython 3.13 free-threaded"),
        ("unknown", "unknown"),
        (None, None),
    ],
)
def test_python_text_leaves_the_patch_release_out(text: Any, short: Any) -> None:
    assert python_text(text) == short
