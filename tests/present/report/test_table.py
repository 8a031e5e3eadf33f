"""The table of runs: exact at five widths, and never wider than the terminal, for any names."""

import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.report import ReportRow
from pytest_benchdb.present.report.columns import (
    COLUMN_KEYS,
    GROUP_KEYS,
    RenderOptions,
    columns_named,
    default_columns,
    default_grouping,
    figure_of,
)
from pytest_benchdb.present.report.table import layout, run_table
from pytest_benchdb.present.writing.text import width

Make = Callable[..., ReportRow]


def ungrouped(columns: Iterable[str]) -> RenderOptions:
    return RenderOptions(columns=columns_named(columns), group_by="none")


ANY_TEXT = st.text(st.characters(), min_size=1, max_size=80)


def suite(run: Make) -> list[ReportRow]:
    return [
        run("tests/test_sorting.py::test_sort[list-100]", 1.2345e-6),
        run("tests/test_sorting.py::test_sort[list-100000]", 1.2345e-3),
        run("tests/test_sorting.py::TestNames::test_long[numpy-float64-10000]", 12.345e-6, rounds=1, iterations=1),
        run("tests/test_sorting.py::test_gpu", None, outcome="skipped", reason="needs CUDA"),
        run("tests/test_parse.py::test_fail", None, outcome="failed", reason="assert 1 == 2\nmore"),
        run("tests/test_parse.py::test_sim", 1e-4, provenance="simulated"),
        run("tests/test_parse.py::test_off", None, valid=False, reason="--benchmark-disable"),
        run("tests/test_parse.py::test_again", 44e-6, memory_bytes=None, cpu_per_wall=None, attempt=2),
    ]


SNAPSHOTS = Path(__file__).parents[1] / "snapshots"


@pytest.mark.parametrize("columns", [40, 60, 80, 120, 200])
def test_layout_at_a_width_is_exact(run: Make, columns: int) -> None:
    rows = suite(run)

    table = layout(rows, columns)

    assert table.plain() == (SNAPSHOTS / f"table-{columns}.txt").read_text(encoding="utf-8")


def test_layout_for_ascii_terminals_is_exact(run: Make) -> None:
    rows = suite(run)

    table = layout(rows, 80, RenderOptions(group_by="none"), ascii_only=True)

    assert table.plain() == (SNAPSHOTS / "table-ascii.txt").read_text(encoding="ascii")


def test_layout_leaves_columns_out_by_priority(run: Make) -> None:
    rows = suite(run)

    left_out = [layout(rows, columns, RenderOptions(group_by="none")).left_out for columns in (200, 70, 60, 40, 10)]

    assert left_out == [
        (),
        ("rounds",),
        ("min", "rounds"),
        ("min", "memory", "rounds"),
        ("IQR", "min", "CPU", "memory", "rounds"),
    ]


@settings(max_examples=60)
@given(
    names=st.lists(ANY_TEXT, min_size=1, max_size=4),
    reason=ANY_TEXT,
    columns=st.integers(1, 250),
    keys=st.lists(st.sampled_from(COLUMN_KEYS), min_size=1, max_size=8, unique=True),
    how=st.tuples(st.sampled_from([None, *GROUP_KEYS]), st.booleans()),
)
def test_layout_of_any_names_never_exceeds_the_width(
    run: Make,
    names: Sequence[str],
    reason: str,
    columns: int,
    keys: Sequence[str],
    how: tuple[str | None, bool],
) -> None:
    group_by, ascii_only = how
    rows = [
        run(name, 1e-3 if index % 2 else None, outcome="passed" if index % 2 else "failed", reason=reason, group=name)
        for index, name in enumerate(names)
    ]

    table = layout(rows, columns, RenderOptions(columns=columns_named(keys), group_by=group_by), ascii_only=ascii_only)

    for line in table.lines:
        text = "".join(span.text for span in line)
        assert width(text) <= columns
        assert "\n" not in text
        assert not ascii_only or text.isascii()


def test_layout_of_a_name_of_10000_characters_fits(run: Make) -> None:
    rows = [run("tests/test_a.py::test_x[" + "x" * 10_000 + "]")]

    table = layout(rows, 80, RenderOptions(group_by="none"))

    assert max(len(line) for line in table.plain().splitlines()) <= 80


@pytest.mark.parametrize(
    "outcome", ["failed", "error", "skipped", "xfailed", "timeout", "oom", "crashed", "unsupported"]
)
def test_layout_of_a_run_that_did_not_pass_shows_no_number(run: Make, outcome: str) -> None:
    rows = [run("test_a.py::test_x", 123.4e-6, outcome=outcome, reason="because", rounds=77)]

    line = (
        layout(
            rows,
            300,
            ungrouped([key for key in COLUMN_KEYS if key != "session"]),
        )
        .plain()
        .splitlines()[-1]
    )

    assert f"{outcome}: because" in line
    assert not any(char.isdigit() for char in line.replace(rows[0].fullname, ""))


def test_layout_of_equal_names_in_two_files_shows_the_files(run: Make) -> None:
    rows = [run("tests/test_a.py::test_x", group="g"), run("tests/test_b.py::test_x", group="g")]

    text = layout(rows, 120, RenderOptions(group_by="group")).plain()

    assert "tests/test_a.py::test_x" in text
    assert "tests/test_b.py::test_x" in text


def test_layout_shows_the_backend_only_where_it_differs(run: Make) -> None:
    same = [run(), run("tests/test_a.py::test_y")]
    differing = [run(), run(backend="cuda")]

    assert "backend" not in {column.key for column in default_columns(same)}
    assert "backend" in {column.key for column in default_columns(differing)}


def test_layout_marks_simulated_runs_at_every_width(run: Make) -> None:
    rows = [run("tests/test_a.py::test_" + "x" * 100, provenance="simulated")]

    for columns in (40, 80, 120, 200):
        assert "(simulated)" in layout(rows, columns, RenderOptions(group_by="none")).plain()


def test_layout_of_no_runs_is_the_head(run: Make) -> None:
    assert layout([], 80, RenderOptions(group_by="none")).plain().startswith("benchmark")


@pytest.mark.parametrize("rounds", [None, 1])
def test_spread_of_fewer_than_two_rounds_is_not_shown(run: Make, rounds: int | None) -> None:
    row = run(rounds=rounds)

    assert figure_of(row, "spread") is None
    assert figure_of(row, "iqr") is None


@given(st.lists(st.floats(min_value=1e-9, max_value=1e3), min_size=1, max_size=5))
def test_shown_medians_are_within_rounding_of_the_raw(run: Make, medians_s: list[float]) -> None:
    rows = [run(f"test_a.py::test_{index}", median_s) for index, median_s in enumerate(medians_s)]
    (column,) = columns_named(["median"])
    table = run_table(rows, RenderOptions(columns=[column]))

    for index, row in enumerate(rows):
        shown_s = float(table.cell(index, column)) * table.units["time"].of_rows[index].size
        assert row.median_s is not None
        assert math.isclose(shown_s, row.median_s, rel_tol=0.0051)


def test_columns_named_wrongly_lists_the_choice() -> None:
    with pytest.raises(ConfigError, match=r"no column 'speed'; .*choose from benchmark, .*median"):
        columns_named(["benchmark", "speed"])


@pytest.mark.parametrize(
    ("changes", "keys"),
    [
        ([{}, {}], ()),
        ([{"group": "g"}, {}], ("group",)),
        ([{"model": "bert"}, {"model": "bert"}], ("model",)),
        ([{"fullname": "a.py::x"}, {"fullname": "b.py::x"}], ("file",)),
    ],
    ids=["nothing differs", "groups", "models", "files"],
)
def test_default_grouping_follows_the_runs(run: Make, changes: list[dict[str, str]], keys: tuple[str, ...]) -> None:
    assert default_grouping([run(**change) for change in changes]) == keys
