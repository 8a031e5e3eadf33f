"""The page of trends draws each history with its changes, what was accepted, and what people said about sessions."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from tests.present.decisions.reading import read_page
from tests.present.verdicts.results import HOSTILE, session

from pytest_benchdb.analysis.series.trend import trend_of
from pytest_benchdb.model.answer.trend import SessionMark, Trend, Trends
from pytest_benchdb.model.series import SeriesKey, SessionValue
from pytest_benchdb.model.wording import percent_text

pytest.importorskip("jinja2")

from pytest_benchdb.present.decisions.trend import MOST_CHARTS, trend_html

STEP = [1.0] * 10 + [1.3] * 10


def trend(values: Sequence[float | None], fullname: str = "t.py::test_x", **changes: Any) -> Trend:
    """Return the trend of one value for each session; a wobble of a thousandth keeps them from being exact."""
    rows, sessions = [], {}
    for at, value in enumerate(values):
        name = f"s{at}"
        started = f"2026-11-{at // 20 + 1:02}T{at % 20:02}:00:00"
        sessions[name] = session(session_id=name, started_at=started, commit_sha=f"{at + 1:040x}", fingerprint="f")
        given: dict[str, Any] = {"unit": "s", "better": "lower", **changes}
        key = SeriesKey(fullname=fullname, metric=given.pop("metric", "wall_time"), backend="cpu", device="cpu")
        figure = None if value is None else value * (1 + 0.001 * math.sin(at))
        rows.append(
            SessionValue(
                key=key,
                session_id=name,
                run_id=name,
                started_at=started,
                outcome="passed" if value is not None else "failed",
                reason=None if value is not None else "failed: <b>no</b>",
                valid=value is not None,
                provenance="measured",
                value=figure,
                min=figure,
                median=figure,
                n=3,
                labels={},
                **given,
            )
        )
    return trend_of(rows, sessions)


def trends(*series: Trend, **changes: Any) -> Trends:
    given = {"order": "ancestry", "order_reason": None, "sessions": 20, "sessions_in_all": 20, **changes}
    return Trends(sources=("results",), series=series, **given)


def test_change_of_level_has_its_size_its_commits_and_why_it_was_accepted() -> None:
    one = trend(STEP)
    accepted = replace(one, changes=(replace(one.changes[0], accepted="new parser", commits=2),))
    marks = {"s10": SessionMark(subject="Rewrite the parser", remote_url="https://github.com/a/b")}

    page = read_page(trend_html(trends(accepted, marks=marks)))

    size = percent_text(one.changes[0].point.change)
    for text in (f"A {size}", f"{size} worse", "(accepted)", "new parser", "Rewrite the parser", "(2 commits)"):
        assert text in page.text
    assert f"https://github.com/a/b/commit/{11:040x}" in page.links


def test_rate_that_fell_is_worse() -> None:
    rate = trend([value / 1.0 for value in STEP[::-1]], unit="1/s", better="higher", metric="throughput")

    page = read_page(trend_html(trends(rate)))

    (row,) = page.rows
    assert "worse" in row.texts["last change"]
    assert float(row.values["last change"]) == rate.changes[-1].point.change


def test_every_session_is_in_the_data_of_the_chart() -> None:
    one = trend([*STEP[:5], None, *STEP[6:]])

    page = read_page(trend_html(trends(one)))

    values = [value for row in page.data for value in row if value is not None]
    for point in one.points:
        if point.value is not None:
            assert repr(point.value) in values
    assert "failed: <b>no</b>" in page.text


def test_baselines_labels_and_notes_are_on_the_page() -> None:
    marks = {"s3": SessionMark(label="nightly", notes=("<i>new machine</i>",), baselines=("v1.0",))}

    page = read_page(trend_html(trends(trend(STEP), marks=marks)))

    assert page.text.count("baseline v1.0; label nightly; note: <i>new machine</i>") >= 2


def test_hostile_texts_are_only_text() -> None:
    one = trend(STEP, HOSTILE, metric=HOSTILE, unit=HOSTILE)
    marks = {
        f"s{at}": SessionMark(
            label=HOSTILE, notes=(HOSTILE,), baselines=(HOSTILE,), subject=HOSTILE, remote_url=HOSTILE
        )
        for at in range(20)
    }
    hostile = trends(one, marks=marks, order="time", order_reason=HOSTILE, selection=HOSTILE, machines={"f": HOSTILE})

    assert len(read_page(trend_html(hostile)).rows) == 1


@pytest.mark.parametrize(
    "values",
    [[1.0], [None, 1.0], [0.0, 0.0], [-1.0, 2.0], [1e-300, 1e300], [1.0, 1.0, 1.0], [1e9, 1e-9, 1.0] * 5],
)
def test_odd_values_make_a_page(values: list[float | None]) -> None:
    page = read_page(trend_html(trends(trend(values))))

    assert len(page.rows) == 1


def test_thousands_of_series_are_bounded() -> None:
    one = trend(STEP)
    many = [replace(one, key=replace(one.key, fullname=f"t.py::test_{n}")) for n in range(600)]

    text = trend_html(trends(*many))
    page = read_page(text)

    assert len(page.rows) == 500
    assert text.count('class="series-detail"') == MOST_CHARTS
    assert "100 more series, without a chart" in page.text
    assert f"The {MOST_CHARTS} most urgent of 500 have a chart" in page.text


def test_nothing_to_follow_says_what_there_is() -> None:
    page = read_page(trend_html(trends(metrics=("wall_time", "peak_rss"))))

    assert "There are these metrics: wall_time, peak_rss" in page.text
