"""Comparisons as text: every width, every terminal, every verdict."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import pytest

from pytest_benchdb.analysis.rules.suite import group_means
from pytest_benchdb.model.comparison import Comparison, ComparisonRow, Difference, Side
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.model.series import SeriesKey
from pytest_benchdb.model.verdict import Interval, Judgement, Policy
from pytest_benchdb.model.wording import share_text
from pytest_benchdb.present.verdicts.json_ import comparison_values
from pytest_benchdb.present.verdicts.markdown import comparisons_markdown
from pytest_benchdb.present.verdicts.rows import shown_rows
from pytest_benchdb.present.verdicts.table import RenderOptions, comparison_lines
from pytest_benchdb.present.verdicts.words import conclusion, interval_text, notes_of, times_text
from pytest_benchdb.present.writing.grid import plain_text
from pytest_benchdb.present.writing.text import width


def row(name: str = "test_x", change: float | None = 0.1, **values: Any) -> ComparisonRow:
    """Return a row with a candidate derived from its change; None for one without figures."""
    key = {
        part: values.pop(part, default)
        for part, default in (("metric", "wall_time"), ("phase", None), ("backend", "cpu"), ("device", "Test CPU"))
    }
    judged: dict[str, Any] = {
        "verdict": "regressed",
        "change": change,
        "baseline": None if change is None else 1e-3,
        "candidate": None if change is None else 1e-3 * (1 + change),
        "interval": None if change is None else Interval(low=change - 0.02, high=change + 0.02, level=0.95),
        "test": None if change is None else "welch",
        "baseline_sessions": 5,
        "candidate_sessions": 5,
    }
    judged.update({field.name: values.pop(field.name) for field in fields(Judgement) if field.name in values})
    known: dict[str, Any] = {
        "unit": "s",
        "better": "lower",
        "group": "g",
        "labels": {},
        "policy": Policy(better="lower", relative=0.05),
        "command": f"pytest tests/test_a.py::{name} --benchdb",
    }
    return ComparisonRow(
        key=SeriesKey(fullname=f"tests/test_a.py::{name}", **key),
        judgement=Judgement(**judged),
        **{**known, **values},
    )


def comparison(rows: Sequence[ComparisonRow], **values: Any) -> Comparison:
    session: dict[str, Any] = dict.fromkeys(field.name for field in fields(SessionRow))
    session.update(session_id="019a9e5c-7b2c-7000", started_at="2026-11-21T08:00:00.000000", tags={}, project="p")
    side = Side(name="main", sessions=(SessionRow(**session),))
    known: dict[str, Any] = {"baseline": side, "candidate": side, "means": group_means(rows)}
    return Comparison(rows=tuple(rows), **{**known, **values})


def text_of(found: Comparison, total: int = 100, **options: Any) -> str:
    return plain_text(comparison_lines(found, found.rows, RenderOptions(total=total, **options)))


MIXED = (
    row("test_slow", 0.25),
    row("test_fast", -0.5, verdict="improved"),
    row("test_same", 0.001, verdict="unchanged"),
    row("test_maybe", 0.08, verdict="inconclusive", state="suspect", sessions_needed=2),
    row("test_broken", None, verdict="error", reason="failed: AssertionError: assert 1 == 2"),
    row("test_gone", None, verdict="missing", reason="the candidate has no result", group="other"),
    row("test_a_name_that_is_far_too_long_for_any_column[" + "x" * 60 + "]", 0.3, group="other"),
)


@pytest.mark.parametrize("total", [20, 30, 40, 60, 72, 80, 100, 120, 200])
@pytest.mark.parametrize("ascii_only", [False, True])
def test_comparison_is_never_wider_than_the_terminal(total: int, ascii_only: bool) -> None:
    text = text_of(comparison(MIXED, warnings=("w " * 60,)), total, ascii_only=ascii_only)

    assert [line for line in text.splitlines() if width(line) > total] == []
    assert text.isascii() or not ascii_only


@pytest.mark.parametrize("total", [80, 120])
def test_comparison_shows_values_interval_and_verdict(total: int) -> None:
    head = next(line for line in text_of(comparison(MIXED), total).splitlines() if line.startswith("benchmark"))

    assert head.split()[:7] == ["benchmark", "baseline", "candidate", "change", "95", "%", "interval"]
    assert "verdict" in head


def test_comparison_ends_with_its_conclusion() -> None:
    assert text_of(comparison(MIXED)).splitlines()[-1] == (
        "2 regressed, 1 error, 1 missing, 1 inconclusive, 1 improved, 1 unchanged"
    )


def test_comparison_says_how_many_rows_it_leaves_out() -> None:
    found = comparison(MIXED[:3])
    lines = comparison_lines(found, shown_rows(found.rows, only_changed=True), RenderOptions(total=100))

    assert plain_text(lines).splitlines()[-1].endswith("(2 of 3 rows shown)")
    assert "geometric mean of 3" in plain_text(lines)


def test_comparison_without_rows_reports_it() -> None:
    assert text_of(comparison([])).splitlines()[-1] == "nothing was compared"


def test_row_without_figures_shows_its_reason() -> None:
    line = next(line for line in text_of(comparison(MIXED), 120).splitlines() if "test_broken" in line)

    assert "failed: AssertionError: assert 1 == 2" in line
    assert "error" in line


def test_each_metric_has_a_table_in_its_own_unit() -> None:
    memory = row("test_x", 0.1, metric="peak_rss", unit="B", baseline=64.0 * 2**20, candidate=70.4 * 2**20)

    text = text_of(comparison([row("test_x"), memory]))

    assert "wall_time, smallest round of each session, lower is better" in text
    assert "MiB" in text
    assert "64.0" in text


def test_speedup_of_a_rate_is_more_for_more() -> None:
    rate = row("test_x", 1.0, unit="1/s", metric="throughput", better="higher", verdict="improved")

    assert "2.00x" in text_of(comparison([rate]), 120)


def test_phases_and_equal_names_are_kept_apart() -> None:
    other = ComparisonRow(
        key=SeriesKey(fullname="tests/test_b.py::test_x", metric="wall_time"),
        unit="s",
        better="lower",
        group="g",
        judgement=Judgement(verdict="new"),
        labels={},
    )

    text = text_of(comparison([row("test_x", phase="load"), other]), 120)

    assert "tests/test_a.py::test_x (load)" in text
    assert "tests/test_b.py::test_x" in text


def test_differences_show_main_facts_and_count_the_rest() -> None:
    differences = (
        Difference(name="packages.numpy", baseline="2.0", candidate="2.1"),
        Difference(name="ram", baseline=str(2**34), candidate=None),
        Difference(name="details.cpu.governor", baseline="performance", candidate="powersave"),
        Difference(name="details.cpu.flags", baseline="a", candidate="b"),
    )
    found = comparison([row()], differences=differences)

    text = text_of(found, 200)

    assert (
        "numpy 2.0 -> 2.1 · ram 16.0 GiB -> unknown · cpu.governor performance -> powersave · 1 more in detail" in text
    )
    assert "cpu.flags a -> b" in text_of(found, 200, verbose=True)


def test_commands_are_shown_whole_where_they_are_asked_for() -> None:
    long = row("test_x[" + "y" * 200 + "]")

    assert long.command is not None
    assert long.command in text_of(comparison([long]), 80, verbose=True)
    assert long.command not in text_of(comparison([long]), 80)


def test_controls_in_names_and_reasons_reach_no_terminal() -> None:
    evil = row("test_x[\x1b[31m\n]", None, verdict="error", reason="bad\x1b]0;title\x07")

    text = text_of(comparison([evil], warnings=("\x1b[2J",)), verbose=True)

    assert not {"\x1b", "\x07"} & set(text)


def test_markdown_shows_names_as_they_are() -> None:
    evil = row("test_x[a|b`c`<script>@me]", command="pytest 'a```b'")

    text = comparisons_markdown([comparison([evil])], [[evil]], verbose=True)

    assert "test_x\\[a\\|b\\`c\\`&lt;script&gt;@\u200bme\\]" in text
    assert "````sh\npytest 'a```b'\n````" in text


def test_json_values_are_not_rounded_and_not_known_is_null() -> None:
    values = comparison_values(comparison([row("test_x", 1 / 3), row("test_y", None, verdict="error", reason="r")]))

    rows = values["rows"]
    assert isinstance(rows, list)
    first, second = rows
    assert first["change"] == 1 / 3
    assert first["speedup"] == pytest.approx(0.75)
    assert (second["change"], second["interval"], second["baseline"], second["speedup"]) == (None, None, None, None)
    assert values["verdicts"] == {"regressed": 1, "error": 1}


@pytest.mark.parametrize(
    ("order", "names"),
    [
        (None, ["test_slow", "test_fast", "test_same", "test_maybe", "test_broken"]),
        ("name", ["test_broken", "test_fast", "test_maybe", "test_same", "test_slow"]),
        ("change", ["test_fast", "test_slow", "test_maybe", "test_same", "test_broken"]),
        ("worst", ["test_broken", "test_slow", "test_maybe", "test_same", "test_fast"]),
    ],
)
def test_rows_are_ordered_as_asked(order: Any, names: list[str]) -> None:
    assert [one.key.fullname.rpartition("::")[2] for one in shown_rows(MIXED[:5], order=order)] == names


def test_worst_of_a_rate_is_its_largest_drop() -> None:
    rates = [row(f"test_{change}", change, better="higher", unit="1/s") for change in (0.5, -0.5, -0.1)]

    assert [one.judgement.change for one in shown_rows(rates, order="worst")] == [-0.5, -0.1, 0.5]


def test_only_changed_keeps_suspects_and_incomparable_rows() -> None:
    kept = shown_rows(MIXED, only_changed=True)

    assert {one.judgement.verdict for one in kept} == {"regressed", "improved", "inconclusive", "error", "missing"}


def test_means_of_groups_leave_out_rows_that_were_not_compared() -> None:
    means = {(mean.group, mean.rows): mean.ratio for mean in group_means(MIXED)}

    assert means[("g", 4)] == pytest.approx((1.25 * 0.5 * 1.001 * 1.08) ** 0.25)
    assert set(means) == {("g", 4), (None, 5)}


def test_mean_of_incomparable_rows_is_none() -> None:
    assert group_means([row("a", 0.1, verdict="incomparable"), row("b", -1.0), row("c", None)]) == ()


def test_notes_have_each_reason_once_and_the_missing_sessions() -> None:
    rows = [row(f"t{n}", None, verdict="incomparable", reason="why") for n in range(3)]
    rows.append(row("t9", 0.3, sessions_needed=2, state="suspect"))

    assert [(note.subject, note.text, len(note.names)) for note in notes_of(rows)] == [
        ("1 regressed (suspect)", "too few sessions to tell it from a disturbance", 1),
        ("3 incomparable", "why", 3),
        ("to be sure", "record 2 more sessions a side", 1),
    ]


def test_conclusion_counts_every_row() -> None:
    assert conclusion(comparison([row("a", verdict="unchanged")] * 3)).startswith("3 unchanged")


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.0, "0.0"), (-0.0004, "0.0"), (0.0999, "+10.0"), (9.994, "+999"), (-1.0, "-100"), (float("inf"), "+inf")],
)
def test_share_text_keeps_the_sign_and_no_more_than_it_knows(share: float, text: str) -> None:
    assert share_text(share) == text


@pytest.mark.parametrize(("factor", "text"), [(0.05, "0.050x"), (1.0, "1.00x"), (12.34, "12.3x"), (456.7, "457x")])
def test_times_text_has_three_digits(factor: float, text: str) -> None:
    assert times_text(factor) == text


def test_interval_of_rounds_is_marked() -> None:
    within = Interval(low=-0.01, high=0.02, level=0.95, within_session=True)

    assert interval_text(within) == "~-1.0 … +2.0"
    assert interval_text(within, ascii_only=True) == "~-1.0 .. +2.0"
    assert interval_text(None) == "-"
