"""A drawing is panels, one above the other; here it becomes a figure, and a figure becomes a file."""

import io
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_benchdb import __version__
from pytest_benchdb.errors import ConfigError
from pytest_benchdb.present.plot.style import PlotStyle, check_font, looking_like, plain, require_matplotlib

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = ("png", "svg", "pdf")
_HEIGHTS = (2.0, 40.0)
_MARGIN_IN = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One pair of axes.

    Attributes:
        draw: draws on axes in a style.
        height: a suitable height in inches at a font of 9 points, without what is around the panel.
        unit: what its figures are of, for messages: ``wall_time (s)``.
    """

    draw: "Callable[[Axes, PlotStyle], None]"
    height: float
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """What to draw.

    Attributes:
        panels: from the top.
        title: the name of what is drawn, if it is one thing.
        notes: what is left out, one sentence each.
    """

    panels: tuple[Panel, ...]
    title: str | None = None
    notes: tuple[str, ...] = ()


def figure_bytes(drawing: Drawing, style: PlotStyle, format_name: str) -> bytes:
    """Return a drawing as a file: the same bytes for the same answer and the same matplotlib.

    Raises:
        MissingExtraError: matplotlib is not installed.
        ConfigError: the font is not installed, or the answer cannot be drawn as asked.
    """
    require_matplotlib()
    from matplotlib.figure import Figure

    check_font(style.font)
    with looking_like(style), _any_character():
        figure = Figure(figsize=_size(drawing, style), dpi=style.dpi, layout="constrained")
        _draw_panels(drawing, style, figure)
        file = io.BytesIO()
        figure.savefig(file, format=format_name, metadata=_metadata(format_name, drawing))
    return file.getvalue()


def draw_on(drawing: Drawing, style: PlotStyle, ax: "Axes | None") -> "Axes | tuple[Axes, ...]":
    """Draw on axes, or on those of a new figure of pyplot; return them, several if the drawing has several panels.

    Raises:
        MissingExtraError: matplotlib is not installed.
        ConfigError: axes are given, but there are several panels.
    """
    require_matplotlib()
    if ax is not None:
        if len(drawing.panels) > 1:
            kinds = ", ".join(panel.unit for panel in drawing.panels)
            raise ConfigError(f"ax= takes one metric, and there are {len(drawing.panels)}: {kinds}; name one")
        drawing.panels[0].draw(ax, style)
        _set_title(ax, drawing, style)
        return ax
    import matplotlib.pyplot as plt

    with looking_like(style), _any_character():
        figure = plt.figure(figsize=_size(drawing, style), layout="constrained")
        drawn = _draw_panels(drawing, style, figure)
    return drawn[0] if len(drawn) == 1 else drawn


def _draw_panels(drawing: Drawing, style: PlotStyle, figure: "Figure") -> "tuple[Axes, ...]":
    heights = [panel.height for panel in drawing.panels]
    grid: Any = figure.subplots(len(heights), 1, squeeze=False, height_ratios=heights)
    drawn = tuple(row[0] for row in grid)
    for panel, ax in zip(drawing.panels, drawn, strict=True):
        panel.draw(ax, style)
    text = _title(drawing, style)
    if text:
        figure.suptitle(plain(text, style.characters(0.95)))
    return drawn


def _title(drawing: Drawing, style: PlotStyle) -> str:
    return (drawing.title or "") if style.title is None else style.title


def _set_title(ax: "Axes", drawing: Drawing, style: PlotStyle) -> None:
    if _title(drawing, style):
        ax.set_title(plain(_title(drawing, style), style.characters(0.95)))


def _size(drawing: Drawing, style: PlotStyle) -> tuple[float, float]:
    if style.height_in is not None:
        return style.width_in, style.height_in
    height = sum(panel.height + _MARGIN_IN for panel in drawing.panels) * style.font_size / 9.0
    return style.width_in, min(max(height, _HEIGHTS[0]), _HEIGHTS[1])


def _metadata(format_name: str, drawing: Drawing) -> dict[str, Any]:
    """Return what the file says about itself: no date, so that the same answer is the same file."""
    name = f"pytest-benchdb {__version__}"
    if format_name == "png":
        return {"Software": name}
    title = {} if drawing.title is None else {"Title": drawing.title}
    return {"Creator": name, **title, **({"Date": None} if format_name == "svg" else {"CreationDate": None})}


@contextmanager
def _any_character() -> Iterator[None]:
    """Draw characters that the font lacks as boxes, without a warning for each."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph \d+ .* missing")
        yield
