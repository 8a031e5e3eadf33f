"""The page of a machine's noise has every benchmark on one axis, and advice for those that hide a change."""

import math
from typing import Any

import pytest
from tests.present.decisions.reading import read_page
from tests.present.verdicts.results import HOSTILE

from pytest_benchdb.model.answer.noise import Noise, NoiseRow, NoiseScore
from pytest_benchdb.model.series import SeriesKey

pytest.importorskip("jinja2")

from pytest_benchdb.present.decisions.noise import noise_html


def row(name: str, deviation: float | None, **changes: Any) -> NoiseRow:
    noise = None
    if deviation is not None:
        given = {"detectable": {3: deviation * 4, 5: deviation * 3, 10: deviation * 2}, "needed": 4, **changes}
        noise = Noise(
            sessions=10,
            deviation=deviation,
            worst=deviation * 3,
            detectable_by_history=deviation * 5,
            causes=("short rounds",),
            **given,
        )
    key = SeriesKey(fullname=name, metric=name if name == HOSTILE else "wall_time")
    return NoiseRow(key=key, unit="s", noise=noise, measured=10, wall_per_cpu=1.0, round_s=1e-5, rounds=5.0)


def score(*rows: NoiseRow, **changes: Any) -> NoiseScore:
    given: dict[str, Any] = {
        "sources": ("results",),
        "machine": "a machine",
        "fingerprint": "f",
        "rows": rows,
        "sessions": 10,
        "other_machines": 0,
        "commits": 1,
        "contended": 0,
        "per_side": (3, 5, 10),
        "history": 20,
        "confirms": 2,
        "change": 0.05,
    }
    return NoiseScore(**{**given, **changes})


def test_row_has_its_figures_and_the_drawing_says_them() -> None:
    page = read_page(noise_html(score(row("t.py::test_a", 0.02))))

    (one,) = page.rows
    assert float(one.values["noise"]) == 0.02
    assert one.drawing == (
        "noise 2.0 %; 3 a side find 8.0 %, 5 a side find 6.0 %, 10 a side find 4.0 %; 1 session against 20 finds 10.0 %"
    )
    assert "benchdb duet --pairs 4" in page.text


def test_too_few_sessions_are_not_measured() -> None:
    page = read_page(noise_html(score(row("t.py::test_a", None))))

    (one,) = page.rows
    assert one.texts["noise"] == "-"
    assert "noise" not in one.values
    assert one.drawing == ""


def test_infinite_and_exact_noise_stay_on_the_axis() -> None:
    endless = row("t.py::endless", 5.0, detectable={3: math.inf, 5: math.inf, 10: 1e9}, needed=None)

    page = read_page(noise_html(score(endless, row("t.py::exact", 0.0))))

    assert page.rows[0].texts["3 a side find"] == "nothing"
    assert "3 a side find" not in page.rows[0].values
    assert "over 100" in page.rows[0].texts["sessions a side for 5.0 %"]


def test_hostile_texts_are_only_text() -> None:
    assert len(read_page(noise_html(score(row(HOSTILE, 0.1), machine=HOSTILE, selection=HOSTILE))).rows) == 1


def test_nothing_to_score_is_a_page() -> None:
    assert "No benchmark to score" in read_page(noise_html(score())).text
