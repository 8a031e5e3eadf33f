"""The compatibility matrix: a cell for each combination, with its state in sign and word, and its best figure."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.compatibility.matrix import Cell, Matrix
from pytest_benchdb.model.compatibility.states import State
from pytest_benchdb.present.matrix.words import state_text, value_text
from pytest_benchdb.present.plot.axes import short_names
from pytest_benchdb.present.plot.drawing import Drawing, Panel
from pytest_benchdb.present.plot.style import PlotStyle, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_ROWS, MOST_COLUMNS = 40, 12

_LOOKS: dict[State, tuple[str, str, str]] = {
    "pass": ("#e3f1e7", "#ffffff", ""),
    "degraded": ("#fbeed3", "#ececec", "//"),
    "fail": ("#f6d9d5", "#bdbdbd", ""),
    "oom": ("#f6d9d5", "#bdbdbd", "xx"),
    "timeout": ("#f6d9d5", "#bdbdbd", ".."),
    "unsupported": ("#f2f2f2", "#f2f2f2", ""),
    "skipped": ("#f2f2f2", "#f2f2f2", "\\\\"),
    "untested": ("#ffffff", "#ffffff", ""),
}
"""Colour, grey and hatch of each state; the sign and the word in the cell say it as well."""


def matrix_drawing(matrix: Matrix) -> Drawing:
    """Return the drawing of a matrix.

    Raises:
        ConfigError: it has no row.
    """
    if not matrix.rows:
        raise ConfigError(f"there is nothing to draw: no run matches {matrix.selection or 'the matrix'}")
    notes = list(matrix.notes)
    rows, columns = matrix.rows[:MOST_ROWS], matrix.columns[:MOST_COLUMNS]
    if (len(rows), len(columns)) != (len(matrix.rows), len(matrix.columns)):
        notes.append(
            f"{len(rows)} of {len(matrix.rows)} rows and {len(columns)} of {len(matrix.columns)} columns are drawn; "
            "-k and -w choose others"
        )
    cells = [line[: len(columns)] for line in matrix.cells[: len(rows)]]
    draw = partial(_draw, rows=rows, columns=columns, cells=cells)
    panel = Panel(draw=draw, height=0.5 + 0.45 * len(rows), unit="state")
    return Drawing(panels=(panel,), title=f"{matrix.rows_by} x {matrix.columns_by}", notes=tuple(notes))


def _draw(
    ax: "Axes",
    style: PlotStyle,
    *,
    rows: Sequence[str],
    columns: Sequence[str],
    cells: Sequence[Sequence[Cell]],
) -> None:
    from matplotlib.patches import Rectangle

    size = min(style.font_size * 0.9, style.width_in * 72 * 0.75 / len(columns) / 7)
    for y, line in enumerate(cells):
        for x, cell in enumerate(line):
            color, grey, hatch = _LOOKS[cell.state]
            look = {"facecolor": grey if style.grey else color, "edgecolor": "#8a8a8a", "hatch": hatch}
            ax.add_patch(Rectangle((x, y), 1, 1, linewidth=style.font_size * 0.06, clip_on=False, **look))
            box = {"facecolor": look["facecolor"], "edgecolor": "none", "pad": 1.0} if hatch else None
            text = "\n".join(map(plain, filter(None, (state_text(cell.state), value_text(cell.best)))))
            ax.text(x + 0.5, y + 0.5, text, ha="center", va="center", fontsize=size, bbox=box)
    ax.set_xlim(0, len(columns))
    ax.set_ylim(len(rows), 0)
    limit = max(6, style.characters(0.75) // len(columns))
    ax.set_xticks([place + 0.5 for place in range(len(columns))], [plain(name, limit) for name in columns])
    ax.set_yticks(
        [place + 0.5 for place in range(len(rows))], [plain(name, style.characters(0.3)) for name in short_names(rows)]
    )
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)
