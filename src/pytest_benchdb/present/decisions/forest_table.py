"""The table of a forest plot: a row for each benchmark of one metric, with its change and interval on one axis."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pytest_benchdb.model.comparison import ComparisonRow
from pytest_benchdb.model.series import SeriesKey
from pytest_benchdb.model.verdict import VERDICT_STYLES, VERDICTS
from pytest_benchdb.present.decisions.parts import LONGEST_NAME, Cell, figure_cell, text_of
from pytest_benchdb.present.html.forest import Axis, Mark, axis_for, mark_of
from pytest_benchdb.present.verdicts.words import (
    change_text,
    confirms_text,
    interval_text,
    interval_title,
    limit_text,
    metric_text,
    row_names,
    row_sentence,
)
from pytest_benchdb.present.writing.grid import Style
from pytest_benchdb.present.writing.units import NOT_MEASURED, one_quantity

_SIGNS = {
    "exceeded": "\N{BLACK UP-POINTING TRIANGLE}",
    "regressed": "\N{BLACK UP-POINTING TRIANGLE}",
    "error": "\N{MULTIPLICATION X}",
    "missing": "\N{MULTIPLICATION X}",
    "inconclusive": "\N{WHITE CIRCLE}",
    "incomparable": "\N{NOT EQUAL TO}",
    "new": "+",
    "improved": "\N{BLACK DOWN-POINTING TRIANGLE}",
    "unchanged": "=",
}
_SIDES_OF_AXIS = {
    "lower": ("less: better", "more: worse"),
    "higher": ("more: better", "less: worse"),
    "none": ("less", "more"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ForestRow:
    """A row of a forest plot.

    Attributes:
        key: id of its details; empty without any.
        note: why there is no sure verdict; empty without a reason.
        tags: words that the filters look for.
    """

    key: str
    name: str
    fullname: str
    note: str
    style: Style
    tags: Sequence[str]
    cells: Sequence[Cell]
    mark: Mark | None
    mark_text: str
    direction: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Forest:
    """The rows of one metric on one axis."""

    title: str
    labels: Sequence[tuple[str, str]]
    axis: Axis
    axis_text: str
    ends: tuple[str, str]
    rows: Sequence[ForestRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How rows look.

    Attributes:
        keys: ids of the details of rows, by identity of the row; rows without details are left out.
        failed: the series that failed a gate; None for a comparison.
    """

    keys: Mapping[int, str]
    failed: frozenset[SeriesKey] | None = None

    def key(self, row: ComparisonRow) -> str:
        """Return the id of a row's details; empty without any."""
        return self.keys.get(id(row), "")

    def style(self, row: ComparisonRow) -> Style:
        """Return the style of a row's verdict; of a gate, only what failed is red."""
        style = VERDICT_STYLES[row.judgement.verdict]
        if self.failed is None:
            return style
        return "bad" if row.key in self.failed else "warn" if style == "bad" else style


def forest_of(rows: Sequence[ComparisonRow], look: Look) -> Forest:
    """Return the forest plot of the rows of one metric; at least one."""
    first = rows[0]
    axis = axis_for(rows, first.better)
    columns = _columns(rows, look)
    names = row_names(rows)
    ticks = ", ".join(text for _, text in axis.ticks())
    ends = _SIDES_OF_AXIS[first.better]
    return Forest(
        title=text_of(metric_text(rows)),
        labels=[(title, "right" if kind == "figure" else "left") for title, kind, _ in columns],
        axis=axis,
        axis_text=f"axis of the change, from {ends[0]} on the left to {ends[1]} on the right: {ticks}",
        ends=ends,
        rows=[
            ForestRow(
                key=look.key(row),
                name=text_of(name, LONGEST_NAME),
                fullname=text_of(row.key.fullname),
                note=text_of(row.judgement.reason),
                style=look.style(row),
                tags=[tag.replace(" ", "-") for tag in (row.judgement.verdict, row.judgement.state) if tag],
                cells=[cell(row) for _, _, cell in columns],
                mark=mark_of(row, axis),
                mark_text=text_of(row_sentence(row)),
                direction=_direction(row),
            )
            for row, name in zip(rows, names, strict=True)
        ],
    )


def _direction(row: ComparisonRow) -> str:
    """Return the class of a row's mark, by the metric's direction."""
    if row.judgement.verdict in {"regressed", "exceeded"}:
        return "worse"
    return "better" if row.judgement.verdict == "improved" else "neither"


_Column = tuple[str, str, Callable[[ComparisonRow], Cell]]


def _columns(rows: Sequence[ComparisonRow], look: Look) -> list[_Column]:
    def verdict(row: ComparisonRow) -> Cell:
        text = f"{_SIGNS[row.judgement.verdict]} {row.judgement.text}"
        return Cell(label="verdict", text=text, value=VERDICTS.index(row.judgement.verdict), style=look.style(row))

    def change(row: ComparisonRow) -> Cell:
        style = look.style(row) if row.judgement.verdict in {"regressed", "improved", "exceeded"} else ""
        return figure_cell("change", change_text(row), row.judgement.change, style)

    def figure(label: str, value: Callable[[ComparisonRow], float | None]) -> _Column:
        return label, "figure", lambda row: figure_cell(label, text_of(one_quantity(value(row), row.unit)), value(row))

    columns: list[_Column] = [
        ("verdict", "text", verdict),
        ("change", "figure", change),
        figure("baseline", lambda row: row.judgement.baseline),
        figure("candidate", lambda row: row.judgement.candidate),
    ]
    if any(row.judgement.interval for row in rows):
        interval = f"{interval_title(rows)}, %"
        columns.append(
            (
                interval,
                "figure",
                lambda row: figure_cell(
                    interval,
                    interval_text(row.judgement.interval),
                    row.judgement.interval.low if row.judgement.interval else None,
                ),
            )
        )
    columns.append(("limit", "figure", lambda row: figure_cell("limit", text_of(limit_text(row)), row.limit)))
    if any(row.confirmations for row in rows):
        columns.append(("checked", "text", lambda row: Cell(label="checked", text=confirms_text(row))))
    columns.append(("sessions", "figure", _sessions_cell))
    places = {(row.key.backend, row.key.device) for row in rows}
    if len(places) > 1:
        columns.insert(
            0,
            (
                "device",
                "text",
                lambda row: Cell(
                    label="device", text=text_of(row.key.device or row.key.backend or NOT_MEASURED, LONGEST_NAME)
                ),
            ),
        )
    return columns


def _sessions_cell(row: ComparisonRow) -> Cell:
    text = f"{row.judgement.baseline_sessions} + {row.judgement.candidate_sessions}"
    return figure_cell("sessions", text, row.judgement.baseline_sessions)
