"""The noise of a machine as a page: for each benchmark how much it varies, and the changes that this hides."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_benchdb.model.answer.noise import NoiseRow, NoiseScore
from pytest_benchdb.present.decisions.parts import (
    LONGEST_NAME,
    MOST_ROWS,
    Cell,
    Count,
    counts_of,
    decision_page,
    figure_cell,
    rest_of,
    text_of,
)
from pytest_benchdb.present.history.noise import advice_of, name_of, percent, summary_of, warnings_of
from pytest_benchdb.present.html.scale import Scale
from pytest_benchdb.present.writing.units import NOT_MEASURED

WIDTH, HEIGHT = 300, 24
_MARGIN = 8.0
_LEAST, _MOST = 0.001, 3.0
"""Ends of the axis: what is beyond them is at them."""
_TICKS = (0.001, 0.01, 0.1, 1.0)
_MOST_ADVICE = 100
_UNKNOWN = "too few sessions"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseMark:
    """The noise of a series on the axis, in pixels.

    Attributes:
        spread: its noise.
        found: path of the changes found by several sessions a side, from the most sessions to the fewest.
        history: what one session against a history finds.
    """

    spread: float
    found: str
    history: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NoisePageRow:
    """A row of the table; `mark` is None with too few sessions."""

    name: str
    fullname: str
    tags: Sequence[str]
    mark: NoiseMark | None
    mark_text: str
    noise: Cell
    cells: Sequence[Cell]


def noise_html(score: NoiseScore) -> str:
    """Return a machine's noise as a page.

    Raises:
        MissingExtraError: Jinja is not installed.
    """
    drawn = score.rows[:MOST_ROWS]
    advice = list(advice_of(score))
    one_metric = len({row.key.metric for row in score.rows}) == 1
    rows = [_row(row, score, one_metric=one_metric) for row in drawn]
    return decision_page(
        "noise.html.jinja",
        title=text_of(f"Noise of {score.machine}"),
        summary=[text_of(text) for text in summary_of(score)],
        warnings=[text_of(text) for text in warnings_of(score)],
        counts=_counts(score),
        metric=text_of(score.rows[0].key.metric, LONGEST_NAME) if one_metric else "",
        labels=_labels(rows),
        rows=rows,
        rest=rest_of(
            score.rows[MOST_ROWS:],
            lambda row: (
                text_of(name_of(row), LONGEST_NAME),
                _UNKNOWN if row.noise is None else percent(row.noise.deviation),
            ),
            "benchmark",
            "-f csv and -f json have them",
        ),
        advice=[(text_of(name, LONGEST_NAME), text_of(text)) for name, text in advice[:_MOST_ADVICE]],
        advice_left=max(len(advice) - _MOST_ADVICE, 0),
        size=(WIDTH, HEIGHT),
        ticks=[(_x(tick), f"{tick * 100:g} %") for tick in _TICKS],
        limit=_x(score.change),
        change=percent(score.change),
        per_side=list(score.per_side),
        history=score.history,
        confirms=score.confirms,
    )


def _counts(score: NoiseScore) -> list[Count]:
    tags = (tag for row in score.rows for tag in _tags(row))
    return counts_of(tags, lambda tag: "" if tag == "exact" else "warn")


def _tags(row: NoiseRow) -> list[str]:
    return [_UNKNOWN] if row.noise is None else list(row.noise.causes)


def _labels(rows: Sequence[NoisePageRow]) -> list[tuple[str, str]]:
    return [(cell.label, "right" if cell.kind == "figure" else "left") for cell in rows[0].cells] if rows else []


_SCALE = Scale(low=_LEAST, high=_MOST, is_log=True)


def _x(share: float) -> float:
    place = _SCALE.share(share) if math.isfinite(share) else 1.0
    return round(_MARGIN + place * (WIDTH - 2 * _MARGIN), 1)


def _row(row: NoiseRow, score: NoiseScore, *, one_metric: bool) -> NoisePageRow:
    noise = row.noise
    sessions = figure_cell("sessions", str(row.measured), row.measured)
    if noise is None:
        empty = [figure_cell(label, NOT_MEASURED, None) for label in _figure_labels(score)]
        why = Cell(label="why", text=_UNKNOWN, style="warn")
        mark, mark_text, spread = None, "", figure_cell("noise", NOT_MEASURED, None)
        cells = [*empty, sessions, why]
    else:
        found = [noise.detectable[count] for count in score.per_side]
        shares = [noise.worst, *found, noise.detectable_by_history]
        figures = [
            figure_cell(label, percent(share), share if math.isfinite(share) else None)
            for label, share in zip(_figure_labels(score), shares, strict=False)
        ]
        needed = "over 100" if noise.needed is None else str(noise.needed)
        figures.append(figure_cell(_needed_label(score), needed, noise.needed))
        spread = figure_cell("noise", percent(noise.deviation), noise.deviation)
        mark = NoiseMark(spread=_x(noise.deviation), found=_found_path(found), history=_x(noise.detectable_by_history))
        mark_text = (
            f"noise {percent(noise.deviation)}; "
            + ", ".join(
                f"{count} a side find {percent(share)}" for count, share in zip(score.per_side, found, strict=True)
            )
            + f"; 1 session against {score.history} finds {percent(noise.detectable_by_history)}"
        )
        cells = [*figures, sessions, Cell(label="why", text=", ".join(noise.causes) or NOT_MEASURED)]
    return NoisePageRow(
        name=text_of(name_of(row).removesuffix(f" {row.key.metric}" if one_metric else ""), LONGEST_NAME),
        fullname=text_of(row.key.fullname),
        tags=[tag.replace(" ", "-") for tag in _tags(row)],
        mark=mark,
        mark_text=mark_text,
        noise=spread,
        cells=cells,
    )


def _figure_labels(score: NoiseScore) -> list[str]:
    found = [f"{count} a side find" for count in score.per_side]
    return ["worst session", *found, f"1 against {score.history} finds", _needed_label(score)]


def _needed_label(score: NoiseScore) -> str:
    return f"sessions a side for {percent(score.change)}"


def _found_path(found: Sequence[float]) -> str:
    """Return a line from the least change that is found to the largest, with a stroke at each."""
    places = sorted(map(_x, found))
    if not places:
        return ""
    middle = HEIGHT // 2
    return f"M{places[0]:g} {middle}H{places[-1]:g}" + "".join(f"M{x:g} {middle - 5}v10" for x in places)
